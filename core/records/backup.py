"""A copy of what a desk keeps, taken while it works, and put back where nothing is yet.

::

    <folder>/20260304T123000Z/   mode 0700
        backup.json              when, by which version, how many rows the audit log had, and each file's SHA-256
        records.sqlite           answers, decisions, audit log; or records.pgdump (pg_dump's custom format)
        access.sqlite            the keys' hashes, if any key was made
        models/                  bundles that were promoted, and which one is in use

Left out: the cache, which is made again; tables that people have uploaded, which hold notes and are deleted after a
week; and the installation's secrets. Whoever holds records and secrets can write a false audit log, so the secrets are
copied only when asked for, to a place of their own.
"""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sqlalchemy import URL, inspect, make_url

from core.errors import RecordsError
from core.records.chain import audit_key
from core.records.database import DatabaseRecords, open_records
from core.records.engine import open_engine
from core.records.tables import audit_head
from core.records.verify import Verdict, verify
from core.settings import Settings

MANIFEST = "backup.json"
SQLITE, POSTGRESQL, ACCESS, MODELS = "records.sqlite", "records.pgdump", "access.sqlite", "models"
SECRETS = ("cache-secret", "audit-signing-key.pem", "audit-signing-key.pub.pem", "cookie-signing-secret")
NAME = re.compile(r"\d{8}T\d{6}Z")
UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself.

    Attributes:
        made: when (UTC, ISO form).
        desk: version of the desk.
        rows: rows of the audit log.
        files: SHA-256 of each file, by its place in the folder.
    """

    made: str
    desk: str
    rows: int
    files: dict[str, str]


def back_up(
    settings: Settings,
    folder: Path,
    *,
    keep: int | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[Path, Backup]:
    """Copy what the desk keeps into a new folder under `folder`, check the copy, and say what it holds.

    Args:
        settings: whose records and data folder.
        folder: holds one folder a backup.
        keep: so many backups stay, the newest; none: all.
        clock: the time.

    Raises:
        RecordsError: nothing new stands under `folder`: it can't be written, or the audit log is not whole.
    """
    moment = clock()
    target = folder / f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    draft = target.with_name(target.name + UNFINISHED)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
    except OSError as error:
        raise RecordsError(f"{draft} can't be made ({error.strerror}). Name another folder.") from None
    try:
        rows = _copy_records(settings, draft)
        if (settings.data_dir / ACCESS).exists():
            _copy_sqlite(settings.data_dir / ACCESS, draft / ACCESS)
        if (settings.data_dir / MODELS).is_dir():
            shutil.copytree(
                settings.data_dir / MODELS, draft / MODELS, ignore=shutil.ignore_patterns(".lock", ".incoming-*")
            )
        made = Backup(moment.astimezone(UTC).isoformat(timespec="seconds"), _version(), rows, _sums(draft))
        (draft / MANIFEST).write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")
        draft.rename(target)
    except (OSError, sqlite3.Error) as error:
        raise RecordsError(f"The backup could not be written ({type(error).__name__}); it was removed.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    if keep:
        _forget(folder, keep)
    return target, made


def copy_secrets(settings: Settings, folder: Path) -> list[str]:
    """Copy the installation's secrets into `folder` (mode 0600); their names.

    Raises:
        RecordsError: they can't be copied, or other ones are there.
    """
    return _copy_secrets(settings.data_dir, folder)


def restore(settings: Settings, source: Path, secrets: Path | None = None) -> Verdict:
    """Put a backup back where nothing is yet, and check the audit log.

    Args:
        settings: name the data folder and the database that take it.
        source: the backup's folder.
        secrets: a folder with the installation's secrets; none: they are in the data folder already.

    Raises:
        RecordsError: the backup is damaged, the place is taken or the secrets are not there; nothing was changed then.
    """
    _check(source)
    _check_place(settings, source)
    if not ((secrets or settings.data_dir) / SECRETS[0]).is_file():
        raise RecordsError(
            f"There is no {SECRETS[0]} in {secrets or settings.data_dir}: without it nobody can check the audit log or "
            "go on with it. Name the folder that holds it: --secrets FOLDER. Nothing was restored."
        )
    if secrets is not None:
        _copy_secrets(secrets, settings.data_dir)
    if (source / POSTGRESQL).exists():
        url = make_url(settings.effective_database_url)
        _run("pg_restore", url, "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges",
             str(source / POSTGRESQL))  # fmt: skip
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (source / MODELS).is_dir():
            shutil.copytree(source / MODELS, settings.data_dir / MODELS)
        for name, path in ((ACCESS, settings.data_dir / ACCESS), (SQLITE, _file_of(settings))):
            if path is not None and (source / name).exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, path)
                path.chmod(0o600)
    except OSError as error:
        raise RecordsError(
            f"The backup could not be put back whole ({error.strerror}): empty the place, try again."
        ) from None
    return _verdict(settings)


def _copy_records(settings: Settings, draft: Path) -> int:
    """Copy the records; how many rows of the audit log the copy has."""
    url = make_url(settings.effective_database_url)
    if url.get_backend_name() == "postgresql":
        found = _verdict(settings)  # what comes meanwhile only adds rows
        _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={draft / POSTGRESQL}")
        (draft / POSTGRESQL).chmod(0o600)
    else:
        path = _file_of(settings)
        if path is None or not path.exists():
            raise RecordsError(f"There are no records in {path}: nothing to back up. Is TRIAGE_DATA_DIR set?")
        _copy_sqlite(path, draft / SQLITE)
        found = _verdict(settings, draft / SQLITE)
        for left in (f"{SQLITE}-wal", f"{SQLITE}-shm"):
            (draft / left).unlink(missing_ok=True)
    if found.breach:
        raise RecordsError(
            f"The audit log is not as it was written (row {found.breach.id}), so no backup was made that could take an "
            "older one's place. Look: triage audit verify"
        )
    return found.rows


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's own online backup: one state of the database, whoever writes meanwhile."""
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as open_one:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(target)) as copy:
            open_one.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without others beside it


@contextmanager
def _records(settings: Settings, file: Path | None) -> Iterator[DatabaseRecords]:
    opened = (
        DatabaseRecords(open_engine(f"sqlite:///{file}"), key=partial(audit_key, settings.data_dir))
        if file
        else open_records(settings)
    )
    try:
        yield opened
    finally:
        opened.close()


def _verdict(settings: Settings, file: Path | None = None) -> Verdict:
    """Whether the audit log is whole: that of the settings, or of a copy in `file`."""
    with _records(settings, file) as opened, opened.one_view() as connection:
        return verify(connection, opened.chain)


def _file_of(settings: Settings) -> Path | None:
    """Where the records are, if that is a file."""
    url = make_url(settings.effective_database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _run(tool: str, url: URL, *options: str) -> None:
    """One of PostgreSQL's own programs; the password is not on its command line, its words go to standard error."""
    found = shutil.which(tool)
    if found is None:
        raise RecordsError(
            f"{tool} is missing: install PostgreSQL's client of the server's version (postgresql-client)."
        )
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query).render_as_string()
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run([found, f"--dbname={plain}", *options], env=environment, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode:
        raise RecordsError(
            f"{tool} ended with {done.returncode}; what it said stands above. Nothing was left half done."
        )


def _check(source: Path) -> None:
    """Whether every file is as it was written."""
    try:
        told = json.loads((source / MANIFEST).read_text(encoding="utf-8"))["files"]
        found = _sums(source)
    except (OSError, ValueError, KeyError, TypeError):
        raise RecordsError(
            f"{source} is no backup: it has no {MANIFEST} that can be read. Nothing was restored."
        ) from None
    if wrong := sorted(name for name in told.keys() | found.keys() if told.get(name) != found.get(name)):
        raise RecordsError(f"The backup is damaged: {', '.join(wrong[:5])}. Nothing was restored; take another one.")


def _check_place(settings: Settings, source: Path) -> None:
    """Whether nothing is there yet that the backup would take the place of."""
    file, is_dump = _file_of(settings), (source / POSTGRESQL).exists()
    if is_dump != (file is None):
        raise RecordsError(
            f"The backup is of {'PostgreSQL' if is_dump else 'SQLite'}, TRIAGE_DATABASE_URL names another kind of "
            "database. Nothing was restored."
        )
    places = [settings.data_dir / ACCESS, settings.data_dir / MODELS, *([file] if file else [])]
    taken = [str(path) for path in places if path.exists()]
    if file is None:
        engine = open_engine(settings.effective_database_url)
        try:
            taken += ["the database"] if inspect(engine).has_table(audit_head.name) else []
        finally:
            engine.dispose()
    if taken:
        raise RecordsError(
            f"{', '.join(taken)}: there already, and nothing is overwritten. Move it away, then try again."
        )


def _copy_secrets(source: Path, target: Path) -> list[str]:
    names = [name for name in SECRETS if (source / name).is_file()]
    try:
        contents = {name: (source / name).read_bytes() for name in names}
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        other = [name for name in names if (target / name).exists() and (target / name).read_bytes() != contents[name]]
        if other:
            raise RecordsError(f"{target} holds another installation's {', '.join(other)}: nothing was changed there.")
        for name in names:
            if not (target / name).exists():
                handle = os.open(target / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(contents[name])
    except OSError as error:
        raise RecordsError(f"The secrets can't be copied to {target} ({error.strerror}).") from None
    return names


def _sums(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / MANIFEST:
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _forget(folder: Path, keep: int) -> None:
    """Delete all backups but the newest."""
    for old in sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))[:-keep]:
        shutil.rmtree(old)


def _version() -> str:
    try:
        return version("triage-desk")
    except PackageNotFoundError:
        return "0"

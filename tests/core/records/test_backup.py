"""A backup that is made while the desk writes is whole, and is put back elsewhere; nothing else is touched."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.access.keys import KeyStore
from core.cli import run
from core.errors import RecordsError
from core.records import backup
from core.records.acts import Act
from core.records.backup import back_up, copy_secrets, restore
from core.records.database import open_records
from core.records.signing import signing_key
from core.settings import Settings
from tests.core.records.conftest import some_assessment
from tests.core.records.postgresql import binaries, server


def write(settings: Settings, rows: int = 5) -> None:
    records = open_records(settings)
    for _ in range(rows):
        records.decide(
            records.add(some_assessment(), person="nurse", note_hash="0" * 32),
            "acuity", "2", reason="", person="nurse",
        )  # fmt: skip
    records.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "elsewhere", _env_file=None)


@pytest.fixture
def site(settings: Settings) -> Settings:
    """A desk with records, a key, a signing key and a registry."""
    write(settings)
    KeyStore(settings.data_dir).create("ward", ["assess"])
    signing_key(settings.data_dir)
    (settings.data_dir / "models" / "ours" / "1").mkdir(parents=True)
    (settings.data_dir / "models" / "ours" / "1" / "manifest.json").write_text("{}")
    (settings.data_dir / "models" / ".lock").touch()
    (settings.data_dir / "jobs" / "0").mkdir(parents=True)
    (settings.data_dir / "jobs" / "0" / "upload.csv").write_text("words of a patient")
    (settings.data_dir / "cache").mkdir()
    return settings


def test_a_backup_holds_what_must_be_kept_and_neither_secrets_nor_notes(site: Settings, tmp_path: Path) -> None:
    target, made = back_up(site, tmp_path / "backups")
    assert set(made.files) == {"records.sqlite", "access.sqlite", "models/ours/1/manifest.json"}
    assert {path.name for path in target.iterdir()} == {"backup.json", "records.sqlite", "access.sqlite", "models"}
    assert target.stat().st_mode & 0o077 == 0
    assert (target / "records.sqlite").stat().st_mode & 0o077 == 0
    assert made.rows == 10
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [target.name]


def test_it_is_put_back_elsewhere_and_the_desk_goes_on(site: Settings, elsewhere: Settings, tmp_path: Path) -> None:
    target, _ = back_up(site, tmp_path / "backups")
    assert set(copy_secrets(site, tmp_path / "apart")) == {
        "cache-secret", "audit-signing-key.pem", "audit-signing-key.pub.pem",
    }  # fmt: skip
    found = restore(elsewhere, target, tmp_path / "apart")
    assert (found.breach, found.rows) == (None, 10)
    write(elsewhere, 1)
    records = open_records(elsewhere)
    assert len(records.answers()) == 6
    records.note(Act.EXPORT, "lead", {"what": "answers"})
    records.close()
    assert [key.name for key in KeyStore(elsewhere.data_dir).all()] == ["ward"]
    assert (elsewhere.data_dir / "models" / "ours" / "1" / "manifest.json").exists()
    assert (elsewhere.data_dir / "cache-secret").stat().st_mode & 0o077 == 0


def test_a_backup_made_while_the_desk_writes_is_one_state_of_it(settings: Settings, tmp_path: Path) -> None:
    write(settings, 1)
    end, written = threading.Event(), []

    def go_on_writing() -> None:
        records = open_records(settings)
        while not end.is_set():
            written.append(records.add(some_assessment(), person="nurse", note_hash="0" * 32))
        records.close()

    writers = [threading.Thread(target=go_on_writing) for _ in range(3)]
    for writer in writers:
        writer.start()
    moments = (datetime(2026, 3, 4, 12, 0, second, tzinfo=UTC) for second in range(60))
    try:
        made = [back_up(settings, tmp_path / "backups", clock=lambda: next(moments)) for _ in range(8)]
    finally:
        end.set()
        for writer in writers:
            writer.join()
    copy_secrets(settings, tmp_path / "apart")
    rows = [told.rows for _, told in made]
    assert rows == sorted(rows)
    assert rows[-1] > rows[0], "nothing was written meanwhile"
    for number, (target, told) in enumerate(made):
        place = Settings(data_dir=tmp_path / f"place{number}", _env_file=None)
        found = restore(place, target, tmp_path / "apart")
        assert (found.breach, found.rows) == (None, told.rows)
        with sqlite3.connect(place.data_dir / "records.sqlite") as database:
            assert database.execute("SELECT count(*) FROM answers").fetchone()[0] == told.rows - 1
        database.close()


def test_only_the_newest_are_kept_and_nothing_else_is_deleted(site: Settings, tmp_path: Path) -> None:
    folder, moment = tmp_path / "backups", datetime(2026, 3, 4, tzinfo=UTC)
    folder.mkdir()
    (folder / "of-somebody-else").mkdir()
    for day in range(4):
        back_up(site, folder, keep=2, clock=lambda day=day: moment + timedelta(days=day))  # type: ignore[misc]
    assert sorted(path.name for path in folder.iterdir()) == [
        "20260306T000000Z",
        "20260307T000000Z",
        "of-somebody-else",
    ]


def test_a_changed_audit_log_takes_no_older_backup_s_place(site: Settings, tmp_path: Path) -> None:
    back_up(site, tmp_path / "backups", clock=lambda: datetime(2026, 3, 4, tzinfo=UTC))
    with sqlite3.connect(site.data_dir / "records.sqlite") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit SET person = 'somebody else' WHERE id = 3")
    database.close()
    with pytest.raises(RecordsError, match=r"not as it was written \(row 3\)"):
        back_up(site, tmp_path / "backups", keep=1)
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["20260304T000000Z"]


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "no manifest"])
def test_a_damaged_backup_is_not_restored(site: Settings, elsewhere: Settings, tmp_path: Path, damage: str) -> None:
    target, _ = back_up(site, tmp_path / "backups")
    if damage == "changed":
        with (target / "records.sqlite").open("r+b") as file:
            file.seek(5000)
            file.write(b"x")
    elif damage == "missing":
        (target / "access.sqlite").unlink()
    elif damage == "added":
        (target / "models" / "evil.joblib").write_bytes(b"x")
    else:
        (target / "backup.json").write_text("[]")
    copy_secrets(site, tmp_path / "apart")
    with pytest.raises(RecordsError, match="Nothing was restored"):
        restore(elsewhere, target, tmp_path / "apart")
    assert not elsewhere.data_dir.exists()


def test_nothing_that_is_there_is_overwritten(site: Settings, elsewhere: Settings, tmp_path: Path) -> None:
    target, _ = back_up(site, tmp_path / "backups")
    before = (site.data_dir / "records.sqlite").read_bytes()
    with pytest.raises(RecordsError, match="nothing is overwritten"):
        restore(site, target)
    assert (site.data_dir / "records.sqlite").read_bytes() == before
    with pytest.raises(RecordsError, match="without it nobody can check"):
        restore(elsewhere, target)
    copy_secrets(site, tmp_path / "apart")
    elsewhere.data_dir.mkdir()
    (elsewhere.data_dir / "cache-secret").write_bytes(b"y" * 32)
    with pytest.raises(RecordsError, match="another installation's cache-secret"):
        restore(elsewhere, target, tmp_path / "apart")
    assert [path.name for path in elsewhere.data_dir.iterdir()] == ["cache-secret"]


def test_a_full_disk_leaves_no_half_backup(site: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(RecordsError, match="could not be written"):
        back_up(site, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_commands_say_what_they_did(
    site: Settings,
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(site.data_dir))
    folder, apart = str(tmp_path / "backups"), str(tmp_path / "apart")
    assert run(["backup", folder, "--secrets", f"{folder}/secrets"]) == 1
    assert "apart from the backups" in capsys.readouterr().err
    assert run(["backup", folder, "--keep", "3", "--secrets", apart]) == 0
    said = capsys.readouterr().out
    assert "the audit log is whole, 10 rows" in said
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(elsewhere.data_dir))
    assert run(["restore", said.split(":")[0], "--secrets", apart]) == 0
    assert "The audit log is whole: 10 rows" in capsys.readouterr().out
    assert run(["audit", "verify"]) == 0


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    if binaries() is None or shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with server() as url:
        yield url


@pytest.mark.slow
def test_records_in_postgresql_are_dumped_and_put_back(
    postgresql: str, settings: Settings, tmp_path: Path, databases: Callable[[str], str]
) -> None:
    of_site, other = databases("site"), databases("other")
    site = settings.model_copy(update={"database_url": Settings(database_url=of_site, _env_file=None).database_url})
    write(site)
    target, made = back_up(site, tmp_path / "backups")
    assert list(made.files) == ["records.pgdump"]
    write(site, 1)
    copy_secrets(site, tmp_path / "apart")
    place = Settings(data_dir=tmp_path / "elsewhere", database_url=other, _env_file=None)
    found = restore(place, target, tmp_path / "apart")
    assert (found.breach, found.rows) == (None, 10)
    write(place, 1)
    with pytest.raises(RecordsError, match="the database: there already"):
        restore(place, target)
    with pytest.raises(RecordsError, match="The backup is of PostgreSQL"):
        restore(settings.model_copy(update={"data_dir": tmp_path / "third"}), target, tmp_path / "apart")


@pytest.fixture
def databases(postgresql: str) -> Callable[[str], str]:
    """Makes an empty database; its URL."""
    import psycopg

    def make(name: str) -> str:
        with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return f"{postgresql.rpartition('/')[0]}/{name}"

    return make


def test_a_password_stands_on_no_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "pg_dump"
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.said"; printf "%s" "$PGPASSWORD" > "$0.password"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    url = backup.make_url("postgresql+psycopg://desk:very%20secret@host:5433/triage?sslmode=require")
    backup._run("pg_dump", url, "--format=custom")
    said = (tmp_path / "pg_dump.said").read_text()
    assert "secret" not in said
    assert said.splitlines()[0] == "--dbname=postgresql://desk@host:5433/triage?sslmode=require"
    assert (tmp_path / "pg_dump.password").read_text() == "very secret"

"""What must be right before a server starts: every setting that can't be used is told at once, a line each."""

import difflib
import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv import dotenv_values

from core.errors import RecordsError, SettingsError
from core.model.registry import MANIFEST
from core.model.scheme import load_scheme
from core.records.database import open_records
from core.records.engine import BAD_URL
from core.records.schema import NEWER
from core.settings import Settings, load_settings

PREFIX = "TRIAGE_"
FULL = (errno.ENOSPC, errno.EDQUOT)
# Read elsewhere than in `Settings`.
OTHERS = frozenset({"TRIAGE_SECRETS_DIR"})


def preflight() -> tuple[Settings, list[str]]:
    """The settings, and a line for each thing to look at though the server starts.

    Raises:
        SettingsError: one line for everything that can't be used, naming variable, value and what to do.
    """
    lines: list[str] = []
    try:
        settings = load_settings()
    except SettingsError as error:
        lines = str(error).splitlines()
        wrong = {line.partition("=")[0].removeprefix(PREFIX).lower() for line in lines} & set(Settings.model_fields)
        # The rest is checked beside defaults in their place.
        rest = {name: Settings.model_fields[name].get_default(call_default_factory=True) for name in wrong}
        try:
            settings = load_settings(**rest)
        except SettingsError:
            raise error from None
    else:
        wrong = set()
    lines += [line for name, line in _problems(settings) if name not in wrong]
    if lines:
        raise SettingsError("\n".join(lines))
    notices = list(unknown_variables({**os.environ, **dotenv_values(".env")}))
    if full := _writing_error(settings.data_dir):  # the desk answers without records
        notices.append(f"Nothing can be written to {settings.data_dir} ({full.strerror}): answers are not recorded.")
    return settings, notices


def unknown_variables(environment: Mapping[str, str | None]) -> Iterator[str]:
    """A line for each variable that looks like a setting and is none: a slip would go unnoticed otherwise."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OTHERS
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and not name.startswith("TRIAGE_TEST_"):
            near = difflib.get_close_matches(name, known, 1, cutoff=0.8)
            meant = f"; did you mean {near[0]}?" if near else "; the README lists them."
            yield f"{name} is no setting of this desk and does nothing{meant}"


def _problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """The field and a line, for each setting whose value points at something that can't be used."""
    try:
        load_scheme(settings.acuity_scheme)
    except SettingsError as error:
        yield "acuity_scheme", f"TRIAGE_ACUITY_SCHEME={settings.acuity_scheme!r}: {error}"
    if settings.model and not (settings.model / MANIFEST).is_file():
        yield (
            "model",
            f"TRIAGE_MODEL={str(settings.model)!r}: no bundle is there (no {MANIFEST}); name a bundle's folder, or "
            "leave it unset for the promoted one.",
        )
    if unwritable := _writing_error(settings.data_dir):
        if unwritable.errno not in FULL:
            yield (
                "data_dir",
                f"TRIAGE_DATA_DIR={str(settings.data_dir)!r}: nothing can be written there ({unwritable.strerror}); "
                "make it writable for this user, or name another folder.",
            )
        return  # the records may lie in it
    if why := _unusable_records(settings):
        yield "database_url", f"TRIAGE_DATABASE_URL={'(hidden)' if settings.database_url else '(unset)'}: {why}"


def _writing_error(folder: Path) -> OSError | None:
    """Why nothing can be written to a folder, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None


def _unusable_records(settings: Settings) -> str | None:
    """Why the records can never be used like this; a database that is down now is no reason: it may come back."""
    try:
        records = open_records(settings)
    except RecordsError as error:
        return str(error)
    try:
        records.tidy()
    except RecordsError as error:
        return str(error) if str(error) in (NEWER, BAD_URL) else None
    finally:
        records.close()
    return None

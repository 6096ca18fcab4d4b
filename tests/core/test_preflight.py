"""Before a server starts: everything that is wrong is said at once, a line each, with what to do."""

import sqlite3
import tempfile
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.preflight import preflight
from core.records.database import open_records
from core.settings import load_settings

pytestmark = pytest.mark.usefixtures("fresh_installation")


def complaints() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        preflight()
    return str(caught.value).splitlines()


def test_a_site_that_sets_nothing_starts_and_has_nothing_to_look_at() -> None:
    settings, notices = preflight()
    assert settings == load_settings()
    assert notices == []


def test_every_wrong_setting_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, value in {
        "EMBEDDING_TIMEOUT": "soon",
        "LANGUAGE": "fr",
        "TEXTS_KEY": "tiny-secret",
        "ACUITY_SCHEME": "zebra",
        "MODEL": str(tmp_path),
        "DATA_DIR": str(tmp_path / "file"),
    }.items():
        monkeypatch.setenv(f"TRIAGE_{name}", value)
    told = complaints()
    starts = (
        "TRIAGE_EMBEDDING_TIMEOUT='soon': ", "TRIAGE_TEXTS_KEY=(hidden): ", "TRIAGE_LANGUAGE='fr': ",
        "TRIAGE_ACUITY_SCHEME='zebra': There is no acuity scheme 'zebra'. Known: china, esi",
        f"TRIAGE_MODEL='{tmp_path}': no bundle is there", f"TRIAGE_DATA_DIR='{tmp_path / 'file'}': nothing can be",
    )  # fmt: skip
    assert len(told) == len(starts)
    for start in starts:
        assert [line for line in told if line.startswith(start)], (start, told)
    assert "tiny-secret" not in str(told)


@pytest.mark.parametrize("url", ["nonsense", "mysql://user:secret@host/name", "sqlite://"])
def test_a_database_that_can_never_be_used_is_said_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", url)
    (line,) = complaints()
    assert line.startswith("TRIAGE_DATABASE_URL=(hidden): TRIAGE_DATABASE_URL names no database")
    assert "secret" not in line


def test_a_database_of_a_newer_version_stops_the_start() -> None:
    settings = load_settings()
    records = open_records(settings)
    records.tidy()
    records.close()
    with sqlite3.connect(settings.data_dir / "records.sqlite") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    (line,) = complaints()
    assert "newer version of this desk" in line


def test_a_database_that_is_down_does_not_stop_it(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"postgresql+psycopg://user:word@127.0.0.1:{free_port}/records")
    assert preflight()[1] == []


def test_a_full_disk_does_not_stop_it_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert "No space left on device): answers are not recorded" in preflight()[1][0]


def test_a_slip_in_a_name_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIAGE_EMBEDING_URL", "http://127.0.0.1:1/v1")
    (tmp_path / ".env").write_text("TRIAGE_COLOUR=blue\n", encoding="utf-8")
    assert preflight()[1] == [
        "TRIAGE_COLOUR is no setting of this desk and does nothing; the README lists them.",
        "TRIAGE_EMBEDING_URL is no setting of this desk and does nothing; did you mean TRIAGE_EMBEDDING_URL?",
    ]

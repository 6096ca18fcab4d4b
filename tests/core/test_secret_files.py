"""Secrets that are files, as containers and service managers give them."""

import os
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import load_settings

pytestmark = pytest.mark.usefixtures("fresh_installation")


@pytest.fixture
def secret_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with secrets, as containers and service managers give them."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "TRIAGE_DATABASE_URL").write_text("postgresql+psycopg://desk:from-a-file@host/triage\n", encoding="utf-8")
    (folder / "TRIAGE_EMBEDDING_API_KEY").write_text("from-a-file\n", encoding="utf-8")
    (folder / "of_another_program").write_text("x", encoding="utf-8")
    monkeypatch.setenv("TRIAGE_SECRETS_DIR", str(folder))
    return folder


def test_secrets_are_read_from_files(secret_files: Path) -> None:
    settings = load_settings()
    assert settings.effective_database_url == "postgresql+psycopg://desk:from-a-file@host/triage"
    assert settings.embedding_api_key is not None
    assert settings.embedding_api_key.get_secret_value() == "from-a-file"
    assert "from-a-file" not in repr(settings)


def test_the_environment_goes_before_a_file_of_secrets(monkeypatch: pytest.MonkeyPatch, secret_files: Path) -> None:
    monkeypatch.setenv("TRIAGE_EMBEDDING_API_KEY", "from-the-environment")
    found = load_settings().embedding_api_key
    assert found is not None
    assert found.get_secret_value() == "from-the-environment"


def test_a_wrong_secret_of_a_file_is_named_and_does_not_show(secret_files: Path) -> None:
    (secret_files / "TRIAGE_KEEP_TEXTS_DAYS").write_text("3", encoding="utf-8")
    (secret_files / "TRIAGE_TEXTS_KEY").write_text("no key at all", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith("TRIAGE_TEXTS_KEY=(hidden): ")
    assert "no key at all" not in str(caught.value)


def test_a_folder_of_secrets_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIAGE_SECRETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"TRIAGE_SECRETS_DIR='.*nowhere': there is no such folder") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_a_secret_that_may_not_be_read_is_one_line(monkeypatch: pytest.MonkeyPatch, secret_files: Path) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: "DATABASE" not in str(path))  # root could read it all the same
    with pytest.raises(SettingsError, match=r"TRIAGE_DATABASE_URL can't be read\. The user that runs") as caught:
        load_settings()
    assert "\n" not in str(caught.value)

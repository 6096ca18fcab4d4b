"""Every page opens from the entry point, in both languages, at a desk that works and at one that has nothing yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import desk
from app.locale.extract import translations
from app.text import Voice
from core.model.bundle import Bundle
from core.settings import REPOSITORY
from core.wording import Speech

PAGES = ("triage", "spreadsheet", "map", "quality", "activity", "administration")
SPEECHES: tuple[Speech, ...] = ("zh", "en")


@pytest.fixture(autouse=True)
def one_desk_a_test(fresh_installation: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TRIAGE_EMBEDDING_TIMEOUT", "60")
    yield
    desk.open_desk.clear()
    desk.records.clear()


@pytest.fixture
def untranslated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pages say from here on that the Chinese catalogues do not have, however it comes to `say`."""
    missing: list[str] = []
    known, speak = translations(), Voice.__call__

    def listen(voice: Voice, message: str, /, **values: object) -> str:
        if not known.get(message):
            missing.append(message)
        return speak(voice, message, **values)

    monkeypatch.setattr(Voice, "__call__", listen)
    return missing


def opened(name: str, language: Speech, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("TRIAGE_LANGUAGE", language)
    page = AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=90)
    return page.run().switch_page(f"app_pages/{name}.py").run()


@pytest.mark.parametrize("language", SPEECHES)
@pytest.mark.parametrize("name", PAGES)
def test_the_page_opens(
    name: str,
    language: Speech,
    small_bundle: tuple[Path, Bundle],
    monkeypatch: pytest.MonkeyPatch,
    untranslated: list[str],
) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
    page = opened(name, language, monkeypatch)
    assert not page.exception
    assert [error.value for error in page.error] == []
    assert page.title[0].value == Voice(language)(name.capitalize())
    assert untranslated == []


@pytest.mark.parametrize("name", PAGES)
def test_without_a_bundle_or_an_endpoint_the_page_opens_and_breaks_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch, free_port: int, untranslated: list[str]
) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", "no-such-bundle")
    monkeypatch.setenv("TRIAGE_EMBEDDING_URL", f"http://127.0.0.1:{free_port}/v1")
    monkeypatch.setenv("TRIAGE_EMBEDDING_TIMEOUT", "1")
    page = opened(name, "en", monkeypatch)
    assert not page.exception
    assert page.title[0].value == name.capitalize()
    assert untranslated == []
    said = " ".join(alert.value for alert in (*page.error, *page.warning, *page.info))
    assert "Traceback" not in said

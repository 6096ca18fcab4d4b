from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import desk
from core.settings import REPOSITORY

MAIN = str(REPOSITORY / "app" / "main.py")


@pytest.fixture(autouse=True)
def one_desk_a_test(fresh_installation: Path) -> Iterator[None]:
    yield
    desk.open_desk.clear()
    desk.records.clear()


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(MAIN, default_timeout=30).run()


def test_the_first_page_is_triage(page: AppTest) -> None:
    assert not page.exception
    assert page.title[0].value == "Triage"


def test_the_page_changes_its_language_and_back(page: AppTest) -> None:
    page.segmented_control(key="language").set_value("zh").run()
    assert page.title[0].value == "分诊"
    page.segmented_control(key="language").set_value("en").run()
    assert page.title[0].value == "Triage"


def test_the_language_goes_along_to_the_next_page(page: AppTest) -> None:
    page.segmented_control(key="language").set_value("zh").run()
    page.switch_page("app_pages/quality.py").run()
    assert page.title[0].value == "质量"


def test_the_site_s_language_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_LANGUAGE", "zh")
    page = AppTest.from_file(MAIN, default_timeout=30).run()
    assert page.title[0].value == "分诊"
    assert page.button(key="assess").label == "分诊评估"

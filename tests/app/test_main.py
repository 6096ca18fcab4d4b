from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.desk import open_desk
from core.errors import EndpointUnavailable
from core.model.bundle import Bundle
from core.settings import REPOSITORY
from core.triage import TriageDesk

NOTE = "胸口压着痛半小时，出冷汗"
BUTTONS = {"zh": "分诊评估", "en": "Assess"}


@pytest.fixture(autouse=True)
def one_desk_a_test(
    fresh_installation: Path, small_bundle: tuple[Path, Bundle], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
    monkeypatch.setenv("TRIAGE_EMBEDDING_TIMEOUT", "60")
    yield
    open_desk.clear()


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=90).run()


def send(page: AppTest, text: str) -> AppTest:
    page.text_area(key="text").set_value(text)
    return page.button[0].click().run()


def titles(page: AppTest) -> list[str]:
    return [alert.proto.title for alert in (*page.warning, *page.error, *page.info)]


def words(page: AppTest) -> str:
    return " ".join(element.value for element in (*page.title, *page.markdown, *page.caption, *page.subheader))


def test_the_page_opens_without_an_answer_and_says_what_it_is_for(page: AppTest) -> None:
    assert not page.exception
    assert page.title[0].value == "Triage"
    assert "A person decides." in words(page)
    assert not page.metric


def test_a_note_gets_acuity_departments_and_the_model(page: AppTest) -> None:
    send(page, NOTE)
    assert not page.exception
    assert page.metric[0].label == "Acuity"
    assert page.metric[0].value[0] in "12345"
    departments = page.table[0].value
    assert list(departments.columns) == ["Answer", "Probability"]
    assert departments["Answer"][0] == "Cardiology"
    assert departments["Probability"][0].endswith("%")
    assert "small" in page.caption[-1].value


def test_age_and_sex_go_with_the_note(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    assess = TriageDesk.assess
    monkeypatch.setattr(TriageDesk, "assess", lambda desk, note: asked.append(note) or assess(desk, note))
    page.number_input(key="age").set_value(67)
    page.segmented_control(key="sex").set_value("male")
    send(page, NOTE)
    assert [(note.text, note.age, note.sex) for note in asked] == [(NOTE, 67, "male")]


def test_the_page_changes_its_language_and_keeps_note_and_answer(page: AppTest) -> None:
    send(page, NOTE)
    level = page.metric[0].value[0]
    page.segmented_control(key="language").set_value("zh").run()
    assert page.title[0].value == "分诊"
    assert page.text_area(key="text").value == NOTE
    assert page.metric[0].label == "紧急程度"
    assert page.metric[0].value[0] == level
    assert page.table[0].value["结果"][0] == "心血管内科"


def test_the_site_s_language_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_LANGUAGE", "zh")
    page = AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=30).run()
    assert page.title[0].value == "分诊"
    assert page.button[0].label == BUTTONS["zh"]


def test_nothing_typed_is_asked_for(page: AppTest) -> None:
    send(page, "")
    assert page.info[0].value == "Write or paste a note first."


def test_a_note_without_words_is_a_calm_sentence(page: AppTest) -> None:
    send(page, "🙂🙂")
    assert titles(page) == ["This note can't be assessed."]
    assert not page.metric


def test_an_endpoint_that_fails_keeps_what_was_typed_and_the_next_try_works(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(settings: object = None) -> None:
        raise EndpointUnavailable("Nobody answers.")

    with monkeypatch.context() as broken:
        broken.setattr(TriageDesk, "open", fail)
        send(page, NOTE)
    assert titles(page) == ["No answer. Triage by hand, or try again."]
    assert page.error[0].value == "Nobody answers. What you typed is kept."
    assert page.text_area(key="text").value == NOTE
    page.button[0].click().run()
    assert page.metric
    assert not page.error


def test_an_old_answer_does_not_stay_beside_a_new_note(page: AppTest) -> None:
    send(page, NOTE)
    send(page, "🙂")
    assert not page.metric


def test_what_nobody_expected_says_nothing_of_the_note(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(desk: TriageDesk, note: object) -> None:
        raise RuntimeError(NOTE)

    monkeypatch.setattr(TriageDesk, "assess", fail)
    send(page, NOTE)
    assert not page.exception
    assert "RuntimeError" in page.error[0].value
    assert NOTE not in page.error[0].value


def test_a_cut_note_is_told(page: AppTest) -> None:
    send(page, "胸口痛，出汗。" * 400)
    assert "Please note" in titles(page)

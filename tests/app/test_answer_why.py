import pytest
from streamlit.testing.v1 import AppTest

from core.errors import EndpointUnavailable
from core.settings import REPOSITORY
from core.triage import TriageDesk

pytestmark = pytest.mark.usefixtures("small_desk")


@pytest.fixture
def answered() -> AppTest:
    page = AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=90).run()
    page.text_area(key="text").set_value(
        "I moved house last month, my gums bleed and a tooth is loose, I have two cats"
    )
    return page.button(key="assess").click().run()


def words(page: AppTest) -> str:
    return " ".join(str(each.value) for each in (*page.markdown, *page.caption, *page.warning))


def asked(page: AppTest) -> AppTest:
    page.session_state["why"] = True
    return page.run()


def test_nothing_is_worked_out_until_somebody_asks(answered: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered.session_state["sitting"].why is None
    assert "Phrases that moved" not in words(answered)


def test_who_asks_sees_phrases_and_similar_notes(answered: AppTest) -> None:
    page = asked(answered)
    assert "tooth is loose" in words(page)
    assert "nobody's own messages" in words(page)
    assert not page.exception


def test_the_next_note_has_reasons_of_its_own(answered: AppTest) -> None:
    page = asked(answered)
    page.button(key="next_note").click().run()
    assert page.session_state["sitting"].why is None


def test_where_it_cant_be_worked_out_the_answer_stands(answered: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise EndpointUnavailable("The endpoint is gone.")

    monkeypatch.setattr(TriageDesk, "explain", fail)
    page = asked(answered)
    assert "The answer stands." in words(page)
    assert page.session_state["sitting"].assessment is not None

import pytest
from streamlit.testing.v1 import AppTest

from app import desk
from core.records.records import NewAnswer
from core.settings import REPOSITORY

NOTE = "胸口压着痛半小时，出冷汗"
LISTED = 200

pytestmark = pytest.mark.usefixtures("small_desk")


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=90).run()


def send(page: AppTest) -> AppTest:
    page.text_area(key="text").set_value(NOTE)
    return page.button(key="assess").click().run()


def test_the_day_s_list_has_the_note_without_its_text(page: AppTest) -> None:
    send(page)
    page.button(key="accept_all").click().run()
    shown = page.dataframe[0].value
    assert shown["Department"].tolist() == ["Cardiology"]
    assert shown["Decision"].tolist() == ["Accepted"]
    assert NOTE not in shown.to_string()


def test_of_more_notes_than_fit_the_newest_are_listed_and_it_says_so(page: AppTest) -> None:
    send(page)
    before = len(page.dataframe[0].value)
    assessment = page.session_state["sitting"].assessment
    desk.records().add_many([NewAnswer(assessment, desk.LOCAL_PERSON, "")] * (LISTED - before))
    page.run()
    assert len(page.dataframe[0].value) == LISTED
    assert "there are more" not in " ".join(str(each.value) for each in page.caption)
    desk.records().add(assessment, person=desk.LOCAL_PERSON, note_hash="")
    page.run()
    assert len(page.dataframe[0].value) == LISTED
    assert "your newest 200 notes of today; there are more" in " ".join(str(each.value) for each in page.caption)

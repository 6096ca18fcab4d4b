import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from streamlit.testing.v1 import AppTest

from app import desk
from app.answer_examples import EXAMPLES
from core.errors import EndpointUnavailable, RecordsError, SettingsError
from core.notes import Assessment, Evidence, Note, RedFlagHit
from core.records.database import DatabaseRecords
from core.records.records import AnsweredNote
from core.settings import REPOSITORY
from core.triage import TriageDesk

NOTE = "胸口压着痛半小时，出冷汗"

pytestmark = pytest.mark.usefixtures("small_desk")
MAIN = str(REPOSITORY / "app" / "main.py")


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(MAIN, default_timeout=90).run()


def send(page: AppTest, text: str = NOTE) -> AppTest:
    page.text_area(key="text").set_value(text)
    return page.button(key="assess").click().run()


def recorded() -> list[AnsweredNote]:
    return desk.records().answers(since=datetime(2000, 1, 1, tzinfo=UTC))


def titles(page: AppTest) -> list[str]:
    return [alert.proto.title for alert in (*page.warning, *page.error, *page.info) if alert.proto.title]


def words(page: AppTest) -> str:
    alerts = (*page.warning, *page.error, *page.info, *page.success)
    return " ".join(str(element.value) for element in (*page.subheader, *page.markdown, *page.caption, *alerts))


def level(page: AppTest) -> str:
    """The number in the acuity tile."""
    tile = next(one.value for one in page.subheader if "background" in one.value)
    return next(letter for letter in tile if letter in "12345")


def charts(page: AppTest) -> list[Any]:
    return list(page.get("plotly_chart"))


def reason_buttons(page: AppTest) -> list[str]:
    return [button.key for button in page.button if button.key and button.key.startswith("reason_")]


@pytest.fixture
def failing_records(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def fail(*_: object, **__: object) -> None:
        raise RecordsError("The records can't be used now.")

    for name in ("add", "decide", "answers"):
        monkeypatch.setattr(DatabaseRecords, name, fail)
    return monkeypatch


def test_the_page_opens_with_an_empty_box_and_says_what_to_do(page: AppTest) -> None:
    assert not page.exception
    assert page.text_area(key="text").value == ""
    assert "press Ctrl+Enter" in words(page)
    assert "A person decides." in words(page)
    assert "None yet." in words(page)
    assert not charts(page)


@pytest.mark.parametrize(
    ("language", "task", "department"), [("en", "Department", "Cardiology"), ("zh", "科室", "心血管内科")]
)
def test_a_note_gets_a_level_with_its_time_and_bars(
    language: str, task: str, department: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_LANGUAGE", language)
    page = send(AppTest.from_file(MAIN, default_timeout=90).run())
    assert not page.exception
    assert level(page) in "12345"
    assert ":material/timer" in words(page)
    assert f"**{task}**" in words(page)
    assert len(charts(page)) == 1  # the small bundle answers no condition
    assert department in page.table[0].value.to_string()
    assert page.button(key="choose_department_cardiology").label == department


def test_the_figures_are_there_as_a_table(page: AppTest) -> None:
    shown = send(page).table[0].value
    assert list(shown.columns) == ["Question", "Answer", "Probability"]
    assert shown["Question"].tolist() == ["Acuity"] * 3 + ["Department"] * 3
    assert all(share.endswith("%") for share in shown["Probability"])


def test_age_and_sex_go_with_the_note(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Note] = []
    assess = TriageDesk.assess

    def listen(opened: TriageDesk, note: Note) -> Assessment:
        asked.append(note)
        return assess(opened, note)

    monkeypatch.setattr(TriageDesk, "assess", listen)
    page.number_input(key="age").set_value(67)
    page.segmented_control(key="sex").set_value("male")
    send(page)
    assert asked == [Note(NOTE, 67, "male")]


def test_an_answer_is_recorded_once_however_often_it_is_sent(page: AppTest) -> None:
    send(page)
    page.button(key="assess").click().run()
    page.button(key="assess").click().run()
    assert len(recorded()) == 1
    assert recorded()[0].labels["department"] == "cardiology"


def test_the_records_hold_nothing_of_the_text(page: AppTest, fresh_installation: Path) -> None:
    send(page)
    desk.records.clear()
    files = [path.read_bytes() for path in (fresh_installation / "data").glob("records*")]
    assert files
    assert not any(NOTE.encode() in data or NOTE[:6].encode() in data for data in files)


def test_the_language_changes_and_note_answer_and_decision_stay(page: AppTest) -> None:
    send(page)
    before = level(page)
    page.button(key="choose_department_cardiology").click().run()
    page.segmented_control(key="language").set_value("zh").run()
    assert page.text_area(key="text").value == NOTE
    assert level(page) == before
    assert page.button(key="choose_department_cardiology").label == "心血管内科"
    assert "已采纳" in words(page)
    assert len(recorded()) == 1


def test_note_and_answer_outlive_a_change_of_page(page: AppTest) -> None:
    page.number_input(key="age").set_value(67)
    send(page)
    page.switch_page("app_pages/quality.py").run()
    page.switch_page("app_pages/triage.py").run()
    assert page.text_area(key="text").value == NOTE
    assert page.number_input(key="age").value == 67
    assert charts(page)
    assert len(recorded()) == 1


def test_a_note_that_was_not_sent_outlives_a_change_of_page(page: AppTest) -> None:
    page.text_area(key="text").set_value("头痛").run()
    page.switch_page("app_pages/quality.py").run()
    page.switch_page("app_pages/triage.py").run()
    assert page.text_area(key="text").value == "头痛"
    assert not charts(page)


def test_accepting_is_one_press_and_recorded_once(page: AppTest) -> None:
    send(page)
    page.button(key="choose_department_cardiology").click().run()
    page.button(key="choose_department_cardiology").click().run()
    decision = recorded()[0].decisions["department"]
    assert decision.accepted
    assert "Accepted" in words(page)


def test_an_override_is_two_presses_a_label_and_a_reason(page: AppTest) -> None:
    send(page)
    other = "1" if level(page) != "1" else "2"
    page.button(key=f"choose_acuity_{other}").click().run()
    assert recorded()[0].decisions == {}
    assert len(reason_buttons(page)) > 3
    page.button(key="reason_known_patient").click().run()
    decision = recorded()[0].decisions["acuity"]
    assert (decision.decided, decision.reason) == (other, "known_patient")
    assert level(page) == other
    assert "Known patient" in words(page)
    assert not reason_buttons(page)


@pytest.mark.parametrize("days", [0, 30])
def test_who_overrides_is_told_that_words_are_kept(page: AppTest, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    monkeypatch.setenv("TRIAGE_KEEP_TEXTS_DAYS", str(days))
    monkeypatch.setenv("TRIAGE_TEXTS_KEY", Fernet.generate_key().decode())
    send(page)
    page.button(key=f"choose_acuity_{'1' if level(page) != '1' else '2'}").click().run()
    assert any("are kept here for 30 days" in caption.value for caption in page.caption) == bool(days)


def test_an_override_can_be_left(page: AppTest) -> None:
    send(page)
    page.button(key=f"choose_acuity_{'1' if level(page) != '1' else '2'}").click().run()
    page.button(key="reason_cancel").click().run()
    assert not reason_buttons(page)
    assert recorded()[0].decisions == {}


def test_a_label_without_a_button_can_be_chosen_from_the_list(page: AppTest) -> None:
    send(page)
    box = page.selectbox(key="other_department")
    shown = [button.key for button in page.button if button.key and button.key.startswith("choose_department")]
    (left,) = {"cardiology", "dermatology", "dentistry", "psychiatry"} - {key.split("_")[-1] for key in shown}
    box.select(left).run()
    page.button(key="reason_wrong_department").click().run()
    assert recorded()[0].decisions["department"].decided == left
    assert page.selectbox(key="other_department").value is None


def test_all_is_accepted_with_one_press_and_the_banner_says_so(page: AppTest) -> None:
    send(page)
    page.button(key="accept_all").click().run()
    assert recorded()[0].decisions.keys() == {"department", "acuity"}
    assert "You have decided." in words(page)
    assert page.button(key="accept_all").disabled


def test_the_next_note_clears_the_page(page: AppTest) -> None:
    page.number_input(key="age").set_value(67)
    send(page)
    page.button(key="next_note").click().run()
    assert page.text_area(key="text").value == ""
    assert page.number_input(key="age").value is None
    assert not charts(page)
    page.switch_page("app_pages/quality.py").run()
    page.switch_page("app_pages/triage.py").run()
    assert page.text_area(key="text").value == ""


def test_two_people_have_two_boxes(page: AppTest) -> None:
    send(page)
    other = AppTest.from_file(MAIN, default_timeout=90).run()
    assert other.text_area(key="text").value == ""
    assert not charts(other)


def test_a_changed_note_is_told_and_nothing_can_be_decided_until_it_is_sent(page: AppTest) -> None:
    send(page)
    page.text_area(key="text").set_value(NOTE + "，气短").run()
    assert "The note has changed" in titles(page)
    assert page.button(key="choose_department_cardiology").disabled
    assert page.button(key="accept_all").disabled
    page.button(key="assess").click().run()
    assert "The note has changed" not in titles(page)
    assert len(recorded()) == 2


def test_nothing_typed_is_asked_for(page: AppTest) -> None:
    send(page, "")
    assert page.info[0].value == "Write or paste a note first."


def test_a_note_without_words_is_a_calm_sentence(page: AppTest) -> None:
    send(page, "🙂🙂")
    assert titles(page) == ["This note can't be assessed"]
    assert page.text_area(key="text").value == "🙂🙂"
    assert not recorded()


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "No answer. Triage by hand, or try again."), ("zh", "暂无结果。请人工分诊，或稍后重试。")],
)
def test_without_an_endpoint_the_page_says_triage_by_hand_and_the_next_try_works(
    language: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(settings: object = None) -> None:
        raise EndpointUnavailable("Nobody answers at http://10.0.0.1.")

    monkeypatch.setenv("TRIAGE_LANGUAGE", language)
    page = AppTest.from_file(MAIN, default_timeout=90).run()
    with monkeypatch.context() as broken:
        broken.setattr(TriageDesk, "open", fail)
        send(page)
    assert titles(page)[0] == title
    assert "2" in titles(page)[1]  # the level that red flags demand
    assert "10.0.0.1" not in words(page)
    assert page.text_area(key="text").value == NOTE
    page.button(key="assess").click().run()
    assert charts(page)
    assert title not in titles(page)


def test_without_an_endpoint_a_note_without_red_flags_is_no_all_clear(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", "/no/such/bundle")
    send(page, "Refill of my usual blood pressure tablets please")
    assert "No red flag was found in the text. That is no all-clear." in words(page)


def test_rules_that_can_t_be_read_are_said_and_the_page_stays(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise SettingsError("rules.toml, rule x, field acuity: is no level.")

    monkeypatch.setenv("TRIAGE_MODEL", "/no/such/bundle")
    monkeypatch.setattr("app.answer_sitting.red_flags", fail)
    send(page)
    assert "Red flags could not be looked for either." in words(page)
    assert "rules.toml" not in words(page)
    assert page.text_area(key="text").value == NOTE


def test_without_a_bundle_no_path_reaches_the_page(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", "/no/such/bundle")
    send(page)
    assert "The model can't be used." in words(page)
    assert "/no/such" not in words(page)
    assert page.text_area(key="text").value == NOTE


def test_what_nobody_expected_says_nothing_of_the_note_and_the_log_has_its_number(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(opened: TriageDesk, note: object) -> None:
        raise RuntimeError(NOTE)

    monkeypatch.setattr(TriageDesk, "assess", fail)
    with caplog.at_level(logging.ERROR):
        send(page)
    assert not page.exception
    number = page.error[0].value.rsplit(" ", 1)[-1]
    assert number in caplog.text
    assert NOTE not in caplog.text + page.error[0].value


def test_an_old_answer_does_not_stay_beside_a_new_note(page: AppTest) -> None:
    send(page)
    send(page, "🙂")
    assert not charts(page)


def test_failing_records_do_not_hide_the_answer(page: AppTest, failing_records: pytest.MonkeyPatch) -> None:
    send(page)
    assert not page.exception
    assert "Not recorded" in titles(page)
    assert charts(page)
    page.button(key="choose_department_cardiology").click().run()
    assert "Accepted" not in words(page)
    failing_records.undo()


def test_a_cut_note_is_told_and_a_note_of_a_megabyte_works(page: AppTest) -> None:
    long = "胸口痛，出冷汗。" * 45_000
    send(page, long)
    assert "Please note" in titles(page)
    assert page.text_area(key="text").value == long
    assert charts(page)


def test_red_flags_are_told_and_their_words_marked(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assess = TriageDesk.assess

    def flagged(opened: TriageDesk, note: Note) -> Assessment:
        hit = RedFlagHit("chest_pain", 2, (Evidence(0, 2, NOTE[:2]),), "a handbook")
        return replace(assess(opened, note), red_flags=(hit,))

    monkeypatch.setattr(TriageDesk, "assess", flagged)
    send(page)
    assert "Must not be missed: at least 2 Emergent" in titles(page)
    assert "a handbook" in words(page)
    assert any("<mark>胸口</mark>" in block.value for block in page.html)


def test_an_example_is_filled_in_and_answered_but_never_over_a_note(page: AppTest) -> None:
    page.button(key="example_0").click().run()
    assert page.text_area(key="text").value == EXAMPLES[0].text
    assert charts(page)
    page.button(key="next_note").click().run()
    page.text_area(key="text").set_value("头痛")
    page.button(key="example_1").click().run()
    assert page.text_area(key="text").value == "头痛"


def test_single_keys_can_be_switched_off(page: AppTest) -> None:
    send(page)
    assert page.button(key="choose_acuity_1").proto.shortcut
    page.toggle(key="has_keys").set_value(False).run()
    assert not page.button(key="choose_acuity_1").proto.shortcut
    assert page.button(key="choose_acuity_1").label.startswith("1")
    assert page.button(key="assess").proto.shortcut

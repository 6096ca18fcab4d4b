from datetime import UTC, datetime, timedelta

import pytest

from app.answer_today import start_of_day, waiting_list, zone_called
from app.text import Voice
from core.records.records import AnsweredNote, Decision
from tests.app.answering import NOON

LABELS = {"department": "cardiology", "acuity": "3", "condition": "circulatory"}


def note(id: int, acuity: str, minutes: int, *decided: Decision, needs_review: bool = False) -> AnsweredNote:
    at = NOON - timedelta(minutes=minutes)
    decisions = {decision.task: decision for decision in decided}
    return AnsweredNote(
        id, at, "nurse1", LABELS | {"acuity": acuity}, needs_review, (), "zh", "small 1 space", decisions
    )


def decision(task: str, given: str, decided: str) -> Decision:
    return Decision(task, given, decided, "" if given == decided else "other", "nurse1", NOON)


def test_the_most_urgent_comes_first_and_then_who_has_waited_longest() -> None:
    shown = waiting_list([note(1, "3", 5), note(2, "2", 1), note(3, "3", 50)], NOON, UTC, Voice("en"))
    assert shown["Acuity"].tolist() == ["2 Emergent", "3 Urgent", "3 Urgent"]
    assert shown["Waiting (min)"].tolist() == [1, 50, 5]


def test_a_person_s_level_counts_in_the_order() -> None:
    raised = note(1, "4", 1, decision("acuity", "4", "1"))
    shown = waiting_list([note(2, "2", 9), raised], NOON, UTC, Voice("en"))
    assert shown["Acuity"].tolist() == ["1 Resuscitation", "2 Emergent"]


def test_it_says_what_was_decided() -> None:
    accepted = [decision(task, label, label) for task, label in LABELS.items()]
    changed = [*accepted[:-1], decision("condition", "circulatory", "mental")]
    notes = [note(1, "1", 9), note(2, "2", 9, needs_review=True), note(3, "3", 9, *accepted), note(4, "4", 9, *changed)]
    shown = waiting_list(notes, NOON, UTC, Voice("en"))
    assert shown["Decision"].tolist() == ["Open", "Open: a person must decide", "Accepted", "Changed"]


def test_columns_and_labels_are_in_the_reader_s_language_and_the_hour_is_the_reader_s() -> None:
    shown = waiting_list([note(1, "2", 30)], NOON, zone_called("Asia/Shanghai"), Voice("zh"))
    assert shown.iloc[0].to_dict() == {
        "紧急程度": "2 危重", "科室": "心血管内科", "疾病类别": "循环系统疾病",
        "已等候（分钟）": 30, "分诊时间": "19:30", "决定": "待定",
    }  # fmt: skip


def test_a_note_without_a_level_comes_last() -> None:
    bare = AnsweredNote(1, NOON, "nurse1", {"ward": "north"}, False, (), "en", "site 1 space")
    assert waiting_list([bare, note(2, "5", 1)], NOON, UTC, Voice("en"))["Acuity"].tolist() == ["5 Non-urgent", ""]


@pytest.mark.parametrize(
    ("zone", "start"),
    [("Asia/Shanghai", datetime(2026, 3, 3, 16, tzinfo=UTC)), (None, datetime(2026, 3, 4, tzinfo=UTC)),
     ("No/Where", datetime(2026, 3, 4, tzinfo=UTC)), ("../etc", datetime(2026, 3, 4, tzinfo=UTC))],
)  # fmt: skip
def test_the_day_begins_at_the_reader_s_midnight(zone: str | None, start: datetime) -> None:
    assert start_of_day(NOON, zone_called(zone)) == start

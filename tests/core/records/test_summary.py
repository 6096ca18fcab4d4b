from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from core.records import summary
from core.records.records import AnsweredNote
from tests.core.records.conftest import NOON

Answered = Callable[..., AnsweredNote]
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("span", "expected"), [("today", "2026-03-05"), ("week", "2026-02-27"), ("month", "2026-02-04"), ("all", None)]
)
def test_a_span_begins_at_a_midnight_of_the_reader(span: summary.Span, expected: str | None) -> None:
    evening = datetime(2026, 3, 4, 17, 0, tzinfo=UTC)  # already the next day in Shanghai
    start = summary.start_of(span, evening, SHANGHAI)
    assert start == (expected and datetime.fromisoformat(f"{expected}T00:00+08:00"))


def test_totals_count_notes_people_and_what_they_changed(answered: Answered) -> None:
    notes = [
        answered(acuity="2", department="ent", decided={"acuity": "1", "department": "ent"}, needs_review=True),
        answered(acuity="3", department="ent", decided={"acuity": "3"}),
        answered(acuity="3"),
        answered(acuity="4"),
    ]
    totals = summary.totals(notes)
    assert (totals.notes, totals.to_person_share, totals.decided, totals.overrides) == (4, 0.25, 3, 1)
    assert totals.agreement == pytest.approx(2 / 3)


def test_without_notes_or_decisions_no_share_is_made_up(answered: Answered) -> None:
    assert summary.totals([]).to_person_share is None
    assert summary.totals([answered(acuity="2")]).agreement is None


def test_volume_has_a_row_for_each_hour_of_the_reader_s_day_and_a_column_for_each_department(
    answered: Answered,
) -> None:
    notes = [
        answered(NOON, department="ent"),
        answered(NOON, department="ent", decided={"department": "dentistry"}),
        answered(NOON + timedelta(hours=2), department="ent"),
    ]
    since = datetime(2026, 3, 4, 19, tzinfo=SHANGHAI)
    volume = summary.volume(notes, SHANGHAI, "hour", since=since, until=NOON + timedelta(hours=3))
    assert list(volume.columns) == ["ent", "dentistry"]
    assert [moment.hour for moment in volume.index] == [19, 20, 21, 22, 23]
    assert volume["ent"].tolist() == [0, 1, 0, 1, 0]
    assert volume["dentistry"].tolist() == [0, 1, 0, 0, 0]


def test_small_departments_are_counted_together_and_nothing_is_lost(answered: Answered) -> None:
    names = [f"d{place}" for place in range(10)]
    notes = [answered(department=name) for place, name in enumerate(names) for _ in range(20 - place)]
    volume = summary.volume(notes, UTC, "hour_of_day", since=None, until=NOON)
    assert list(volume.columns) == [*names[: summary.TOP], summary.REST]
    assert volume.to_numpy().sum() == len(notes)
    assert list(volume.index) == list(range(24))
    assert volume.sum(axis=1)[12] == len(notes)


def test_a_bundle_without_departments_still_has_a_volume(answered: Answered) -> None:
    volume = summary.volume([answered(acuity="2")], UTC, "day", since=None, until=NOON)
    assert volume.to_dict("list") == {summary.NO_LABEL: [1]}


def test_the_hour_that_comes_twice_and_the_one_that_never_comes_do_no_harm(answered: Answered) -> None:
    for first in (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), datetime(2026, 3, 28, 23, 30, tzinfo=UTC)):
        notes = [answered(first + timedelta(hours=hour), department="ent") for hour in range(5)]
        volume = summary.volume(notes, BERLIN, "hour", since=None, until=notes[-1].at)
        assert volume["ent"].sum() == 5


def test_no_notes_make_an_empty_volume() -> None:
    assert summary.volume([], UTC, "hour_of_day", since=None, until=NOON).shape == (24, 0)


def test_the_acuity_mix_shows_the_desk_s_levels_and_those_that_count(answered: Answered) -> None:
    notes = [
        answered(acuity="3", decided={"acuity": "2"}),
        answered(acuity="3"),
        answered(acuity="urgent"),
        answered(department="ent"),
    ]
    mix = summary.acuity_mix(notes)
    assert list(mix.index) == ["1", "2", "3", "4", "5", "urgent"]
    assert mix["given"].tolist() == [0, 0, 2, 0, 0, 1]
    assert mix["counted"].tolist() == [0, 1, 1, 0, 0, 1]


def test_overrides_are_counted_by_pair_with_the_reason_given_most(answered: Answered) -> None:
    notes = [answered(acuity="3", decided={"acuity": label}) for label in ("2", "2", "4", "3")]
    pairs = summary.override_pairs(notes, "acuity")
    assert pairs.to_numpy().tolist() == [["3", "2", 2, "other"], ["3", "4", 1, "other"]]
    assert summary.override_directions(notes) == (2, 1)
    assert summary.override_pairs(notes, "department").empty


def test_agreement_has_every_day_and_none_where_nobody_decided(answered: Answered) -> None:
    notes = [
        answered(NOON, acuity="3", department="ent", decided={"acuity": "2", "department": "ent"}),
        answered(NOON + timedelta(days=1), acuity="3"),
        answered(NOON + timedelta(days=2), acuity="3", decided={"acuity": "3"}),
    ]
    steps = summary.agreement(notes, UTC, "day", since=None, until=notes[-1].at)
    assert [step.share for step in steps] == [0.5, None, 1.0]
    assert steps[0].moment == datetime(2026, 3, 4)
    alone = summary.agreement(notes, UTC, "day", since=None, until=notes[-1].at, task="department")
    assert [step.share for step in alone] == [1.0, None, None]
    assert summary.agreement([], UTC, "day", since=None, until=NOON)[0].share is None


def test_tasks_stand_in_the_order_of_the_page(answered: Answered) -> None:
    notes = [answered(ward="b", department="ent"), answered(condition="eye", acuity="1")]
    assert summary.tasks_of(notes) == ["acuity", "department", "condition", "ward"]


def test_moments_of_the_table_are_the_reader_s(answered: Answered) -> None:
    volume = summary.volume([answered(department="ent")], SHANGHAI, "hour", since=None, until=NOON)
    assert list(volume.index) == [pd.Timestamp("2026-03-04 20:00")]

import logging
from collections.abc import Callable
from typing import cast

import pytest

from app.answer_sitting import Book, Override, Problem, Sitting, problem_of
from core.errors import BundleCorrupt, EndpointTimeout, NoteError, RecordsError, SettingsError
from core.notes import Assessment, Note
from core.records.records import Records
from core.triage import TriageDesk
from tests.app.answering import MemoryRecords, assessment
from tests.core.telemetry.figures import value

NOTE = Note("胸口压着痛半小时，出冷汗", 67, "male")


class Answering:
    """A desk that gives one answer, or fails, and counts."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails, self.asked = fails, 0

    def assess(self, note: Note) -> Assessment:
        self.asked += 1
        if self.fails:
            raise self.fails
        return assessment()


def opening(desk: Answering) -> Callable[[], TriageDesk]:
    return lambda: cast(TriageDesk, desk)


@pytest.fixture
def kept() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
def book(kept: MemoryRecords) -> Book:
    return Book(lambda: cast(Records, kept), "nurse1", lambda text: f"hash of {len(text)}")


@pytest.fixture
def at(book: Book) -> Sitting:
    """A sitting with an answer."""
    found = Sitting()
    found.send(NOTE)
    found.answer(opening(Answering()), book)
    return found


def test_an_answer_is_recorded_without_the_note(at: Sitting, kept: MemoryRecords) -> None:
    assert at.assessment and at.note == NOTE
    assert [(person, name) for _, person, name in kept.added] == [("nurse1", "hash of 12")]
    assert (at.place, at.waiting, at.problem) == ("answer", None, None)


def test_answers_and_failures_of_the_page_are_counted(book: Book) -> None:
    def stood() -> list[float]:
        pairs = (("answered", ""), ("failed", "EndpointTimeout"), ("refused", "NoteError"), ("failed", "unexpected"))
        return [value("triage_assessments_total", source="page", outcome=o, error=e) for o, e in pairs]

    before, at = stood(), Sitting()
    for fails in (None, EndpointTimeout("late"), NoteError("no words"), ValueError(NOTE.text)):
        at.clear()
        at.send(NOTE)
        at.answer(opening(Answering(fails)), book)
    assert [now - then for now, then in zip(stood(), before, strict=True)] == [1, 1, 1, 1]


def test_the_same_note_sent_twice_is_answered_and_recorded_once(at: Sitting, book: Book, kept: MemoryRecords) -> None:
    desk = Answering()
    at.send(NOTE)
    at.answer(opening(desk), book)
    assert (desk.asked, len(kept.added)) == (0, 1)


def test_another_age_is_another_note(at: Sitting, book: Book, kept: MemoryRecords) -> None:
    at.send(Note(NOTE.text, 7, "male"))
    assert at.assessment is None
    at.answer(opening(Answering()), book)
    assert len(kept.added) == 2


def test_a_note_waits_until_a_run_ends_with_an_answer_or_a_problem(book: Book) -> None:
    at = Sitting()
    at.send(NOTE)

    class Stopped(BaseException):
        """As the page's own signal that a run is ended by a click."""

    def stop() -> TriageDesk:
        raise Stopped

    with pytest.raises(Stopped):
        at.answer(stop, book)
    assert at.waiting == NOTE
    at.answer(opening(Answering()), book)
    assert at.assessment


def test_nothing_typed_is_a_problem_of_its_own() -> None:
    at = Sitting()
    at.send(Note(""))
    assert (at.waiting, at.problem) == (None, Problem("empty"))


def test_a_failure_keeps_nothing_of_the_old_answer_and_the_next_try_works(at: Sitting, book: Book) -> None:
    other = Note("头痛三天")
    at.send(other)
    at.answer(opening(Answering(EndpointTimeout("No answer in time."))), book)
    assert at.problem and at.problem.kind == "endpoint"
    assert (at.assessment, at.note, at.answer_id) == (None, None, None)
    at.send(other)
    at.answer(opening(Answering()), book)
    assert at.assessment and at.problem is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoteError("no words"), "note"),
        (EndpointTimeout("late"), "endpoint"),
        (BundleCorrupt("changed"), "bundle"),
        (SettingsError("wrong"), "settings"),
        (RuntimeError(NOTE.text), "unexpected"),
    ],
)
def test_every_error_is_of_a_kind_and_the_log_has_its_number_but_no_note(
    error: Exception, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        problem = problem_of(error)
    assert problem.kind == kind
    assert (problem.id in caplog.text) == (kind != "note") or not problem.id
    assert NOTE.text not in caplog.text


def test_accepting_records_the_desk_s_label_once(at: Sitting, book: Book, kept: MemoryRecords) -> None:
    at.choose("acuity", "2", book)
    at.choose("acuity", "2", book)
    assert [(d.task, d.decided, d.reason) for _, d in kept.decided] == [("acuity", "2", "")]
    assert at.decisions["acuity"].accepted


def test_another_label_is_recorded_with_its_reason_and_not_before(at: Sitting, book: Book, kept: MemoryRecords) -> None:
    at.choose("department", "neurology", book)
    assert at.asking == Override("department", "neurology")
    assert not kept.decided
    at.give_reason("wrong_department", book)
    at.give_reason("wrong_department", book)
    assert [(d.given, d.decided, d.reason) for _, d in kept.decided] == [
        ("cardiology", "neurology", "wrong_department")
    ]
    assert (at.label("department"), at.asking) == ("neurology", None)


def test_an_override_can_be_left(at: Sitting, book: Book) -> None:
    at.choose("acuity", "1", book)
    at.forget_override()
    at.give_reason("other", book)
    assert (at.label("acuity"), at.decisions) == ("2", {})


def test_accept_all_leaves_what_was_decided_and_an_unfinished_override(
    at: Sitting, book: Book, kept: MemoryRecords
) -> None:
    at.choose("acuity", "1", book)
    at.give_reason("more_urgent_signs", book)
    at.choose("department", "neurology", book)
    at.accept_all(book)
    at.accept_all(book)
    assert {name: d.decided for name, d in at.decisions.items()} == {
        "acuity": "1", "department": "cardiology", "condition": "circulatory",
    }  # fmt: skip
    assert (len(kept.decided), at.is_decided, at.asking) == (3, True, None)


def test_an_override_can_be_taken_back(at: Sitting, book: Book) -> None:
    at.choose("acuity", "1", book)
    at.give_reason("other", book)
    at.choose("acuity", "2", book)
    assert at.decisions["acuity"].accepted


def test_a_label_of_a_task_that_was_not_asked_is_nothing(at: Sitting, book: Book) -> None:
    at.choose("ward", "7", book)
    assert (at.asking, at.decisions) == (None, {})


def test_failing_records_do_not_hide_the_answer_and_a_later_decision_makes_good(
    book: Book, kept: MemoryRecords
) -> None:
    kept.fails = True
    at = Sitting()
    at.send(NOTE)
    at.answer(opening(Answering()), book)
    assert at.assessment and at.lost
    at.choose("acuity", "2", book)
    assert at.lost and not at.decisions
    kept.fails = False
    at.choose("acuity", "2", book)
    assert (at.lost, len(kept.added), len(kept.decided)) == (False, 1, 1)


def test_an_override_whose_record_fails_still_asks_for_its_reason(at: Sitting, book: Book, kept: MemoryRecords) -> None:
    at.choose("acuity", "1", book)
    kept.fails = True
    at.give_reason("other", book)
    assert at.lost and at.asking
    kept.fails = False
    at.give_reason("other", book)
    assert (at.lost, at.label("acuity")) == (False, "1")


def test_the_next_note_begins_with_nothing_and_the_cursor_in_the_box(at: Sitting) -> None:
    turn = at.turn
    at.clear()
    assert (at.assessment, at.note, at.decisions, at.answer_id, at.place) == (None, None, {}, None, "box")
    assert at.turn > turn


def test_an_answer_knows_when_the_box_holds_another_note(at: Sitting) -> None:
    assert not at.differs_from(NOTE)
    assert at.differs_from(Note(NOTE.text + "。", 67, "male"))
    assert not Sitting().differs_from(NOTE)


def test_words_of_an_overridden_note_are_kept_only_where_the_site_does(
    at: Sitting, book: Book, kept: MemoryRecords
) -> None:
    at.choose("acuity", "1", book)
    at.give_reason("other", book)
    assert kept.texts == {}
    kept.keeps_texts = True
    at.choose("department", "cardiology", book)
    assert kept.texts == {}  # accepted
    at.choose("acuity", "3", book)
    at.give_reason("other", book)
    assert kept.texts == {1: NOTE.text}


def test_a_text_that_can_t_be_kept_takes_nothing_from_the_decision(
    at: Sitting, book: Book, kept: MemoryRecords, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RecordsError("The records can't be written now.")

    kept.keeps_texts = True
    monkeypatch.setattr(kept, "keep_text", fail)
    at.choose("acuity", "1", book)
    at.give_reason("other", book)
    assert (at.lost, at.label("acuity"), at.asking) == (False, "1", None)
    assert "not kept" in caplog.text
    assert NOTE.text not in caplog.text

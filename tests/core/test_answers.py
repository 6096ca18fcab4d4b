"""Answers in columns: what a row says is what its assessment says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import DeskAnswers, TaskColumn, floor_of, raised
from core.errors import NoteError
from core.model.head import HeadAnswers
from core.notes import Assessment, ModelIdentity, RankedLabel, RedFlagHit

LEVELS = ("1", "2", "3")


def column(
    probabilities: list[list[float]],
    sets: list[list[bool]],
    decided: list[int],
    floors: tuple[int | None, ...] = (),
    *,
    doubtful: bool = False,
    task: str = "acuity",
) -> TaskColumn:
    doubts = np.full(len(decided), doubtful)
    answers = HeadAnswers(np.array(probabilities), np.array(sets), np.array(decided), doubts)
    return TaskColumn(task, LEVELS, answers, floors)


@pytest.mark.parametrize(
    ("kept", "doubtful", "reason"),
    [
        ([False, True, False], False, None),
        ([False, True, True], False, None),
        ([False, True, True], True, "ward: two answers possible"),
        ([False, True, False], True, "ward: the answer is not likely enough"),
        ([False, False, False], False, "ward: nothing is likely enough"),
    ],
)
def test_a_doubtful_answer_says_why(kept: list[bool], doubtful: bool, reason: str | None) -> None:
    assert column([[0.1, 0.4, 0.5]], [kept], [1], doubtful=doubtful, task="ward").why_unsure() == [reason]


def test_an_emergency_that_can_t_be_ruled_out_goes_to_a_person() -> None:
    doubtful = column([[0.1, 0.3, 0.6]], [[False, True, True]], [2], doubtful=True)
    assert doubtful.why_unsure() == ["acuity: an emergency can't be ruled out"]


@pytest.mark.parametrize(("floor", "reason"), [(2, None), (3, "acuity: an emergency can't be ruled out")])
def test_what_a_red_flag_makes_an_emergency_is_not_in_doubt(floor: int, reason: str | None) -> None:
    found = column([[0.1, 0.3, 0.6]], [[False, True, True]], [2], (floor,), doubtful=True)
    assert found.why_unsure() == [reason]


def test_labels_probabilities_and_sets_stand_row_by_row() -> None:
    found = column([[0.1, 0.4, 0.5], [0.7, 0.2, 0.1]], [[True, False, True], [True, True, False]], [1, 0])
    assert found.labels == ["2", "1"]
    assert found.probabilities.tolist() == [0.4, 0.7]
    assert found.prediction_sets == [("3", "1"), ("1", "2")]
    assert found.task_answers()[0].ranked == (RankedLabel("3", 0.5), RankedLabel("2", 0.4), RankedLabel("1", 0.1))


def test_each_note_gets_its_own_assessment_or_error() -> None:
    error = NoteError("no words")
    answers = DeskAnswers(
        errors={1: error},
        places=np.array([0, 2]),
        columns=(column([[0.1, 0.4, 0.5], [0.7, 0.2, 0.1]], [[False, True, False], [True, True, False]], [1, 0]),),
        red_flags=((), ()),
        reasons=((), ("acuity: an emergency can't be ruled out",)),
        warnings=(("truncated",), ()),
        languages=("zh", "en"),
        model=ModelIdentity("b", "1", "e"),
    )
    first, second, third = answers.assessments()
    assert second is error
    assert isinstance(first, Assessment)
    assert isinstance(third, Assessment)
    assert (first.language, first.warnings, first.needs_review) == ("zh", ("truncated",), False)
    assert (third.tasks["acuity"].label, third.needs_review) == ("1", True)
    assert len(answers) == 3


def test_a_floor_raises_the_level_and_keeps_what_the_head_can_not_rule_out() -> None:
    found = column([[0.1, 0.3, 0.6]], [[False, True, True]], [2], (2,))
    assert found.labels == ["2"]
    assert found.probabilities.tolist() == [0.3]
    assert found.prediction_sets == [("2", "3")]
    assert found.why_unsure() == [None]
    [answer] = found.task_answers()
    assert (answer.label, answer.floor, answer.prediction_set, answer.probability) == ("2", 2, ("2", "3"), 0.3)
    assert [ranked.label for ranked in answer.ranked] == ["3", "2", "1"]


def test_a_level_that_the_head_does_not_know_has_no_probability() -> None:
    found = TaskColumn(
        "acuity",
        ("3", "4"),
        HeadAnswers(np.array([[0.5, 0.5]]), np.array([[True, True]]), np.array([1])),
        (1,),
    )
    assert (found.labels, found.probabilities.tolist(), found.prediction_sets) == (["1"], [0.0], [("1", "3", "4")])


@pytest.mark.parametrize(
    ("decided", "floor", "reason"),
    [
        (2, 2, "acuity: a red flag is more urgent than the estimate"),
        (1, 1, "acuity: a red flag is more urgent than the estimate"),
        (1, 2, None),
        (0, 2, None),
        (2, 3, None),
        (2, None, None),
    ],
)
def test_a_red_flag_for_an_emergency_that_the_head_does_not_see_asks_for_a_person(
    decided: int, floor: int | None, reason: str | None
) -> None:
    assert column([[0.2, 0.3, 0.5]], [[True, True, True]], [decided], (floor,)).why_raised() == [reason]


def test_notes_without_red_flags_stand_beside_those_with() -> None:
    found = column([[0.1, 0.3, 0.6]] * 2, [[False, False, True]] * 2, [2, 2], (None, 1))
    assert found.labels == ["3", "1"]
    assert [answer.floor for answer in found.task_answers()] == [None, 1]
    assert found.why_unsure() == [None, None]


def test_an_answer_without_a_likely_label_stays_unsure_whatever_its_floor() -> None:
    assert column([[0.3, 0.3, 0.4]], [[False] * 3], [2], (1,)).why_unsure() == ["acuity: nothing is likely enough"]


@given(st.sampled_from("12345"), st.none() | st.integers(1, 5))
def test_no_level_is_ever_lowered_or_below_its_floor(level: str, floor: int | None) -> None:
    assert int(raised(level, floor)) == min(int(level), floor or 5)


@given(st.lists(st.integers(1, 3), max_size=4))
def test_the_floor_is_the_most_urgent_of_all_red_flags(levels: list[int]) -> None:
    hits = [RedFlagHit(f"rule_{place}", level, (), "s") for place, level in enumerate(levels)]
    assert floor_of(hits) == (min(levels) if levels else None)


@given(st.lists(st.tuples(st.integers(0, 2), st.none() | st.integers(1, 3), st.integers(0, 7)), min_size=1, max_size=5))
def test_no_answer_is_less_urgent_than_its_floor_or_than_the_head_s(rows: list[tuple[int, int | None, int]]) -> None:
    sets = [[bool(kept & 1), bool(kept & 2), bool(kept & 4)] for _, _, kept in rows]
    found = column([[0.2, 0.3, 0.5]] * len(rows), sets, [row[0] for row in rows], tuple(row[1] for row in rows))
    for answer, (decided, floor, _) in zip(found.task_answers(), rows, strict=True):
        assert int(answer.label) <= (floor or 3)
        assert int(answer.label) <= decided + 1
        if floor is not None and floor < decided + 1:
            assert answer.prediction_set[0] == answer.label

"""Answers in columns: what a row says is what its assessment says."""

import numpy as np
import pytest

from core.answers import DeskAnswers, TaskColumn
from core.errors import NoteError
from core.model.head import HeadAnswers
from core.notes import Assessment, ModelIdentity, RankedLabel

LEVELS = ("1", "2", "3")


def column(probabilities: list[list[float]], sets: list[list[bool]], decided: list[int]) -> TaskColumn:
    return TaskColumn("acuity", LEVELS, HeadAnswers(np.array(probabilities), np.array(sets), np.array(decided)))


@pytest.mark.parametrize(
    ("kept", "decided", "reason"),
    [
        ([False, True, False], 1, None),
        ([False, True, True], 1, "acuity: two levels possible"),
        ([False, False, False], 1, "acuity: nothing is likely enough"),
        ([False, False, True], 1, "acuity: the cautious answer is not the likeliest one"),
    ],
)
def test_an_unsure_answer_says_why(kept: list[bool], decided: int, reason: str | None) -> None:
    assert column([[0.1, 0.4, 0.5]], [kept], [decided]).why_unsure() == [reason]


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
        reasons=((), ("acuity: two levels possible",)),
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

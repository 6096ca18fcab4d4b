"""The cells of answers: levels after red flags, and red flags also where there is no answer."""

import numpy as np

from core.answers import DeskAnswers, TaskColumn
from core.bulk.answers import STANDARD_TASKS, AnswerLayout, answer_cells
from core.errors import EndpointTimeout
from core.model.head import HeadAnswers
from core.notes import ModelIdentity, RedFlagHit

HITS = (RedFlagHit("chest_pain", 2, (), "a source"), RedFlagHit("fever", 3, (), "a source"))


def answers(*, with_levels: bool = True) -> DeskAnswers:
    head = HeadAnswers(np.array([[0.1, 0.9]] * 2), np.array([[False, True]] * 2), np.array([1, 1]))
    return DeskAnswers(
        errors={1: EndpointTimeout("No answer."), 3: EndpointTimeout("No answer.")},
        places=np.array([0, 2]),
        columns=(TaskColumn("acuity", ("2", "4"), head, (2, None)),) if with_levels else (),
        red_flags=(HITS, ()),
        reasons=(("acuity: a red flag is more urgent than the estimate",), ()),
        warnings=((), ()),
        languages=("en", "en"),
        model=ModelIdentity("b", "1", "e"),
        flags_of_errors={3: HITS[:1]},
    )


def test_acuity_is_the_level_after_red_flags() -> None:
    cells = answer_cells(answers(), STANDARD_TASKS)
    assert cells["acuity"] == [2, None, 4, None]
    assert cells["acuity_set"] == ["2; 4", "", "4", ""]
    assert cells["acuity_probability"] == [0.1, None, 0.9, None]
    assert cells["needs_review"] == [True, True, False, True]


def test_red_flags_are_told_also_where_there_is_no_answer() -> None:
    cells = answer_cells(answers(), STANDARD_TASKS)
    assert cells["red_flags"] == ["chest_pain; fever", "", "", "chest_pain"]
    assert cells["status"] == ["ok", "error", "ok", "error"]


def test_red_flags_need_no_acuity_task() -> None:
    cells = answer_cells(answers(with_levels=False), STANDARD_TASKS)
    assert cells["red_flags"][0] == "chest_pain; fever"
    assert cells["acuity"] == [None] * 4
    assert AnswerLayout.of(STANDARD_TASKS, ModelIdentity("b", "1", "e")).batch(cells).num_rows == 4

"""`triage evaluate`: a labelled table against the desk's answers, as a whole and by subgroup."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.bulk.tables import read_frame
from core.errors import TriageError
from core.model.evaluation import Evaluation, GroupScores
from core.model.evaluation_table import groups_of, labels_of, notes_of, text_column_of
from core.model.evaluation_text import as_text
from core.model.head import HeadAnswers
from core.model.metrics import TaskPredictions, TaskScores, score
from core.notes import Assessment, ModelIdentity, Note

__all__ = ["Evaluation", "NoteAnswers", "answers_of", "as_text", "evaluate", "evaluate_answers"]

BATCH = 2000


class Desk(Protocol):
    """What evaluation needs of a `core.triage.TriageDesk`."""

    @property
    def bundle(self) -> Any:  # noqa: ANN401 - a core.model.bundle.Bundle, which would load scikit-learn's pickles
        """The bundle whose heads answer."""

    def assess_many(self, notes: Sequence[Note], *, timeout: float | None = None) -> list[Assessment | TriageError]:
        """An assessment for each note, or the error that kept it from one."""


@dataclass(frozen=True, slots=True)
class NoteAnswers:
    """What the desk answers for n notes.

    Attributes:
        tasks: by task, answers for the m assessed notes, in order.
        classes: by task, the labels in the order of the answers' columns.
        answered: which notes were assessed, shape (n,), m of them true.
        review: which notes a person must decide, those not assessed included, shape (n,).
    """

    tasks: Mapping[str, HeadAnswers]
    classes: Mapping[str, tuple[str, ...]]
    answered: NDArray[np.bool_]
    review: NDArray[np.bool_]


Answering = Callable[[Sequence[Note]], NoteAnswers]


def evaluate(
    frame: pd.DataFrame | Path,
    desk: Desk,
    *,
    by: Sequence[str] = (),
    text_column: str | None = None,
    on_done: Callable[[int], None] | None = None,
) -> Evaluation:
    """How good the desk's answers are on a table with a text column and a label column for at least one task.

    What is scored is what the desk says in the end: acuity is the level after red flags. An empty cell in a label
    column leaves its row out of that task; a task without a labelled row is reported with 0 rows. Ages and sexes in
    columns of those names go with the note.

    Args:
        frame: the table, or the path of one.
        desk: a `core.triage.TriageDesk`.
        by: columns whose values are scored one by one; `language` is always among them (by script, without the column).
        text_column: the notes' column; none: guessed.
        on_done: told how many more notes are done, on the way.

    Raises:
        TableError: no text column, no label column, no such subgroup column, or one with too many values.
        EndpointError: the endpoint as a whole fails; nothing was scored.
    """
    heads = desk.bundle.heads
    classes = {task: head.classes for task, head in heads.items()}

    def answering(notes: Sequence[Note]) -> NoteAnswers:
        return answers_of(_assessments(notes, desk, on_done), classes)

    return evaluate_answers(
        frame,
        answering,
        tuple(heads),
        desk.bundle.identity,
        by=by,
        text_column=text_column,
        coverage={task: head.coverage for task, head in heads.items()},
    )


def evaluate_answers(
    frame: pd.DataFrame | Path,
    answering: Answering,
    tasks: tuple[str, ...],
    model: ModelIdentity,
    *,
    by: Sequence[str] = (),
    text_column: str | None = None,
    coverage: Mapping[str, float] | None = None,
) -> Evaluation:
    """As `evaluate`, for anything that answers these tasks."""
    table = read_frame(frame) if isinstance(frame, Path) else frame
    column = text_column_of(frame, table, text_column)
    labels = labels_of(table, tasks)
    groups = groups_of(table, column, by)
    answers = answering(notes_of(table, column))
    place = np.cumsum(answers.answered) - 1  # of each assessed row in the answers

    def scores(rows: NDArray[np.bool_]) -> GroupScores:
        counted = rows & answers.answered
        found = {task: _scores(task, labels[task], counted, place, answers) for task in tasks}
        return GroupScores(int(rows.sum()), found, float(answers.review[rows].mean()) if rows.any() else None)

    return Evaluation(
        model,
        scores(np.ones(len(table), dtype=np.bool_)),
        int((~answers.answered).sum()),
        {name: {value: scores(values == value) for value in sorted(set(values))} for name, values in groups.items()},
        coverage or {},
    )


def answers_of(assessments: Sequence[Assessment | TriageError], classes: Mapping[str, tuple[str, ...]]) -> NoteAnswers:
    """The arrays behind some assessments."""
    found = [each for each in assessments if isinstance(each, Assessment)]
    answered = np.array([isinstance(each, Assessment) for each in assessments], dtype=np.bool_)
    review = ~answered
    review[answered] = [each.needs_review for each in found]
    known = {task: _with_given(found, task, names) for task, names in classes.items()}
    return NoteAnswers({task: _task_arrays(found, task, known[task]) for task in known}, known, answered, review)


def _with_given(assessments: Sequence[Assessment], task: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The head's classes, and any label that was decided without it: a red flag can demand a level it does not know."""
    given = {label for each in assessments for label in (each.tasks[task].label, *each.tasks[task].prediction_set)}
    return (*classes, *sorted(given - set(classes)))


def _task_arrays(assessments: Sequence[Assessment], task: str, classes: tuple[str, ...]) -> HeadAnswers:
    column = {label: k for k, label in enumerate(classes)}
    probabilities = np.zeros((len(assessments), len(classes)))
    sets = np.zeros(probabilities.shape, dtype=np.bool_)
    decided = np.zeros(len(assessments), dtype=np.int64)
    for row, assessment in enumerate(assessments):
        answer = assessment.tasks[task]
        for ranked in answer.ranked:
            probabilities[row, column[ranked.label]] = ranked.probability
        sets[row, [column[label] for label in answer.prediction_set]] = True
        decided[row] = column[answer.label]
    return HeadAnswers(probabilities, sets, decided)


def _assessments(
    notes: Sequence[Note], desk: Desk, on_done: Callable[[int], None] | None
) -> list[Assessment | TriageError]:
    """All assessments, batch by batch, with all the time they need: an evaluation is not a note that someone awaits."""
    found: list[Assessment | TriageError] = []
    for start in range(0, len(notes), BATCH):
        found += desk.assess_many(notes[start : start + BATCH], timeout=float("inf"))
        if on_done is not None:
            on_done(len(found) - start)
    return found


def _scores(
    task: str,
    labels: NDArray[Any],
    rows: NDArray[np.bool_],
    place: NDArray[np.int64],
    answers: NoteAnswers,
) -> TaskScores:
    labelled = rows & (labels != "")
    chosen, found = place[labelled], answers.tasks[task]
    return score(
        TaskPredictions(
            task,
            answers.classes[task],
            labels[labelled],
            found.probabilities[chosen],
            found.sets[chosen],
            found.decided[chosen],
        )
    )

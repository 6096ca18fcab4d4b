"""The columns that `triage classify` adds to a table, and their cells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import pyarrow as pa

from core.answers import DeskAnswers, TaskColumn
from core.bulk.batch import free_name
from core.errors import TriageError
from core.notes import ModelIdentity, RedFlagHit

Kind = Literal["text", "number", "whole", "flag"]
Cells = dict[str, list[object]]

STANDARD_TASKS = ("department", "acuity", "condition")
CLOSING_COLUMNS: Mapping[str, Kind] = {
    "red_flags": "text",
    "needs_review": "flag",
    "reasons": "text",
    "warnings": "text",
    "status": "text",
    "error": "text",
    "model": "text",
}
ARROW_TYPES: Mapping[Kind, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "whole": pa.int64(),
    "flag": pa.bool_(),
}
SEPARATOR = "; "
SUFFIX = "_triage"


def all_tasks(trained: Iterable[str]) -> tuple[str, ...]:
    """The three standard tasks, then a site's own in the bundle's order."""
    return (*STANDARD_TASKS, *(task for task in trained if task not in STANDARD_TASKS))


def added_columns(tasks: Sequence[str]) -> dict[str, Kind]:
    """Name and kind of every added column, in order; a task that the bundle lacks keeps its columns, empty."""
    columns: dict[str, Kind] = {}
    for task in tasks:
        columns[task] = "whole" if task == "acuity" else "text"
        columns[f"{task}_probability"] = "number"
        columns[f"{task}_set"] = "text"
    return {**columns, **CLOSING_COLUMNS}


@dataclass(frozen=True, slots=True)
class AnswerLayout:
    """Which columns the answers of a bundle have.

    Attributes:
        tasks: the tasks in the order of their columns.
        kinds: name and kind of every added column, in order.
        model: the bundle, as the answers name it.
    """

    tasks: tuple[str, ...]
    kinds: Mapping[str, Kind]
    model: ModelIdentity

    @classmethod
    def of(cls, trained: Iterable[str], model: ModelIdentity) -> Self:
        """The layout for a bundle's trained tasks."""
        tasks = all_tasks(trained)
        return cls(tasks, added_columns(tasks), model)

    def batch(self, cells: Cells) -> pa.RecordBatch:
        """The cells in columns of their kinds, as files hold them."""
        return pa.record_batch({name: pa.array(cells[name], ARROW_TYPES[kind]) for name, kind in self.kinds.items()})

    def errors(self, errors: Sequence[TriageError]) -> pa.RecordBatch:
        """The columns of rows that have no answer."""
        return self.batch(error_cells(errors, self.tasks, self.model))


def names_beside(added: Iterable[str], given: Sequence[str]) -> dict[str, str]:
    """What each added column is called beside the input's own: with `_triage` behind it where the name is taken."""
    taken = set(given)
    names: dict[str, str] = {}
    for column in added:
        names[column] = free_name(column + SUFFIX, taken) if column in taken else column
        taken.add(names[column])
    return names


def answer_cells(answers: DeskAnswers, tasks: Sequence[str]) -> Cells:
    """The added cells for some rows, by column; an error keeps its message and asks for review."""
    known = {column.task: column for column in answers.columns}
    rows = len(answers.places)
    cells: Cells = {}
    for task in tasks:
        cells |= _task_cells(task, known.get(task), rows)
    cells |= {
        "red_flags": list(map(_flags, answers.red_flags)),
        "needs_review": list(map(bool, answers.reasons)),
        "reasons": list(map(SEPARATOR.join, answers.reasons)),
        "warnings": list(map(SEPARATOR.join, answers.warnings)),
        "status": ["ok"] * rows,
        "error": [""] * rows,
        "model": [_model(answers.model)] * rows,
    }
    if not answers.errors:
        return cells
    failed = sorted(answers.errors)
    found: Cells = {name: [None] * len(answers) for name in cells}
    put_cells(found, answers.places.tolist(), cells)
    errors = error_cells([answers.errors[place] for place in failed], tasks, answers.model)
    errors["red_flags"] = [_flags(answers.flags_of_errors.get(place, ())) for place in failed]
    put_cells(found, failed, errors)
    return found


def error_cells(errors: Sequence[TriageError], tasks: Sequence[str], model: ModelIdentity) -> Cells:
    """The added cells of rows that have no answer."""
    count = len(errors)
    cells: Cells = {}
    for task in tasks:
        cells |= {task: [None] * count, f"{task}_probability": [None] * count, f"{task}_set": [""] * count}
    cells |= {name: [""] * count for name in CLOSING_COLUMNS}
    cells |= {"needs_review": [True] * count, "status": ["error"] * count, "error": list(map(str, errors))}
    return cells | {"model": [_model(model)] * count}


def put_cells(cells: Cells, places: Sequence[int], others: Cells) -> None:
    """Put the rows of `others` at these places of `cells`."""
    for name, column in cells.items():
        for place, cell in zip(places, others[name], strict=True):
            column[place] = cell


def _task_cells(task: str, column: TaskColumn | None, rows: int) -> Cells:
    if column is None:
        return {task: [None] * rows, f"{task}_probability": [None] * rows, f"{task}_set": [""] * rows}
    labels: list[object] = list(map(int, column.labels)) if task == "acuity" else list(column.labels)
    return {
        task: labels,
        f"{task}_probability": column.probabilities.round(4).tolist(),
        f"{task}_set": list(map(SEPARATOR.join, column.prediction_sets)),
    }


def _flags(flags: Sequence[RedFlagHit]) -> str:
    return SEPARATOR.join(hit.id for hit in flags)


def _model(model: ModelIdentity) -> str:
    return f"{model.bundle} {model.version} {model.embedding}"

"""The columns that `triage classify` adds to a table, and their cells."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from core.bulk.batch import free_name
from core.errors import TriageError
from core.notes import Assessment, ModelIdentity

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


def names_beside(added: Iterable[str], given: Sequence[str]) -> dict[str, str]:
    """What each added column is called beside the input's own: with `_triage` behind it where the name is taken."""
    taken = set(given)
    names: dict[str, str] = {}
    for column in added:
        names[column] = free_name(column + SUFFIX, taken) if column in taken else column
        taken.add(names[column])
    return names


def answer_cells(answers: Sequence[Assessment | TriageError], tasks: Sequence[str], identity: ModelIdentity) -> Cells:
    """The added cells for some rows, by column; an error keeps its message and asks for review."""
    good = [answer if isinstance(answer, Assessment) else None for answer in answers]
    cells: Cells = {}
    for task in tasks:
        cells.update(_task_cells(task, good))
    cells["red_flags"] = [SEPARATOR.join(hit.id for hit in one.red_flags) if one else "" for one in good]
    cells["needs_review"] = [one.needs_review if one else True for one in good]
    cells["reasons"] = [SEPARATOR.join(one.reasons) if one else "" for one in good]
    cells["warnings"] = [SEPARATOR.join(one.warnings) if one else "" for one in good]
    cells["status"] = ["ok" if one else "error" for one in good]
    cells["error"] = ["" if isinstance(answer, Assessment) else str(answer) for answer in answers]
    cells["model"] = [f"{identity.bundle} {identity.version} {identity.embedding}"] * len(answers)
    return cells


def _task_cells(task: str, good: Sequence[Assessment | None]) -> Cells:
    label_of: Callable[[str], object] = int if task == "acuity" else str
    found = [one.tasks.get(task) if one else None for one in good]
    return {
        task: [label_of(answer.label) if answer else None for answer in found],
        f"{task}_probability": [round(answer.probability, 4) if answer else None for answer in found],
        f"{task}_set": [SEPARATOR.join(answer.prediction_set) if answer else "" for answer in found],
    }

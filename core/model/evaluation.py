"""What an evaluation found: scores of a model's answers on a labelled table, as a whole and by subgroup."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.model.metrics import DECIMALS, TaskScores
from core.notes import ModelIdentity


@dataclass(frozen=True, slots=True)
class GroupScores:
    """Scores of some of the rows: how many they are, by task, and the share that a person must decide."""

    rows: int
    tasks: Mapping[str, TaskScores]
    review_rate: float | None

    def as_dict(self) -> dict[str, Any]:
        """The scores as JSON types."""
        rate = None if self.review_rate is None else round(self.review_rate, DECIMALS)
        tasks = {task: scores.as_dict() for task, scores in self.tasks.items()}
        return {"rows": self.rows, "tasks": tasks, "review_rate": rate}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a model's answers are on a labelled table.

    Attributes:
        model: which model answered.
        whole: scores of all rows.
        not_assessed: rows that got no answer (no words, refused by the endpoint); they are in no task's scores.
        by: scores of subgroups, by column and then by the column's value.
        coverage: the coverage that the prediction sets were made for, by task.
    """

    model: ModelIdentity
    whole: GroupScores
    not_assessed: int
    by: Mapping[str, Mapping[str, GroupScores]]
    coverage: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """The evaluation as JSON types, in the shape of `triage evaluate --json`."""
        whole = self.whole.as_dict()
        groups = {column: {value: g.as_dict() for value, g in values.items()} for column, values in self.by.items()}
        return {
            "rows": self.whole.rows,
            "not_assessed": self.not_assessed,
            "model": asdict(self.model),
            "tasks": whole["tasks"],
            "review_rate": whole["review_rate"],
            "by": groups,
        }

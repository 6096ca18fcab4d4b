"""What a classified table holds as a whole: how many rows of each kind, for its charts and its summary sheet."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pyarrow as pa

from core.bulk.answers import SEPARATOR

BINS = 20  # of probability, each 0.05 wide
NO_LEVEL = ""  # rows whose acuity was not answered


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over the rows of a classified table.

    Attributes:
        rows: all of them.
        errors: rows without an answer.
        review: rows that a person must decide, those without an answer included.
        levels: rows by department, the most frequent first, then by acuity level (`1` to `5`).
        review_by_department: rows that a person must decide, by department.
        review_by_level: the same by acuity level.
        conditions: rows by condition, the most frequent first.
        reasons: rows by reason for review, the most frequent first; a row can have several.
        histograms: rows by probability of the decided label in 20 bins of 0.05, by task.
    """

    rows: int
    errors: int
    review: int
    levels: Mapping[str, Mapping[str, int]]
    review_by_department: Mapping[str, int]
    review_by_level: Mapping[str, int]
    conditions: Mapping[str, int]
    reasons: Mapping[str, int]
    histograms: Mapping[str, tuple[int, ...]]

    @property
    def answered(self) -> int:
        """Rows that have an answer."""
        return self.rows - self.errors

    @property
    def departments(self) -> dict[str, int]:
        """Answered rows by department, the most frequent first."""
        return {department: sum(levels.values()) for department, levels in self.levels.items()}

    @property
    def by_level(self) -> dict[str, int]:
        """Answered rows by acuity level, the most urgent first; every level that occurs."""
        found: Counter[str] = Counter()
        for levels in self.levels.values():
            found.update(levels)
        return dict(sorted(found.items()))

    def as_dict(self) -> dict[str, Any]:
        """The counts as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """The counts from their JSON."""
        bins = {task: tuple(counts) for task, counts in facts["histograms"].items()}
        return cls(**{**facts, "histograms": bins})


@dataclass(slots=True)
class Tally:
    """Counts batch by batch; `summary` gives what was counted."""

    rows: int = 0
    errors: int = 0
    review: int = 0
    levels: Counter[tuple[str, str]] = field(default_factory=Counter)
    review_by: Counter[tuple[str, str]] = field(default_factory=Counter)
    conditions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = field(default_factory=dict)

    def add(self, answers: pa.RecordBatch) -> None:
        """Count the added cells of some rows, under their own names."""
        self.rows += answers.num_rows
        ok = [status == "ok" for status in _cells(answers, "status")]
        review = _cells(answers, "needs_review")
        self.errors += ok.count(False)
        self.review += sum(map(bool, review))
        departments = [cell or NO_LEVEL for cell in _cells(answers, "department")]
        levels = [NO_LEVEL if cell is None else str(cell) for cell in _cells(answers, "acuity")]
        pairs = list(zip(departments, levels, strict=True))
        self.levels.update(pair for pair, answered in zip(pairs, ok, strict=True) if answered)
        answered_review = [good and asked for good, asked in zip(ok, review, strict=True)]
        self.review_by.update(pair for pair, asked in zip(pairs, answered_review, strict=True) if asked)
        self.conditions.update(cell for cell in _cells(answers, "condition") if cell)
        for cell in _cells(answers, "reasons"):
            if cell:
                self.reasons.update(set(cell.split(SEPARATOR)))
        for name in answers.schema.names:
            if name.endswith("_probability"):
                self._add_probabilities(name.removesuffix("_probability"), answers.column(name))

    def _add_probabilities(self, task: str, column: pa.Array) -> None:
        values = column.drop_null().to_numpy(zero_copy_only=False)
        if len(values):
            counts = np.histogram(values, bins=BINS, range=(0.0, 1.0))[0]
            self.histograms[task] = self.histograms.get(task, np.zeros(BINS, np.int64)) + counts

    def summary(self) -> Summary:
        """What was counted so far."""
        departments: Counter[str] = Counter()
        for (department, _), rows in self.levels.items():
            departments[department] += rows
        levels = {
            department: {
                level: rows for (of, level), rows in sorted(self.levels.items()) if of == department
            }
            for department, _ in departments.most_common()
        }  # fmt: skip
        by_department: Counter[str] = Counter()
        by_level: Counter[str] = Counter()
        for (department, level), rows in self.review_by.items():
            by_department[department] += rows
            by_level[level] += rows
        return Summary(
            self.rows,
            self.errors,
            self.review,
            levels,
            dict(by_department),
            dict(by_level),
            dict(self.conditions.most_common()),
            dict(self.reasons.most_common()),
            {task: tuple(map(int, counts)) for task, counts in self.histograms.items()},
        )


def _cells(answers: pa.RecordBatch, name: str) -> list[Any]:
    cells: list[Any] = answers.column(name).to_pylist()
    return cells

"""What the desk answers to many notes at once, in columns.

A table needs only some cells of each answer; the `Assessment` of a note is made when somebody reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import TriageError
from core.language import Language
from core.notes import Assessment, ModelIdentity, RankedLabel, RedFlagHit, TaskAnswer

if TYPE_CHECKING:
    from core.model.head import HeadAnswers

WORDS_FOR_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}
SURE = -1
EMERGENCY = 2  # the least urgent level of an emergency


@dataclass(frozen=True)
class TaskColumn:
    """One task's answers to m notes.

    Attributes:
        task: the question.
        classes: labels in the order of the columns of `answers`.
        answers: the head's arrays, m rows.
        floors: for acuity, the level that red flags demand of each note at least; empty: of none.
    """

    task: str
    classes: tuple[str, ...]
    answers: "HeadAnswers"
    floors: tuple[int | None, ...] = ()

    @cached_property
    def labels(self) -> list[str]:
        """The decided label of each note, after red flags."""
        if not self.floors:
            return self._own_labels
        return [raised(label, floor) for label, floor in zip(self._own_labels, self.floors, strict=True)]

    @cached_property
    def _own_labels(self) -> list[str]:
        return [self.classes[place] for place in self.answers.decided.tolist()]

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each decided label, shape (m,); 0 for a level that the head doesn't know."""
        places = {label: place for place, label in enumerate(self.classes)}
        chosen = np.array([places.get(label, -1) for label in self.labels], dtype=np.int64)
        found = np.take_along_axis(self.answers.probabilities, chosen[:, None], axis=1)[:, 0]
        return np.where(chosen < 0, 0.0, found)

    @cached_property
    def prediction_sets(self) -> list[tuple[str, ...]]:
        """The labels that can't be ruled out, likeliest first; before them the level that red flags demand.

        What the head can't rule out stays in the set, less urgent levels too: otherwise the set would no longer hold
        the true level as often as it promises. The decided level is the floor all the same.
        """
        kept = self._own_sets()
        if not self.floors:
            return kept
        return [
            labels if label == own else tuple(dict.fromkeys((label, *labels)))
            for labels, label, own in zip(kept, self.labels, self._own_labels, strict=True)
        ]

    def _own_sets(self) -> list[tuple[str, ...]]:
        sizes = self.answers.sets.sum(axis=1)
        kept = np.where(self.answers.sets, self.answers.probabilities, -1.0)
        order = np.argsort(-kept, axis=1, kind="stable")[:, : int(sizes.max(initial=0))]
        names = np.array(self.classes, dtype=object)[order].tolist()
        return [tuple(row[:size]) for row, size in zip(names, sizes.tolist(), strict=True)]

    def why_unsure(self) -> list[str | None]:
        """Why a person must decide this task, in words; none where its answer is not doubtful."""
        sizes = self.answers.sets.sum(axis=1)
        doubtful = np.zeros(len(sizes), np.bool_) if self.answers.doubtful is None else self.answers.doubtful
        codes = np.where(doubtful | (sizes == 0), sizes, SURE)
        for row in [row for row, floor in enumerate(self.floors) if floor is not None and floor <= EMERGENCY]:
            codes[row] = codes[row] if codes[row] == 0 else SURE  # an emergency is not ruled out any more
        words = {code: self._words(code) for code in np.unique(codes).tolist()}
        return [words[code] for code in codes.tolist()]

    def why_raised(self) -> list[str | None]:
        """For each note the reason for review where red flags make an emergency of what the head called less."""
        return [
            f"{self.task}: a red flag is more urgent than the estimate"
            if floor is not None and floor <= EMERGENCY and label != own
            else None
            for floor, label, own in zip(
                self.floors or [None] * len(self.labels), self.labels, self._own_labels, strict=True
            )
        ]

    def _words(self, size: int) -> str | None:
        if size == SURE:
            return None
        if size == 0:
            return f"{self.task}: nothing is likely enough"
        if self.task == "acuity":
            return "acuity: an emergency can't be ruled out"
        if size == 1:
            return f"{self.task}: the answer is not likely enough"
        return f"{self.task}: {WORDS_FOR_NUMBERS.get(size, str(size))} answers possible"

    def task_answers(self) -> list[TaskAnswer]:
        """The answers one by one, every label ranked."""
        order = np.argsort(-self.answers.probabilities, axis=1, kind="stable")
        shares = np.take_along_axis(self.answers.probabilities, order, axis=1).tolist()
        names = np.array(self.classes, dtype=object)[order].tolist()
        return [
            TaskAnswer(self.task, label, tuple(map(RankedLabel, ranked, row)), kept, floor)
            for label, ranked, row, kept, floor in zip(
                self.labels, names, shares, self.prediction_sets, self.floors or [None] * len(shares), strict=True
            )
        ]


def raised(level: str, floor: int | None) -> str:
    """An acuity level after red flags: the more urgent of the level and the floor."""
    return level if floor is None or int(level) <= floor else str(floor)


def floor_of(flags: Sequence[RedFlagHit]) -> int | None:
    """The level that red flags demand at least; none without red flags."""
    return min((hit.acuity for hit in flags), default=None)


@dataclass(frozen=True, slots=True)
class DeskAnswers:
    """The desk's answers to n notes, m of which could be assessed.

    Attributes:
        errors: what kept a note from being assessed, by its position among the n.
        places: positions of the assessed notes, shape (m,).
        columns: each task's answers to them.
        red_flags: rules met, for each of the m.
        reasons: why a person must decide, for each of the m.
        warnings: codes of what happened to the note on the way, for each of the m.
        languages: for each of the m.
        model: which model answered.
        flags_of_errors: rules met by notes that could not be assessed, by their position.
    """

    errors: Mapping[int, TriageError]
    places: NDArray[np.int64]
    columns: tuple[TaskColumn, ...]
    red_flags: Sequence[tuple[RedFlagHit, ...]]
    reasons: Sequence[tuple[str, ...]]
    warnings: Sequence[tuple[str, ...]]
    languages: Sequence[Language]
    model: ModelIdentity
    flags_of_errors: Mapping[int, tuple[RedFlagHit, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many notes were asked about."""
        return len(self.errors) + len(self.places)

    def assessments(self) -> list[Assessment | TriageError]:
        """For each note its assessment, or the error that kept it from one."""
        found: list[Assessment | TriageError | None] = [self.errors.get(place) for place in range(len(self))]
        tasks = [column.task_answers() for column in self.columns]
        rows = zip(self.places.tolist(), self.red_flags, self.reasons, self.warnings, self.languages, strict=True)
        for row, (place, flags, reasons, warnings, language) in enumerate(rows):
            answers = {column.task: each[row] for column, each in zip(self.columns, tasks, strict=True)}
            found[place] = Assessment(answers, flags, bool(reasons), reasons, warnings, language, self.model)
        return [answer for answer in found if answer is not None]

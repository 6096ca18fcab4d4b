"""What goes in (a note) and what comes out (an assessment).

These dataclasses pass between all parts of the desk; `Assessment.as_dict` is the JSON of `triage assess --json`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Sex = Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class Note:
    """One text to triage.

    Attributes:
        text: the patient's message or the clinical note, as written.
        age: years, if known.
        sex: if known.
    """

    text: str
    age: float | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class RankedLabel:
    """A label with its calibrated probability (0 to 1)."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """The answer to one task.

    Attributes:
        task: which question was asked, for example `department`.
        label: the decided label; for acuity the level after red flags, as a string.
        ranked: every label, most probable first.
        prediction_set: labels that split-conformal prediction keeps; one means sure, more or none means unsure.
        floor: for acuity, the level that red flags demand at least (1 is the most urgent), if any.
    """

    task: str
    label: str
    ranked: tuple[RankedLabel, ...]
    prediction_set: tuple[str, ...]
    floor: int | None = None

    @property
    def probability(self) -> float:
        """The calibrated probability of the decided label."""
        return next((r.probability for r in self.ranked if r.label == self.label), 0.0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of the note: code points `start` to `end` (exclusive) and the words there."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class RedFlagHit:
    """A cited rule that the note meets, and the acuity that it demands at least."""

    id: str
    acuity: int
    evidence: tuple[Evidence, ...]
    source: str


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered: bundle name, its version, and the id of its embedding space."""

    bundle: str
    version: str
    embedding: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """The answer for one note.

    Attributes:
        tasks: one answer a task, by the task's name.
        red_flags: rules met by the text.
        needs_review: whether a person must decide.
        reasons: why, in words; empty when `needs_review` is false.
        warnings: codes of what happened to the note on the way, for example `truncated`.
        language: `zh`, `en`, `mixed` or `other`.
        model: which model answered.
    """

    tasks: Mapping[str, TaskAnswer]
    red_flags: tuple[RedFlagHit, ...]
    needs_review: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    language: str
    model: ModelIdentity

    def as_dict(self) -> dict[str, Any]:
        """The assessment as plain JSON types, in the shape of `triage assess --json`."""
        return {
            "tasks": {name: _answer_as_dict(answer) for name, answer in self.tasks.items()},
            "red_flags": [asdict(hit) for hit in self.red_flags],
            "needs_review": self.needs_review,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
            "language": self.language,
            "model": {
                "bundle": self.model.bundle,
                "version": self.model.version,
                "embedding": self.model.embedding,
            },
        }


def _answer_as_dict(answer: TaskAnswer) -> dict[str, Any]:
    """One task's answer as JSON types; acuity levels are whole numbers there."""
    as_label: Callable[[str], str | int] = int if answer.task == "acuity" else str
    found: dict[str, Any] = {
        "label": as_label(answer.label),
        "ranked": [{"label": as_label(r.label), "probability": round(r.probability, 4)} for r in answer.ranked],
        "prediction_set": [as_label(label) for label in answer.prediction_set],
    }
    if answer.task == "acuity":
        found["floor"] = answer.floor
    return found

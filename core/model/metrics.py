"""How good a task's answers are: accuracy, calibration, prediction sets. Pure functions over arrays."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.model.acuity_metrics import AcuityScores, score_levels
from core.model.calibration_metrics import (
    ReliabilityBin,
    brier_scores,
    calibration_error,
    classwise_calibration_error,
    log_losses,
    of_truth,
    reliability,
)  # fmt: skip
from core.model.intervals import (
    Counts,
    Floats,
    Interval,
    defined,
    mean_interval,
    percentile_interval,
    ratio,
    resampled_counts,
    share_interval,
)  # fmt: skip
from core.model.scheme import LEVELS

SEED = 20
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class TaskPredictions:
    """What was answered for n labelled notes and K classes.

    Attributes:
        task: the question.
        classes: labels in the order of the columns.
        truth: the reference labels, shape (n,); one that is not in `classes` counts as answered wrongly.
        probabilities: calibrated, shape (n, K), rows sum to 1.
        sets: whether each label stays in the prediction set, shape (n, K).
        decided: index of the decided class, shape (n,).
    """

    task: str
    classes: tuple[str, ...]
    truth: NDArray[Any]
    probabilities: Floats
    sets: NDArray[np.bool_]
    decided: NDArray[np.int64]

    def rows(self, chosen: NDArray[Any]) -> "TaskPredictions":
        """The rows at these positions, or where this mask is true."""
        return TaskPredictions(
            self.task,
            self.classes,
            self.truth[chosen],
            self.probabilities[chosen],
            self.sets[chosen],
            self.decided[chosen],
        )


@dataclass(frozen=True, slots=True)
class LabelScores:
    """One label against the rest; a figure is none where nothing defines it (never predicted, no such row).

    Attributes:
        precision: of the rows decided for the label, the share that has it.
        recall: of the rows with the label, the share decided for it.
        f1: harmonic mean of the two.
        support: rows with the label.
        coverage: of the rows with the label, the share whose prediction set holds it.
        intervals: 95 % bootstrap intervals of precision, recall and f1.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    coverage: float | None
    intervals: Mapping[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskScores:
    """How good a task's answers are. Every figure is none when there are no rows.

    Attributes:
        task: the question.
        rows: labelled rows.
        figures: single figures by name: `top1` (decided label is right), `top3` (right one is among the three most
            probable), `macro_f1`, `ece` and `classwise_ece` (0 is best), `brier` (0 to 2), `log_loss` (nats),
            `coverage` (prediction set holds the right one), `mean_set_size`, and for acuity those of `AcuityScores`.
        intervals: 95 % bootstrap intervals by the same names. The calibration errors have none: a resample adds its own
            noise to an error that is near 0, so that the interval would lie above it.
        per_label: every label that is in the reference or was decided.
        confusion: rows by reference label, then by decided label; zeros are left out.
        reliability: calibration of the highest probability, in 15 bins of equal width.
        set_sizes: rows by the number of labels in their prediction set.
        acuity: level by level, for the task `acuity`.
    """

    task: str
    rows: int
    figures: Mapping[str, float | None]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    per_label: Mapping[str, LabelScores] = field(default_factory=dict)
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reliability: tuple[ReliabilityBin, ...] = ()
    set_sizes: Mapping[int, int] = field(default_factory=dict)
    acuity: AcuityScores | None = None

    def as_dict(self) -> dict[str, Any]:
        """The scores as JSON types, in the shape of a task in `triage evaluate --json`."""
        found: dict[str, Any] = {"rows": self.rows}
        for name, value in self.figures.items():
            found[name] = _rounded(value)
            if name in self.intervals:
                found[f"{name}_interval"] = _rounded(self.intervals[name])
        found["per_label"] = {label: _label_as_dict(scores) for label, scores in self.per_label.items()}
        found["confusion"] = {truth: dict(row) for truth, row in self.confusion.items()}
        found["reliability"] = [
            {name: _rounded(value) for name, value in asdict(each).items()} for each in self.reliability
        ]
        found["set_sizes"] = {str(size): count for size, count in self.set_sizes.items()}
        return found | (self.acuity.tables() if self.acuity else {})


def score(predictions: TaskPredictions, seed: int = SEED) -> TaskScores:
    """All scores of a task's predictions, the same for any order of the rows.

    The intervals of Brier score and log loss differ by order as much as by seed.
    """
    if not len(predictions.truth):
        names = ("top1", "top3", "macro_f1", "ece", "classwise_ece", "brier", "log_loss", "coverage", "mean_set_size")
        return TaskScores(predictions.task, 0, dict.fromkeys(names))
    truth = _truth_columns(predictions)
    labels, confusion = _confusion(predictions, truth)
    drawn = _drawn_confusions(confusion, seed)
    shares = _shares(predictions, truth)
    sure, right = _top_label(predictions, truth)
    sizes = predictions.sets.sum(1)
    briers, losses = brier_scores(predictions.probabilities, truth), log_losses(predictions.probabilities, truth)
    figures: dict[str, float | None] = {
        "top1": float(shares["top1"].mean()),
        "top3": float(shares["top3"].mean()),
        "macro_f1": float(_macro_f1(confusion[None])[0]),
        "ece": calibration_error(sure, right),
        "classwise_ece": classwise_calibration_error(predictions.probabilities, truth),
        "brier": float(briers.mean()),
        "log_loss": float(losses.mean()),
        "coverage": float(shares["coverage"].mean()),
        "mean_set_size": float(sizes.mean()),
    }
    intervals = {name: share_interval(hits, seed) for name, hits in shares.items()} | {
        "macro_f1": percentile_interval(_macro_f1(drawn)),
        "brier": mean_interval(briers, seed),
        "log_loss": mean_interval(losses, seed),
    }
    acuity = _acuity(predictions, labels, confusion, seed)
    if acuity:
        figures |= acuity.figures()
        intervals |= acuity.intervals
    return TaskScores(
        predictions.task,
        len(truth),
        figures,
        {name: interval for name, interval in intervals.items() if interval},
        _per_label(labels, confusion, drawn, shares["coverage"], predictions.truth),
        _nonzero(labels, confusion),
        reliability(sure, right),
        {int(size): int(count) for size, count in zip(*np.unique(sizes, return_counts=True), strict=True)},
        acuity,
    )


def _truth_columns(predictions: TaskPredictions) -> NDArray[np.int64]:
    """The column of each row's right class, -1 for a label that the model does not know."""
    column = {label: k for k, label in enumerate(predictions.classes)}
    return np.array([column.get(label, -1) for label in predictions.truth], dtype=np.int64)


def _shares(predictions: TaskPredictions, truth: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Hits and misses, row by row, of the figures that are a share of the rows."""
    ranked = np.argsort(-predictions.probabilities, axis=1, kind="stable")
    return {
        "top1": predictions.decided == truth,
        "top3": (ranked[:, :3] == truth[:, None]).any(1),
        "coverage": of_truth(predictions.sets, truth).astype(np.bool_),
    }


def _top_label(predictions: TaskPredictions, truth: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
    """Each row's highest probability, and whether it is that of the right class."""
    return predictions.probabilities.max(1), predictions.probabilities.argmax(1) == truth


def _confusion(predictions: TaskPredictions, truth: NDArray[np.int64]) -> tuple[tuple[str, ...], Counts]:
    """Labels (the model's, then any others of the reference) and a square table: rows by reference, then decided."""
    others = sorted({str(label) for label in predictions.truth[truth < 0]})
    labels = (*predictions.classes, *others)
    place = {label: i for i, label in enumerate(labels)}
    rows = np.array([place[str(label)] for label in predictions.truth], dtype=np.int64)
    cells = np.bincount(rows * len(labels) + predictions.decided, minlength=len(labels) ** 2)
    return labels, cells.reshape(len(labels), len(labels))


def _drawn_confusions(confusion: Counts, seed: int) -> Counts:
    return resampled_counts(confusion.ravel(), seed).reshape(-1, *confusion.shape)


def _label_figures(confusion: Counts) -> dict[str, Floats]:
    """Precision, recall and F1 of each label for b tables at once, shapes (b, L, L) to (b, L); NaN where undefined."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    decided, support = confusion.sum(1), confusion.sum(2)
    return {"precision": ratio(hits, decided), "recall": ratio(hits, support), "f1": ratio(2 * hits, decided + support)}


def _macro_f1(confusion: Counts) -> Floats:
    """The mean F1 over labels that are in the reference or were decided, as scikit-learn has it, shape (b,)."""
    return np.asarray(np.nanmean(_label_figures(confusion)["f1"], axis=1))


def _per_label(
    labels: tuple[str, ...], confusion: Counts, drawn: Counts, covered: NDArray[np.bool_], truth: NDArray[Any]
) -> dict[str, LabelScores]:
    figures, resampled = _label_figures(confusion[None]), _label_figures(drawn)
    found = {}
    for k in np.flatnonzero(confusion.sum(0) + confusion.sum(1)):
        mine = {name: defined(values[0, k]) for name, values in figures.items()}
        intervals = {
            name: interval
            for name, values in resampled.items()
            if mine[name] is not None and (interval := percentile_interval(values[:, k]))
        }
        held = covered[truth == labels[k]]
        found[labels[k]] = LabelScores(
            **mine, support=len(held), coverage=float(held.mean()) if len(held) else None, intervals=intervals
        )
    return found


def _acuity(predictions: TaskPredictions, labels: tuple[str, ...], confusion: Counts, seed: int) -> AcuityScores | None:
    """Acuity's own scores; none for another task, or where the classes are not levels."""
    levels = {str(level): level - 1 for level in LEVELS}
    if predictions.task != "acuity" or not set(predictions.classes) <= set(levels):
        return None
    table = np.zeros((len(LEVELS), len(LEVELS)), dtype=np.int64)
    known = [i for i, label in enumerate(labels) if label in levels]
    places = [levels[labels[i]] for i in known]
    table[np.ix_(places, places)] = confusion[np.ix_(known, known)]
    return score_levels(table, len(predictions.truth), seed)


def _nonzero(labels: tuple[str, ...], confusion: Counts) -> dict[str, dict[str, int]]:
    return {
        labels[i]: {labels[j]: int(row[j]) for j in np.flatnonzero(row)} for i, row in enumerate(confusion) if row.any()
    }


def _rounded(value: Any) -> Any:  # noqa: ANN401 - JSON numbers, or pairs of them
    if isinstance(value, tuple):
        return [round(number, DECIMALS) for number in value]
    return round(value, DECIMALS) if isinstance(value, float) else value


def _label_as_dict(scores: LabelScores) -> dict[str, Any]:
    found = {name: _rounded(value) for name, value in asdict(scores).items() if name != "intervals"}
    return found | {f"{name}_interval": _rounded(interval) for name, interval in scores.intervals.items()}

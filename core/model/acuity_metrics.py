"""How far and in which direction judged acuity is from the reference: under-triage, over-triage, emergencies found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.model.intervals import Counts, Floats, Interval, percentile_interval, ratio, resampled_counts
from core.model.scheme import LEVELS

# Level 1 and 2 are an emergency: the patient must be seen at once.
BANDS: Mapping[str, tuple[int, ...]] = {"1-2": (1, 2), "3": (3,), "4-5": (4, 5)}
EMERGENCY = "1-2"
_LEVELS = np.array(LEVELS)
_BAND_OF_LEVEL = np.array([next(i for i, levels in enumerate(BANDS.values()) if level in levels) for level in LEVELS])
_DISTANCE = _LEVELS[None, :] - _LEVELS[:, None]  # row: reference, column: judged; positive is under-triage


@dataclass(frozen=True, slots=True)
class AcuityScores:
    """How judged levels compare with the reference ones.

    Attributes:
        under_triage: share of rows judged less urgent than the reference.
        over_triage: share of rows judged more urgent.
        under_by_distance: rows judged less urgent, by how many levels.
        over_by_distance: rows judged more urgent, by how many levels.
        emergency_recall: of the rows with reference 1 or 2, the share judged 1 or 2; none without such rows.
        band_accuracy: share of rows judged in the reference's band (1-2, 3, 4-5).
        band_confusion: rows by reference band, then by judged band.
        kappa_quadratic: Cohen's kappa with squared distances as weights (Cohen 1968); none when all levels are one.
        intervals: 95 % bootstrap intervals, by the names above.
    """

    under_triage: float
    over_triage: float
    under_by_distance: Mapping[int, int]
    over_by_distance: Mapping[int, int]
    emergency_recall: float | None
    band_accuracy: float
    band_confusion: Mapping[str, Mapping[str, int]]
    kappa_quadratic: float | None
    intervals: Mapping[str, Interval]

    def figures(self) -> dict[str, float | None]:
        """The single figures by name."""
        names = ("under_triage", "over_triage", "emergency_recall", "band_accuracy", "kappa_quadratic")
        return {name: getattr(self, name) for name in names}

    def tables(self) -> dict[str, Any]:
        """The counts by name, as JSON types."""
        return {
            "under_by_distance": {str(k): n for k, n in self.under_by_distance.items()},
            "over_by_distance": {str(k): n for k, n in self.over_by_distance.items()},
            "band_confusion": {truth: dict(row) for truth, row in self.band_confusion.items()},
        }


def score_levels(confusion: Counts, rows: int, seed: int) -> AcuityScores:
    """Scores from a 5 by 5 table of counts.

    Args:
        confusion: rows by reference level, then by judged level, shape (5, 5).
        rows: all rows, those whose reference is no level included: they are wrong, but in no direction.
        seed: of the bootstrap.
    """
    figures = {name: float(value[0]) for name, value in _figures(confusion[None], rows).items()}
    kinds = np.append(confusion.ravel(), rows - confusion.sum())
    drawn = _figures(resampled_counts(kinds, seed)[:, :-1].reshape(-1, 5, 5), rows)
    intervals = {name: interval for name, values in drawn.items() if (interval := percentile_interval(values))}
    by_distance = {k: int(confusion[k == _DISTANCE].sum()) for k in range(-4, 5)}
    kappa, recall = figures["kappa_quadratic"], figures["emergency_recall"]
    return AcuityScores(
        under_triage=figures["under_triage"],
        over_triage=figures["over_triage"],
        under_by_distance={k: by_distance[k] for k in range(1, 5)},
        over_by_distance={k: by_distance[-k] for k in range(1, 5)},
        emergency_recall=None if np.isnan(recall) else recall,
        band_accuracy=figures["band_accuracy"],
        band_confusion=_band_confusion(confusion),
        kappa_quadratic=None if np.isnan(kappa) else kappa,
        intervals=intervals,
    )


def _figures(confusion: Counts, rows: int) -> dict[str, Floats]:
    """The single figures for b tables of counts at once, shape (b, 5, 5); each answer has shape (b,)."""
    same_band = _BAND_OF_LEVEL[:, None] == _BAND_OF_LEVEL[None, :]
    urgent = np.isin(_LEVELS, BANDS[EMERGENCY])
    emergencies = confusion[:, urgent]
    return {
        "under_triage": confusion[:, _DISTANCE > 0].sum(1) / rows,
        "over_triage": confusion[:, _DISTANCE < 0].sum(1) / rows,
        "emergency_recall": ratio(emergencies[:, :, urgent].sum((1, 2)), emergencies.sum((1, 2))),
        "band_accuracy": confusion[:, same_band].sum(1) / rows,
        "kappa_quadratic": _quadratic_kappa(confusion),
    }


def _quadratic_kappa(confusion: Counts) -> Floats:
    """One minus observed over expected squared distance, for shape (b, 5, 5); NaN where nothing could differ."""
    weights = _DISTANCE**2
    observed = (confusion * weights).sum((1, 2))
    by_chance = np.einsum("bi,bj,ij->b", confusion.sum(2), confusion.sum(1), weights)
    return 1 - ratio(observed * confusion.sum((1, 2)), by_chance)


def _band_confusion(confusion: Counts) -> dict[str, dict[str, int]]:
    names = list(BANDS)
    return {
        truth: {
            judged: int(confusion[np.ix_(_BAND_OF_LEVEL == i, _BAND_OF_LEVEL == j)].sum())
            for j, judged in enumerate(names)
        }
        for i, truth in enumerate(names)
    }

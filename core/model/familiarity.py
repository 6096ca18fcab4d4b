"""Which notes a bundle knows nothing about: recipes, advertisements, program code, other languages.

The Mahalanobis distance of a note's vector to the training notes (Lee, Lee, Lee and Shin 2018), with a limit by split
conformal prediction: of notes like those trained on, at most a stated share lies beyond it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import GroupKFold

from core.model.features import CentredVectors, NoteFeatures
from core.model.quantile import conformal_quantile

FAMILIAR = 0.98  # share of the training's own kind of notes that must count as familiar
FOLDS = 5
LEAST_NOTES = 200  # a language with fewer takes the limit of all


@dataclass(frozen=True, slots=True)
class Familiarity:
    """Tells notes apart that are unlike all that a bundle was trained on.

    Attributes:
        centre: takes off the mean of the note's language.
        mean: of the training notes' centred vectors, shape (dimension,), float32.
        precision: inverse of their covariance, shrunk (Ledoit and Wolf 2004), shape (dimension, dimension), float32.
        limits: greatest squared distance of a familiar note in English and in Chinese, shape (2,).
    """

    centre: CentredVectors
    mean: NDArray[np.float32]
    precision: NDArray[np.float32]
    limits: NDArray[np.float64]

    def unfamiliar(self, notes: NoteFeatures) -> NDArray[np.bool_]:
        """Whether each note lies beyond the limit of its language, shape (n,)."""
        return np.asarray(self.distances(notes) > self.limits[_language(notes)])

    def distances(self, notes: NoteFeatures) -> NDArray[np.float64]:
        """Squared Mahalanobis distances, shape (n,)."""
        apart = self.centre.transform(notes) - self.mean
        return np.asarray((apart @ self.precision * apart).sum(axis=1), dtype=np.float64)


def fit_familiarity(notes: NoteFeatures, groups: NDArray[np.int64]) -> tuple[Familiarity, Mapping[str, Any]]:
    """The familiarity of a bundle, and its facts for the manifest.

    Args:
        notes: what the bundle was trained on, each source about as often as the others.
        groups: near-duplicates share a number, shape (n,).
    """
    distances = np.empty(len(notes))
    for kept, apart in GroupKFold(FOLDS).split(groups, groups=groups):
        distances[apart] = _fitted(notes[kept], np.full(2, np.inf)).distances(notes[apart])
    languages = _language(notes)
    everything = conformal_quantile(distances, FAMILIAR)
    limits = [
        conformal_quantile(distances[languages == k], FAMILIAR) if (languages == k).sum() >= LEAST_NOTES else everything
        for k in (0, 1)
    ]
    facts = {"familiar": FAMILIAR, "notes": len(notes), "limits": [round(limit, 2) for limit in limits]}
    return _fitted(notes, np.array(limits)), facts


def _fitted(notes: NoteFeatures, limits: NDArray[np.float64]) -> Familiarity:
    centre = CentredVectors().fit(notes)
    shape = LedoitWolf().fit(np.asarray(centre.transform(notes), np.float64))
    mean, precision = (np.asarray(each, np.float32) for each in (shape.location_, shape.precision_))
    return Familiarity(centre, mean, precision, limits)


def _language(notes: NoteFeatures) -> NDArray[np.int64]:
    """0 for English, 1 for Chinese."""
    return np.asarray(notes.chinese >= 0.5, dtype=np.int64)

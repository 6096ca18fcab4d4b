"""Rows to train on: features and labels of one task, and how much each row counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.model.features import NoteFeatures

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelledNotes:
    """Rows that have a label for one task.

    Attributes:
        features: what classifiers read of them.
        labels: class names, shape (n,).
        groups: near-duplicates share a number, shape (n,).
        sources: where each row comes from, shape (n,).
    """

    features: NoteFeatures
    labels: NDArray[np.str_]
    groups: Indices
    sources: NDArray[np.str_]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.labels)

    def rows(self, chosen: Indices) -> "LabelledNotes":
        """The rows with these positions."""
        return LabelledNotes(self.features[chosen], self.labels[chosen], self.groups[chosen], self.sources[chosen])


def row_weights(
    labels: NDArray[np.str_], sources: NDArray[np.str_], *, class_balance: float, source_balance: float
) -> Floats:
    """How much each row counts in training, shape (n,), mean 1.

    With n_c rows of a class and n_cs of them from one source, a row weighs n_cs ** -source_balance within its class,
    and the class as a whole n_c ** (1 - class_balance).
    """
    _, classes, class_counts = np.unique(labels, return_inverse=True, return_counts=True)
    pairs = np.char.add(np.char.add(sources.astype(str), "\x00"), labels.astype(str))
    _, cells, cell_counts = np.unique(pairs, return_inverse=True, return_counts=True)
    within = cell_counts[cells].astype(np.float64) ** -source_balance
    totals = np.bincount(classes, weights=within)
    weights = within * (class_counts.astype(np.float64) ** (1 - class_balance) / totals)[classes]
    return np.asarray(weights / weights.mean())

"""Axes of a map: the directions in which notes differ most (principal component analysis)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from core.embedding.space import Vectors
from core.explore.points import Coordinates, MapData, NoteSet

AXES = 3
LEAST_NOTES = 10  # on fewer, axes say more about single notes than about all


@dataclass(frozen=True, slots=True)
class Axes:
    """Fitted axes.

    Attributes:
        mean: of the notes that they were fitted on, shape (dimension,).
        directions: one unit vector an axis, the one with most variance first, shape (k, dimension).
        explained: share of all variance along each axis (0 to 1), shape (k,).
    """

    mean: Vectors
    directions: Vectors
    explained: NDArray[np.float64]

    def place(self, vectors: Vectors) -> Coordinates:
        """Where vectors lie on these axes, shape (n, k); nothing is fitted."""
        return np.asarray((vectors - self.mean) @ self.directions.T, dtype=np.float32)


def fit_axes(vectors: Vectors, count: int = AXES, *, apart_from: NDArray[np.str_] | None = None) -> Axes:
    """The first axes of the vectors' principal components.

    The same vectors give the same axes: no random numbers are used, and each direction is turned so that its component
    with the largest magnitude is positive.

    Args:
        vectors: shape (n, dimension), n at least `count`.
        count: how many axes.
        apart_from: a group for each note, shape (n,): directions that part the groups' means are left out, so that the
            axes show what differs within groups. Shares stay those of all variance.
    """
    exact = np.asarray(vectors, dtype=np.float64)
    within = exact if apart_from is None else _within(exact, apart_from)
    with np.errstate(invalid="ignore", divide="ignore"):  # notes that are all alike have no variance to share
        fitted = PCA(count, svd_solver="covariance_eigh").fit(within)
        shares = fitted.explained_variance_ / exact.var(axis=0, ddof=1).sum()
    largest = np.abs(fitted.components_).argmax(axis=1)
    signs = np.where(fitted.components_[np.arange(count), largest] < 0, -1.0, 1.0)
    explained = np.clip(np.nan_to_num(shares, posinf=0.0), 0.0, 1.0)
    directions = (fitted.components_ * signs[:, None]).astype(np.float32)
    return Axes(fitted.mean_.astype(np.float32), directions, explained)


def _within(vectors: NDArray[np.float64], groups: NDArray[np.str_]) -> NDArray[np.float64]:
    """The vectors without their parts along the directions from the mean of all to the means of large enough groups."""
    names, sizes = np.unique(groups, return_counts=True)
    means = [vectors[groups == name].mean(axis=0) for name in names[sizes >= LEAST_NOTES]]
    if len(means) < 2:
        return vectors
    _, lengths, directions = np.linalg.svd(np.array(means) - np.mean(means, axis=0), full_matrices=False)
    between = directions[lengths > 1e-9]
    return np.asarray(vectors - vectors @ between.T @ between)


def draw_map(notes: NoteSet, axes: Axes, dimensions: int = 2) -> MapData:
    """The notes on the first two or three of the axes."""
    placed = np.ascontiguousarray(axes.place(notes.vectors)[:, :dimensions])
    return MapData(notes.ids, placed, notes.columns, tuple(axes.explained[:dimensions].tolist()))

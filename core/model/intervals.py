"""95 % bootstrap intervals, quick enough for tens of thousands of rows.

Resampling n rows with replacement (Efron 1979) and counting how many of each kind came up is one draw from a
multinomial distribution. So a figure that depends on counts alone (a confusion matrix, hits and misses) is resampled by
drawing its counts; the rows themselves are not touched.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Interval = tuple[float, float]

RESAMPLES = 1000
LEVEL = 0.95


def resampled_counts(counts: Counts, seed: int) -> Counts:
    """`RESAMPLES` bootstrap draws of the counts of m kinds of row, shape (RESAMPLES, m).

    Args:
        counts: how many rows of each kind there are, shape (m,), at least one row in all.
        seed: of the random draws.
    """
    # The last kind takes what rounding leaves, so it must not be an empty one: empty kinds are not drawn at all.
    present = np.flatnonzero(counts)
    total = int(counts.sum())
    drawn = np.zeros((RESAMPLES, len(counts)), dtype=np.int64)
    drawn[:, present] = np.random.default_rng(seed).multinomial(total, counts[present] / total, size=RESAMPLES)
    return drawn


def percentile_interval(values: Floats) -> Interval | None:
    """The percentile interval (Efron 1979) of resampled values; none when the figure was never defined."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def share_interval(hits: NDArray[np.bool_], seed: int) -> Interval | None:
    """The interval of the share of true values in `hits`, shape (n,)."""
    if not len(hits):
        return None
    counts = np.array([hits.sum(), (~hits).sum()], dtype=np.int64)
    return percentile_interval(resampled_counts(counts, seed)[:, 0] / len(hits))


def mean_interval(values: Floats, seed: int) -> Interval | None:
    """The interval of the mean of `values`, shape (n,)."""
    random = np.random.default_rng(seed)
    return percentile_interval(
        np.array([values[random.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)])
    )


def ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Floats:
    """`part / whole` element by element, NaN where `whole` is 0."""
    found = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=found, where=whole != 0)
    return found


def defined(value: float) -> float | None:
    """The value, or none for NaN."""
    return None if np.isnan(value) else float(value)

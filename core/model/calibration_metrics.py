"""How honest probabilities are: calibration errors, Brier score, log loss. Pure functions over arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.model.intervals import Counts, Floats, defined, ratio

BINS = 15


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Rows whose highest probability is above `low` and at most `high`: their mean probability, their accuracy."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


def calibration_error(probabilities: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error of n events: |share that came true - mean probability|, averaged over the rows.

    The rows are put into `BINS` bins of equal width, each closed on its right (Guo et al. 2017, "On calibration of
    modern neural networks", equation 3). With each row's highest probability it is the top-label ECE.

    Args:
        probabilities: of each event, 0 to 1, shape (n,).
        right: whether it came true, shape (n,).
    """
    gaps = np.bincount(_bins(probabilities), weights=right - probabilities, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))


def classwise_calibration_error(probabilities: Floats, truth: NDArray[np.int64]) -> float:
    """The mean over classes of the calibration error of each class's probability.

    Kull et al. 2019, "Beyond temperature scaling", section 2.

    Args:
        probabilities: shape (n, K).
        truth: column of the right class, -1 where it has none, shape (n,).
    """
    return float(np.mean([calibration_error(p, truth == k) for k, p in enumerate(probabilities.T)]))


def brier_scores(probabilities: Floats, truth: NDArray[np.int64]) -> Floats:
    """Each row's squared distance between probabilities and what is true, 0 to 2, shape (n,) (Brier 1950).

    A right class without a column (-1) counts as one that got probability 0.
    """
    return np.asarray((probabilities**2).sum(1) - 2 * of_truth(probabilities, truth) + 1)


def log_losses(probabilities: Floats, truth: NDArray[np.int64]) -> Floats:
    """Each row's negative logarithm of the right class's probability, in nats, shape (n,).

    A probability below 2.2e-16 counts as that, as in scikit-learn.
    """
    return np.asarray(-np.log(np.maximum(of_truth(probabilities, truth), np.finfo(np.float64).eps)))


def reliability(probabilities: Floats, right: NDArray[np.bool_]) -> tuple[ReliabilityBin, ...]:
    """The `BINS` bins of a reliability diagram, empty ones included."""
    bins = _bins(probabilities)
    counts = np.bincount(bins, minlength=BINS)
    means = ratio(np.bincount(bins, weights=probabilities, minlength=BINS), counts)
    shares = ratio(np.bincount(bins, weights=right, minlength=BINS), counts)
    return tuple(
        ReliabilityBin(i / BINS, (i + 1) / BINS, int(counts[i]), defined(means[i]), defined(shares[i]))
        for i in range(BINS)
    )


def of_truth(values: NDArray[Any], truth: NDArray[np.int64]) -> Floats:
    """The value in the right class's column, 0 where it has none, shape (n,)."""
    return np.where(truth >= 0, values[np.arange(len(truth)), truth], 0)


def _bins(probabilities: Floats) -> Counts:
    return np.digitize(probabilities, np.linspace(0, 1, BINS + 1)[1:-1], right=True)

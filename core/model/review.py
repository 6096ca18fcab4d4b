"""How doubtful an answer is, and from where on a person must decide it.

Nearly every note has more than one possible answer; sending them all to a person tells nobody anything. So each task
has a limit, set on notes that training did not see, such that about a stated share of them lies beyond it (selective
classification: El-Yaniv and Wiener 2010).
"""

import numpy as np
from numpy.typing import NDArray

from core.model.quantile import conformal_quantile

Floats = NDArray[np.float64]
EMERGENCIES = ("1", "2")
LIKELIEST = 3  # labels that the page shows of a task


def doubts(task: str, classes: tuple[str, ...], probabilities: Floats, decided: NDArray[np.int64]) -> Floats:
    """How doubtful each answer is, shape (n,), 0 to 1.

    For acuity the probability of an emergency (levels 1 and 2) where the answer is none; an answer that is one is not
    doubtful. For other tasks the probability that none of the likeliest three is right (of fewer classes: all but one).

    Args:
        task: the question.
        classes: labels of the columns.
        probabilities: calibrated, shape (n, K).
        decided: index of the decided class, shape (n,).
    """
    if task == "acuity":
        is_emergency = np.isin(classes, EMERGENCIES)
        return np.where(is_emergency[decided], 0.0, probabilities[:, is_emergency].sum(axis=1))
    shown = min(LIKELIEST, len(classes) - 1)
    return np.asarray(1 - np.sort(probabilities, axis=1)[:, -shown:].sum(axis=1))


def review_limit(doubt: Floats, share: float) -> float:
    """The doubt beyond which about `share` of these answers lie; infinite when there are too few to tell."""
    return conformal_quantile(doubt, 1 - share)

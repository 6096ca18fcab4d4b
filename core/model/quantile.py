"""The quantile of conformal prediction."""

import numpy as np
from numpy.typing import NDArray


def conformal_quantile(scores: NDArray[np.float64], share: float) -> float:
    """The ceil((n + 1) share)-th smallest score; infinite when n is too small.

    Of further scores like these, at least `share` are not above it (Vovk, Gammerman and Shafer 2005).
    """
    rank = int(np.ceil((len(scores) + 1) * share))
    return float(np.partition(scores, rank - 1)[rank - 1]) if 0 < rank <= len(scores) else np.inf

"""P(positive) of a logit, in NumPy.  `engine.network.Network.probability` is the same function for hidden states."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def positive_probability(logit: ArrayLike) -> NDArray[np.float64]:
    """Return 1 / (1 + e^−logit) with the shape of ``logit``; no logit overflows, NaN stays NaN."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logit, dtype=np.float64)))

"""Outputs of logits, in NumPy. `engine.network.Network.probability` is the same function for hidden states."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Activation = Literal["sigmoid", "softmax", "linear", "none"]


def positive_probability(logit: ArrayLike) -> NDArray[np.float64]:
    """Return 1 / (1 + e^−logit) with the shape of ``logit``; no logit overflows, NaN stays NaN."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logit, dtype=np.float64)))


def activate(logits: ArrayLike, activation: Activation) -> NDArray[np.float64]:
    """Return the outputs (..., k) of logits (..., k): sigmoid and linear of each, softmax of all k.

    ``none``, that of a layer below the top of a stack, gives NaN: the readout does not read it.
    """
    if activation == "sigmoid":
        return positive_probability(logits)
    values = np.asarray(logits, dtype=np.float64)
    if activation == "none":
        return np.full_like(values, np.nan)
    if activation == "linear":
        return values
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)

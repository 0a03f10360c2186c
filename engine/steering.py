"""Steering vectors: differences of mean states, to be added to the state of a network while it reads.

After the activation additions of Turner et al. (2023), here for the state of a recurrent network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.network import Network
from engine.recording import record

_BATCH: Final = 32  # reviews recorded together


def mean_final_state(
    network: Network,
    reviews: Sequence[NDArray[np.integer]],
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
    progress: Callable[[int], bool] = lambda _: True,
) -> NDArray[np.float32] | None:
    """Return the mean state after the last words of reviews that a layer reads, (S,).

    ``progress`` gets the count of reviews read; the result is None once it returns False.

    Raises
    ------
    ValueError
        If there is no review, or one without words.
    """
    if not reviews:
        raise ValueError("no review to read: expected at least one")
    total, parts = np.zeros(network.cell.state_size), network.cell.state_parts
    for first in range(0, len(reviews), _BATCH):
        recording = record(network, reviews[first : first + _BATCH], parts, clamp=clamp)
        last = np.zeros_like(recording.lengths) if network.backward else recording.lengths - 1
        rows = np.arange(len(recording.lengths)), last
        total += np.concatenate([recording[part][rows] for part in parts], axis=1).sum(axis=0, dtype=np.float64)
        if not progress(min(first + _BATCH, len(reviews))):
            return None
    return (total / len(reviews)).astype(np.float32)

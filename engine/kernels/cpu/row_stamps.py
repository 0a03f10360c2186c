"""Copy rows into and out of a ring while their stamps are computed: see `engine.live.ring`.

The stamp of a row is a multilinear hash modulo 2⁶⁴ of its 32-bit values, its word number and its epoch, with random odd
weights (Carter & Wegman, J. Comput. Syst. Sci. 18 (1979) 143; Lemire & Kaser, Comput. J. 57 (2014) 1624). A row with
one stale value never matches its stamp; one with several stale values matches with a probability below 2⁻³².
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.kernels.cpu.compiler import kernel

UInt64s = NDArray[np.uint64]
UInt32s = NDArray[np.uint32]


def odd_weights(count: int, seed: int) -> UInt64s:
    """Return ``count`` random odd 64-bit integers, the same in every process."""
    return np.random.default_rng(seed).integers(0, 1 << 64, count, dtype=np.uint64) | np.uint64(1)


EPOCH_WEIGHT, WORD_WEIGHT = odd_weights(2, seed=1)
"""Increments of a stamp for one more epoch and for one more word."""


@kernel
def put_rows(rows: UInt32s, stamps: UInt64s, weights: UInt64s, block: UInt32s, word: int, epoch: int) -> None:
    """Store ``block`` (word, column) as the words from ``word`` on in the ring ``rows`` (capacity, column)."""
    capacity, width = rows.shape
    for k in range(block.shape[0]):
        row = (word + k) % capacity
        stamp = np.uint64(epoch) * EPOCH_WEIGHT + np.uint64(word + k + 1) * WORD_WEIGHT
        for column in range(width):
            value = block[k, column]
            rows[row, column] = value
            stamp += np.uint64(value) * weights[column]
        stamps[row] = stamp


@kernel
def get_rows(rows: UInt32s, stamps: UInt64s, weights: UInt64s, out: UInt32s, word: int, epoch: int) -> int:
    """Copy the words from ``word`` on to ``out`` (word, column); return the count up to the last without its stamp."""
    capacity, width = rows.shape
    unverified = 0
    for k in range(out.shape[0]):
        row = (word + k) % capacity
        stamp = np.uint64(epoch) * EPOCH_WEIGHT + np.uint64(word + k + 1) * WORD_WEIGHT
        for column in range(width):
            value = rows[row, column]
            out[k, column] = value
            stamp += np.uint64(value) * weights[column]
        if stamps[row] != stamp:
            unverified = k + 1
    return unverified

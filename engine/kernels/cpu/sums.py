"""Sums of recorded signals in float64, without a copy of the signal in float64.

The references are `numpy.sum` with ``dtype=float64``, which converts a float32 array buffer by buffer, and the plain
formula in `engine.activity.deviation`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.kernels.cpu.compiler import kernel

Float32s = NDArray[np.float32]
Array = NDArray[np.float64]

_PARTIAL: Final = 8
"""Sums that grow independently: a processor adds several numbers before the first sum is known."""


@kernel
def sum_rows(values: Float32s, result: Float32s) -> None:
    """Write to ``result`` (row,) the sums of ``values`` (row, column)."""
    rows, columns = values.shape
    whole = columns - columns % _PARTIAL
    for row in range(rows):
        a = b = c = d = e = f = g = h = 0.0
        for k in range(0, whole, _PARTIAL):
            a += values[row, k]
            b += values[row, k + 1]
            c += values[row, k + 2]
            d += values[row, k + 3]
            e += values[row, k + 4]
            f += values[row, k + 5]
            g += values[row, k + 6]
            h += values[row, k + 7]
        for k in range(whole, columns):
            a += values[row, k]
        result[row] = ((a + b) + (c + d)) + ((e + f) + (g + h))


@kernel
def deviations(values: Float32s, mean: Array, result: Array) -> None:
    """Write to (review, cell) arrays the mean and the standard deviation of ``values`` (review, time, cell) over time.

    In two passes: every square is of a distance from the mean.
    """
    reviews, time, cells = values.shape
    for review in range(reviews):
        for cell in range(cells):
            mean[review, cell] = result[review, cell] = 0.0
        for t in range(time):
            for cell in range(cells):
                mean[review, cell] += values[review, t, cell]
        for cell in range(cells):
            mean[review, cell] /= time
        for t in range(time):
            for cell in range(cells):
                d = values[review, t, cell] - mean[review, cell]
                result[review, cell] += d * d
        for cell in range(cells):
            result[review, cell] = np.sqrt(result[review, cell] / time)

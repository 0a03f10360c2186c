"""Activity of the cells: standard deviation (whole and rolling), dead cells, saturation, participation ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.samples import MANY

Array = NDArray[np.float64]

THRESHOLD = 0.02
"""Standard deviation of h below which a cell is dead."""


def deviation(h: ArrayLike) -> Array:
    """Return the standard deviation over time of each cell, (..., time, cell) → (..., cell), over its finite steps."""
    values = np.asarray(h)
    known = _by_kernel(values)
    return _deviation(values) if known is None else known[1]


def mean_and_deviation(h: ArrayLike) -> tuple[Array, Array]:
    """Return the mean over time of each cell, NaN or infinite where a step is, and its `deviation`."""
    values = np.asarray(h)
    return _by_kernel(values) or (values.mean(axis=-2, dtype=np.float64), _deviation(values))


def _by_kernel(values: NDArray[Any]) -> tuple[Array, Array] | None:
    """Return mean and standard deviation of a large float32 array without a copy; None if a step is not finite."""
    if values.ndim != 3 or values.dtype != np.float32 or values.size < MANY or not values.flags.c_contiguous:
        return None
    from engine.kernels.cpu.sums import deviations  # imports numba

    mean, found = np.empty((2, len(values), values.shape[2]))
    deviations(values, mean, found)
    return (mean, found) if np.isfinite(found).all() else None


def _deviation(h: NDArray[Any]) -> Array:
    values = np.array(h, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # of a layer that diverges
        total = values.sum(axis=-2, keepdims=True)
    if values.shape[-2] and np.isfinite(total).all():  # nothing to leave out: several times faster
        values -= total / values.shape[-2]
        return np.asarray(np.sqrt(np.einsum("...tc,...tc->...c", values, values) / values.shape[-2]))
    finite = np.isfinite(values)
    values[~finite], count = np.nan, finite.sum(axis=-2)
    mean = np.divide(np.nansum(values, axis=-2), count, out=np.full(count.shape, np.nan), where=count > 0)
    with np.errstate(over="ignore"):
        square = np.nansum((values - mean[..., None, :]) ** 2, axis=-2)
    return np.sqrt(np.divide(square, count, out=np.full(count.shape, np.nan), where=count > 0))


def is_dead(std: ArrayLike, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
    """Return which cells have a standard deviation below ``threshold``; False for NaN, where nothing was read yet."""
    return np.asarray(std) < threshold


def saturation(gate: ArrayLike, low: float = 0.1, high: float = 0.9) -> tuple[Array, Array]:
    """Return the fractions of steps with a gate below ``low`` and above ``high`` (Karpathy, Johnson & Fei-Fei 2015).

    (..., time, cell) → two arrays (..., cell); NaN steps are ignored.
    """
    values = np.asarray(gate, dtype=np.float64)
    count = np.isfinite(values).sum(axis=-2)
    empty = np.full(count.shape, np.nan)
    below = np.divide((values < low).sum(axis=-2), count, out=empty.copy(), where=count > 0)
    above = np.divide((values > high).sum(axis=-2), count, out=empty, where=count > 0)
    return below, above


def participation_ratio(std: ArrayLike) -> Array:
    """Return (Σσ²)²/Σσ⁴ over the last axis, the effective number of active cells (1 to n); NaN where no cell moves."""
    variance = np.asarray(std, dtype=np.float64) ** 2
    total, square = variance.sum(axis=-1), (variance**2).sum(axis=-1)
    return np.divide(total**2, square, out=np.full(np.shape(total), np.nan), where=square > 0)


class RollingActivity:
    """Standard deviation of each cell over the last ``window`` words.

    Each value is computed from the stored words, so that no rounding error accumulates.

    Parameters
    ----------
    window : int
        Number of recent words, two or more.
    cells : int
        Number of cells pushed together.
    """

    def __init__(self, window: int, cells: int) -> None:
        if window < 2 or cells < 1:
            raise ValueError(f"expected a window of two words or more and one cell or more, got {window} and {cells}")
        self.window = window
        self.cells = cells
        self._ring = np.empty((window, cells), dtype=np.float64)
        self._count = 0

    def reset(self) -> None:
        """Discard all words."""
        self._count = 0

    def push(self, values: ArrayLike) -> None:
        """Add one word (cells,) or a block of words (time, cells)."""
        block = np.asarray(values, dtype=np.float64)
        if block.ndim not in (1, 2) or block.shape[-1] != self.cells:
            raise ValueError(f"expected ({self.cells},) or (time, {self.cells}) values, got {block.shape}")
        block = np.atleast_2d(block)
        latest = block[-self.window :]
        first = self._count + len(block) - len(latest)
        self._ring[(first + np.arange(len(latest))) % self.window] = latest
        self._count += len(block)

    @property
    def std(self) -> Array:
        """Standard deviation of each cell, (cells,), while the window fills over the words so far; NaN before two."""
        latest = self._ring[: min(self._count, self.window)]
        return latest.std(axis=0) if len(latest) > 1 else np.full(self.cells, np.nan)

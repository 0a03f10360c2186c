"""The last samples of several series, and the powers of two that bring their amplitudes into the range of squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.samples import scaling_powers

Array = NDArray[np.float64]

_COARSE = 64  # powers are multiples of it, so that they seldom change while words go by


class RecentSamples:
    """The last ``window`` words of ``series`` series.

    Attributes
    ----------
    powers : (series,) array of int
        Exponents p: x · 2^−p has squares within the range of float64.  0 for a series of ordinary amplitude.
    """

    def __init__(self, window: int, series: int) -> None:
        self.powers = np.zeros(series, dtype=np.int64)
        self._ring = np.empty((window, series))
        self._count = 0

    def reset(self) -> None:
        """Discard all words."""
        self._count = 0
        self.powers = np.zeros_like(self.powers)

    def add(self, block: Array) -> None:
        """Add a block of words (time, series)."""
        window = len(self._ring)
        latest = block[-window:]
        first = self._count + len(block) - len(latest)
        self._ring[(first + np.arange(len(latest))) % window] = latest
        self._count += len(block)

    def are_ordinary(self, block: Array) -> bool:
        """Return whether the words in the window and those of ``block`` have ordinary amplitudes."""
        return not self.powers.any() and not scaling_powers(np.abs(block[block != 0])).any()

    def rescale(self) -> bool:
        """Choose ``powers`` for the words in the window, and return whether they changed."""
        size = np.abs(self.words())
        wanted = scaling_powers(size.max(axis=0, where=np.isfinite(size), initial=0))
        wanted = np.rint(wanted / _COARSE).astype(np.int64) * _COARSE
        changed = not np.array_equal(wanted, self.powers)
        self.powers = wanted
        return changed

    def words(self) -> Array:
        """Return the words in the window, (time, series), the oldest first."""
        window = len(self._ring)
        return self._ring[np.arange(max(0, self._count - window), self._count) % window]

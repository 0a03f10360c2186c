"""Statistics of every cell at the word looked at: activity, dead cells, rolling exponents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.activity import is_dead

if TYPE_CHECKING:
    from engine.live.stream import Snapshot

Floats = NDArray[np.float64]
Read = Callable[[str, int, int], NDArray[np.float32]]

INPUT = "x"
"""The signal whose rows are inputs of the layer, not its cells."""


@dataclass(frozen=True, eq=False)
class Moment:
    """Statistics over the window that ends at one word.

    ``activity`` (n,) is the standard deviation of h, NaN before two words or where they are no longer stored; ``dead``
    (n,) marks the cells below the threshold, none before the window is full. ``cell_alpha`` (n,) is α of every cell of
    the chosen signal; ``r2`` and ``reason`` belong to its layer sum.
    """

    activity: Floats
    dead: NDArray[np.bool_]
    cell_alpha: Floats
    r2: float
    reason: str


def load_kernels() -> None:
    """Load the compiled code of `Moments`, which takes 0.1 s or more, so that the first key need not wait for it."""
    from engine.fluctuation import exponents, fluctuations, rolling_scales

    scales = rolling_scales(64)
    exponents(fluctuations(np.zeros((2, 64), dtype=np.float32), scales), scales)


class Moments:
    """Moments of the present run. That of the newest word is part of the snapshot; an earlier one is computed once.

    Parameters
    ----------
    read : callable
        Returns the stored words of a signal of the run, (time, cell).
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._key: tuple[object, ...] = ()
        self._cached: tuple[Floats, Floats, float, str] = (np.empty(0), np.empty(0), float("nan"), "")

    def at(self, snapshot: Snapshot, signal: str, word: int) -> Moment:
        """Return the moment of a word that is read."""
        if word == snapshot.time - 1 and snapshot.watched == signal:
            activity, r2, reason = snapshot.activity, snapshot.r2[signal], snapshot.reason[signal]
            alpha = snapshot.cell_alpha
        else:
            key = (snapshot.run, snapshot.network, signal, word, snapshot.window, snapshot.scales)
            if key != self._key:
                self._cached, self._key = self._computed(snapshot, signal, word), key
            activity, alpha, r2, reason = self._cached
        if signal == INPUT or len(alpha) != len(activity):
            alpha = np.full(len(activity), np.nan)
        full = word + 1 >= snapshot.window
        dead = is_dead(activity, snapshot.threshold) if full else np.zeros(len(activity), dtype=bool)
        return Moment(activity, dead, alpha, r2, reason)

    def _computed(self, snapshot: Snapshot, signal: str, word: int) -> tuple[Floats, Floats, float, str]:
        from engine.fluctuation import exponents, fluctuations  # numba: loaded once there is a frame
        from engine.samples import sum_over_cells

        n, first = snapshot.network.cell.size, word + 1 - snapshot.window
        h = self._read("h", first, word + 1).astype(np.float64)
        complete = h.shape == (min(snapshot.window, word + 1), n) and len(h) > 1
        activity = h.std(axis=0) if complete else np.full(n, np.nan)
        values = self._read(signal, first, word + 1)
        if len(values) < snapshot.window:
            reason = "too short" if word + 1 < snapshot.window else "its words are no longer stored"
            return activity, np.full(n, np.nan), float("nan"), reason
        scales = snapshot.scales
        cells, total = (exponents(fluctuations(s, scales), scales) for s in (values.T, sum_over_cells(values)))
        return activity, cells.alpha, float(total.r2), str(total.reason)

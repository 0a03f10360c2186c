"""Share of words at which each gate of each cell is saturated, open or closed (Karpathy, Johnson & Fei-Fei 2015)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.activity import saturation
from engine.cells import Cell
from engine.network import Network
from engine.recording import record

LEFT, RIGHT = 0.1, 0.9
_BATCH: Final = 16  # reviews recorded together


def gate_names(cell: Cell) -> tuple[str, ...]:
    """Return the signals of a cell that lie between 0 and 1: its gates; an RNN has none."""
    return tuple(one.name for one in cell.signals if one.kind == "internal" and (one.low, one.high) == (0, 1))


@dataclass(frozen=True, eq=False)
class GateSaturation:
    """Fractions of words at which each gate of each cell is below ``LEFT`` and above ``RIGHT``, (gate, cell) each."""

    gates: tuple[str, ...]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    reviews: int
    words: int


def saturation_of(gates: Mapping[str, ArrayLike], reviews: int = 1) -> GateSaturation:
    """Return the saturation of gates (time, cell) over all their words; NaN without a word."""
    values = [np.asarray(rows) for rows in gates.values()]
    parts = [saturation(rows, LEFT, RIGHT) for rows in values]
    left, right = (np.stack([part[side] for part in parts]) for side in (0, 1))
    return GateSaturation(tuple(gates), left, right, reviews, len(values[0]))


def corpus_saturation(
    network: Network,
    reviews: Sequence[NDArray[np.integer]],
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
    progress: Callable[[GateSaturation], bool] = lambda _: True,
) -> GateSaturation:
    """Read reviews, and return the saturation of every gate over all words of all of them.

    ``progress`` gets the result so far after each batch; the reading ends once it returns False.

    Raises
    ------
    ValueError
        If the network has no gates, or there is no review.
    """
    gates = gate_names(network.cell)
    if not gates or not reviews:
        missing = "review to read" if gates else f"gate between 0 and 1 in {network.name}"
        raise ValueError(f"there is no {missing}")
    counts, words = np.zeros((2, len(gates), network.cell.size)), 0
    for first in range(0, len(reviews), _BATCH):
        recording = record(network, reviews[first : first + _BATCH], gates, clamp=clamp)
        for k, gate in enumerate(gates):
            values = recording[gate][recording.mask]  # (word, cell)
            counts[:, k] += (values < LEFT).sum(axis=0), (values > RIGHT).sum(axis=0)
        words += int(recording.lengths.sum())
        found = GateSaturation(gates, counts[0] / words, counts[1] / words, first + len(recording.lengths), words)
        if not progress(found):
            break
    return found

"""What a live run shows and tells: where it stands, and the rare things that happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.network import UNKNOWN, Network
from engine.text import Review

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Snapshot:
    """Where a run stands.  ``time`` counts words read: word ``time − 1`` is the current one, 0 is before the first.

    ``alpha``, ``beta``, ``r2`` and ``reason`` are of the layer sums over the last ``window`` words, by signal;
    ``cell_alpha`` and ``cell_reason`` (n,) are of every cell of the signal ``watched``.  NaN goes with a reason.
    ``activity`` (n,) is the rolling standard deviation of h, ``dead`` (n,) where it is below ``threshold``.
    ``held`` tells which signals are held at which values: signal → (n,), NaN where a cell is free.
    """

    run: int
    network: Network
    review: Review
    index: int
    reviews: int
    ids: NDArray[np.int32]
    time: int
    playing: bool
    speed: float | None
    words_per_second: float
    probability: float
    alpha: Mapping[str, float]
    beta: Mapping[str, float]
    r2: Mapping[str, float]
    reason: Mapping[str, str]
    watched: str
    cell_alpha: Floats
    cell_reason: NDArray[np.str_]
    activity: Floats
    dead: Bools
    threshold: float
    window: int
    scales: tuple[int, ...]
    clamps: Mapping[str, NDArray[np.float32]]

    @property
    def words(self) -> int:
        """How many words the review has."""
        return len(self.ids)

    @property
    def finished(self) -> bool:
        return self.time >= len(self.ids)

    @property
    def unknown(self) -> int:
        """How many of the review's words the network does not know."""
        return int((self.ids == UNKNOWN).sum())


@dataclass(frozen=True)
class Event:
    """Something rare.  ``failed`` carries what happened and what to do; the stream goes on with what it had."""

    kind: Literal["opened", "finished", "failed"]
    run: int
    message: str = ""

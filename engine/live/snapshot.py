"""The state and the events of a live run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.live.pushes import Pushes
from engine.network import UNKNOWN, Network
from engine.text import Review

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Snapshot:
    """The state of a run. ``time`` is the count of words read: the current word is ``time − 1``.

    ``alpha``, ``beta``, ``r2`` and ``reason`` map each signal to the result for its layer sum over the last ``window``
    words; ``cell_alpha`` and ``cell_reason`` (n,) are those of each cell of the signal ``watched``. Where an exponent
    is NaN, its reason says why. ``activity`` (n,) is the rolling standard deviation of h, ``dead`` (n,) where it is
    below ``threshold`` over a full window. ``clamps`` maps signals to the values their cells are clamped to, (n,), NaN
    where a cell is free; ``pushes`` are what is added to the state in this review. ``reviews`` is the count of reviews
    of the source, ``index`` the place of this one; ``ids`` (time,) are its words, or (time, input) its vectors.
    ``device`` is where the network steps, and ``device_problem`` why the CPU took over from another one.
    ``lost``: the process that ran it ended by itself.
    """

    run: int
    network: Network
    review: Review
    index: int
    reviews: int
    ids: NDArray[Any]
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
    pushes: Pushes = ()
    device: str = "cpu"
    device_problem: str = ""
    lost: bool = False

    @property
    def words(self) -> int:
        """Count of words of the review."""
        return len(self.ids)

    @property
    def finished(self) -> bool:
        return self.time >= len(self.ids)

    @property
    def unknown(self) -> int:
        """Count of words of the review outside the vocabulary."""
        return int(self.unknown_words.sum())

    @property
    def unknown_words(self) -> NDArray[np.bool_]:
        """Mask of the words of the review that are outside the vocabulary, (word,)."""
        network = self.network
        if network.vocabulary is not None:
            return np.asarray(self.ids == UNKNOWN)
        if network.text_vocabulary is not None:  # an upper layer, which reads vectors
            return np.asarray(network.text_vocabulary.encode(self.review.words) == UNKNOWN)
        return np.zeros(self.words, dtype=bool)


@dataclass(frozen=True)
class Event:
    """A rare event. ``message`` says what failed and what to do; the run goes on as before.

    ``device``: the CPU took over from a GPU that failed.
    """

    kind: Literal["opened", "finished", "failed", "device"]
    run: int
    message: str = ""

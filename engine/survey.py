"""Reviews of one length read by one network: F of every layer sum, and how far every cell moves.

The series are the sums of a signal over the layer's cells (Chong & Ling 2024, section II C).  They have one length
because an exponent and its null depend on it; `engine.corpus` takes reviews of any.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.activity import deviation
from engine.corpus import batches
from engine.fluctuation import SCALES, Exponents, exponents, fluctuations
from engine.network import Network
from engine.recording import Recording, record

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Survey:
    """What was measured of each review.

    Attributes
    ----------
    signals : tuple of str
        The network's signals, in its order.
    scales : tuple of int
        Box lengths of the fluctuation functions, in words.
    F : (signal, review, scale) array
        Fluctuation function of the signal's layer sum; see `engine.fluctuation.fluctuations`.
    mean, deviation : (review, cell) arrays
        Mean and standard deviation of ``h`` over a review's words.
    probability : (review,) array
        P(positive) after the last word.
    """

    signals: tuple[str, ...]
    scales: tuple[int, ...]
    F: Array
    mean: Array
    deviation: Array
    probability: Array

    def exponents(self, signal: str) -> Exponents:
        """The fits of a signal's layer sum, (review,); KeyError if it was not asked for."""
        if signal not in self.signals:
            raise KeyError(f"no signal {signal!r} in this survey, which has {', '.join(self.signals)}")
        return exponents(self.F[self.signals.index(signal)], self.scales)


def survey(
    network: Network,
    reviews: NDArray[np.integer],
    signals: Sequence[str] | None = None,
    scales: Sequence[int] = SCALES,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Survey:
    """Read reviews, each from the zero state, and measure the layer sums of the signals.

    Parameters
    ----------
    network : Network
        It reads words and has one output.
    reviews : (review, time) ids
    signals : sequence of str, optional
        By default all of ``network.signals``.
    scales : sequence of int
        Box lengths in words.
    progress : callable
        Called with (reviews done, reviews in all).

    Raises
    ------
    ValueError
        If there is no review, an id is unknown, or a signal is.
    """
    if not len(reviews):
        raise ValueError(f"{network.name}: no reviews to survey")
    names = tuple(signal.name for signal in network.signals if signals is None or signal.name in signals)
    F, mean, moved, probability = [], [], [], []
    for done, recording in recordings(network, reviews, {*names, *(signals or ()), "h"}):
        h = recording["h"]
        F.append(fluctuations(np.stack([recording.layer_sum(name) for name in names]), scales))
        mean.append(h.mean(axis=1, dtype=np.float64))
        moved.append(deviation(h))
        probability.append(recording.probability[:, -1])
        progress(done, len(reviews))
    parts = (np.concatenate(part) for part in (mean, moved, probability))
    return Survey(names, tuple(scales), np.concatenate(F, axis=1), *parts)


def recordings(
    network: Network,
    reviews: NDArray[np.integer],
    signals: Collection[str],
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
) -> Iterator[tuple[int, Recording]]:
    """Record reviews (review, time) batch by batch; yields how many are done, and the batch's recording."""
    for first, part in batches(reviews):
        yield first + len(part), record(network, part, tuple(signals), clamp=clamp)

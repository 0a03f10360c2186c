"""Statistics of a corpus of reviews of one length: F of every layer sum, mean and standard deviation of every cell.

The reviews share one length because an exponent and its null depend on it.  `engine.beta.measure_reviews` takes
reviews of any length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.activity import mean_and_deviation
from engine.beta import read_batches
from engine.devices import kernel_problem
from engine.fluctuation import SCALES, Exponents, exponents, fluctuations
from engine.network import Network
from engine.recording import signal_names

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CorpusStatistics:
    """Measurements of each review.

    Attributes
    ----------
    signals : tuple of str
        Signals measured, in the network's order.
    scales : tuple of int
        Box lengths of the fluctuation functions, in words.
    F : (signal, review, scale) array
        Fluctuation functions of the layer sums; see `engine.fluctuation.fluctuations`.
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
        """Return the fits of a signal's layer sum, (review,).

        Raises
        ------
        KeyError
            If the signal was not measured.
        """
        if signal not in self.signals:
            raise KeyError(f"no signal {signal!r} in these statistics; they hold {', '.join(self.signals)}")
        return exponents(self.F[self.signals.index(signal)], self.scales)


def corpus_statistics(
    network: Network,
    reviews: NDArray[np.integer],
    signals: Sequence[str] | None = None,
    scales: Sequence[int] = SCALES,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CorpusStatistics:
    """Read reviews, each from the zero state, and measure the layer sums of the signals.

    Parameters
    ----------
    network : Network
        A network that reads words and has one output.
    reviews : (review, time) ids
    signals : sequence of str, optional
        All of ``network.signals`` by default.
    scales : sequence of int
        Box lengths in words.
    progress : callable
        Called with (reviews done, number of reviews) after each batch.

    Raises
    ------
    ValueError
        If there is no review, or an id or a signal is unknown.
    """
    if not len(reviews):
        raise ValueError(f"{network.name}: no reviews to measure; expected at least one")
    names = signal_names(network, signals)
    plain = network.stack is None and network.cell.standard
    if network.cell.device.type == "cuda" and plain and not kernel_problem():
        from engine.gpu_recording import Reader, review_statistics  # imports Triton

        reader = Reader(network, {})
        return CorpusStatistics(names, tuple(scales), *review_statistics(reader, reviews, names, scales, progress))
    F, mean, moved, probability = [], [], [], []
    for batch in read_batches(network, reviews, names, recorded=()):
        assert batch.recording is not None
        h = batch.recording["h"]
        F.append(fluctuations(np.stack(batch.series, axis=1), scales))
        of_cells = mean_and_deviation(h)
        mean.append(of_cells[0])
        moved.append(of_cells[1])
        probability.append(batch.probability)
        progress(batch.first + len(batch), len(reviews))
    parts = (np.concatenate(part) for part in (mean, moved, probability))
    return CorpusStatistics(names, tuple(scales), np.concatenate(F, axis=1), *parts)

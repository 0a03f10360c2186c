"""β, accuracy, dead and saturated cells of a network on all reviews of a source, in bounded memory.

`measure_source` reads the source as a stream; what it stores is sums, and for each review one probability.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from engine.activity import deviation, is_dead
from engine.beta import UNLABELLED, Batch, Ids, read_batches
from engine.fluctuation import SHORTEST_SERIES, default_scales, exponents, fluctuations
from engine.gate_saturation import LEFT, RIGHT, gate_names
from engine.network import Network
from engine.recording import gpu_reader, signal_names
from engine.review_stream import ReviewStream

if TYPE_CHECKING:
    from engine.gpu_recording import Reader

Array = NDArray[np.float64]

_LEVEL: Final = 0.95
_SMALLEST: Final = 1e-7  # probability whose logarithm is taken: that of float32

Progress = Callable[[int, float | None], None]
"""Called with (reviews measured, fraction of the source or None) after each batch."""


@dataclass
class Moments:
    """Number, mean and sum of squared deviations of values that arrive in parts, by Chan, Golub & LeVeque (1983)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, values: Array) -> None:
        """Add the finite ones of some values."""
        known = values[np.isfinite(values)]
        if not len(known):
            return
        mean, total = float(known.mean()), self.count + len(known)
        change = mean - self.mean
        self.squares += float(((known - mean) ** 2).sum()) + change**2 * self.count * len(known) / total
        self.mean += change * len(known) / total
        self.count = total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean by Student's t; NaN for fewer than two values."""
        if self.count < 2:
            return np.nan, np.nan
        half = float(t.ppf((1 + _LEVEL) / 2, self.count - 1)) * (self.squares / (self.count - 1) / self.count) ** 0.5
        return self.mean - half, self.mean + half


@dataclass(frozen=True)
class SourceMeasurement:
    """Results of a network on the reviews of a source.

    Attributes
    ----------
    network : str
    reviews, words : int
        Reviews and words read.
    beta : mapping of str to Moments
        β of the layer sum of each signal over the reviews of `SHORTEST_SERIES` words or more that have an exponent.
    dead : float
        Share of cells whose standard deviation over a review, averaged over reviews, is below the threshold.
    closed, open : float
        Fractions of words at which a gate is below 0.1 and above 0.9, averaged over gates and cells; NaN without gates.
    labelled : int
        Reviews with a label.
    accuracy, loss : float
        On these; the loss is the cross-entropy in nats. NaN without labels.
    seconds : float
    """

    network: str
    reviews: int
    words: int
    beta: dict[str, Moments]
    dead: float
    closed: float
    open: float
    labelled: int
    accuracy: float
    loss: float
    seconds: float

    def row(self) -> dict[str, str | int | float | None]:
        """Return the columns of a table of networks; see `engine.sweeps.table`."""
        row: dict[str, str | int | float | None] = {
            "accuracy": self.accuracy, "loss": self.loss, "dead": self.dead, "closed": self.closed, "open": self.open,
        }  # fmt: skip
        for signal, moments in self.beta.items():
            low, high = moments.interval
            row[f"beta_{signal}"] = moments.mean if moments.count else np.nan
            row |= {f"beta_{signal}_low": low, f"beta_{signal}_high": high}
        longest = max((moments.count for moments in self.beta.values()), default=0)
        row |= {"reviews": self.reviews, "reviews_with_beta": longest, "words": self.words, "labelled": self.labelled}
        return {key: None if value != value else value for key, value in row.items()} | {"seconds": self.seconds}


@dataclass
class _Sums:
    """Sums over the reviews so far."""

    network: Network
    signals: tuple[str, ...]
    beta: dict[str, Moments] = field(init=False)
    reviews: int = 0
    words: int = 0
    moving: int = 0  # reviews of two words or more

    def __post_init__(self) -> None:
        self.reader = gpu_reader(self.network, {}) if self.network.stack is None else None
        cells = self.network.cell.size
        self.beta = {signal: Moments() for signal in self.signals}
        self.gates = [name for name in gate_names(self.network.cell) if name in self.signals]
        self.deviation = np.zeros(cells)
        self.saturated = np.zeros(2)
        self.probabilities: list[NDArray[np.float32]] = []

    def add(self, ids: Sequence[Ids]) -> None:
        """Add a batch of reviews, sorted by length: reviews of one length share a call of every analysis."""
        self.reviews += len(ids)
        self.words += sum(map(len, ids))
        if self.reader is not None:
            self._measure_on_gpu(self.reader, ids)
            return
        order = np.argsort([len(review) for review in ids], kind="stable")
        probability = np.full(len(ids), np.nan, dtype=np.float32)
        series: list[NDArray[np.floating]] = []
        for batch in read_batches(self.network, [ids[k] for k in order], self.signals, recorded=self.gates):
            probability[order[batch.first : batch.first + len(batch)]] = batch.probability
            series += batch.series
            if batch.recording is not None:
                self._add_cells(batch)
        self._add_beta(series)
        self.probabilities.append(probability)

    def _measure_on_gpu(self, reader: Reader, ids: Sequence[Ids]) -> None:
        from engine.gpu_corpus import DeviceReviews  # imports Triton

        reviews = DeviceReviews(ids, reader.device)
        part = reviews.measure(reader, self.signals)
        moving = part.lengths > 1
        self.deviation += part.deviation[moving].sum(axis=0)
        self.moving += int(moving.sum())
        self.saturated += reviews.saturated(reader, self.gates)
        for signal, values in zip(self.signals, part.beta.T, strict=True):
            self.beta[signal].add(values)
        self.probabilities.append(part.probability.astype(np.float32))

    def _add_cells(self, batch: Batch) -> None:
        assert batch.recording is not None
        lengths, h = batch.recording.lengths, batch.recording["h"]
        for length, rows in groupby(range(len(lengths)), key=lengths.__getitem__):
            if length > 1:
                moved = deviation(h[list(rows), :length])
                self.deviation += moved.sum(axis=0)
                self.moving += len(moved)
        mask = batch.recording.mask
        for gate in self.gates:
            values = batch.recording[gate][mask]  # (word, cell)
            self.saturated += (values < LEFT).sum(), (values > RIGHT).sum()

    def _add_beta(self, series: list[NDArray[np.floating]]) -> None:
        for length, same in groupby(series, key=lambda one: one.shape[1]):
            if length >= SHORTEST_SERIES:
                scales = default_scales(length)
                found = exponents(fluctuations(np.stack(list(same)), scales), scales).beta  # (review, signal)
                for signal, values in zip(self.signals, found.T, strict=True):
                    self.beta[signal].add(values)

    def scores(self, labels: NDArray[np.int8]) -> tuple[int, float, float]:
        """Return the number of reviews with a label, the accuracy and the loss."""
        if self.network.outputs != 1 or not self.probabilities:
            return 0, np.nan, np.nan
        probability = np.concatenate(self.probabilities)
        known = (labels != UNLABELLED) & np.isfinite(probability)
        if not known.any():
            return 0, np.nan, np.nan
        found, positive = probability[known].astype(np.float64), labels[known] == 1
        correct = (found >= self.network.threshold) == positive
        right = np.where(positive, found, 1 - found).clip(_SMALLEST, None)
        return int(known.sum()), float(correct.mean()), float(-np.log(right).mean())


def measure_source(
    network: Network,
    stream: ReviewStream,
    signals: Sequence[str] | None = None,
    *,
    progress: Progress = lambda done, fraction: None,
) -> SourceMeasurement:
    """Read all reviews of a source and measure a network on them.

    Parameters
    ----------
    network : Network
        A network that reads words.
    stream : ReviewStream
        Not yet iterated over.
    signals : sequence of str, optional
        All of ``network.signals`` by default.
    progress : callable

    Raises
    ------
    ValueError
        If the network takes vectors instead of words, or a signal is unknown.
    ReviewError
        If the source cannot be read.
    """
    vocabulary = network.text_vocabulary
    if vocabulary is None:
        raise ValueError(
            f"{network.name} takes vectors of {network.cell.inputs} numbers and reads no reviews; "
            "choose a network with a vocabulary"
        )
    start = time.perf_counter()
    sums = _Sums(network, signal_names(network, signals))
    for texts in stream:
        sums.add([vocabulary.encode(network.split(text)) for text in texts])
        progress(sums.reviews, stream.fraction)
    cells = network.cell.size
    labelled, accuracy, loss = sums.scores(stream.labels)
    values = len(sums.gates) * cells * sums.words
    closed, opened = sums.saturated / values if values else (np.nan, np.nan)
    dead = float(is_dead(sums.deviation / sums.moving).mean()) if sums.moving else np.nan
    return SourceMeasurement(
        *(network.name, sums.reviews, sums.words, sums.beta, dead, float(closed), float(opened)),
        *(labelled, accuracy, loss, time.perf_counter() - start),
    )

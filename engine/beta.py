"""β of the layer sums of many reviews: read them in batches, sum each signal over its cells, fit the exponents.

Chong & Ling (2024), section II C, take β of the layer sums of each signal over all test reviews.  `read_batches` reads
reviews into layer sums, `series_beta` fits β of series, and `measure_reviews` combines them for reviews of any length.
All are generators or work on one batch, so memory is bounded whatever the number of reviews.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engine.fluctuation import exponents, fluctuations
from engine.network import Network
from engine.ragged import REASONS, Part, StoredReviews, fits_of, fluctuations_by_length, scales_of
from engine.recording import Recording, gpu_reader, record_with_sums, signal_names
from engine.stack import Held
from engine.stack_outputs import final_outputs
from engine.text import Review

Array = NDArray[np.float64]
Floats = NDArray[np.floating]
Ids = NDArray[np.integer]

BATCH_WORDS = 1 << 14
"""Words recorded together, padding up to the longest review included."""

GROUP_WORDS = 1 << 24
"""Words measured together on a GPU."""

UNLABELLED = -1


@dataclass(frozen=True, eq=False)
class Batch:
    """Consecutive reviews after one pass through a network.

    Attributes
    ----------
    first : int
        Index of the first review among all.
    series : list of (signal, time) arrays
        Layer sums of each review over its own words; (signal, 0) for a review without words.
    probability : (review,) array
        P(positive) after the last word, NaN for a review without words.
    recording : Recording
        ``h`` and, unless the caller chose others, the signals of the reviews that have words, in their order; None if
        none has.
    """

    first: int
    series: list[Floats]
    probability: Array
    recording: Recording | None

    def __len__(self) -> int:
        return len(self.series)


def read_batches(
    network: Network,
    reviews: Iterable[Ids],
    signals: Sequence[str],
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
    words: int = BATCH_WORDS,
    recorded: Sequence[str] | None = None,
) -> Iterator[Batch]:
    """Run reviews through a network and sum each signal over its cells, batch by batch in the order of the reviews.

    Parameters
    ----------
    network : Network
        A network that reads words.
    reviews : iterable of (time,) id arrays
        Consumed one batch at a time.
    signals : sequence of str
        Names of ``network.signals``.
    clamp : mapping of str to (n,) array, optional
        Values at which cells are clamped, NaN for a free cell; see `engine.recording.record`.
    words : int
        Size of a batch; a longer review makes a batch of its own.
    recorded : sequence of str, optional
        The signals that the recordings of the batches hold besides ``h``; ``signals`` by default.

    Raises
    ------
    ValueError
        For an unknown signal, an id outside the vocabulary, or a clamp of the wrong shape.
    """
    first = 0
    for part in batches_of(reviews, words):
        yield _read(network, first, part, signals, clamp, signals if recorded is None else recorded)
        first += len(part)


def batches_of(reviews: Iterable[Ids], words: int = BATCH_WORDS) -> Iterator[list[Ids]]:
    """Split reviews, in order, into lists that fill at most ``words`` words when padded."""
    part, longest = list[Ids](), 0
    for ids in reviews:
        if part and (len(part) + 1) * max(longest, len(ids)) > words:
            yield part
            part, longest = [], 0
        part.append(ids)
        longest = max(longest, len(ids))
    if part:
        yield part


def _read(
    network: Network,
    first: int,
    reviews: list[Ids],
    signals: Sequence[str],
    clamp: Mapping[str, ArrayLike] | None,
    recorded: Sequence[str],
) -> Batch:
    series: list[Floats] = [np.empty((len(signals), 0))] * len(reviews)
    probability = np.full(len(reviews), np.nan)
    with_words = np.flatnonzero([len(ids) for ids in reviews])
    if not len(with_words):
        return Batch(first, series, probability, None)
    read = [np.asarray(reviews[k], dtype=np.int32) for k in with_words]
    recording, sums = record_with_sums(network, read, [*recorded, "h"], signals, clamp=clamp)
    for row, k in enumerate(with_words.tolist()):
        series[k] = sums[:, row, : recording.lengths[row]]
    if network.stack is not None and network.shares_readout:
        held = Held.of_arrays((network.level, network.direction), clamp or {})
        probability[with_words] = final_outputs(network.stack, network.output, read, held)[:, 0]
    else:
        last = torch.as_tensor(recording["h"][np.arange(len(with_words)), recording.lengths - 1])
        probability[with_words] = network.probability(last.to(network.readout_weight))[:, 0].double().cpu().numpy()
    return Batch(first, series, probability, recording)


def series_beta(series: ArrayLike, scales: Sequence[int], order: int = 1, unbiased: bool = True) -> Array:
    """Return β of each series (..., time) by DFA, (...); NaN where a series has no exponent."""
    return exponents(fluctuations(series, scales, order, unbiased), scales).beta


def measure_reviews(
    network: Network,
    reviews: Sequence[Review],
    signals: Sequence[str] = ("h", "x"),
    *,
    scales: Sequence[int] | None = None,
    cut: int | None = None,
    clamp: Mapping[str, ArrayLike] | None = None,
) -> Iterator[NDArray[np.void]]:
    """Measure β of the layer sums of every review by unbiased DFA of order 1, batch by batch.

    Parameters
    ----------
    network : Network
        A network that reads words.
    reviews : sequence of Review
    signals : sequence of str
        Names of ``network.signals``.
    scales : sequence of int, optional
        DFA box lengths for all reviews; by default ``engine.fluctuation.default_scales`` of each review's own length.
    cut : int, optional
        Number of words to read of each review; all by default.
    clamp : mapping of str to (n,) array, optional
        As in `read_batches`.

    Yields
    ------
    record array
        As `measure_encoded`.

    Raises
    ------
    ValueError
        If the network takes vectors instead of words, or has no such signal.
    """
    vocabulary = network.text_vocabulary
    if vocabulary is None:
        raise ValueError(
            f"{network.name} takes vectors of {network.cell.inputs} numbers and reads no reviews; "
            "choose a network with a vocabulary"
        )
    ids = (vocabulary.encode(network.split(review.text)[:cut]) for review in reviews)
    return measure_encoded(network, ids, (review.label for review in reviews), signals, scales=scales, clamp=clamp)


def measure_encoded(
    network: Network,
    reviews: Iterable[Ids],
    labels: Iterable[bool | None],
    signals: Sequence[str],
    *,
    scales: Sequence[int] | None = None,
    clamp: Mapping[str, ArrayLike] | None = None,
    notify: Callable[[str], None] | None = None,
) -> Iterator[NDArray[np.void]]:
    """Do the work of `measure_reviews` for reviews as (time,) id arrays; on a GPU if the network is on one.

    A GPU prepares `engine.ragged.StoredReviews` once for many calls. ``notify`` gets a message where its memory is
    too small for all reviews at once; by default, this is a warning.

    Yields
    ------
    record array
        One row a review, in order: ``review`` (its index), ``words``, ``probability`` (P(positive) after the last
        word), ``label`` (1, 0, or ``UNLABELLED``), ``deviation`` (the standard deviation of ``h`` of each cell, NaN
        without words), and, one value a signal, ``beta``, ``beta_stderr``, ``r2`` and ``reason``: "" or, where β is
        NaN, "too short", "flat", "flat to rounding" or "not finite".
    """
    labels = iter(labels)
    dtype = _row(len(signals), network.cell.size)
    for first, part in _measured(network, reviews, signals, scales, clamp, notify):
        rows = np.zeros(len(part.lengths), dtype=dtype)
        rows["review"] = first + np.arange(len(rows))
        rows["words"], rows["probability"], rows["deviation"] = part.lengths, part.probability, part.deviation
        rows["label"] = [UNLABELLED if label is None else int(label) for label in islice(labels, len(rows))]
        rows["beta"], rows["beta_stderr"], rows["r2"] = part.beta, part.beta_stderr, part.r2
        rows["reason"] = _REASONS[part.reason]
        yield rows


_REASONS: Final = np.array(REASONS, dtype="U16")


def _row(signals: int, cells: int) -> np.dtype[np.void]:
    k = (signals,)
    return np.dtype(
        [("review", np.int32), ("words", np.int32), ("probability", np.float64), ("label", np.int8)]
        + [("deviation", np.float32, (cells,))]
        + [(name, np.float64, k) for name in ("beta", "beta_stderr", "r2")]
        + [("reason", "U16", k)]
    )


def _measured(
    network: Network,
    reviews: Iterable[Ids],
    signals: Sequence[str],
    scales: Sequence[int] | None,
    clamp: Mapping[str, ArrayLike] | None,
    notify: Callable[[str], None] | None,
) -> Iterator[tuple[int, Part]]:
    """Yield the index of the first review of each part, and the part."""
    signal_names(network, signals)  # raises for an unknown one
    reader = gpu_reader(network, clamp or {}) if network.stack is None else None
    if reader is not None:
        from engine.gpu_corpus import DeviceReviews, warn  # imports Triton

        device = network.cell.device

        def prepare(ids: Sequence[Ids]) -> DeviceReviews:
            return DeviceReviews(ids, device, scales)

        first = 0
        for group in [reviews] if isinstance(reviews, StoredReviews) else _groups(reviews):
            on_device = (
                group.prepared((device, scales), prepare) if isinstance(group, StoredReviews) else prepare(group)
            )
            yield first, on_device.measure(reader, signals, notify or warn)
            first += len(group)
        return
    for batch in read_batches(network, reviews, signals, clamp=clamp, recorded=()):
        lengths = np.array([series.shape[1] for series in batch.series], dtype=np.intp)
        moved = np.full((len(batch), network.cell.size), np.nan)
        if batch.recording is not None:
            h = batch.recording["h"]
            moved[lengths > 0] = [row[:length].std(axis=0) for row, length in zip(h, lengths[lengths > 0], strict=True)]
        chosen = scales_of(lengths, scales)
        fits = fits_of(fluctuations_by_length(batch.series, chosen), chosen)
        yield batch.first, Part(lengths, batch.probability, moved, *fits)


def _groups(reviews: Iterable[Ids]) -> Iterator[list[Ids]]:
    """Split reviews, in order, into lists of about `GROUP_WORDS` words."""
    group, words = list[Ids](), 0
    for ids in reviews:
        group.append(ids)
        words += len(ids)
        if words >= GROUP_WORDS:
            yield group
            group, words = [], 0
    if group:
        yield group

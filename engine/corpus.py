"""Every review of a source through one network: β of its layer sums, its length, its prediction.

After Chong & Ling (2024), who take β of the layer sums of each signal over all test reviews.  Results come batch by
batch, so that a histogram can fill in, memory is bounded whatever the number of reviews, and whoever has seen enough
stops asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engine.fluctuation import default_scales, exponents, fluctuations
from engine.network import Network
from engine.recording import record
from engine.text import Review, split_words

BATCH = 1 << 14
"""Words that are recorded together, those that fill reviews up to the longest included."""

UNLABELLED = -1


@dataclass(frozen=True)
class Sums:
    """What one batch of reviews leaves behind.

    Attributes
    ----------
    first : int
        The place of its first review among all.
    series : list of (signal, time) arrays
        The layer sums of each review, empty for one without a word.
    probability : (review,) array
        P(positive) after the last word, NaN where there is none.
    """

    first: int
    series: list[NDArray[np.float64]]
    probability: NDArray[np.float64]


def layer_sums(
    network: Network,
    reviews: Iterable[NDArray[np.integer]],
    signals: Sequence[str],
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
    batch: int = BATCH,
) -> Iterator[Sums]:
    """Run reviews through a network and sum each signal over its cells, batch by batch, in the order of the reviews.

    Parameters
    ----------
    network : Network
        One that reads words.
    reviews : iterable of (time,) id arrays
        Taken as they are needed.
    signals : sequence of str
        Names of ``network.signals``.
    hold : mapping of str to (n,) array, optional
        Values at which a signal's cells are held, NaN where a cell is free; as in `engine.recording.record`.
    batch : int
        Words that are recorded together; a longer review makes a batch of its own.
    """
    for first, part in batches(reviews, batch):
        yield _summed(network, first, part, signals, clamp)


def batches(
    reviews: Iterable[NDArray[np.integer]], words: int = BATCH
) -> Iterator[tuple[int, list[NDArray[np.integer]]]]:
    """Reviews in their order, as many at a time as fill ``words`` words, with the place of the first among all."""
    first, waiting, longest = 0, list[NDArray[np.integer]](), 0
    for ids in reviews:
        if waiting and (len(waiting) + 1) * max(longest, len(ids)) > words:
            yield first, waiting
            first, waiting, longest = first + len(waiting), [], 0
        waiting.append(ids)
        longest = max(longest, len(ids))
    if waiting:
        yield first, waiting


def _summed(
    network: Network,
    first: int,
    reviews: list[NDArray[np.integer]],
    signals: Sequence[str],
    clamp: Mapping[str, ArrayLike] | None,
) -> Sums:
    series = [np.empty((len(signals), 0))] * len(reviews)
    probability = np.full(len(reviews), np.nan)
    read = np.flatnonzero([len(ids) for ids in reviews])
    if len(read):
        recording = record(network, [reviews[k] for k in read], [*signals, "h"], clamp=clamp)
        sums = np.stack([recording.layer_sum(name) for name in signals], axis=1)
        for row, k in enumerate(read.tolist()):
            series[k] = sums[row, :, : recording.lengths[row]]
        last = torch.as_tensor(recording["h"][np.arange(len(read)), recording.lengths - 1])
        probability[read] = network.readout(last.to(network.readout_weight))[:, 0].sigmoid().cpu().numpy()
    return Sums(first, series, probability)


def measure(
    network: Network,
    reviews: Sequence[Review],
    signals: Sequence[str] = ("h", "x"),
    *,
    scales: Sequence[int] | None = None,
    cut: int | None = None,
    clamp: Mapping[str, ArrayLike] | None = None,
) -> Iterator[NDArray[np.void]]:
    """β of the layer sums of every review by unbiased DFA of order 1, batch by batch.

    Parameters
    ----------
    network : Network
        One that reads words.
    reviews : sequence of Review
    signals : sequence of str
        Names of ``network.signals``.
    scales : sequence of int, optional
        DFA box lengths for all; by default ``engine.fluctuation.default_scales`` of each review's own length.
    cut : int, optional
        Words of a review that are read; all by default.
    hold : mapping of str to (n,) array, optional
        As in `layer_sums`.

    Yields
    ------
    record array
        One row for each review, in order: ``review`` (its index), ``words``, ``probability`` (P(positive) after the
        last word), ``label`` (1, 0, or ``UNLABELLED``), and for each signal (k,) ``beta``, ``beta_stderr``, ``r2``
        and ``reason``: "" or, where β is NaN, why ("too short", "flat", "not finite").

    Raises
    ------
    ValueError
        If the network takes vectors instead of words, or has no such signal.
    """
    vocabulary = network.vocabulary
    if vocabulary is None:
        raise ValueError(f"{network.name} takes vectors of {network.cell.inputs} numbers: it reads no reviews")
    numbers = (vocabulary.encode(split_words(review.text)[:cut]) for review in reviews)
    k = (len(signals),)
    row = np.dtype(
        [("review", np.int32), ("words", np.int32), ("probability", np.float64), ("label", np.int8)]
        + [(name, np.float64, k) for name in ("beta", "beta_stderr", "r2")]
        + [("reason", "U10", k)]
    )
    for part in layer_sums(network, numbers, signals, clamp=clamp):
        rows = np.zeros(len(part.series), dtype=row)
        rows["review"] = part.first + np.arange(len(rows))
        rows["words"] = [series.shape[1] for series in part.series]
        rows["probability"] = part.probability
        labels = (reviews[number].label for number in rows["review"].tolist())
        rows["label"] = [UNLABELLED if label is None else int(label) for label in labels]
        for found, series in zip(rows, part.series, strict=True):
            _fit(found, series, scales)
        yield rows


def _fit(found: np.void, series: NDArray[np.float64], scales: Sequence[int] | None) -> None:
    words = series.shape[1]
    if scales is None and words < 80:  # there are no default scales for it
        found["beta"] = found["beta_stderr"] = found["r2"] = np.nan
        found["reason"] = "too short"
        return
    lengths = default_scales(words) if scales is None else scales
    fit = exponents(fluctuations(series, lengths), lengths)
    found["beta"], found["beta_stderr"], found["r2"], found["reason"] = fit.beta, fit.beta_stderr, fit.r2, fit.reason

"""What β of a layer sum hangs on: the order of the words, padding, training, scales, dead cells, how cells are summed.

Each control changes one thing and measures again.  β is of unbiased DFA of order 1 where nothing else is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.activity import deviation
from engine.corpus import batches
from engine.fluctuation import exponents, fluctuations
from engine.network import PADDING, Network
from engine.recording import record
from engine.spectrum import spectral_exponents
from engine.survey import recordings
from engine.training import Recipe, untrained

Array = NDArray[np.float64]
Ids = NDArray[np.integer]


def layer_series(network: Network, reviews: Ids, signals: Sequence[str]) -> dict[str, Array]:
    """The layer sums of some signals, each (review, time), of reviews (review, time)."""
    kept: dict[str, list[Array]] = {name: [] for name in signals}
    for _, recording in recordings(network, reviews, signals):
        for name in signals:
            kept[name].append(recording.layer_sum(name))
    return {name: np.concatenate(parts) for name, parts in kept.items()}


def beta(series: Array, scales: Sequence[int]) -> Array:
    """β of each series (..., time); NaN where there is none."""
    return exponents(fluctuations(series, scales), scales).beta


# ---- the text ------------------------------------------------------------------------------------------------------


def shuffled(reviews: Ids, seed: int = 0) -> Ids:
    """The words of each review (review, time) in another order."""
    return np.random.default_rng(seed).permuted(reviews, axis=1)


def padding(network: Network, reviews: Ids, scales: Sequence[int], words: int) -> dict[str, Array]:
    """β of h when only the first ``words`` words of reviews (review, time) are left, and the rest is padding.

    Returns
    -------
    dict of (review,) arrays
        ``none``: the words alone.  ``before``, ``after``: the network reads padding before or after them.
        ``before, masked`` and ``after, masked``: it does not; its state waits, at zero or where it was.
    """
    count, time = reviews.shape
    short = reviews[:, :words]
    pad = np.full((count, time - words), PADDING, dtype=reviews.dtype)
    alone = layer_series(network, short, ("h",))["h"]
    read = {
        "none": alone,
        "before": layer_series(network, np.concatenate((pad, short), axis=1), ("h",))["h"],
        "after": layer_series(network, np.concatenate((short, pad), axis=1), ("h",))["h"],
        "before, masked": np.concatenate((np.zeros(pad.shape), alone), axis=1),
        "after, masked": np.concatenate((alone, np.repeat(alone[:, -1:], time - words, axis=1)), axis=1),
    }
    return {name: beta(series, scales) for name, series in read.items()}


# ---- the network ---------------------------------------------------------------------------------------------------


def untrained_twin(network: Network) -> Network | None:
    """The network before its training, made from the recipe in its header; None if there is no such recipe."""
    recipe = json.loads(network.info.get("recipe", "{}"))
    if network.vocabulary is None or not recipe.keys() >= {"cell", "size", "seed", "embedding", "vocabulary"}:
        return None
    return untrained(Recipe(**recipe), network.vocabulary)


def probability(network: Network, reviews: Sequence[Ids], clamp: Mapping[str, ArrayLike] | None = None) -> Array:
    """P(positive) after the last word of reviews of any length, (review,), with cells held as in `record`."""
    order = np.argsort([len(ids) for ids in reviews], kind="stable")
    found = np.empty(len(reviews))
    for first, part in batches(reviews[k] for k in order):
        recording = record(network, part, ("h",), clamp=clamp)
        found[order[first : first + len(part)]] = recording.probability[np.arange(len(part)), recording.lengths - 1]
    return found


# ---- the estimate --------------------------------------------------------------------------------------------------


def summed_otherwise(
    network: Network, reviews: Ids, scales: Sequence[int], dead: NDArray[np.bool_], flips: int = 16, seed: int = 0
) -> dict[str, Array]:
    """β of h, (review,), of other sums over the cells than the plain one.

    Returns
    -------
    dict of (review,) arrays
        ``live``: without the cells of ``dead`` (cell,).  ``normalised``: every cell divided by its own standard
        deviation in that review before they are summed.  ``cells``: of every cell by itself, then the mean.
        ``readout``: cells weighted as in the readout, which gives the logit.  ``flipped`` (review, flip): cells with
        signs drawn at random.  A network whose cells have other signs, with its weights turned accordingly, gives the
        same answers, as tanh is odd; so what differs between flips says nothing about what the network does.
    """
    n = network.cell.size
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (n, flips))
    weights = np.concatenate(
        (
            np.where(dead, 0.0, 1.0)[:, None],
            network.readout_weight[:1].detach().double().cpu().numpy().T,
            signs,
        ),
        axis=1,
    )
    names = ("live", "normalised", "cells", "readout", "flipped")
    found: dict[str, list[Array]] = {name: [] for name in names}
    for _, recording in recordings(network, reviews, ("h",)):
        h = recording["h"].astype(np.float64)
        spread = deviation(h)[:, None]
        normalised = np.divide(h, spread, out=np.zeros_like(h), where=spread > 0).sum(axis=-1)
        weighted = beta(np.moveaxis(h @ weights, 2, 1), scales)
        each = beta(np.moveaxis(h, 2, 1), scales)
        known = np.isfinite(each)
        total = np.where(known, each, 0).sum(axis=1)
        mean = np.divide(total, known.sum(axis=1), out=np.full(len(each), np.nan), where=known.any(axis=1))
        parts = (weighted[:, 0], beta(normalised, scales), mean, weighted[:, 1], weighted[:, 2:])
        for name, part in zip(names, parts, strict=True):
            found[name].append(part)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def estimated_otherwise(series: Array, scales: Sequence[int], ranges: Sequence[tuple[int, int]]) -> dict[str, Array]:
    """β of series (..., time) by other scales, from the shortest to the longest of each range, and by other estimators.

    Every range has twenty scales evenly in ln s; ``standard`` and ``order 2`` are unbiased=False and order=2 at
    ``scales``, ``spectrum`` is the multitaper fit over the frequencies of ``scales``.
    """
    found = {f"{low}–{high}": beta(series, spaced(low, high)) for low, high in ranges}
    found["standard"] = exponents(fluctuations(series, scales, unbiased=False), scales).beta
    found["order 2"] = exponents(fluctuations(series, scales, order=2), scales).beta
    found["spectrum"] = spectral_exponents(series, scales).beta
    return found


def spaced(low: int, high: int, count: int = 20) -> tuple[int, ...]:
    """Scales evenly in ln s from one to the other."""
    return tuple(int(s) for s in np.unique(np.geomspace(low, high, count).round()))

"""Control experiments for β of a layer sum: word order, padding, training, scales, dead cells, the sum over cells.

Each control changes one thing and measures again.  β is of unbiased DFA of order 1 unless stated otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.activity import deviation
from engine.beta import read_batches, series_beta
from engine.fluctuation import log_spaced_scales
from engine.network import PADDING, Network
from engine.spectrum import spectral_exponents
from engine.training import network_recipe, untrained_network

Array = NDArray[np.float64]
Ids = NDArray[np.integer]


def layer_series(network: Network, reviews: Ids, signals: Sequence[str]) -> dict[str, Array]:
    """Return the layer sum of each signal, (review, time), for reviews (review, time) of one length."""
    series = np.concatenate([np.stack(batch.series) for batch in read_batches(network, reviews, signals)])
    return {name: series[:, k] for k, name in enumerate(signals)}


# ---- the text ------------------------------------------------------------------------------------------------------


def shuffle_words(reviews: Ids, seed: int = 0) -> Ids:
    """Return reviews (review, time) with the words of each in random order."""
    return np.random.default_rng(seed).permuted(reviews, axis=1)


def beta_with_padding(network: Network, reviews: Ids, scales: Sequence[int], words: int) -> dict[str, Array]:
    """Measure β of h when only the first ``words`` words of reviews (review, time) stay and padding fills the rest.

    Returns
    -------
    dict of (review,) arrays
        ``none``: the words alone.  ``before``, ``after``: the network reads padding before or after the words.
        ``before, masked`` and ``after, masked``: it skips the padding, and its state stays zero or stays as it was.
    """
    count, time = reviews.shape
    short = reviews[:, :words]
    pad = np.full((count, time - words), PADDING, dtype=reviews.dtype)
    alone = layer_series(network, short, ("h",))["h"]
    series = {
        "none": alone,
        "before": layer_series(network, np.concatenate((pad, short), axis=1), ("h",))["h"],
        "after": layer_series(network, np.concatenate((short, pad), axis=1), ("h",))["h"],
        "before, masked": np.concatenate((np.zeros(pad.shape), alone), axis=1),
        "after, masked": np.concatenate((alone, np.repeat(alone[:, -1:], time - words, axis=1)), axis=1),
    }
    return {name: series_beta(values, scales) for name, values in series.items()}


# ---- the network ---------------------------------------------------------------------------------------------------


def untrained_twin(network: Network) -> Network | None:
    """Return the network before its training, rebuilt from the recipe in its header; None if there is no recipe."""
    recipe = network_recipe(network)
    if network.vocabulary is None or recipe is None:
        return None
    return untrained_network(recipe, network.vocabulary)


def clamped_probability(
    network: Network, reviews: Sequence[Ids], clamp: Mapping[str, ArrayLike] | None = None
) -> Array:
    """Return P(positive) after the last word of reviews of any length, (review,), with cells clamped as in `record`."""
    order = np.argsort([len(ids) for ids in reviews], kind="stable")  # batches of similar length need little padding
    probability = np.empty(len(reviews))
    for batch in read_batches(network, (reviews[k] for k in order), (), clamp=clamp):
        probability[order[batch.first : batch.first + len(batch)]] = batch.probability
    return probability


# ---- the estimate --------------------------------------------------------------------------------------------------


def beta_of_other_sums(
    network: Network, reviews: Ids, scales: Sequence[int], dead: NDArray[np.bool_], flips: int = 16, seed: int = 0
) -> dict[str, Array]:
    """Measure β of h, (review,), for sums over the cells other than the plain one.

    Returns
    -------
    dict of (review,) arrays
        ``live``: without the cells of ``dead`` (cell,).  ``normalised``: every cell divided by its own standard
        deviation in that review before the sum.  ``cells``: the mean over cells of each cell's own β.  ``readout``:
        cells weighted as in the readout, which gives the logit.  ``flipped`` (review, flip): cells with random signs.
        Because tanh is odd, a network with flipped cells and accordingly flipped weights gives the same answers; so a
        difference between flips says nothing about the network's computation.
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
    for batch in read_batches(network, reviews, ()):
        assert batch.recording is not None  # every review has words
        h = batch.recording["h"].astype(np.float64)
        spread = deviation(h)[:, None]
        normalised = np.divide(h, spread, out=np.zeros_like(h), where=spread > 0).sum(axis=-1)
        weighted = series_beta(np.moveaxis(h @ weights, 2, 1), scales)
        each = series_beta(np.moveaxis(h, 2, 1), scales)
        known = np.isfinite(each)
        total = np.where(known, each, 0).sum(axis=1)
        mean = np.divide(total, known.sum(axis=1), out=np.full(len(each), np.nan), where=known.any(axis=1))
        parts = (weighted[:, 0], series_beta(normalised, scales), mean, weighted[:, 1], weighted[:, 2:])
        for name, part in zip(names, parts, strict=True):
            found[name].append(part)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def beta_of_other_estimators(
    series: Array, scales: Sequence[int], ranges: Sequence[tuple[int, int]]
) -> dict[str, Array]:
    """Measure β of series (..., time) with other ranges of scales and with other estimators.

    Each range (shortest, longest) gets twenty scales evenly in ln s.  ``standard`` and ``order 2`` are DFA with
    unbiased=False and order=2 at ``scales``; ``spectrum`` is the multitaper fit over the frequencies of ``scales``.
    """
    found = {f"{low}–{high}": series_beta(series, log_spaced_scales(low, high)) for low, high in ranges}
    found["standard"] = series_beta(series, scales, unbiased=False)
    found["order 2"] = series_beta(series, scales, order=2)
    found["spectrum"] = spectral_exponents(series, scales).beta
    return found

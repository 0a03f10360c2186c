"""Control experiments for β of a layer sum: word order, padding, training, scales, dead cells, the sum over cells.

Each control changes one thing and measures again.  β is of unbiased DFA of order 1 unless stated otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.activity import deviation
from engine.beta import read_batches, series_beta
from engine.fluctuation import exponents, fluctuations, log_spaced_scales
from engine.network import PADDING, Network
from engine.samples import sum_over_cells
from engine.spectrum import spectral_exponents
from engine.state_runs import run_on
from engine.training import network_recipe, untrained_network

Array = NDArray[np.float64]
Float32s = NDArray[np.float32]
Floats = NDArray[np.floating]
Ids = NDArray[np.integer]


_REVIEWS = 32  # whose cells are summed together


def layer_series(network: Network, reviews: Ids, signals: Sequence[str]) -> dict[str, Array]:
    """Return the layer sum of each signal, (review, time), for reviews (review, time) of one length."""
    batches = read_batches(network, reviews, signals, recorded=())
    series = np.concatenate([np.stack(batch.series) for batch in batches])
    return {name: series[:, k] for k, name in enumerate(signals)}


def layer_inputs(network: Network, reviews: Ids) -> Floats:
    """Return the layer sum of the input x, (review, time), for reviews (review, time)."""
    assert network.embedding is not None
    return sum_over_cells(network.embedding.detach().float().cpu().numpy())[reviews]


# ---- the text ------------------------------------------------------------------------------------------------------


def shuffle_words(reviews: Ids, seed: int = 0) -> Ids:
    """Return reviews (review, time) with the words of each in random order."""
    return np.random.default_rng(seed).permuted(reviews, axis=1)


def beta_with_padding(
    network: Network, reviews: Ids, scales: Sequence[int], words: int, alone: tuple[Floats, Float32s] | None = None
) -> dict[str, Array]:
    """Measure β of h when only the first ``words`` words of reviews (review, time) stay and padding fills the rest.

    Parameters
    ----------
    alone : ((review, words) array, (review, S) array), optional
        Layer sum of h over these words alone, and the state after them, where they are known.

    Returns
    -------
    dict of (review,) arrays
        ``none``: the words alone.  ``before``, ``after``: the network reads padding before or after the words.
        ``before, masked`` and ``after, masked``: it skips the padding, and its state stays zero or stays as it was.
    """
    count, time = reviews.shape
    short = reviews[:, :words]
    pad = np.full((1, time - words), PADDING, dtype=reviews.dtype)
    if alone is None:
        found, state = run_on(network, short, signals=("h",))
        alone = sum_over_cells(found["h"]), state
    series, last = alone
    blank, full = run_on(network, pad, signals=("h",))
    before, _ = run_on(network, short, full, signals=("h",))
    after, _ = run_on(network, np.repeat(pad, count, axis=0), last, signals=("h",))
    ways = {
        "none": series,
        "before": np.concatenate((np.repeat(sum_over_cells(blank["h"]), count, 0), sum_over_cells(before["h"])), 1),
        "after": np.concatenate((series, sum_over_cells(after["h"])), axis=1),
        "before, masked": np.concatenate((np.zeros((count, time - words)), series), axis=1),
        "after, masked": np.concatenate((series, np.repeat(series[:, -1:], time - words, axis=1)), axis=1),
    }
    return {name: series_beta(values, scales) for name, values in ways.items()}


# ---- the network ---------------------------------------------------------------------------------------------------


def untrained_twin(network: Network) -> Network | None:
    """Return the network before its training, rebuilt from the recipe in its header; None if there is no recipe."""
    recipe = network_recipe(network)
    if network.vocabulary is None or recipe is None:
        return None
    return untrained_network(recipe, network.vocabulary)


# ---- the estimate --------------------------------------------------------------------------------------------------


def beta_of_other_sums(
    h: Float32s, readout: Array, scales: Sequence[int], dead: NDArray[np.bool_], flips: int = 16, seed: int = 0
) -> dict[str, Array]:
    """Measure β of h (review, time, cell), (review,), for sums over the cells other than the plain one.

    Parameters
    ----------
    readout : (cell,) array
        Weights of the readout.
    dead : (cell,) array of bool

    Returns
    -------
    dict of (review,) arrays
        ``live``: without the cells of ``dead``.  ``normalised``: every cell divided by its own standard deviation in
        that review before the sum.  ``cells``: the mean over cells of each cell's own β.  ``readout``: cells weighted
        as in the readout, which gives the logit.  ``flipped`` (review, flip): cells with random signs.  Because tanh
        is odd, a network with flipped cells and accordingly flipped weights gives the same answers; so a difference
        between flips says nothing about the network's computation.
    """
    n = h.shape[-1]
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (n, flips))
    weights = np.concatenate((np.where(dead, 0.0, 1.0)[:, None], readout[:, None], signs), axis=1)
    names = ("live", "normalised", "cells", "readout", "flipped")
    found: dict[str, list[Array]] = {name: [] for name in names}
    for first in range(0, len(h), _REVIEWS):
        spread = deviation(h[first : first + _REVIEWS])
        part = h[first : first + _REVIEWS].astype(np.float64)
        scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        normalised = (part @ scale[..., None])[..., 0]
        weighted = series_beta(np.moveaxis(part @ weights, 2, 1), scales)
        each = series_beta(np.moveaxis(part, 2, 1), scales)
        known = np.isfinite(each)
        total = np.where(known, each, 0).sum(axis=1)
        mean = np.divide(total, known.sum(axis=1), out=np.full(len(each), np.nan), where=known.any(axis=1))
        parts = (weighted[:, 0], series_beta(normalised, scales), mean, weighted[:, 1], weighted[:, 2:])
        for name, values in zip(names, parts, strict=True):
            found[name].append(values)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def beta_of_other_estimators(
    series: Floats, scales: Sequence[int], ranges: Sequence[tuple[int, int]]
) -> dict[str, Array]:
    """Measure β of series (..., time) with other ranges of scales and with other estimators.

    Each range (shortest, longest) gets twenty scales evenly in ln s.  ``standard`` and ``order 2`` are DFA with
    unbiased=False and order=2 at ``scales``; ``spectrum`` is the multitaper fit over the frequencies of ``scales``.
    """
    found = beta_of_ranges(series, {f"{low}–{high}": log_spaced_scales(low, high) for low, high in ranges})
    found["standard"] = series_beta(series, scales, unbiased=False)
    found["order 2"] = series_beta(series, scales, order=2)
    found["spectrum"] = spectral_exponents(series, scales).beta
    return found


def beta_of_ranges(series: Floats, ranges: Mapping[str, Sequence[int]]) -> dict[str, Array]:
    """Measure β of series (..., time) over several lists of scales, with F of a scale that they share computed once."""
    if not ranges:
        return {}
    union = sorted({scale for scales in ranges.values() for scale in scales})
    F = fluctuations(series, union)
    found = {}
    for name, scales in ranges.items():
        # C order: `exponents` adds in the order of the memory.
        part = np.ascontiguousarray(F[..., np.searchsorted(union, np.asarray(scales))])
        found[name] = exponents(part, scales).beta
    return found

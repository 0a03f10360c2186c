"""Exponents of series of unequal lengths, each fitted over scales of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.fluctuation import SHORTEST_SERIES, default_scales, fluctuations, reasons_of, straight_line

Array = NDArray[np.float64]
Scales = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """Measurements of consecutive reviews.

    Attributes
    ----------
    lengths, probability : (review,) arrays
    deviation : (review, cell) array
    F : (review, signal, scale) array
    scales : (review, scale) array
        0 where a review has fewer scales.
    """

    lengths: NDArray[np.integer]
    probability: Array
    deviation: NDArray[np.floating]
    F: Array
    scales: NDArray[np.int64]


_default_scales = lru_cache(maxsize=4096)(default_scales)


def scales_of(lengths: NDArray[np.integer], scales: Sequence[int] | None) -> Scales:
    """Return the box lengths for series of these lengths, (n, scale); 0 where a series has fewer.

    ``scales`` are those of all series that have a sample; by default each has `engine.fluctuation.default_scales` of
    its length.
    """
    if scales is not None:
        return np.where(np.asarray(lengths)[:, None] > 0, np.asarray(scales, dtype=np.int64), 0)
    chosen = [_default_scales(length) if length >= SHORTEST_SERIES else () for length in lengths.tolist()]
    result = np.zeros((len(chosen), max(map(len, chosen), default=0)), dtype=np.int64)
    for row, each in zip(result, chosen, strict=True):
        row[: len(each)] = each
    return result


def fluctuations_by_length(series: Sequence[Array], scales: Scales) -> Array:
    """Compute F of series (signal, time) at their scales, (n, signal, scale); series of one length share one call."""
    result = np.zeros((len(series), len(series[0]) if len(series) else 0, scales.shape[1]))
    lengths = np.array([each.shape[1] for each in series], dtype=np.intp)
    for length in np.unique(lengths).tolist():
        same = np.flatnonzero(lengths == length)
        count = int((scales[same[0]] > 0).sum())
        if count:
            found = fluctuations(np.stack([series[k] for k in same.tolist()]), scales[same[0], :count].tolist())
            result[same, :, :count] = found
    return result


def exponents_of_rows(F: Array, scales: NDArray[np.int64]) -> tuple[Array, Array, Array, NDArray[np.str_]]:
    """Return β, its standard error, R² and the reason, (row, series) each, of rows with scales of their own.

    F is (row, series, scale), ``scales`` (row, scale) with three scales or more.
    """
    usable = np.all((F > 0) & (np.inf > F), axis=-1)
    alpha, stderr, r2 = straight_line(F, usable, np.log(scales)[:, None])
    return 2 * alpha - 1, 2 * stderr, r2, reasons_of(F, usable)


def fit(rows: NDArray[np.void], F: Array, scales: Scales) -> None:
    """Fill in ``beta``, ``beta_stderr``, ``r2`` and ``reason`` of each row from F (row, signal, scale)."""
    counts = (scales > 0).sum(axis=1)
    for count in np.unique(counts).tolist():
        same = np.flatnonzero(counts == count)
        if not count:
            for name in ("beta", "beta_stderr", "r2"):
                rows[name][same] = np.nan
            rows["reason"][same] = "too short"
            continue
        found = exponents_of_rows(F[same, :, :count], scales[same, :count])
        for name, values in zip(("beta", "beta_stderr", "r2", "reason"), found, strict=True):
            rows[name][same] = values

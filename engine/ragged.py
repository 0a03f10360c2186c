"""Exponents of series of unequal lengths, each fitted over scales of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.fluctuation import SHORTEST_SERIES, default_scales, fluctuations, reasons_of, straight_line

Prepared = TypeVar("Prepared")
Array = NDArray[np.float64]
Scales = NDArray[np.int64]


REASONS: Final = ("", "too short", "not finite", "flat to rounding", "flat")
"""Reasons why a series has no exponent, in the order of the codes of `Part.reason`."""


@dataclass(frozen=True, eq=False)
class Part:
    """Measurements of consecutive reviews.

    Attributes
    ----------
    lengths, probability : (review,) arrays
    deviation : (review, cell) array
    beta, beta_stderr, r2 : (review, signal) arrays
    reason : (review, signal) int8 array
        Index into `REASONS`.
    """

    lengths: NDArray[np.integer]
    probability: Array
    deviation: NDArray[np.floating]
    beta: Array
    beta_stderr: Array
    r2: Array
    reason: NDArray[np.int8]

    @classmethod
    def empty(cls, lengths: NDArray[np.integer], signals: int, cells: int) -> Part:
        """Return a part in which no review has been measured."""
        count = len(lengths)
        beta, beta_stderr, r2 = np.full((3, count, signals), np.nan)
        reason = np.full((count, signals), REASONS.index("too short"), dtype=np.int8)
        nothing = np.full(count, np.nan), np.full((count, cells), np.nan)
        return cls(lengths, *nothing, beta, beta_stderr, r2, reason)


class StoredReviews(Sequence[NDArray[np.integer]]):
    """Encoded reviews that are measured many times: what a GPU needs of them is prepared once.

    Parameters
    ----------
    ids : sequence of (time,) id arrays
    """

    def __init__(self, ids: Sequence[NDArray[np.integer]]) -> None:
        self._ids = ids
        self._lock = threading.Lock()
        self._prepared: tuple[object, Any] = (None, None)

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, which: Any) -> Any:
        return self._ids[which]

    def __iter__(self) -> Iterator[NDArray[np.integer]]:
        return iter(self._ids)

    def prepared(self, key: object, prepare: Callable[[Sequence[NDArray[np.integer]]], Prepared]) -> Prepared:
        """Return the result of ``prepare`` for the last key, computed once."""
        with self._lock:
            if self._prepared[0] != key:
                self._prepared = key, prepare(self._ids)
            found: Prepared = self._prepared[1]
            return found


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


def fluctuations_by_length(series: Sequence[NDArray[np.floating]], scales: Scales) -> Array:
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


def fits_of(F: Array, scales: Scales) -> tuple[Array, Array, Array, NDArray[np.int8]]:
    """Return β, its standard error, R² and the index of the reason, (row, signal) each, from F (row, signal, scale)."""
    values = np.full((3, *F.shape[:2]), np.nan)
    reason = np.full(F.shape[:2], REASONS.index("too short"), dtype=np.int8)
    counts = (scales > 0).sum(axis=1)
    for count in np.unique(counts[counts > 0]).tolist():
        same = np.flatnonzero(counts == count)
        *values[:, same], names = exponents_of_rows(F[same, :, :count], scales[same, :count])
        reason[same] = np.select([names == name for name in REASONS], list(range(len(REASONS))))
    return values[0], values[1], values[2], reason

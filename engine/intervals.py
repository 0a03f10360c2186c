"""A 90 % confidence interval for β of a single series, which covers; the residuals of the DFA fit do not give one.

F at neighbouring scales comes from the same samples, so the points of the fit scatter together, and the standard error
of the fit is several times too small.  Here the interval is the set of true β for which the estimate lies between the
5 % and the 95 % quantiles of estimates from ARFIMA(0, β/2, 0) noise of the same length, at the same scales (Neyman's
construction).  Half of the noise is Gaussian and half heavy-tailed (`engine.noise`).  The quantiles for
`default_scales` and `rolling_scales` are tabulated; those for other scales are simulated once, in a few seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.fluctuation import bend, default_scales, exponents, fluctuations, rolling_scales
from engine.noise import heavy_tailed_noise, power_law_noise

Array = NDArray[np.float64]

TABLE: Final = Path(__file__).parent.parent / "assets" / "measured" / "beta_quantiles.json"
LEVEL: Final = 0.9
BETAS: Final = (-0.99, -0.5, 0.0, 0.5, 0.99, 1.5, 2.0, 2.5, 2.95)
_FINE: Final = np.linspace(-1, 3, 401)
_DEGREE: Final = 7  # of the polynomial in β through the quantiles

LENGTHS: Final = {
    "default": (80, 88, 100, 116, 140, 180, 250, 350, 500, 800, 1250, 2000, 3200, 5000),
    "rolling": (32, 40, 48, 64, 96, 128, 180, 256, 400, 700, 1250, 2500, 5000),
}
CHECKED: Final = {"rolling": (64, 256), "default": (100, 250, 500, 1600, 5000)}
"""Lengths at which `tabulate` checks the intervals; most of them are not in the table itself."""

_COLUMNS: Final = ("lengths", "low", "high", "bend")
_PART: Final = 500  # series drawn together
_SCALES: Final = {"default": default_scales, "rolling": rolling_scales}


@dataclass(frozen=True, eq=False)
class Quantiles:
    """5 % and 95 % quantiles of estimates, ``low`` and ``high``, for each true β of ``_FINE``; both rise with β."""

    low: Array
    high: Array

    @classmethod
    def smoothed(cls, low: ArrayLike, high: ArrayLike) -> Quantiles:
        """Interpolate the quantiles of `BETAS`."""
        both = []
        for values in (low, high):
            bias = np.polynomial.Polynomial.fit(BETAS, np.subtract(values, BETAS), _DEGREE)(_FINE)
            both.append(np.maximum.accumulate(_FINE + bias))
        return cls(*both)

    def interval(self, beta: ArrayLike) -> Array:
        """Return the limits of the interval for estimates of β (...), (..., 2); cut at −1 and 3, NaN for NaN."""
        estimate = np.asarray(beta, dtype=np.float64)
        limits = [np.interp(estimate, quantile, _FINE) for quantile in (self.high, self.low)]
        return np.where(np.isnan(estimate)[..., None], np.nan, np.stack(limits, axis=-1))


def beta_interval(beta: ArrayLike, length: int, scales: Sequence[int] | None = None) -> Array:
    """Return the 90 % interval of the true β for estimates by unbiased DFA of order 1.

    Parameters
    ----------
    beta : (...) array
        Estimates, of series of one length.
    length : int
        Number of samples of each series.
    scales : sequence of int, optional
        The scales of the fit; `default_scales` of the length by default.

    Returns
    -------
    (..., 2) array
        Lower and upper limits.  They contain the bias correction, so the estimate is not in their middle.

    Raises
    ------
    ValueError
        If a scale is longer than the series.
    """
    chosen = default_scales(length) if scales is None else tuple(int(scale) for scale in scales)
    if max(chosen) > length:
        raise ValueError(f"a scale of {max(chosen)} words is longer than a series of {length} words")
    return _quantiles(length, chosen).interval(beta)


@lru_cache(maxsize=256)
def _quantiles(length: int, scales: tuple[int, ...]) -> Quantiles:
    kind = _tabulated(length, scales)
    return (
        Quantiles.smoothed(*simulate_quantiles(length, scales, 1000))
        if kind is None
        else _from_table(_table(), kind, length)
    )


def is_tabulated(length: int, scales: Sequence[int]) -> bool:
    """Return whether `beta_interval` and `has_one_exponent` know these scales without a simulation."""
    return _tabulated(length, tuple(scales)) is not None


@lru_cache(maxsize=256)
def _tabulated(length: int, scales: tuple[int, ...]) -> str | None:
    for kind, lengths in LENGTHS.items():
        if lengths[0] <= length <= lengths[-1] and scales == _SCALES[kind](length):
            return kind
    return None


def _from_table(table: Mapping[str, Any], kind: str, length: int) -> Quantiles:
    lengths = table[kind]["lengths"]
    return Quantiles.smoothed(*(_at_length(length, lengths, table[kind][side]) for side in ("low", "high")))


def _at_length(length: int, lengths: Sequence[int], quantiles: ArrayLike) -> Array:
    """Smooth quantiles (length, β) over the lengths, and return those of one length, (β,).

    Their distance from β is nearly proportional to 1/√length; what is left is a polynomial in ln length.
    """
    root = np.sqrt(lengths)[:, None]
    scaled = (np.asarray(quantiles) - BETAS) * root
    fits = [np.polynomial.Polynomial.fit(np.log(lengths), column, 4) for column in scaled.T]
    return np.array([fit(np.log(length)) for fit in fits]) / np.sqrt(length) + BETAS


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def simulate_quantiles(length: int, scales: Sequence[int], count: int) -> tuple[list[float], list[float]]:
    """Return the 5 % and the 95 % quantiles of estimates from ``count`` series of each β of `BETAS`; reproducible."""
    tail = (1 - LEVEL) / 2
    low, high = list[float](), list[float]()
    for k, beta in enumerate(BETAS):
        random = np.random.default_rng((length, len(scales), max(scales), k))
        found = [
            exponents(F, scales).beta
            for draw in (power_law_noise, heavy_tailed_noise)
            for F in _noise_fluctuations(draw, beta, length, count // 2, scales, random)
        ]
        for side, quantile in zip((low, high), np.quantile(np.concatenate(found), (tail, 1 - tail)), strict=True):
            side.append(round(float(quantile), 4))
    return low, high


def _noise_fluctuations(
    draw: Callable[[float, int, int, np.random.Generator], Array],
    beta: float,
    length: int,
    count: int,
    scales: Sequence[int],
    random: np.random.Generator,
) -> Iterator[Array]:
    """Yield F(s) of ``count`` series of noise, (series, scale), a few hundred at a time."""
    for first in range(0, count, _PART):
        yield fluctuations(draw(beta, length, min(_PART, count - first), random), scales)


def has_one_exponent(F: ArrayLike, length: int, scales: Sequence[int] | None = None) -> NDArray[np.bool_]:
    """Return whether F(s), (..., scale), is as straight as that of 99 % of noise with one exponent, (...).

    False means that β depends on the scales: it describes no single power law.  True where there is no exponent.
    """
    chosen = default_scales(length) if scales is None else tuple(int(scale) for scale in scales)
    return is_straight(bend(F, chosen), length, chosen)


def is_straight(bent: ArrayLike, length: int, scales: Sequence[int]) -> NDArray[np.bool_]:
    """Return `has_one_exponent` for F(s) whose bend (see `engine.fluctuation.bend`) is known, (...)."""
    low, high = _bend_limits(length, tuple(scales))
    found = np.asarray(bent)
    return np.asarray(~((found < low) | (found > high)))


@lru_cache(maxsize=256)
def _bend_limits(length: int, scales: tuple[int, ...]) -> tuple[float, float]:
    kind = _tabulated(length, scales)
    if kind is None:
        return simulate_bend(length, scales, 200)
    known = _table()[kind]
    limits = (np.interp(np.log(length), np.log(known["lengths"]), side) for side in zip(*known["bend"], strict=True))
    low, high = (float(limit) for limit in limits)
    return low, high


def simulate_bend(length: int, scales: Sequence[int], count: int) -> tuple[float, float]:
    """Return the 0.5 % and 99.5 % quantiles of the bend of noise of every β from −0.5 to 2, ``count`` series each."""
    found = []
    for k, beta in enumerate(np.arange(-0.5, 2.01, 0.5)):
        random = np.random.default_rng((length, len(scales), max(scales), 100 + k))
        for draw in (power_law_noise, heavy_tailed_noise):
            parts = _noise_fluctuations(draw, float(beta), length, count // 2, scales, random)
            found += [bend(F, scales) for F in parts]
    low, high = np.quantile(np.concatenate(found), (0.005, 0.995))
    return round(float(low), 3), round(float(high), 3)


def tabulate(count: int, known: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Simulate the table and check its coverage for ``pinkx calibrate --write-intervals``, one length after the other.

    Parameters
    ----------
    count : int
        Number of series for each β, half of them heavy-tailed; a quarter above 500 samples, except for the coverage.
    known : mapping, optional
        A document of an earlier, interrupted call with the same ``count``, which this one continues.

    Yields
    ------
    dict
        The document so far: quantiles and bends at `LENGTHS`, then ``coverage`` at `CHECKED` lengths.
    """
    head = {"level": LEVEL, "betas": list(BETAS), "count": count}
    document: dict[str, Any] = {**head, **{kind: {name: [] for name in _COLUMNS} for kind in LENGTHS}, "coverage": []}
    if known is not None and head.items() <= known.items():
        document |= {key: known[key] for key in (*LENGTHS, "coverage") if key in known}
    for kind, lengths in LENGTHS.items():
        table = document[kind]
        for length in lengths[len(table["lengths"]) :]:
            scales, series = _SCALES[kind](length), count if length <= 500 else count // 4
            quantiles = simulate_quantiles(length, scales, series)
            row = (length, *quantiles, simulate_bend(length, scales, series // 4))
            for name, value in zip(_COLUMNS, row, strict=True):
                table[name].append(value)
            yield document
    checked = {(row["scales"], row["length"]) for row in document["coverage"]}
    for kind, lengths in CHECKED.items():
        for length in lengths:
            if (kind, length) not in checked:
                document["coverage"] += check_coverage(kind, length, count, document)
                yield document


STEPS: Final = sum(map(len, (*LENGTHS.values(), *CHECKED.values())))
"""Number of documents that `tabulate` yields."""


def check_coverage(kind: str, length: int, count: int, table: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the coverage for ``count`` new series of each kind of noise and each of six β, as rows of a table.

    Parameters
    ----------
    kind : {"default", "rolling"}
        The scales.
    table : mapping, optional
        The result of `tabulate`; by default the shipped one.
    """
    quantiles, scales = _from_table(table or _table(), kind, length), _SCALES[kind](length)
    rows = []
    for beta in (-0.5, 0.0, 0.5, 1.0, 1.5, 2.0):
        row: dict[str, Any] = {"scales": kind, "length": length, "beta": beta, "series": count}
        for name, draw in (("gaussian", power_law_noise), ("heavy", heavy_tailed_noise)):
            random, covered = np.random.default_rng((1, length, round(1000 * (beta + 1)))), 0
            for F in _noise_fluctuations(draw, beta, length, count, scales, random):
                low, high = np.moveaxis(quantiles.interval(exponents(F, scales).beta), -1, 0)
                covered += int(np.sum((low <= beta) & (beta <= high)))
            row[name] = round(covered / count, 5)
        rows.append(row)
    return rows

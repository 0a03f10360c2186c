"""A 90 % confidence interval for β of a single series, which covers; the residuals of the DFA fit do not give one.

F at neighbouring scales comes from the same samples, so the points of the fit scatter together, and the standard error
of the fit is several times too small.  Here the interval is the set of true β for which the estimate lies between the
5 % and the 95 % quantiles of estimates from ARFIMA(0, β/2, 0) noise of the same length, at the same scales (Neyman's
construction).  Half of the noise is Gaussian and half heavy-tailed (`engine.noise`).  The quantiles for
`default_scales` and `rolling_scales` are tabulated; those for other scales are simulated once, in a few seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
            exponents(fluctuations(draw(beta, length, count // 2, random), scales), scales).beta
            for draw in (power_law_noise, heavy_tailed_noise)
        ]
        for side, quantile in zip((low, high), np.quantile(found, (tail, 1 - tail)), strict=True):
            side.append(round(float(quantile), 4))
    return low, high


def has_one_exponent(F: ArrayLike, length: int, scales: Sequence[int] | None = None) -> NDArray[np.bool_]:
    """Return whether F(s), (..., scale), is as straight as that of 99 % of noise with one exponent, (...).

    False means that β depends on the scales: it describes no single power law.  True where there is no exponent.
    """
    chosen = default_scales(length) if scales is None else tuple(int(scale) for scale in scales)
    low, high = _bend_limits(length, chosen)
    bent = bend(F, chosen)
    return np.asarray(~((bent < low) | (bent > high)))


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
            found.append(bend(fluctuations(draw(float(beta), length, count // 2, random), scales), scales))
    low, high = np.quantile(found, (0.005, 0.995))
    return round(float(low), 3), round(float(high), 3)


def tabulate(count: int, progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Simulate the table for ``pinkx calibrate --write-table``; series above 500 samples count a quarter."""
    total, done = sum(map(len, LENGTHS.values())), 0
    table: dict[str, Any] = {"level": LEVEL, "betas": BETAS, "count": count}
    for kind, lengths in LENGTHS.items():
        sides: list[tuple[list[float], list[float]]] = []
        bends: list[tuple[float, float]] = []
        for length in lengths:
            series = count if length <= 500 else count // 4
            sides.append(simulate_quantiles(length, _SCALES[kind](length), series))
            bends.append(simulate_bend(length, _SCALES[kind](length), series // 4))
            done += 1
            progress(done, total)
        low, high = zip(*sides, strict=True)
        table[kind] = {"lengths": lengths, "low": low, "high": high, "bend": bends}
    return table


def _coverage(
    quantiles: Quantiles, length: int, scales: Sequence[int], beta: float, count: int, heavy: bool, seed: int = 1
) -> float:
    """Return the fraction of ``count`` new series of noise whose interval contains the true β."""
    draw = heavy_tailed_noise if heavy else power_law_noise
    series = draw(beta, length, count, np.random.default_rng((seed, length, round(1000 * (beta + 1)))))
    limits = quantiles.interval(exponents(fluctuations(series, scales), scales).beta)
    return float(np.mean((limits[:, 0] <= beta) & (beta <= limits[:, 1])))


CHECKED: Final = {"rolling": (64, 256), "default": (100, 250, 500, 1600, 5000)}
"""Lengths at which `check_coverage` tests the tabulated intervals; those of the table itself are others."""


def check_coverage(
    count: int, progress: Callable[[int, int], None] = lambda done, total: None, table: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return the coverage for new noise at `CHECKED` lengths; series above 500 samples count a quarter.

    ``table`` is the result of `tabulate`; by default the shipped one.
    """
    rows = []
    total = sum(map(len, CHECKED.values()))
    for kind, lengths in CHECKED.items():
        for length in lengths:
            series = count if length <= 500 else count // 4
            quantiles = _from_table(table or _table(), kind, length)
            for beta in (-0.5, 0.0, 0.5, 1.0, 1.5, 2.0):
                found = {
                    name: _coverage(quantiles, length, _SCALES[kind](length), beta, series, name == "heavy")
                    for name in ("gaussian", "heavy")
                }
                rows.append({"scales": kind, "length": length, "beta": beta, "series": series, **found})
            progress(len(rows) // 6, total)
    return rows

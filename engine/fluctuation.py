"""Detrended fluctuation analysis: F(s) of a series, the exponents α and β of F, and both kept up word by word.

White noise has α = ½ (β = 0), pink 1 (1), Brownian 3/2 (2); β = 2α − 1 is the slope of the power spectrum 1/f^β.
The fluctuation functions are Peng et al. (1994), and by default the unbiased variant of Yuan, Gu, Weng & Yang,
Physica A 505 (2018) 179, which corrects the variance inside a box but not α itself.  So every exponent goes with its
scales and with a null of the same length: ``engine.calibration``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.kernels.dfa_reference import fluctuations_reference

Array = NDArray[np.float64]

ORDERS = (1, 2, 3)
SCALES = tuple(int(s) for s in np.unique(np.geomspace(10, 125, 20).astype(int)))

# F of a scale that does not fit the series: a NaN that `exponents` can tell from the NaN of a series with bad samples.
TOO_SHORT = np.array(0x7FFC_0000_0000_0000, dtype=np.uint64).view(np.float64)[()]


@dataclass(frozen=True)
class Exponents:
    """Straight-line fits of ln F on ln s, one for each series.

    ``alpha``, its standard error ``alpha_stderr`` and ``r2`` share the shape (...) of the series; ``reason`` is an
    array of str of that shape, "" where there is an exponent and otherwise why α is NaN: "too short" (a scale does
    not fit the series), "flat" (no fluctuation left at some scale) or "not finite" (NaN or infinite samples).
    """

    alpha: Array
    alpha_stderr: Array
    r2: Array
    reason: NDArray[np.str_]

    @property
    def beta(self) -> Array:
        """β = 2α − 1, the exponent of the power spectrum 1/f^β."""
        return 2 * self.alpha - 1

    @property
    def beta_stderr(self) -> Array:
        return 2 * self.alpha_stderr


def fluctuations(
    series: ArrayLike, scales: Sequence[int] = SCALES, order: int = 1, unbiased: bool = True, *, backward: bool = False
) -> Array:
    """F(s), the root mean square left of the profile by a polynomial fit in boxes of s samples.

    Parameters
    ----------
    series : (..., time) array
        The samples, not their profile; computed in float64.
    scales : sequence of int
        Box lengths in samples, each at least ``order`` + 3.
    order : {1, 2, 3}
        Degree of the polynomial.
    unbiased : bool
        All overlapping boxes with the box variance corrected for its lag-one correlation (Yuan et al. 2018), or
        standard DFA: adjoining boxes from the first sample on.
    backward : bool
        Standard DFA only: the boxes that start at the last sample as well.

    Returns
    -------
    (..., scale) float64 array
        NaN where a scale does not fit the series or where the series has a sample that is not finite, and 0 for a
        flat one; ``exponents`` knows which.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """
    values = np.asarray(series, dtype=np.float64)
    lengths = _check(scales, order)
    if backward and unbiased:
        raise ValueError("backward boxes belong to standard DFA (unbiased=False): the unbiased one overlaps all boxes")
    rows = values.reshape(-1, values.shape[-1])
    result = np.full((len(rows), len(lengths)), np.nan)
    good = np.isfinite(rows).all(axis=-1)
    fits = lengths <= rows.shape[-1]
    if good.any() and fits.any():
        result[np.ix_(good, fits)] = fluctuations_reference(rows[good], lengths[fits], order, unbiased, backward)
    result[np.ix_(good, ~fits)] = TOO_SHORT
    return result.reshape(*values.shape[:-1], len(lengths))


def exponents(F: ArrayLike, scales: Sequence[int] = SCALES) -> Exponents:
    """α of each fluctuation function: the least-squares slope of ln F on ln s.

    Parameters
    ----------
    F : (..., scale) array
        What ``fluctuations`` returns.
    scales : sequence of int
        The same scales, at least three.

    Raises
    ------
    ValueError
        If F and the scales do not agree or there are fewer than three scales.
    """
    values = np.asarray(F, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] != len(scales) or len(scales) < 3:
        raise ValueError(f"a slope needs three scales or more and one F for each, got {len(scales)} for {values.shape}")
    bits = np.ascontiguousarray(values).view(np.uint64)
    short = (bits == np.array(TOO_SHORT).view(np.uint64)).any(axis=-1)
    bad = ~np.isfinite(values).all(axis=-1)
    flat = (values <= 0).any(axis=-1)
    reason = np.select([short, bad, flat], ["too short", "not finite", "flat"], "")
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(np.where((reason == "")[..., None], values, np.nan))
    x = np.log(np.asarray(scales, dtype=np.float64))
    x -= x.mean()
    y -= y.mean(axis=-1, keepdims=True)
    spread = x @ x
    alpha = y @ x / spread
    left = np.sum((y - alpha[..., None] * x) ** 2, axis=-1)
    total = np.sum(y * y, axis=-1)
    r2 = 1 - np.divide(left, total, out=np.zeros_like(left), where=total != 0)
    stderr = np.sqrt(left / (len(scales) - 2) / spread)
    return Exponents(alpha, stderr, r2, reason)


def local_slopes(F: ArrayLike, scales: Sequence[int] = SCALES) -> Array:
    """α(s) = d ln F / d ln s at every scale, (..., scale): a crossover shows as a bend that one α would hide."""
    values = np.asarray(F, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(values > 0, np.log(values), np.nan)
    return np.asarray(np.gradient(logs, np.log(np.asarray(scales, dtype=np.float64)), axis=-1))


def rolling_scales(window: int) -> tuple[int, ...]:
    """Scales for a window of so many words: up to eight, evenly in ln s, from 4 to a quarter of the window."""
    if window < 32:
        raise ValueError(f"a window of {window} words leaves no room for scales; 32 words or more are needed")
    return tuple(int(s) for s in np.unique(np.geomspace(4, window / 4, 8).round().astype(int)))


class RollingExponent:
    """Unbiased DFA of order 1 over the last ``window`` words of each series, kept up as words arrive.

    Parameters
    ----------
    scales : sequence of int
        Box lengths in words, at least three, none longer than the window.
    window : int
        How many recent words are looked at.
    series : int
        How many series are pushed side by side.
    """

    def __init__(self, scales: Sequence[int], window: int, series: int) -> None:
        self.scales = tuple(int(s) for s in _check(scales, 1))
        self.window = window
        self.series = series
        self.reset()

    def reset(self) -> None:
        """Forget all words."""
        self._recent = np.empty((0, self.series))
        self._exponents: Exponents | None = None

    def push(self, values: ArrayLike) -> None:
        """Take one word (series,) or a block of words (time, series)."""
        block = np.asarray(values, dtype=np.float64).reshape(-1, self.series)
        self._recent = np.concatenate((self._recent, block))[-self.window :]
        self._exponents = None

    @property
    def exponents(self) -> Exponents:
        """The fits over the present window; "too short" until it is full."""
        if self._exponents is None:
            if len(self._recent) < self.window:
                F = np.full((self.series, len(self.scales)), TOO_SHORT)
            else:
                F = fluctuations(self._recent.T, self.scales)
            self._exponents = exponents(F, self.scales)
        return self._exponents

    @property
    def alpha(self) -> Array:
        """α of each series (series,), NaN where ``reason`` says why."""
        return self.exponents.alpha

    @property
    def beta(self) -> Array:
        """2α − 1 of each series (series,)."""
        return self.exponents.beta

    @property
    def r2(self) -> Array:
        """How straight ln F lies on ln s, for each series (series,)."""
        return self.exponents.r2

    @property
    def reason(self) -> NDArray[np.str_]:
        """Why α is NaN, for each series (series,); "" where it is not."""
        return self.exponents.reason


def _check(scales: Sequence[int], order: int) -> NDArray[np.int64]:
    if order not in ORDERS:
        raise ValueError(f"order must be 1, 2 or 3, got {order!r}")
    lengths = np.asarray(scales, dtype=np.int64)
    if lengths.ndim != 1 or not len(lengths):
        raise ValueError(f"scales must be a sequence of box lengths, got {scales!r}")
    if lengths.min() < order + 3:
        raise ValueError(f"a fit of order {order} needs boxes of {order + 3} samples or more, got {lengths.min()}")
    return lengths

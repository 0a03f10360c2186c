"""Detrended fluctuation analysis: F(s) of a series, the exponents α and β of F, and both kept up word by word.

White noise has α = ½ (β = 0), pink 1 (1), Brownian 3/2 (2); β = 2α − 1 is the slope of the power spectrum 1/f^β.
The fluctuation functions are Peng et al. (1994), and by default the unbiased variant of Yuan, Gu, Weng & Yang,
Physica A 505 (2018) 179, which corrects the variance inside a box but not α itself.  So every exponent goes with its
scales and with a null of the same length: ``engine.null``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.kernels.cpu import rolling
from engine.kernels.cpu.dfa import SUMS, constants, fluctuations_fast
from engine.kernels.cpu.simd import LANES

Array = NDArray[np.float64]

ORDERS = (1, 2, 3)

SHORTEST_SERIES = 80
"""Words below which `default_scales` has no scales."""


def default_scales(length: int) -> tuple[int, ...]:
    """Return twenty scales, evenly in ln s, from 10 words to a quarter of ``length``; docs/fluctuations.md says why.

    Raises
    ------
    ValueError
        If ``length`` is below `SHORTEST_SERIES`.
    """
    if length < SHORTEST_SERIES:
        raise ValueError(
            f"a series of {length} words is too short for scales from 10 words to a quarter of it; "
            f"expected {SHORTEST_SERIES} words or more"
        )
    return log_spaced_scales(10, length / 4)


def log_spaced_scales(shortest: float, longest: float, count: int = 20) -> tuple[int, ...]:
    """Return ``count`` box lengths (fewer where rounding makes two equal) evenly in ln s between two lengths."""
    return tuple(int(s) for s in np.unique(np.geomspace(shortest, longest, count).round()))


SCALES = default_scales(500)

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
        The samples, not their profile; computed in float64.  A tensor on a GPU is measured there.
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
    lengths = _check_scales(scales, order)
    if backward and unbiased:
        raise ValueError("backward boxes belong to standard DFA (unbiased=False): the unbiased one overlaps all boxes")
    on_gpu = getattr(series, "is_cuda", False)
    values: Any = series if on_gpu else np.asarray(series)
    rows = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    fits = lengths <= rows.shape[-1]
    result = np.full((len(rows), len(lengths)), TOO_SHORT)
    if fits.any() and len(rows):
        body: Any = fluctuations_fast
        if on_gpu:
            from engine.kernels.cuda.dfa import fluctuations_cuda as body  # brings PyTorch
        result[:, fits] = body(rows, lengths[fits], order, unbiased, backward)
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
    usable = np.all((values > 0) & (values < np.inf), axis=-1)
    x = np.log(np.asarray(scales, dtype=np.float64))
    x -= x.mean()
    y = np.log(np.where(usable[..., None], values, np.nan))
    y -= y.mean(axis=-1, keepdims=True)
    spread = x @ x
    alpha = y @ x / spread
    total = np.einsum("...k,...k->...", y, y)
    y -= alpha[..., None] * x
    left = np.einsum("...k,...k->...", y, y)
    # All of nothing is explained: a fluctuation function that does not change with s is a straight line too.
    r2 = 1 - np.divide(left, total, out=np.zeros_like(left), where=total != 0)
    return Exponents(alpha, np.sqrt(left / ((len(scales) - 2) * spread)), r2, _reasons(values, usable))


def _reasons(values: Array, usable: NDArray[np.bool_]) -> NDArray[np.str_]:
    if usable.all():
        return np.full(usable.shape, "", dtype="<U10")
    short = (np.ascontiguousarray(values).view(np.uint64) == np.array(TOO_SHORT).view(np.uint64)).any(axis=-1)
    bad = ~np.isfinite(values).all(axis=-1)
    return np.select([usable, short, bad], ["", "too short", "not finite"], "flat")


def local_slopes(F: ArrayLike, scales: Sequence[int] = SCALES) -> Array:
    """α(s) = d ln F / d ln s at every scale, (..., scale): a crossover shows as a bend that one α would hide."""
    values = np.asarray(F, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(values > 0, np.log(values), np.nan)
    return np.asarray(np.gradient(logs, np.log(np.asarray(scales, dtype=np.float64)), axis=-1))


def rolling_scales(window: int) -> tuple[int, ...]:
    """Scales for a window of so many words: up to eight, evenly in ln s, from 4 to a quarter of the window.

    Raises
    ------
    ValueError
        If the window is shorter than 32 words.
    """
    if window < 32:
        raise ValueError(f"a window of {window} words leaves no room for scales; 32 words or more are needed")
    return log_spaced_scales(4, window / 4, 8)


class RollingExponent:
    """Unbiased DFA of order 1 over the last ``window`` words of each series.

    The same numbers as ``exponents(fluctuations(the window, scales), scales)``, at a cost a word that depends on
    neither the window nor the scales' lengths, and without drift however long the run.

    Parameters
    ----------
    scales : sequence of int
        Box lengths in words, at least three, none longer than the window.
    window : int
        How many recent words are looked at.
    series : int
        How many series are pushed side by side.

    Raises
    ------
    ValueError
        If the scales do not fit the window.
    """

    def __init__(self, scales: Sequence[int], window: int, series: int) -> None:
        lengths = _check_scales(scales, order=1)
        if len(lengths) < 3 or lengths.max() > window:
            raise ValueError(f"three scales or more that fit a window of {window} words are needed, got {scales}")
        if series < 1:
            raise ValueError(f"one series or more is needed, got {series}")
        self.scales = tuple(lengths.tolist())
        self.window = window
        self.series = series
        blocks, k = -(-series // LANES), len(lengths)
        self._lengths, self._table = lengths, constants(lengths)
        self._recent = np.zeros((blocks, 2 * int(lengths.max()) * LANES))
        self._behind = np.zeros((blocks, int(lengths.sum()) * SUMS * LANES))
        self._ahead = np.zeros((blocks, k, (SUMS + 1) * LANES))
        self._stack = np.zeros((blocks, int((window + 1 - lengths).sum()) * LANES))
        self._fresh = np.zeros((blocks, k, LANES))
        self._finite = np.zeros((blocks, LANES), dtype=np.int64)
        self._latest = np.empty((1, blocks, k, LANES))
        self.reset()

    def reset(self) -> None:
        """Forget all words."""
        self.count = 0
        self._finite[:] = 0
        self._fresh[:] = 0
        self._exponents: Exponents | None = None

    def push(self, values: ArrayLike) -> None:
        """Take one word (series,) or a block of words (time, series).

        Raises
        ------
        ValueError
            If there is not one value for each series.
        """
        self._push(self._block(values), self._latest)

    def trace(self, values: ArrayLike) -> Exponents:
        """Take a block of words (time, series) and return the exponents after each of them, (time, series)."""
        block = self._block(values)
        count = self.count
        result = np.empty((len(block), *self._latest.shape[1:]))
        self._push(block, result)
        if len(block):
            self._latest[0] = result[-1]
        return self._fit(result, count + 1 + np.arange(len(block)))

    def _block(self, values: ArrayLike) -> Array:
        block = np.ascontiguousarray(values, dtype=np.float64)
        if block.ndim not in (1, 2) or block.shape[-1] != self.series:
            raise ValueError(f"expected ({self.series},) or (time, {self.series}) values, got {block.shape}")
        return block if block.ndim == 2 else block[None]

    def _push(self, block: Array, result: Array) -> None:
        rolling.push(
            block,
            self.count,
            self._lengths,
            self._table,
            self.window,
            self._recent,
            self._behind,
            self._ahead,
            self._stack,
            self._fresh,
            self._finite,
            result,
        )
        self.count += len(block)
        self._exponents = None

    def _fit(self, squares: Array, counts: NDArray[np.int64]) -> Exponents:
        full = counts >= self.window
        F = np.full((len(counts), self.series, len(self.scales)), TOO_SHORT)
        known = np.moveaxis(squares[full], 2, 3)  # (time, block, lane, scale)
        F[full] = np.sqrt(known.reshape(len(known), known.shape[1] * LANES, len(self.scales))[:, : self.series])
        return exponents(F, self.scales)

    @property
    def exponents(self) -> Exponents:
        """The fits over the present window, (series,); "too short" until it is full."""
        if self._exponents is None:
            fit = self._fit(self._latest, np.array([self.count]))
            self._exponents = Exponents(fit.alpha[0], fit.alpha_stderr[0], fit.r2[0], fit.reason[0])
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


def _check_scales(scales: Sequence[int], order: int) -> NDArray[np.int64]:
    """The scales as an array; ValueError if they or the order are out of range."""
    if order not in ORDERS:
        raise ValueError(f"order must be 1, 2 or 3, got {order!r}")
    lengths = np.asarray(scales, dtype=np.int64)
    if lengths.ndim != 1 or not len(lengths):
        raise ValueError(f"scales must be a sequence of box lengths, got {scales!r}")
    if lengths.min() < order + 3:
        raise ValueError(f"a fit of order {order} needs boxes of {order + 3} samples or more, got {lengths.min()}")
    return lengths

"""Detrended fluctuation analysis (DFA): F(s) of a series, its exponents α and β, and rolling exponents word by word.

White noise has α = ½ (β = 0), pink noise 1 (1), Brownian motion 3/2 (2); β = 2α − 1 is the exponent of the power
spectrum 1/f^β.  F(s) follows Peng et al. (1994) or, by default, the unbiased variant of Yuan, Gu, Weng & Yang,
Physica A 505 (2018) 179, which corrects the variance inside a box but not α itself.  Report every exponent with its
scales and with a null of the same length (``engine.null``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.devices import kernel_problem
from engine.display import ROWS, plot_fluctuations, table
from engine.kernels.cpu import rolling
from engine.kernels.cpu.dfa import SUMS, constants, fluctuations_fast
from engine.kernels.cpu.simd import LANES
from engine.number_format import significant
from engine.recent_samples import RecentSamples
from engine.samples import largest_sample, real_samples, rounding_step, scaling_powers
from engine.scales import check_scales, whole_scales

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

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

# F of a scale longer than the series: a NaN with a payload, which `exponents` distinguishes from that of bad samples.
TOO_SHORT = np.array(0x7FFC_0000_0000_0000, dtype=np.uint64).view(np.float64)[()]

# F within rounding, which `exponents` distinguishes from the 0 of a flat series.
ROUNDED = -0.0

ROUNDING_STEPS = 1.0
"""F(s) of at most this many rounding steps times √s is rounding; white noise of four steps has that F."""


@dataclass(frozen=True, eq=False, repr=False)
class Exponents:
    """Straight-line fits of ln F on ln s, one for each series.

    Attributes
    ----------
    alpha, alpha_stderr : (...) arrays
        α of each series and its standard error.
    r2 : (...) array
        Coefficient of determination of the fit.
    reason : (...) array of str
        "" where there is an exponent; otherwise why α is NaN: "too short" (a scale is longer than the series), "flat"
        (no fluctuation at some scale), "flat to rounding" (at some scale no more than the rounding of samples of the
        series' precision) or "not finite" (NaN, infinite or masked samples).
    F : (..., scale) array
        The fluctuation functions.
    scales : tuple of int
        Their box lengths, in words.
    """

    alpha: Array
    alpha_stderr: Array
    r2: Array
    reason: NDArray[np.str_]
    F: Array
    scales: tuple[int, ...]

    @property
    def beta(self) -> Array:
        """β = 2α − 1, the exponent of the power spectrum 1/f^β."""
        return 2 * self.alpha - 1

    @property
    def beta_stderr(self) -> Array:
        """Standard error of β."""
        return 2 * self.alpha_stderr

    def __getitem__(self, which: Any) -> Self:
        """Return the fits of some series: index, slice or mask of the leading axes."""
        names = ("alpha", "alpha_stderr", "r2", "reason", "F")
        parts: dict[str, Any] = {name: np.asarray(getattr(self, name)[which]) for name in names}
        return replace(self, **parts)

    def __repr__(self) -> str:
        flat = [np.ravel(part) for part in (self.alpha, self.alpha_stderr, self.beta, self.r2, self.reason)]
        total = flat[0].size
        rows = []
        for k in range(min(total, ROWS)):
            index = ", ".join(map(str, np.unravel_index(k, self.alpha.shape)))
            alpha, error, beta, r2, reason = (part[k] for part in flat)
            rows.append(
                [index, significant(alpha), significant(error), significant(beta), significant(r2), str(reason)]
            )
        ends = f"{len(self.scales)} scales from {self.scales[0]} to {self.scales[-1]} words"
        headings = ["series", "α", "± α", "β", "R²", "reason"]
        return table(f"Exponents of {total:,} series of shape {self.alpha.shape}, {ends}", headings, rows, total)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw F(s) of each series on log-log axes with the fitted line; returns the matplotlib axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw into; a new figure by default.
        """
        return plot_fluctuations(ax, self.F.reshape(-1, len(self.scales)), self.scales, np.ravel(self.alpha))


def fluctuations(
    series: ArrayLike, scales: Sequence[int] = SCALES, order: int = 1, unbiased: bool = True, *, backward: bool = False
) -> Array:
    """Compute F(s): the root mean square residual of polynomial fits to the profile in boxes of s samples.

    Parameters
    ----------
    series : (..., time) array
        The samples, not their profile.  The computation is in float64, and on the GPU for a CUDA tensor where the
        kernels can run (`engine.devices.kernel_problem`).  Pass them in the precision in which they were computed: it
        decides which fluctuations are mere rounding.  Masked samples count as NaN.
    scales : sequence of int
        Box lengths in samples, each at least ``order`` + 3.
    order : {1, 2, 3}
        Degree of the polynomial.
    unbiased : bool
        True: all overlapping boxes, with the box variance corrected for its lag-one correlation (Yuan et al. 2018).
        False: standard DFA with adjoining boxes from the first sample.
    backward : bool
        Standard DFA only: add the boxes counted from the last sample.

    Returns
    -------
    (..., scale) float64 array
        NaN where a scale is longer than the series or a sample is not finite, and 0 for a flat series or one that
        moves by the rounding of its samples; ``exponents`` reports the reason.

    Raises
    ------
    ValueError
        If a parameter is out of range, two scales are equal, or the samples are complex.
    """
    lengths = check_scales(scales, order)
    if backward and unbiased:
        raise ValueError("backward=True needs standard DFA: pass unbiased=False (unbiased DFA uses all boxes already)")
    values: Any = series
    on_gpu = getattr(series, "is_cuda", False) and not kernel_problem()
    if on_gpu and values.is_complex():
        raise ValueError(f"expected real samples, got a tensor of {values.dtype}; pass its real part or its modulus")
    if not on_gpu:
        values = real_samples(values.cpu() if hasattr(values, "cpu") else values)
    rows = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    fits = lengths <= rows.shape[-1]
    result = np.full((len(rows), len(lengths)), TOO_SHORT)
    if fits.any() and len(rows):
        if on_gpu:
            from engine.kernels.cuda.dfa import fluctuations_scaled  # imports PyTorch

            found, size, step = fluctuations_scaled(rows, lengths[fits], order, unbiased, backward)
        else:
            size, step = largest_sample(rows), rounding_step(rows.dtype)
            found = _fluctuations_scaled(rows, size, lengths[fits], order, unbiased, backward)
        result[:, fits] = without_rounding(found, step, size, lengths[fits])
    return result.reshape(*values.shape[:-1], len(lengths))


def _fluctuations_scaled(
    rows: NDArray[Any], largest: Array, lengths: NDArray[np.int64], order: int, unbiased: bool, backward: bool
) -> Array:
    """Compute F of rows of any amplitude: those whose squares leave the range of float64 are scaled by a power of 2."""
    powers = scaling_powers(largest)[:, None]
    if not powers.any():
        return fluctuations_fast(rows, lengths, order, unbiased, backward)
    found = fluctuations_fast(np.ldexp(rows.astype(np.float64), -powers), lengths, order, unbiased, backward)
    return np.ldexp(found, powers)


def without_rounding(found: Array, step: float, size: Array, lengths: NDArray[np.int64]) -> Array:
    """Replace F (..., scale) within the rounding of samples up to ``size`` (...) by `ROUNDED`."""
    if not step:
        return found
    floor = ROUNDING_STEPS * step * size[..., None] * np.sqrt(lengths)
    return np.where((found > 0) & (found <= floor), ROUNDED, found)


def exponents(F: ArrayLike, scales: Sequence[int] = SCALES) -> Exponents:
    """Fit α of each fluctuation function: the least-squares slope of ln F on ln s.

    Parameters
    ----------
    F : (..., scale) array
        Result of ``fluctuations``.
    scales : sequence of int
        The scales of F, at least three.

    Raises
    ------
    ValueError
        If F does not have one value for each scale, or there are fewer than three scales, or two are equal.
    """
    values = np.asarray(F, dtype=np.float64)
    lengths = whole_scales(scales)
    if len(lengths) < 3:
        raise ValueError(f"a slope needs three scales or more, got {len(lengths)}")
    if values.ndim == 0 or values.shape[-1] != len(scales):
        raise ValueError(f"expected F of shape (..., {len(scales)}), one value a scale, got {values.shape}")
    usable = np.all((values > 0) & (values < np.inf), axis=-1)
    alpha, stderr, r2 = straight_line(values, usable, np.log(lengths))
    return Exponents(alpha, stderr, r2, reasons_of(values, usable), values, tuple(lengths.tolist()))


def straight_line(values: Array, usable: NDArray[np.bool_], x: Array) -> tuple[Array, Array, Array]:
    """Return slope, its standard error and R² of ln ``values`` (..., scale) on x, (...) each; NaN unless usable."""
    x = x - x.mean(axis=-1, keepdims=True)
    y = np.log(np.where(usable[..., None], values, np.nan))
    y -= y.mean(axis=-1, keepdims=True)
    spread = np.einsum("...k,...k->...", x, x)
    alpha = np.einsum("...k,...k->...", y, x) / spread
    total = np.einsum("...k,...k->...", y, y)
    y -= alpha[..., None] * x
    left = np.einsum("...k,...k->...", y, y)
    # A constant F is a straight line too: R² = 1, not 0/0.
    r2 = 1 - np.divide(left, total, out=np.zeros_like(left), where=total != 0)
    return alpha, np.sqrt(left / ((x.shape[-1] - 2) * spread)), r2


def reasons_of(values: Array, usable: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Return why F (..., scale) gives no exponent, "" where it does, (...)."""
    if usable.all():
        return np.full(usable.shape, "", dtype="<U16")
    short = (np.ascontiguousarray(values).view(np.uint64) == np.array(TOO_SHORT).view(np.uint64)).any(axis=-1)
    bad = ~np.isfinite(values).all(axis=-1)
    rounded = (np.signbit(values) & (values == 0)).any(axis=-1) & (np.signbit(values) | (values > 0)).all(axis=-1)
    reasons = ["", "too short", "not finite", "flat to rounding"]
    return np.select([usable, short, bad, rounded], reasons, "flat")


def local_slopes(F: ArrayLike, scales: Sequence[int] = SCALES) -> Array:
    """Return the local exponent α(s) = d ln F / d ln s, (..., scale); it shows a crossover, which one α hides."""
    values = np.asarray(F, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(values > 0, np.log(values), np.nan)
    return np.asarray(np.gradient(logs, np.log(np.asarray(scales, dtype=np.float64)), axis=-1))


def half_betas(F: ArrayLike, scales: Sequence[int] = SCALES) -> tuple[Any, Any]:
    """Return β over the shorter and over the longer half of the scales, (...) each; they share the middle scale.

    With fewer than four scales, both are NaN.
    """
    values = np.asarray(F, dtype=np.float64)
    order, half = np.argsort(scales), (len(scales) + 2) // 2
    if half < 3:
        nothing = np.full(values.shape[:-1], np.nan)[()]
        return nothing, nothing
    short, long = (
        exponents(values[..., part], [scales[k] for k in part]).beta for part in (order[:half], order[-half:])
    )
    return short, long


def bend(F: ArrayLike, scales: Sequence[int] = SCALES) -> Array:
    """Return β over the longer half of the scales minus β over the shorter half, (...): the curvature of F(s).

    A series with one exponent has a small bend; `engine.intervals.has_one_exponent` knows how small.
    """
    short, long = half_betas(F, scales)
    return np.asarray(long - short)


def rolling_scales(window: int) -> tuple[int, ...]:
    """Return up to eight scales, evenly in ln s, from 4 words to a quarter of a window of ``window`` words.

    Raises
    ------
    ValueError
        If the window is shorter than 32 words.
    """
    if window < 32:
        raise ValueError(f"a window of {window} words is too short for DFA scales; expected 32 words or more")
    return log_spaced_scales(4, window / 4, 8)


class RollingExponent:
    """Unbiased DFA of order 1 over the last ``window`` words of each series, updated word by word.

    Equal to ``exponents(fluctuations(window, scales), scales)``.  The cost of a word depends neither on the window nor
    on the lengths of the scales, and rounding errors do not accumulate.

    Parameters
    ----------
    scales : sequence of int
        Box lengths in words, at least three, none longer than the window.
    window : int
        Number of recent words analysed.
    series : int
        Number of series pushed together.

    Raises
    ------
    ValueError
        If a scale is longer than the window, or there are fewer than three scales or no series.
    """

    def __init__(self, scales: Sequence[int], window: int, series: int) -> None:
        lengths = check_scales(scales, order=1)
        if len(lengths) < 3 or lengths.max() > window:
            raise ValueError(
                f"expected three scales or more, none longer than the window of {window} words, got {scales}"
            )
        if series < 1:
            raise ValueError(f"expected one series or more, got {series}")
        self.scales = tuple(lengths.tolist())
        self.window = window
        self.series = series
        blocks, k = -(-series // LANES), len(lengths)
        self._lengths, self._table = lengths, constants(lengths)
        self._recent = np.zeros((blocks, 2 * int(lengths.max()) * LANES))
        self._behind = np.zeros((blocks, int(lengths.sum()) * SUMS * LANES))
        self._ahead = np.zeros((blocks, k, (SUMS + 1) * LANES))
        self._stack = np.zeros((blocks, int((window + 1 - lengths).sum()) * LANES))
        self._since = np.zeros((blocks, k, LANES))
        self._finite = np.zeros((blocks, LANES), dtype=np.int64)
        self._latest = np.empty((1, blocks, k, LANES))
        self._step = 0.0
        self._samples = RecentSamples(window, series)
        self.reset()

    def reset(self) -> None:
        """Discard all words."""
        self.count = 0
        self._clear()
        self._samples.reset()
        self._largest = np.zeros((2, self.series))  # |sample| in the last full window, and since then
        self._exponents: Exponents | None = None

    def _clear(self) -> None:
        """Empty the state of the kernel."""
        self._pushed = 0
        self._finite[:] = 0
        self._since[:] = 0

    def push(self, values: ArrayLike) -> None:
        """Add one word (series,) or a block of words (time, series).

        Raises
        ------
        ValueError
            If there is not one value for each series.
        """
        block = self._block(values)
        if self._samples.are_ordinary(block):
            self._push(block, self._latest)
        else:
            self._push_scaled(block)

    def trace(self, values: ArrayLike) -> Exponents:
        """Add a block of words (time, series) and return the exponents after each word, (time, series)."""
        block = self._block(values)
        count = self.count
        if not self._samples.are_ordinary(block):
            return exponents(self._push_scaled(block), self.scales)
        result = np.empty((len(block), *self._latest.shape[1:]))
        self._push(block, result)
        if len(block):
            self._latest[0] = result[-1]
        return exponents(self._F(result, count + 1 + np.arange(len(block))), self.scales)

    def _push_scaled(self, block: Array) -> Array:
        """Add words of any amplitude, one by one, and return F after each, (time, series, scale).

        When the amplitudes in the window change, the kernel reads the whole window again, scaled.
        """
        F = np.empty((len(block), self.series, len(self.scales)))
        for k, word in enumerate(block[:, None]):
            self._samples.add(word)
            words = word
            if self._samples.rescale():
                self._clear()
                words = self._samples.words()
            self._advance(np.ldexp(words, -self._samples.powers), self._latest)
            self._note(word)
            F[k] = self._F(self._latest, np.array([self.count]))[0]
        return F

    def _block(self, values: ArrayLike) -> Array:
        samples = real_samples(np.atleast_1d(values))
        self._step = rounding_step(samples.dtype)
        block = np.ascontiguousarray(samples, dtype=np.float64)
        if block.ndim not in (1, 2) or block.shape[-1] != self.series:
            raise ValueError(f"expected ({self.series},) or (time, {self.series}) values, got {block.shape}")
        return block if block.ndim == 2 else block[None]

    def _push(self, block: Array, result: Array) -> None:
        self._advance(block, result)
        self._samples.add(block)
        self._note(block)

    def _advance(self, block: Array, result: Array) -> None:
        """Run the kernel over words of ordinary amplitude."""
        rolling.push(
            np.ascontiguousarray(block),
            self._pushed,
            self._lengths,
            self._table,
            self.window,
            self._recent,
            self._behind,
            self._ahead,
            self._stack,
            self._since,
            self._finite,
            result,
        )
        self._pushed += len(block)

    def _note(self, block: Array) -> None:
        """Count words, and note the largest sample."""
        if len(block) and self._step:
            if self.count // self.window != (self.count + len(block)) // self.window:
                self._largest = np.stack((self._largest[1], np.zeros(self.series)))
            np.fmax(
                self._largest[1], np.abs(block).max(axis=0, where=np.isfinite(block), initial=0), out=self._largest[1]
            )
        self.count += len(block)
        self._exponents = None

    def _F(self, squares: Array, counts: NDArray[np.int64]) -> Array:
        """Return F after ``counts`` words from F² of the kernel, (time, series, scale)."""
        full = counts >= self.window
        F = np.full((len(counts), self.series, len(self.scales)), TOO_SHORT)
        known = np.moveaxis(squares[full], 2, 3)  # (time, block, lane, scale)
        found = np.sqrt(known.reshape(len(known), known.shape[1] * LANES, len(self.scales))[:, : self.series])
        if self._samples.powers.any():
            found = np.ldexp(found, self._samples.powers[:, None])
        F[full] = without_rounding(found, self._step, self._largest.max(axis=0), self._lengths)
        return F

    @property
    def exponents(self) -> Exponents:
        """The fits over the current window, (series,); "too short" until it is full."""
        if self._exponents is None:
            self._exponents = exponents(self._F(self._latest, np.array([self.count]))[0], self.scales)
        return self._exponents

    @property
    def alpha(self) -> Array:
        """α of each series, (series,); NaN where ``reason`` is not empty."""
        return self.exponents.alpha

    @property
    def beta(self) -> Array:
        """β = 2α − 1 of each series, (series,)."""
        return self.exponents.beta

    @property
    def r2(self) -> Array:
        """Coefficient of determination of each fit, (series,)."""
        return self.exponents.r2

    @property
    def reason(self) -> NDArray[np.str_]:
        """Reason why α of each series is NaN, "" where it is not, (series,)."""
        return self.exponents.reason

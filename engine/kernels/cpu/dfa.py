"""DFA on the CPU, the kernel of ``engine.fluctuation``: `LANES` series side by side, each box from a few sums.

The residual of a box does not depend on the profile's offset and slope, so no sum starts at the beginning of the
series.  Every s − 1 points there is an *anchor* A.  The profile near it is z, with z = 0 at A and steps x − x[A].  A
box that contains A is the sum of a part *behind* A (stored for all s lengths) and a part *ahead* of it (which grows by
one point at a time).  So a box costs the same for every s, no sum is subtracted from another, and rounding is relative
to the values inside the box: every box contains the step x[A], so an outlier there affects no other box, and a dead
cell with a large offset is as accurate as white noise.  ``engine.kernels.cpu.rolling`` does the same word by word.

Where even these sums cancel (a residual far below z, in very smooth series), ``_direct`` computes the scale again and
fits every box in two passes.  Orders 2 and 3 and standard DFA always use it.

The kernels release the GIL, and Python threads share the series: two threads of the engine call DFA, and numba's own
thread pool may not be entered from two threads at once.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.kernels.cpu.compiler import inner, kernel
from engine.kernels.cpu.simd import LANES, load, repeat, store
from engine.kernels.cpu.threads import thread_count

Array = NDArray[np.float64]

EPSILON = 2.0**-52
TINY = 1e-300  # keeps 0/0 out of a flat box
CANCELLED = 1e5  # Σz²/Σd² above which the sums lose more than about 1e-11
CHUNK = 256  # series in one task of a thread
SUMS = 6  # of a part of the profile: Σz, Σuz, Σz², Σz z', Σ±z and its outermost z; u is counted from the anchor


def constants(scales: NDArray[np.int64]) -> Array:
    """Return the constants of each scale, (scale, 9), with w = j − (s − 1)/2 the position in a box."""
    s = scales.astype(np.float64)
    even = scales % 2 == 0
    return np.stack(
        (
            1 / s,
            12 / (s * (s * s - 1)),  # 1/Σw²
            (s - 1) / 2,
            np.where(even, 0.0, 1.0),  # Σ(−1)^j
            np.where(even, -s / 2, 0.0),  # Σ(−1)^j w
            np.where(even, -1.0, 1.0),  # the last sign
            0.5 + 0.75 / s,  # Yuan's ρ* multiplied out: box = v (this (2 + r[d] + r[±d]) + the next)
            (1 - 0.5 / s) / s,
            np.sqrt((s - 1) / s),
        ),
        axis=1,
    )


def polynomials(scales: NDArray[np.int64], order: int) -> Array:
    """Return orthonormal polynomials on a box of each scale, (scale, order + 1, position in the box)."""
    bases = np.zeros((len(scales), order + 1, int(scales.max())))
    for base, scale in zip(bases, scales.tolist(), strict=True):
        base[:, :scale] = np.linalg.qr(np.vander(np.linspace(-1, 1, scale), order + 1, increasing=True))[0].T
    return bases


@lru_cache(maxsize=64)
def _tables(scales: tuple[int, ...], order: int) -> tuple[Array, Array]:
    lengths = np.array(scales)
    return constants(lengths), polynomials(lengths, order)


def fluctuations_fast(
    series: NDArray[np.floating], scales: NDArray[np.int64], order: int, unbiased: bool, backward: bool
) -> Array:
    """Compute F(s) of each row of ``series`` (n, time) at each scale, (n, scale), on `thread_count` threads.

    No scale may be longer than the series; a row with a sample that is not finite gets NaN.
    """
    table, bases = _tables(tuple(scales.tolist()), order)
    result = np.empty((len(series), len(scales)))

    def work(first: int) -> None:
        rows = np.ascontiguousarray(series[first : first + CHUNK], dtype=np.float64)
        part = result[first : first + CHUNK]
        _fluctuations(rows, scales, table, bases, unbiased, backward, part)
        part[~np.isfinite(rows).all(axis=-1)] = np.nan

    firsts = range(0, len(series), CHUNK)
    threads = min(thread_count(), len(firsts))
    if threads < 2:
        for first in firsts:
            work(first)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, firsts))
    return result


@kernel
def _fluctuations(series, scales, table, bases, unbiased, backward, result):  # type: ignore[no-untyped-def]
    n, length = series.shape
    longest = scales.max()
    x = np.empty(length * LANES)
    behind = np.empty(longest * SUMS * LANES)
    left = np.empty(longest * LANES)
    total = np.empty(LANES)
    size = np.empty(LANES)
    for first in range(0, n, LANES):
        for lane in range(LANES):
            row = min(first + lane, n - 1)
            for t in range(length):
                x[t * LANES + lane] = series[row, t]
        for k in range(len(scales)):
            s, constant, basis = scales[k], table[k], bases[k]
            boxes, step, factor = length // s, s, 1.0
            direct = True
            if unbiased:
                boxes, step, factor = length - s + 1, 1, constant[8]
                if basis.shape[0] == 2:
                    _overlapping(x, length, s, constant, behind, total, size)
                    direct = (size > CANCELLED * s * total).any()
            if direct:
                store(total, 0, 0.0)
                for i in range(boxes):
                    _direct(x, i * step, s, basis, constant, unbiased, left, total)
                    if backward:
                        _direct(x, length - i * step - s, s, basis, constant, unbiased, left, total)
            boxes *= 1 + backward
            for lane in range(min(LANES, n - first)):
                result[first + lane, k] = np.sqrt(total[lane] * factor / boxes)


@inner
def _overlapping(x, length, s, constant, behind, total, size):  # type: ignore[no-untyped-def]
    """Write to ``total`` the sum over all overlapping boxes, from sums around an anchor every s − 1 points."""
    boxes = squares = repeat(0.0)
    for anchor in range(s - 1, length, s - 1):
        step = load(x, anchor * LANES)
        ahead = look_behind(x, anchor, s, step, behind, 0)
        for u in range(min(s - 1, length - anchor)):
            if u > 0:
                ahead = look_ahead(ahead, load(x, (anchor + u) * LANES) - step, u)
            box, square = measure(ahead, behind, (s - 1 - u) * SUMS * LANES, s - 1 - u, step, constant)
            boxes += box
            squares += square
    store(total, 0, boxes)
    store(size, 0, squares)


@inner
def look_behind(x, anchor, s, step, behind, b):  # type: ignore[no-untyped-def]
    """Write to behind[b:] the sums over the anchor and 0 … s − 1 points behind it; return the sums over no point."""
    nothing = repeat(0.0)
    total = moment = square = lag = alternating = z = nothing
    sign = 1.0
    for u in range(s):
        if u > 0:
            last = z
            z = last - (load(x, (anchor - u + 1) * LANES) - step)
            sign = -sign
            total += z
            moment -= float(u) * z
            square += z * z
            lag += z * last
            alternating += sign * z
        at = b + u * SUMS * LANES
        store(behind, at, total)
        store(behind, at + LANES, moment)
        store(behind, at + 2 * LANES, square)
        store(behind, at + 3 * LANES, lag)
        store(behind, at + 4 * LANES, alternating)
        store(behind, at + 5 * LANES, z)
    return nothing, nothing, nothing, nothing, nothing, nothing


@inner
def look_ahead(ahead, rise, u):  # type: ignore[no-untyped-def]
    """Return the sums ahead of the anchor with point u added, where the profile rises by ``rise``."""
    total, moment, square, lag, alternating, last = ahead
    z = last + rise
    sign = 1.0 if u % 2 == 0 else -1.0
    return total + z, moment + float(u) * z, square + z * z, lag + z * last, alternating + sign * z, z


@inner
def measure(ahead, behind, b, back, step, constant):  # type: ignore[no-untyped-def]
    """Return the detrended box that begins ``back`` points behind the anchor, and its Σz².

    With the fit f = m + g w of z, and d = z − f:
    Σd² = Σz² − Σf², and Σ d_j d_{j+1} = Σ z_j z_{j+1} − Σf² + f_s (z_{s−1} − f_{s−1}/2) + f_{−1} (z_0 − f_0/2).
    """
    by_s, half = constant[0], constant[2]
    total = ahead[0] + load(behind, b)
    moment = ahead[1] + load(behind, b + LANES) + (back - half) * total
    square = ahead[2] + load(behind, b + 2 * LANES)
    lag = ahead[3] + load(behind, b + 3 * LANES)
    alternating = ahead[4] + load(behind, b + 4 * LANES)
    first, last = load(behind, b + 5 * LANES), ahead[5]
    m, g = total * by_s, moment * constant[1]
    fitted = m * total + g * moment
    begin, end = m - g * half, m + g * half
    variance = (square - fitted) * by_s
    lag += (end + g) * (last - 0.5 * end) + (begin - g) * (first - 0.5 * begin) - fitted
    sign = 1.0 if back % 2 == 0 else -1.0
    mean = (sign * alternating - m * constant[3] - g * constant[4]) * by_s
    return unbiased_box(variance, lag * by_s, mean, first - begin, last - end, step * step, constant), square


@inner
def unbiased_box(variance, lag, mean, first, last, size, constant):  # type: ignore[no-untyped-def]
    """Return (ρ*[d] + ρ*[±d]) (1 − 1/2s) v of Yuan et al. (2018), from v = <d²>, <d d'>, <±d> and d at both ends.

    Variance up to the rounding of samples of square ``size`` counts as none.  The bounds −1 ≤ r ≤ 1 and v[±d] ≥ v/s²
    (alternating signs are never orthogonal to the polynomials) are enforced, because a nearly flat box would divide
    one rounding error by another.  A NaN stays NaN: it is the second argument of ``max``.
    """
    by_s = constant[0]
    variance = max(0.0, variance - (EPSILON * EPSILON / by_s) * size)
    spread = max(variance - mean * mean, variance * (by_s * by_s) + TINY)
    ends = (first + constant[5] * last) * by_s
    alternating = min(max(mean * (ends - (1.0 + by_s) * mean) - lag, 0.0 - spread), spread)
    lag = min(max(lag, 0.0 - variance), variance)
    return constant[6] * (2.0 * variance + lag + alternating * (variance / spread)) + constant[7] * variance


@inner
def _direct(x, start, s, basis, constant, unbiased, left, total):  # type: ignore[no-untyped-def]
    """Add to ``total`` one box of any order, fitted in two passes; ``left`` is workspace for its residual.

    A residual within the rounding of the profile counts as none.
    """
    step = load(x, (start + s // 2) * LANES)
    z = square = fit = nothing = repeat(0.0)
    store(left, 0, z)
    for j in range(1, s):
        z += load(x, (start + j) * LANES) - step
        square += z * z
        fit += basis[0, j] * z
        store(left, j * LANES, z)
    powers = basis.shape[0]
    for power in range(1, powers):
        following = nothing
        for j in range(s):
            d = load(left, j * LANES) - basis[power - 1, j] * fit
            following += basis[power, j] * d
            store(left, j * LANES, d)
        fit = following
    variance = lag = alternating = last = nothing
    first = load(left, 0) - basis[powers - 1, 0] * fit
    sign = 1.0
    for j in range(s):
        d = load(left, j * LANES) - basis[powers - 1, j] * fit
        variance += d * d
        lag += d * last
        alternating += sign * d
        sign = -sign
        last = d
    by_s = constant[0]
    size = step * step + 64.0 * by_s * square
    if unbiased:
        box = unbiased_box(variance * by_s, lag * by_s, alternating * by_s, first, last, size, constant)
    else:
        box = max(0.0, variance * by_s - (EPSILON * EPSILON / by_s) * size)
    store(total, 0, load(total, 0) + box)

"""DFA on a GPU in Triton: one series a lane, float64.

`overlapping` is unbiased DFA of order 1 by the sums of ``engine.kernels.cpu.dfa``: around an anchor every s − 1 points,
a box that moves by one sample loses a point behind the anchor and gains one ahead of it, so that its cost does not
depend on s.  `overlapping_ragged` does so for series of unequal lengths.  `direct` fits every box in two passes, for
all orders and for standard DFA.

The series lie side by side, (time, series), so that the lanes read neighbours.  A program takes one block of series,
one scale and one part of the boxes; parts are summed afterwards. Their number is that of the grid, no constant: a
constant would compile the kernel again for every number.
"""

from __future__ import annotations

import triton
import triton.language as tl

EPSILON = tl.constexpr(2.0**-52)
TINY = tl.constexpr(1e-300)  # keeps 0/0 out of a flat box
CONSTANTS = tl.constexpr(9)  # of a scale, see engine.kernels.cpu.dfa.constants


@triton.jit
def unbiased_box(variance, lag, mean, first, last, size, constants):
    """The same as ``engine.kernels.cpu.dfa.unbiased_box``."""
    by_s = tl.load(constants)
    variance = tl.maximum(variance - EPSILON * EPSILON / by_s * size, 0.0)
    spread = tl.maximum(variance - mean * mean, variance * by_s * by_s + TINY)
    ends = (first + tl.load(constants + 5) * last) * by_s
    alternating = tl.minimum(tl.maximum(mean * (ends - (1.0 + by_s) * mean) - lag, -spread), spread)
    lag = tl.minimum(tl.maximum(lag, -variance), variance)
    total = 2.0 * variance + lag + alternating * (variance / spread)
    return tl.load(constants + 6) * total + tl.load(constants + 7) * variance


@triton.jit
def sign_of(k):
    """(−1)^k."""
    return 1 - 2 * (k % 2)


@triton.jit
def fit_constants(constants):
    """Return the constants of a scale that a fit needs, to load them once and not in every box."""
    by_s, norm, half = tl.load(constants), tl.load(constants + 1), tl.load(constants + 2)
    return by_s, norm, half, tl.load(constants + 3), tl.load(constants + 4)


@triton.jit
def detrended_box(sums, first, last, back, step, constants, fit):
    """Return the unbiased variance of a box from its sums, its ends, and its number of points behind the anchor.

    As ``engine.kernels.cpu.dfa.measure``: f = m + g w is the fit.
    """
    total, moment, square, lag, alternating = sums
    by_s, norm, half, signs, signed_positions = fit
    centred = moment + (back - half) * total
    m = total * by_s
    g = centred * norm
    fitted = m * total + g * centred
    begin = m - g * half
    end = m + g * half
    covariance = lag + (end + g) * (last - 0.5 * end) + (begin - g) * (first - 0.5 * begin) - fitted
    mean = (sign_of(back) * alternating - m * signs - g * signed_positions) * by_s
    variance = (square - fitted) * by_s
    return unbiased_box(variance, covariance * by_s, mean, first - begin, last - end, step * step, constants)


@triton.jit(do_not_specialize=["series", "length"])  # a size of 1 would become a constant, without the type int32
def overlapping(x, scales, constants, boxes, squares, series, length, BLOCK: tl.constexpr):
    """Add up all overlapping boxes, and their Σz², in ``boxes`` and ``squares`` (part, scale, series)."""
    scale, part, parts = tl.program_id(0), tl.program_id(2), tl.num_programs(2)
    lane = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = lane < series
    column = x + lane
    row = series.to(tl.int64)
    s = tl.load(scales + scale)
    p = s - 1
    constants += scale * CONSTANTS
    fit = fit_constants(constants)
    total_boxes = tl.zeros((BLOCK,), tl.float64)
    total_squares = tl.zeros((BLOCK,), tl.float64)
    for anchor in range(p * (part + 1), length, p * parts):
        step = tl.load(column + anchor * row, mask=inside, other=0.0)
        total = tl.zeros((BLOCK,), tl.float64)
        moment = tl.zeros((BLOCK,), tl.float64)
        square = tl.zeros((BLOCK,), tl.float64)
        lag = tl.zeros((BLOCK,), tl.float64)
        alternating = tl.zeros((BLOCK,), tl.float64)
        first = tl.zeros((BLOCK,), tl.float64)
        last = tl.zeros((BLOCK,), tl.float64)
        for u in range(1, s):
            z = first - (tl.load(column + (anchor - u + 1) * row, mask=inside, other=0.0) - step)
            total += z
            moment -= u * z
            square += z * z
            lag += z * first
            alternating += sign_of(u) * z
            first = z
        for u in range(tl.minimum(p, length - anchor)):
            back = p - u
            if u > 0:
                gone = first
                first = gone + (tl.load(column + (anchor - back) * row, mask=inside, other=0.0) - step)
                z = last + (tl.load(column + (anchor + u) * row, mask=inside, other=0.0) - step)
                total += z - gone
                moment += u * z + (back + 1) * gone
                square += z * z - gone * gone
                lag += last * z - gone * first
                alternating += sign_of(u) * z - sign_of(back + 1) * gone
                last = z
            sums = (total, moment, square, lag, alternating)
            total_boxes += detrended_box(sums, first, last, back, step, constants, fit)
            total_squares += square
    place = (part * tl.num_programs(0) + scale) * row + lane
    tl.store(boxes + place, total_boxes, mask=inside)
    tl.store(squares + place, total_squares, mask=inside)


@triton.jit(do_not_specialize=["series"])
def overlapping_ragged(
    x, lengths, scales, sizes, constants, boxes, squares, series, BLOCK: tl.constexpr
):  # fmt: skip
    """The same as `overlapping` for series of unequal lengths, each with scales of its own.

    ``scales`` (scale, series) holds rows of ``sizes`` and ``constants``, −1 where a series has fewer scales.
    """
    scale, part, parts = tl.program_id(0), tl.program_id(2), tl.num_programs(2)
    lane = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = lane < series
    column = x + lane
    row = series.to(tl.int64)
    length = tl.load(lengths + lane, mask=inside, other=0)
    entry = tl.load(scales + scale * row + lane, mask=inside, other=-1)
    known = entry >= 0
    s = tl.load(sizes + entry, mask=known, other=2)
    p = s - 1
    constants += tl.maximum(entry, 0) * CONSTANTS
    fit = fit_constants(constants)
    total_boxes = tl.zeros((BLOCK,), tl.float64)
    total_squares = tl.zeros((BLOCK,), tl.float64)
    longest = tl.max(tl.where(known, s, 0), 0)
    anchors = tl.max(tl.where(known, (length - 1) // p, 0), 0)
    for k in range(part + 1, anchors + 1, parts):
        anchor = p * k
        present = known & (anchor < length)
        step = tl.load(column + anchor * row, mask=present, other=0.0)
        total = tl.zeros((BLOCK,), tl.float64)
        moment = tl.zeros((BLOCK,), tl.float64)
        square = tl.zeros((BLOCK,), tl.float64)
        lag = tl.zeros((BLOCK,), tl.float64)
        alternating = tl.zeros((BLOCK,), tl.float64)
        first = tl.zeros((BLOCK,), tl.float64)
        last = tl.zeros((BLOCK,), tl.float64)
        for u in range(1, longest):
            on = present & (u < s)
            z = first - (tl.load(column + (anchor - u + 1) * row, mask=on, other=0.0) - step)
            z = tl.where(on, z, 0.0)
            total += z
            moment -= u * z
            square += z * z
            lag += z * first
            alternating += sign_of(u) * z
            first = tl.where(on, z, first)
        ahead = tl.where(present, tl.minimum(p, length - anchor), 0)
        for u in range(tl.max(ahead, 0)):
            on = u < ahead
            back = p - u
            if u > 0:
                gone = tl.where(on, first, 0.0)
                other = gone + (tl.load(column + (anchor - back) * row, mask=on, other=0.0) - step)
                first = tl.where(on, other, first)
                z = tl.where(on, last + (tl.load(column + (anchor + u) * row, mask=on, other=0.0) - step), 0.0)
                total += z - gone
                moment += u * z + (back + 1) * gone
                square += z * z - gone * gone
                lag += last * z - gone * first
                alternating += sign_of(u) * z - sign_of(back + 1) * gone
                last = tl.where(on, z, last)
            sums = (total, moment, square, lag, alternating)
            box = detrended_box(sums, first, last, back, step, constants, fit)
            total_boxes += tl.where(on, box, 0.0)
            total_squares += tl.where(on, square, 0.0)
    place = (part * tl.num_programs(0) + scale) * row + lane
    tl.store(boxes + place, total_boxes, mask=inside)
    tl.store(squares + place, total_squares, mask=inside)


@triton.jit(do_not_specialize=["series", "length", "longest"])
def direct(
    x, scales, constants, bases, boxes, series, length, longest,
    ORDER: tl.constexpr, UNBIASED: tl.constexpr, BACKWARD: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Add up the boxes, each fitted in two passes, in ``boxes`` (part, scale, series); ``bases`` are orthonormal."""
    scale, part, parts = tl.program_id(0), tl.program_id(2), tl.num_programs(2)
    lane = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = lane < series
    row = series.to(tl.int64)
    s = tl.load(scales + scale)
    constants += scale * CONSTANTS
    basis = bases + scale * (ORDER + 1) * longest
    by_s = tl.load(constants)
    sums = tl.zeros((BLOCK,), tl.float64)
    count = length - s + 1 if UNBIASED else length // s
    both = 2 * count if BACKWARD else count
    for box in range(part, both, parts):
        start = box if UNBIASED else box * s
        if BACKWARD:
            start = tl.where(box < count, start, length - (box - count + 1) * s)
        column = x + start * row + lane
        step = tl.load(column + (s // 2) * row, mask=inside, other=0.0)
        z = tl.zeros((BLOCK,), tl.float64)
        square = tl.zeros((BLOCK,), tl.float64)
        fit_0 = tl.zeros((BLOCK,), tl.float64)
        fit_1 = tl.zeros((BLOCK,), tl.float64)
        fit_2 = tl.zeros((BLOCK,), tl.float64)
        fit_3 = tl.zeros((BLOCK,), tl.float64)
        for j in range(1, s):
            z += tl.load(column + j * row, mask=inside, other=0.0) - step
            square += z * z
            fit_0 += tl.load(basis + j) * z
            fit_1 += tl.load(basis + longest + j) * z
            if ORDER > 1:
                fit_2 += tl.load(basis + 2 * longest + j) * z
            if ORDER > 2:
                fit_3 += tl.load(basis + 3 * longest + j) * z
        z = tl.zeros((BLOCK,), tl.float64)
        first = tl.zeros((BLOCK,), tl.float64)
        last = tl.zeros((BLOCK,), tl.float64)
        variance = tl.zeros((BLOCK,), tl.float64)
        lag = tl.zeros((BLOCK,), tl.float64)
        alternating = tl.zeros((BLOCK,), tl.float64)
        for j in range(s):
            if j > 0:
                z += tl.load(column + j * row, mask=inside, other=0.0) - step
            d = z - tl.load(basis + j) * fit_0 - tl.load(basis + longest + j) * fit_1
            if ORDER > 1:
                d -= tl.load(basis + 2 * longest + j) * fit_2
            if ORDER > 2:
                d -= tl.load(basis + 3 * longest + j) * fit_3
            variance += d * d
            if UNBIASED:
                if j == 0:
                    first = d
                lag += d * last
                alternating += sign_of(j) * d
                last = d
        # A residual within the rounding of the profile counts as none.
        size = step * step + 64.0 * by_s * square
        if UNBIASED:
            sums += unbiased_box(variance * by_s, lag * by_s, alternating * by_s, first, last, size, constants)
        else:
            sums += tl.maximum(variance * by_s - EPSILON * EPSILON / by_s * size, 0.0)
    place = (part * tl.num_programs(0) + scale) * row + lane
    tl.store(boxes + place, sums, mask=inside)

"""Rolling DFA, the kernel of ``RollingExponent``: the algorithm of ``engine.kernels.cpu.dfa`` word by word.

F² is a mean over the boxes of the window, so each word adds one box of each scale and removes one.  Nothing is
subtracted: the boxes of the window lie on two stacks.  Every m words (m boxes make a window) the latest m boxes are
replaced by their sums from each box to the last; from then on, one of these sums covers the old boxes still in the
window, and the new boxes are added up separately.  So a spike that has left the window leaves no rounding error behind,
and a NaN disappears with its last box.  A word costs two boxes and four additions a scale, for every window and scale:
the cost of a new anchor (every s − 1 words) and of a new stack (every m words) is spread over that many words.

State of each block of LANES series: ``recent``, the last words, stored twice so that the latest are contiguous; for
each scale ``behind``, the sums behind the current anchor, and ``ahead``, the sums ahead of it and its own step;
``stack``, one box or sum of boxes a place, and ``since``, the sum of the boxes since the last new stack.  ``finite``
counts the words since each series' last sample that was not finite.
"""

from __future__ import annotations

import numpy as np

from engine.kernels.cpu.compiler import inner, kernel
from engine.kernels.cpu.dfa import SUMS, look_ahead, look_behind, measure
from engine.kernels.cpu.simd import LANES, load, repeat, store


@kernel
def push(values, count, scales, table, window, recent, behind, ahead, stack, since, finite, result):  # type: ignore[no-untyped-def]
    """Add a block of words (time, series) after ``count`` earlier ones.

    ``result`` (time, block, scale, LANES) gets F² after each word; if its time axis is 1, F² after the last word.
    """
    words, series = values.shape
    longest = recent.shape[1] // (2 * LANES)
    for block in range(len(recent)):
        x = recent[block]
        used = min(LANES, series - block * LANES)
        for word in range(words):
            t = count + word
            row = min(word, len(result) - 1)
            now = longest + t % longest
            bad = False
            for lane in range(used):
                value = values[word, block * LANES + lane]
                x[now * LANES + lane] = x[(now - longest) * LANES + lane] = value
                finite[block, lane] = finite[block, lane] + 1 if np.isfinite(value) else 0
                bad |= finite[block, lane] < window
            b = at = 0
            for k in range(len(scales)):
                s = scales[k]
                boxes = window - s + 1
                age = t - (s - 1)
                if age >= 0:
                    box = _box(x, now, age % (s - 1), s, table[k], behind[block], b, ahead[block, k])
                    total = _total(box, age % boxes, boxes, stack[block], at, since[block, k])
                    store(result[row, block, k], 0, total * (table[k, 8] / boxes))
                b += s * SUMS * LANES
                at += boxes * LANES
            if bad:
                for lane in range(used):
                    if finite[block, lane] < window:
                        result[row, block, :, lane] = np.nan


@inner
def _box(x, now, u, s, constant, behind, b, ahead):  # type: ignore[no-untyped-def]
    """Return the box of the latest s words; the word at ``now`` is u ahead of the anchor."""
    if u == 0:
        step = load(x, now * LANES)
        sums = look_behind(x, now, s, step, behind, b)
        store(ahead, SUMS * LANES, step)
    else:
        step = load(ahead, SUMS * LANES)
        sums = look_ahead(
            (
                load(ahead, 0),
                load(ahead, LANES),
                load(ahead, 2 * LANES),
                load(ahead, 3 * LANES),
                load(ahead, 4 * LANES),
                load(ahead, 5 * LANES),
            ),
            load(x, now * LANES) - step,
            u,
        )
    store(ahead, 0, sums[0])
    store(ahead, LANES, sums[1])
    store(ahead, 2 * LANES, sums[2])
    store(ahead, 3 * LANES, sums[3])
    store(ahead, 4 * LANES, sums[4])
    store(ahead, 5 * LANES, sums[5])
    box, _ = measure(sums, behind, b + (s - 1 - u) * SUMS * LANES, s - 1 - u, step, constant)
    return box


@inner
def _total(box, i, boxes, stack, at, since):  # type: ignore[no-untyped-def]
    """Return the sum of the latest ``boxes`` boxes; this one is the i-th since the last new stack at ``at``."""
    total = load(since, 0) + box
    store(stack, at + i * LANES, box)
    if i < boxes - 1:
        store(since, 0, total)
        return total + load(stack, at + (i + 1) * LANES)
    store(since, 0, 0.0)
    total = repeat(0.0)
    for j in range(boxes - 1, -1, -1):
        total += load(stack, at + j * LANES)
        store(stack, at + j * LANES, total)
    return total

"""The fast body behind ``RollingExponent``: the steps of ``engine.kernels.cpu.dfa`` taken word by word.

F² is a mean over the boxes of the window, so a word brings one box of each scale and takes one away.  Nothing is
subtracted for that: the boxes of the window lie on two stacks.  Every m words (m boxes make a window) the latest m are
turned into their sums from each to the last; after that, what is left of the old ones is one of those sums and the new
ones are added up on their own.  So a spike that has left the window leaves no rounding behind, whatever the run's
length, and a NaN goes when its last box does.  Each word costs two boxes and four additions a scale, whatever the
window and the scale: the anchor of ``dfa`` (every s − 1 words) and the turn of the stack (every m words) are paid back
over as many words.

Memory, for each block of LANES series: ``recent``, the last words, written twice over so that the latest are always one
stretch; for each scale ``behind``, the sums on the near side of the present anchor, and ``ahead``, those on the far
side and the anchor's own step; ``stack``, one box or sum of boxes for each place, and ``fresh``, the sum of the boxes
since the turn.  ``finite`` counts the words since each series' last bad one.
"""

from __future__ import annotations

import numpy as np

from engine.kernels.cpu.dfa import SUMS, compiled, kernel, look_ahead, look_behind, measure
from engine.kernels.cpu.simd import LANES, load, repeat, store


@kernel
def push(values, count, scales, table, window, recent, behind, ahead, stack, fresh, finite, result):  # type: ignore[no-untyped-def]
    """Take a block of words (time, series) after ``count`` others.

    ``result`` (time, block, scale, LANES) gets F² after each word, or after the last one if it has room for one only.
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
                    total = _total(box, age % boxes, boxes, stack[block], at, fresh[block, k])
                    store(result[row, block, k], 0, total * (table[k, 8] / boxes))
                b += s * SUMS * LANES
                at += boxes * LANES
            if bad:
                for lane in range(used):
                    if finite[block, lane] < window:
                        result[row, block, :, lane] = np.nan


@compiled
def _box(x, now, u, s, constant, behind, b, ahead):  # type: ignore[no-untyped-def]
    """The box of the latest s words; the word at ``now`` lies u ahead of the anchor."""
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


@compiled
def _total(box, i, boxes, stack, at, fresh):  # type: ignore[no-untyped-def]
    """The sum of the latest ``boxes`` boxes, of which this one is the i-th since the turn of the stack at ``at``."""
    total = load(fresh, 0) + box
    store(stack, at + i * LANES, box)
    if i < boxes - 1:
        store(fresh, 0, total)
        return total + load(stack, at + (i + 1) * LANES)
    store(fresh, 0, 0.0)
    kept = repeat(0.0)
    for j in range(boxes - 1, -1, -1):
        kept += load(stack, at + j * LANES)
        store(stack, at + j * LANES, kept)
    return total

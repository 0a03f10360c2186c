"""F(s) on two logarithmic axes with its fit, and beside it the slopes of white, pink and Brownian noise."""

from __future__ import annotations

import math

import numpy as np
from rich.segment import Segment

from explorer.session.views.number_format import number
from explorer.session.views.scaling import Scaling
from explorer.tui.terminal.canvas import Canvas
from explorer.tui.terminal.styles import BRIGHT, DIM, FAINT, PINK, PINK_BOLD, TEXT, WARN, Line

NOISES = {0.5: "white", 1.0: "pink", 1.5: "brown"}


def scaling_lines(found: Scaling, width: int, height: int) -> list[Line]:
    """The numbers in one line, the chart below it."""
    head: Line = [Segment(f" {found.series} ", DIM), Segment("α ", DIM), Segment(number(found.alpha), BRIGHT)]
    head += [Segment("  β ", DIM), Segment(number(2 * found.alpha - 1), PINK_BOLD)]
    head += [Segment("  r² ", DIM), Segment(number(found.r2), TEXT)]
    if math.isnan(found.alpha):
        return [[*head, Segment(f"  {found.reason}", WARN)]]
    canvas = Canvas(width, max(1, height - 1))
    x = np.log(found.scales)
    y = np.log(found.fluctuation)
    middle = found.alpha * x.mean() + found.offset
    reach = max(1.6 * np.ptp(x) / 2, float(np.abs(y - middle).max()))
    across = (x - x.mean()) / (np.ptp(x) / 2) * 0.7

    def places(heights: np.ndarray) -> np.ndarray:
        return np.stack([across, (heights - middle) / reach * 0.9], axis=1)

    for slope, name in NOISES.items():
        line = places(middle + slope * (x - x.mean()))
        canvas.strokes(line[[0, -1]][None], PINK if name == "pink" else FAINT)
        canvas.mark(line[-1] + (0.03, 0), name, PINK if name == "pink" else DIM)
    fit = places(found.alpha * x + found.offset)
    canvas.strokes(fit[[0, -1]][None], TEXT)
    for scale, place in zip(found.scales, places(y), strict=True):
        canvas.mark(place, "●", BRIGHT)
        canvas.mark((place[0], -1), f"{scale:.0f}", DIM)
    canvas.mark((-1, 0.9), "ln F", DIM)
    canvas.mark((1, -1), "s words", DIM)
    return [head, *canvas.lines()]

"""F(s) on logarithmic axes with its fit, and the slopes of white, pink and Brownian noise for comparison."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from rich.segment import Segment

from explorer.session.views.readouts import scaling_line
from explorer.session.views.scaling import Scaling
from explorer.session.views.units import WORDS, UnitNames
from explorer.tui.terminal.plotext_chart import Series, draw_chart
from explorer.tui.terminal.styles import BRIGHT, DIM, PINK, TEXT, Line, styled

NOISES = {0.5: "white", 1.0: "pink", 1.5: "brown"}  # slope α
LABEL_ROWS = 10  # a lower chart names the slopes above it instead of at the lines
LEGEND = 30  # columns of that line for the names
PERIOD = 0.2  # seconds between two charts of changing data; one takes 5 to 25 ms


class ScalingChart:
    """The chart of one panel. It is drawn again when its data change, at most five times a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._drawn_at = -math.inf
        self._drawn: tuple[bytes, int, int] | None = None
        self._lines: list[Line] = []

    def lines(self, found: Scaling, width: int, height: int, names: UnitNames = WORDS) -> list[Line]:
        """Return a line of numbers and the chart below it."""
        labels_above = height - 1 < LABEL_ROWS
        room = width - 1 - (LEGEND if labels_above else 0)
        numbers = scaling_line(found, room if math.isfinite(found.alpha) else None, names)
        head: Line = [Segment(" "), *styled(numbers)]
        if math.isnan(found.alpha):
            return [head]
        if labels_above:
            slopes = [Segment(f" {name}", PINK if name == "pink" else DIM) for name in NOISES.values()]
            head += [Segment("   slopes:", DIM), *slopes]
        wanted = found.fluctuation.tobytes(), width, height - 1
        if wanted != self._drawn:
            resized = self._drawn is None or wanted[1:] != self._drawn[1:]
            if resized or self._clock() - self._drawn_at >= PERIOD:
                self._lines = _chart(found, width, height - 1)
                self._drawn, self._drawn_at = wanted, self._clock()
        return [head, *self._lines]


def _chart(found: Scaling, width: int, height: int) -> list[Line]:
    labels = height >= LABEL_ROWS
    x, y = np.log10(found.scales), np.log10(found.fluctuation)
    ends, centre = x[[0, -1]], x.mean()
    middle = found.alpha * centre + found.offset / math.log(10)
    half = np.ptp(x) / 2
    reach = max(1.6 * half, 1.05 * float(np.abs(y - middle).max()))
    series = [
        Series(
            ends,
            middle + slope * (ends - centre),
            PINK if name == "pink" else DIM,
            label=name if labels else "",
        )
        for slope, name in NOISES.items()
    ]
    series.append(Series(ends, middle + found.alpha * (ends - centre), TEXT))
    series.append(Series(x, y, BRIGHT, marker="●"))
    margin = 0.1 * half
    return draw_chart(
        series,
        width,
        height,
        x_range=(x[0] - margin, x[-1] + (5 if labels else 1) * margin),
        y_range=(middle - reach, middle + reach),
        x_ticks=_x_ticks(found.scales, x),
        y_ticks=_y_ticks(middle - reach, middle + reach, height),
    )


def _x_ticks(scales: np.ndarray, x: np.ndarray) -> dict[float, str]:
    """Label every scale; the first one with the unit."""
    ticks = {place: f"{scale:.0f}" for place, scale in zip(x.tolist(), scales.tolist(), strict=True)}
    return {**ticks, float(x[0]): f"s = {scales[0]:.0f} words"}


def _y_ticks(low: float, high: float, height: int) -> dict[float, str]:
    """Label values 1, 2 and 5 × 10ᵏ of F, fewer in a low chart."""
    values = [digit * 10.0**power for power in range(math.floor(low), math.ceil(high)) for digit in (1, 2, 5)]
    inside = [value for value in values if low <= math.log10(value) <= high]
    chosen = inside[:: max(1, math.ceil(len(inside) / max(1, height // 3)))]
    return {math.log10(value): f"F = {value:g}" if value == chosen[-1] else f"{value:g}" for value in chosen}

"""Panel 1 for a sequence of vectors: a strip for each input and output, in pages, one column a step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style

from explorer.session.palette import BARS, DARK
from explorer.session.views.channels import Trace, Traces
from explorer.tui.terminal.styles import (
    DIM,
    FAINT,
    GOOD,
    NEGATIVE,
    PINK,
    TEXT,
    UNREAD,
    Line,
    fit,
    runs,
)

LABEL = 9  # columns at most for the names of the curves
SHADED = Style(bgcolor=DARK.selected.hex)  # where the target is 1
NOW = Style(color=DARK.pink.hex, bgcolor=DARK.faint.hex, bold=True)  # the step looked at
BRUSHED = Style(bgcolor=DARK.pink_band.hex)


class Strips:
    """The strips of one page of steps.

    Parameters
    ----------
    found : Traces
    step : int
        The step looked at, −1 before the first; the page shows it.
    read : int
        Count of steps that are read.
    columns, rows : int
    brushed : range
    """

    def __init__(self, found: Traces, step: int, read: int, columns: int, rows: int, brushed: range) -> None:
        self._found, self._step, self._read, self._brushed = found, step, read, brushed
        names = [trace.name for trace in found.order]
        self.label = min(LABEL, max(map(len, names), default=0)) + 1
        self.room = max(1, columns - self.label)
        self.steps = len(found.inputs[0].values) if found.inputs else 0
        self.first = min(max(0, step) // self.room * self.room, max(0, self.steps - self.room))
        self._rows = rows

    def step_at(self, column: int) -> int | None:
        """Return the step in a column of the panel, None for a column without a step."""
        step = self.first + column - self.label
        return step if self.first <= step < min(self.first + self.room, self.steps) and column >= self.label else None

    def lines(self) -> list[Line]:
        """Draw as many strips as there is room for, and say how many are left out."""
        order, rows = list(self._found.order), self._rows
        if len(order) > rows and self._found.paired and len(self._found.outputs) <= rows:
            order = list(self._found.outputs)  # with the pulses of their inputs
        left_out = 0
        if len(order) > rows:
            left_out = len(order) - max(1, rows - 1)
            order = order[: len(order) - left_out]
        heights = [len(part) for part in np.array_split(range(rows - bool(left_out)), max(1, len(order)))]
        lines = [
            line for trace, height in zip(order, heights, strict=True) for line in self._strip(trace, height, order)
        ]
        if left_out:
            more = f"… {left_out} more inputs and outputs: zoom this panel"
            lines.append([Segment(fit(more, self.label + self.room), DIM)])
        return lines[:rows]

    def _strip(self, trace: Trace, height: int, order: list[Trace]) -> list[Line]:
        page = slice(self.first, self.first + self.room)
        values, steps = trace.values[page], np.arange(self.steps)[page]
        lines = []
        for row in range(height):
            if trace.is_input:
                text, styles = self._inputs(trace, values, steps, row, height)
            else:
                text, styles = self._outputs(trace, values, steps, row, height)
                if row == 0 and len(order) == len(self._found.outputs) < len(self._found.order):
                    text = _with_pulses(text, self._found.inputs[self._found.outputs.index(trace)], page)
            for column, step in enumerate(steps.tolist()):
                if step == self._step:
                    styles[column] = NOW
                elif step in self._brushed:
                    styles[column] = styles[column] + BRUSHED
            label = fit(trace.name if row == 0 else "", self.label - 1) + " "
            lines.append([Segment(label, DIM), *runs(text, styles)])
        return lines

    def _inputs(
        self, trace: Trace, values: NDArray[np.float64], steps: NDArray[np.intp], row: int, height: int
    ) -> tuple[str, list[Style]]:
        styles = [TEXT if step < self._read else UNREAD for step in steps.tolist()]
        if not trace.from_zero:
            fraction = (values - trace.low) / (trace.high - trace.low)
            return "".join(_bar(part, row, height) for part in fraction.tolist()), styles
        text = "".join(_from_zero(part, row, height) for part in (values / trace.high).tolist())
        return text, [FAINT if sign in "─▁" else style for sign, style in zip(text, styles, strict=True)]

    def _outputs(
        self, trace: Trace, values: NDArray[np.float64], steps: NDArray[np.intp], row: int, height: int
    ) -> tuple[str, list[Style]]:
        fraction = (values - trace.low) / (trace.high - trace.low)
        text = "".join(_bar(part, row, height) for part in fraction.tolist())
        colours = {1: GOOD, -1: NEGATIVE, 0: PINK if trace.target is None else DIM}
        page = slice(self.first, self.first + self.room)
        styles = [colours[sign] for sign in trace.right[page].tolist()]
        if trace.target is not None:
            target = trace.target[page].tolist()
            styles = [style + SHADED if part >= 0.5 else style for style, part in zip(styles, target, strict=True)]
        return text, styles


def _with_pulses(text: str, trace: Trace, page: slice) -> str:
    """Mark where an input has pulses."""
    if not trace.from_zero:
        return text
    pulses = trace.values[page] / max(abs(trace.low), abs(trace.high))
    return "".join(
        "▲" if pulse > 0.5 else "▼" if pulse < -0.5 else sign for pulse, sign in zip(pulses.tolist(), text, strict=True)
    )


def _bar(fraction: float, row: int, height: int) -> str:
    """One character of a bar from the bottom; ``row`` counts from the top. A blank for NaN."""
    if fraction != fraction:
        return " "
    eighths = max(1, round(min(1.0, max(0.0, fraction)) * height * 8)) - (height - 1 - row) * 8
    return " " if eighths <= 0 else BARS[min(eighths, 8) - 1]


def _from_zero(value: float, row: int, height: int) -> str:
    """One character of a bar from the middle, up or down, in half rows; ``value`` is −1…1."""
    reach = round(min(1.0, abs(value)) * height) or int(abs(value) >= 0.05)
    filled = range(height - reach, height) if value > 0 else range(height, height + reach)
    upper, lower = 2 * row in filled, 2 * row + 1 in filled
    if upper or lower:
        return "█" if upper and lower else "▀" if upper else "▄"
    if height % 2:
        return "─" if row == height // 2 else " "
    return "▁" if row == height // 2 - 1 else " "

"""The first output over the whole review, and its difference from the network or review that is compared."""

from __future__ import annotations

import math

import numpy as np
from rich.style import Style
from textual import events

from explorer.session.core import Frame
from explorer.session.palette import BARS
from explorer.session.session import Session
from explorer.session.views.outputs import Scale, output_of, scale_of
from explorer.session.views.readouts import overview_line
from explorer.session.views.traces import Difference, Overview, difference, other_overview, output_at, overview
from explorer.session.views.units import unit_names
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.styles import (
    FAINT,
    GOOD,
    NEGATIVE,
    NOTHING,
    OTHER,
    PINK_BOLD,
    Line,
    braille,
    markup,
    runs,
    safe,
)


class OverviewPanel(Panel):
    """A click goes to that word; words up to it are read first."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._view: Overview | None = None

    def state(self, session: Session, frame: Frame) -> tuple[object, ...]:
        snapshot, comparison = frame.snapshot, session.comparison
        return comparison.name, comparison.result(frame), snapshot.run, snapshot.time, snapshot.network, frame.word

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        self.set_class(bool(session.comparison.name), "comparing")  # gives it more lines
        width, height = self.size
        compared = session.comparison.result(frame)
        curve = difference(session, compared, frame)
        below = (height + 1) // 2 if curve is not None and height > 1 else 0
        height -= below
        self._view = view = overview(session, frame, width)
        columns = len(view.values)
        self._stretch = stretch = max(1, width // columns)
        cursor = view.column(max(0, frame.word)) if frame.word >= 0 else -1
        other = other_overview(compared, frame, width)
        scale = scale_of(output_of(frame.snapshot.network), view.values, *([] if other is None else [other.values]))
        lines: list[Line] = []
        values = view.values.tolist()
        for row in range(height):
            bars = [_bar(value, row, height, scale) for value in values]
            if other is not None:
                for column, there in enumerate(other.values.tolist()):
                    if _row_of(scale.fraction(there), height) == row:
                        bars[column] = "━", bars[column][1] + OTHER
            if cursor >= 0:
                character = bars[cursor][0]
                bars[cursor] = "┃" if character == " " else character, PINK_BOLD
            text = "".join(character * stretch for character, _ in bars)
            lines.append(runs(text, [style for _, style in bars for _ in range(stretch)]))
        if curve is not None and below:
            lines += _curve_lines(curve, width, below, cursor)
        side = None if compared is None else (safe(compared.name, 24), compared.at(frame.word))
        reach = None if curve is None else curve.reach
        title = markup(overview_line(frame, output_at(session, frame), side, reach, width - 4))
        self.set_title(title, f"click to go to a {unit_names(frame.snapshot.network).unit}")
        return lines

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and self._view is not None:
            self.host.look_at(self._view.word(place.x // self._stretch))


def _curve_lines(curve: Difference, width: int, rows: int, cursor: int) -> list[Line]:
    """Draw the difference as a curve, zero as a dotted line, and the cursor."""
    values = curve.columns(width).values
    stretch = max(1, width // len(values))
    none = np.where(np.arange(2 * len(values) * stretch) % 2, np.nan, 0.0)
    curves, dots = (braille(dots, rows, -curve.reach, curve.reach) for dots in (np.repeat(values, 2 * stretch), none))
    lines: list[Line] = []
    for own_row, zero_row in zip(curves, dots, strict=True):
        drawn = [
            (own, OTHER) if own != NOTHING else (zero if zero != NOTHING else " ", FAINT)
            for own, zero in zip(own_row, zero_row, strict=True)
        ]
        for place in range(max(0, cursor) * stretch, (cursor + 1) * stretch):
            character, style = drawn[place]
            drawn[place] = character if style is OTHER else "┃", PINK_BOLD
        lines.append(runs("".join(character for character, _ in drawn), [style for _, style in drawn]))
    return lines


def _row_of(fraction: float, height: int) -> int:
    """Return the row, counted from the top, in which a bar of that length ends; −1 for NaN."""
    return -1 if math.isnan(fraction) else height - 1 - min(height - 1, int(fraction * height))


def _bar(value: float, row: int, height: int, scale: Scale) -> tuple[str, Style]:
    """Return one character of a bar that is ``height`` rows high at the upper end; ``row`` counts from the top."""
    if math.isnan(value):
        return ("·" if row == height - 1 else " "), FAINT
    eighths = max(1, round(scale.fraction(value) * height * 8)) - (height - 1 - row) * 8
    style = GOOD if value >= scale.middle else NEGATIVE
    return (" " if eighths <= 0 else BARS[min(eighths, 8) - 1]), style

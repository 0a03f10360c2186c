"""P(positive) over the whole review in two lines, and below it how it differs from what it is compared with."""

from __future__ import annotations

import math

import numpy as np
from rich.style import Style
from textual import events

from explorer.session.core import Frame
from explorer.session.palette import BARS
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.traces import Difference, Overview, difference, other_overview, overview, probability_at
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.styles import (
    FAINT,
    GOOD,
    NEGATIVE,
    NOTHING,
    OTHER,
    PINK_BOLD,
    Line,
    as_markup,
    braille,
    runs,
    safe,
)


class OverviewPanel(Panel):
    """A click goes to that place, reading on to it if need be."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._view: Overview | None = None

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        self.set_class(bool(session.comparison.name), "comparing")  # which gives it more lines
        width, height = self.size
        compared = session.comparison.result(frame)
        apart = difference(session, compared, frame)
        below = (height + 1) // 2 if apart is not None and height > 1 else 0
        height -= below
        self._view = view = overview(session, frame, width)
        columns = len(view.values)
        self._stretch = stretch = max(1, width // columns)
        cursor = view.column(max(0, frame.word)) if frame.word >= 0 else -1
        other = other_overview(compared, frame, width)
        lines: list[Line] = []
        values = view.values.tolist()
        for row in range(height):
            bars = [_bar(value, row, height) for value in values]
            if other is not None:
                for column, there in enumerate(other.values.tolist()):
                    if _row_of(there, height) == row:
                        bars[column] = "━", bars[column][1] + OTHER
            if cursor >= 0:
                character = bars[cursor][0]
                bars[cursor] = "┃" if character == " " else character, PINK_BOLD
            text = "".join(character * stretch for character, _ in bars)
            lines.append(runs(text, [ink for _, ink in bars for _ in range(stretch)]))
        if apart is not None and below:
            lines += _curve(apart, width, below, cursor)
        here = probability_at(session, frame)
        title = f"P(positive) over the whole review   [b]{number(here)}[/]"
        if compared is not None:
            there = compared.at(frame.word)
            name = as_markup(safe(compared.name, 24))
            title += f"   [#c792ea]━ {name} [b]{number(there)}[/]   difference [b]{number(here - there)}[/]"
            title += "[/]" if apart is None else f" in ±{apart.reach:g}[/]"
        self.entitle(title, f"word {frame.word + 1} of {frame.snapshot.words}   click to go there")
        return lines

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and self._view is not None:
            self.explorer.look_at(self._view.word(place.x // self._stretch))


def _curve(apart: Difference, width: int, rows: int, cursor: int) -> list[Line]:
    """The difference as a curve, dots where it would be zero, and the word looked at."""
    values = apart.columns(width).values
    stretch = max(1, width // len(values))
    none = np.where(np.arange(2 * len(values) * stretch) % 2, np.nan, 0.0)
    curves, dots = (braille(dots, rows, -apart.reach, apart.reach) for dots in (np.repeat(values, 2 * stretch), none))
    lines: list[Line] = []
    for curve, guide in zip(curves, dots, strict=True):
        drawn = [
            (own, OTHER) if own != NOTHING else (zero if zero != NOTHING else " ", FAINT)
            for own, zero in zip(curve, guide, strict=True)
        ]
        for place in range(max(0, cursor) * stretch, (cursor + 1) * stretch):
            character, ink = drawn[place]
            drawn[place] = character if ink is OTHER else "┃", PINK_BOLD
        lines.append(runs("".join(character for character, _ in drawn), [ink for _, ink in drawn]))
    return lines


def _row_of(value: float, height: int) -> int:
    """The row, from the top, in which a bar of that value ends; −1 for none."""
    return -1 if math.isnan(value) else height - 1 - min(height - 1, int(value * height))


def _bar(value: float, row: int, height: int) -> tuple[str, Style]:
    """One character of a bar that stands ``height`` rows high at 1, seen in ``row`` from the top."""
    if math.isnan(value):
        return ("·" if row == height - 1 else " "), FAINT
    eighths = max(1, round(value * height * 8)) - (height - 1 - row) * 8
    style = GOOD if value >= 0.5 else NEGATIVE
    return (" " if eighths <= 0 else BARS[min(eighths, 8) - 1]), style

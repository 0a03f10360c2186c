"""P(positive) over the whole review in two lines, and which part of it the pictures above show."""

from __future__ import annotations

import math

from rich.segment import Segment
from rich.style import Style
from textual import events

from explorer.session.colours import BARS
from explorer.session.model import Frame, Session
from explorer.session.series import Overview, overview, probability_at
from explorer.session.text import number
from explorer.tui.ink import FAINT, GOOD, PINK_BOLD, Line
from explorer.tui.panel import Panel

NEGATIVE = Style(color="#f4a46b")


class OverviewPanel(Panel):
    """A click goes to that place, reading on to it if need be."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._view: Overview | None = None

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        self._view = view = overview(session, frame, width)
        columns = len(view.values)
        self._stretch = stretch = max(1, width // columns)
        cursor = view.column(max(0, frame.word)) if frame.word >= 0 else -1
        lines: list[Line] = []
        for row in range(height):
            line: Line = []
            for column, value in enumerate(view.values.tolist()):
                character, style = _bar(value, row, height)
                if column == cursor:
                    style = PINK_BOLD
                    character = "┃" if character == " " else character
                line.append(Segment(character * stretch, style))
            lines.append(line)
        self.entitle(
            f"P(positive) over the whole review   [b]{number(probability_at(session, frame))}[/]",
            f"word {frame.word + 1} of {frame.snapshot.words}   click to go there",
        )
        return lines

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and self._view is not None:
            self.explorer.look_at(self._view.word(place.x // self._stretch))


def _bar(value: float, row: int, height: int) -> tuple[str, Style]:
    """One character of a bar that stands ``height`` rows high at 1, seen in ``row`` from the top."""
    if math.isnan(value):
        return ("·" if row == height - 1 else " "), FAINT
    eighths = max(1, round(value * height * 8)) - (height - 1 - row) * 8
    style = GOOD if value >= 0.5 else NEGATIVE
    return (" " if eighths <= 0 else BARS[min(eighths, 8) - 1]), style

"""P(positive) over the whole review in two lines, and which part of it the pictures above show."""

from __future__ import annotations

import math

from rich.style import Style
from textual import events

from explorer.session.colours import BARS
from explorer.session.model import Frame, Session
from explorer.session.series import Overview, other_overview, overview, probability_at
from explorer.session.text import number
from explorer.tui.ink import FAINT, GOOD, NEGATIVE, OTHER, PINK_BOLD, Line, as_markup, runs, safe
from explorer.tui.panel import Panel


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
        other = other_overview(session, frame, width)
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
        here = probability_at(session, frame)
        title = f"P(positive) over the whole review   [b]{number(here)}[/]"
        compared = session.comparing.comparison(frame)
        if compared is not None:
            there = compared.at(frame.word)
            name = as_markup(safe(compared.name, 24))
            title += f"   [#c792ea]━ {name} [b]{number(there)}[/]   difference [b]{number(here - there)}[/][/]"
        self.entitle(title, f"word {frame.word + 1} of {frame.snapshot.words}   click to go there")
        return lines

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and self._view is not None:
            self.explorer.look_at(self._view.word(place.x // self._stretch))


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

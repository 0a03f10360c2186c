"""Panel 6: the table of cells in the chosen order."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from textual import events

from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.cell_readouts import (
    ACCURACY_HEADING,
    ACCURACY_WIDTH,
    CELL_HEADINGS,
    CELL_WIDTHS,
    accuracy_line,
    accuracy_text,
    cell_text,
    cells_line,
    dead_line,
)
from explorer.session.views.traces import CellRow, cell_table
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.styles import DIM, FAINT, GOOD, PINK, ROLES, SELECTED, TEXT, Line, styled

HALF = 3  # columns on each side of the bar


class CellsPanel(Panel, can_focus=True):
    """The wheel, ↑ ↓ and clicks select a cell."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._top = 0
        self._header = 0  # lines above the list
        self._cells: list[int] = []

    def state(self, session: Session, frame: Frame) -> tuple[object, ...]:
        snapshot, choices = frame.snapshot, frame.choices
        shown = choices.signal, choices.selected, choices.pins, choices.order, frame.word
        run = snapshot.run, snapshot.time, snapshot.watched, snapshot.threshold, snapshot.window, snapshot.scales
        accuracy = session.ablation_accuracy
        measured = accuracy.shown, accuracy.progress, getattr(accuracy.result(frame), "reviews", 0)
        return *shown, *run, *measured, frame.order, snapshot.network, snapshot.clamps, session.brush.pattern

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        height = self.size.height
        accuracy = session.ablation_accuracy
        found = accuracy.result(frame)
        rows = cell_table(session, frame, session.brush.signs, None if found is None else found.without)
        self._cells = [row.cell for row in rows]
        self._header = 1 if height < 5 else 2 if height < 8 else 3
        room = max(1, height - self._header)
        chosen = next((k for k, row in enumerate(rows) if row.selected), None)
        if chosen is not None and not self._top <= chosen < self._top + room:
            self._top = chosen if chosen < self._top else chosen - room + 1
        self._top = max(0, min(self._top, len(rows) - room))
        shown = rows[self._top : self._top + room]
        biggest = max((abs(row.value) for row in rows if np.isfinite(row.value)), default=1.0) or 1.0
        more = len(rows) - len(shown)
        self.set_title("6 Cells", f"order: {frame.choices.order}" + (f"   {more} more" if more else ""))
        titles = "".join(f" {name:>{width}}" for name, width in zip(CELL_HEADINGS, CELL_WIDTHS, strict=True))
        header: list[Line] = [
            [Segment(" "), *styled(cells_line(frame))],
            [Segment(f" cell  {frame.choices.signal:^{2 * HALF + 1}}{titles}", DIM)],
        ]
        if self._header == 3:
            header.insert(1, [Segment(" "), *styled(dead_line(frame.snapshot))])
        if accuracy.shown:
            # Beside the number of the cell: in a narrow panel, the last columns are cut off.
            heading = f"{ACCURACY_HEADING} %"
            signal = f"{frame.choices.signal:^{2 * HALF + 1}}"
            header[-1] = [Segment(f" cell {heading:>{ACCURACY_WIDTH}}  {signal}{titles}", DIM)]
            if self._header > 1:
                line = styled(accuracy_line(found, accuracy.progress, self.size.width - 1))
                header[self._header - 2] = [Segment(" "), *line]
        return [*header[: self._header], *(_line(row, biggest, accuracy=accuracy.shown) for row in shown)]

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        at = self._top + place.y - self._header
        if place.y >= self._header and at < len(self._cells):
            self.host.select(self._cells[at])

    def on_mouse_scroll_down(self) -> None:
        self.host.perform("select-down")

    def on_mouse_scroll_up(self) -> None:
        self.host.perform("select-up")


def _line(row: CellRow, biggest: float, *, accuracy: bool) -> Line:
    style = SELECTED if row.selected else DIM if row.dead else TEXT
    reach = 0 if not np.isfinite(row.value) else round(row.value / biggest * HALF)
    left = "".join("█" if HALF - k <= -reach else " " for k in range(HALF))
    right = "".join("█" if k < reach else " " for k in range(HALF))
    text = cell_text(row)
    return [
        Segment(f"{'▸' if row.selected else ' '}{text.name}", style),
        Segment(f"{row.mark} ", ROLES[text.mark_role]),
        *([Segment(f"{accuracy_text(row):>{ACCURACY_WIDTH}} ", style)] if accuracy else []),
        Segment(left, PINK),
        Segment("│", FAINT),
        Segment(right, GOOD),
        Segment("".join(f" {value:>{width}}" for value, width in zip(text.numbers, CELL_WIDTHS, strict=True)), style),
    ]

"""Saturation of the gates: one chart a gate, one point a cell."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual.binding import BindingType

from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.analysis_tables import saturation_table
from explorer.session.views.runs import Run
from explorer.session.views.saturation import Saturation, gate_title, saturation_lines
from explorer.tui.dialogs.analysis import saved
from explorer.tui.dialogs.dynamics import ChartDialog
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.plotext_chart import Series, draw_chart
from explorer.tui.terminal.styles import FAINT, GOOD, PINK_BOLD, Line, padded, styled

TICKS = {0.0: "0", 0.5: "0.5", 1.0: "1"}
EDGE = 0.02  # points on the axes stay visible


class SaturationDialog(ChartDialog[None]):
    """Right-saturated against left-saturated, over the review or the corpus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *ChartDialog.BINDINGS,
        ("s", "switch", "Switch"),
        ("e", "save", "Save"),
        ("down", "select('select-down')", "Next cell"),
        ("up", "select('select-up')", "Previous cell"),
    ]
    title_text = "Saturation of the gates"
    keys_text = "s review or corpus   ↑ ↓ cell   e save as CSV   esc close"

    def __init__(self, session: Session) -> None:
        super().__init__(session, SaturationPanel())

    def action_switch(self) -> None:
        """Show the other of the present review and the corpus."""
        self.session.saturation.switch()
        self.update_chart()

    def action_select(self, name: str) -> None:
        """Select the next or the previous cell."""
        self.session.perform(name)
        self.update_chart()

    def action_save(self) -> None:
        """Save the numbers as CSV."""
        session = self.session
        message = saved(session, "saturation", lambda: saturation_table(session.saturation.result(session.frame())))
        self.query_one("#chart").border_subtitle = f"{message}   {self.keys_text}"


class SaturationPanel(Panel):
    """Lines of numbers above charts side by side."""

    def __init__(self) -> None:
        super().__init__(id="saturation")
        self._drawn: tuple[tuple[object, ...], list[Line]] | None = None

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        saturation, selected = session.saturation, frame.choices.selected
        key = (
            saturation.scope, frame.snapshot.run, frame.word, selected, saturation.progress, width, height,
        )  # fmt: skip
        if self._drawn is None or self._drawn[0] != key:
            found = saturation.result(frame)
            lines = [styled(line) for line in saturation_lines(found, saturation.progress, selected, width)]
            if found is not None:
                lines += _charts(found, selected, width, height - len(lines))
            self._drawn = key, lines
        return self._drawn[1]


def _charts(found: Saturation, selected: int | None, width: int, height: int) -> list[Line]:
    gates = range(len(found.gates.gates))
    each = width // len(gates)
    axes: Line = styled((Run("up: right-saturated (> 0.9)   across: left-saturated (< 0.1)   fractions of words"),))
    titles: Line = [segment for k in gates for segment in padded(styled((Run(gate_title(found, k), "text"),)), each)]
    charts = []
    for k in gates:
        places = found.places(k)
        series = [Series(np.array([0.0, 1.0]), np.array([1.0, 0.0]), FAINT)]
        series.append(Series(places[:, 0], places[:, 1], GOOD, marker="●"))
        if selected is not None and selected < len(places):
            series.append(Series(places[[selected], 0], places[[selected], 1], PINK_BOLD, marker="◉"))
        charts.append(
            draw_chart(
                series,
                each - 1,
                height - 2,
                x_range=(-EDGE, 1 + EDGE),
                y_range=(-EDGE, 1 + EDGE),
                x_ticks=TICKS,
                y_ticks=TICKS,
            )
        )
    rows = [[segment for line in row for segment in padded(line, each)] for row in zip(*charts, strict=False)]
    return [axes, titles, *rows]

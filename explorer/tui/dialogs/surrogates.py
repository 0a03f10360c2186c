"""β of a series beside that of its surrogates and of its halves, in the terminal."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual.binding import BindingType

from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.surrogates import ROWS, SurrogateComparison, surrogate_lines, surrogate_table
from explorer.tui.dialogs.analysis import saved
from explorer.tui.dialogs.dynamics import ChartDialog
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.plotext_chart import Series, draw_chart
from explorer.tui.terminal.styles import DIM, GOOD, PINK_BOLD, Line, styled


class SurrogatesDialog(ChartDialog[None]):
    """Lines of numbers, and a row of dots for the series, its halves and every kind of surrogates."""

    BINDINGS: ClassVar[list[BindingType]] = [*ChartDialog.BINDINGS, ("e", "save", "Save")]
    title_text = "Surrogates: what does β need?"
    keys_text = "e save as CSV   esc close"

    def __init__(self, session: Session) -> None:
        super().__init__(session, SurrogatesPanel())

    def action_save(self) -> None:
        """Save the numbers as CSV."""
        session = self.session
        message = saved(session, "surrogates", lambda: surrogate_table(session.surrogates.result()))
        self.query_one("#chart").border_subtitle = f"{message}   {self.keys_text}"


class SurrogatesPanel(Panel):
    """Lines of numbers above a chart."""

    def __init__(self) -> None:
        super().__init__(id="surrogates")
        self._drawn: tuple[tuple[object, ...], list[Line]] | None = None

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        found, progress = session.surrogates.result(), session.surrogates.progress
        key = found, progress, width, height
        if self._drawn is None or self._drawn[0] != key:
            lines = [styled(line) for line in surrogate_lines(found, progress, width)]
            if found is not None:
                lines += _chart(found, width, height - len(lines))
            self._drawn = key, lines
        return self._drawn[1]


def _chart(found: SurrogateComparison, width: int, height: int) -> list[Line]:
    low, high = found.reach()
    series = [Series(np.array(ends), np.full(2, -float(row)), DIM) for row, ends in found.spans()]
    series += [Series(beta, np.full(len(beta), -float(row)), GOOD, marker="·") for row, beta in found.places()[3:]]
    series += [Series(beta, np.full(len(beta), -float(row)), PINK_BOLD, marker="●") for row, beta in found.places()[:3]]
    return draw_chart(
        series, width, height, x_range=(low, high), y_range=(-len(ROWS) + 0.5, 0.5),
        x_ticks={value: number(value) for value in np.linspace(low, high, 5).tolist()},
        y_ticks={-float(row): name for row, name in enumerate(ROWS)},
    )  # fmt: skip

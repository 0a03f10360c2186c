"""β of a series beside that of its surrogates and of its halves, on the desktop."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QWidget

from explorer.gui.dialogs.analysis import AnalysisDialog
from explorer.gui.dialogs.dynamics import plot_widget
from explorer.gui.theme import Theme
from explorer.session.session import Session
from explorer.session.views.surrogates import (
    AXIS,
    MEANING,
    ROWS,
    SurrogateComparison,
    surrogate_lines,
    surrogate_table,
)
from explorer.session.views.tables import Table


class SurrogatesDialog(AnalysisDialog):
    """Lines of numbers, and a row of dots for the series, its halves and every kind of surrogates."""

    name = "surrogates"

    def __init__(self, parent: QWidget, theme: Theme, session: Session) -> None:
        super().__init__(parent, "Surrogates: what does β need?", theme, session)
        self.text.setToolTip(MEANING)
        self._shown: tuple[object, ...] = ()
        self.plot = plot_widget(theme, AXIS, "")
        item = self.plot.getPlotItem()
        item.getAxis("left").setTicks([[(-row, name) for row, name in enumerate(ROWS)]])
        item.setYRange(-len(ROWS) + 0.5, 0.5, padding=0)
        self.points = pg.ScatterPlotItem(pen=None)
        item.addItem(self.points)
        self.column.addWidget(self.plot, 1)
        self.add_buttons()
        self.update_view()

    def update_view(self) -> None:
        found, progress = self.session.surrogates.result(), self.session.surrogates.progress
        if (found, progress, self.message) != self._shown:
            self._shown = found, progress, self.message
            self.show_lines(surrogate_lines(found, progress))
            if found is not None:
                self._draw(found)

    def _draw(self, found: SurrogateComparison) -> None:
        item = self.plot.getPlotItem()
        item.setXRange(*found.reach(), padding=0)
        for row, (low, high) in found.spans():
            item.addItem(pg.PlotCurveItem([low, high], [-row, -row], pen=pg.mkPen(self.theme.dim, width=2)))
        x = np.concatenate([beta for _, beta in found.places()])
        rows = np.concatenate([np.full(len(beta), row) for row, beta in found.places()])
        brushes = [pg.mkBrush(self.theme.pink if row < 3 else self.theme.good) for row in rows]
        self.points.setData(pos=np.stack([x, -rows], axis=1), brush=brushes, size=np.where(rows < 3, 12, 6))

    def table(self) -> Table:
        return surrogate_table(self.session.surrogates.result())

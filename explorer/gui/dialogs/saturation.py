"""Saturation of the gates: one plot a gate, one point a cell."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from explorer.gui.dialogs.analysis import AnalysisDialog
from explorer.gui.dialogs.dynamics import plot_widget
from explorer.gui.theme import Theme
from explorer.session.session import Session
from explorer.session.views.analysis_tables import saturation_table
from explorer.session.views.number_format import cell_name, percent
from explorer.session.views.saturation import (
    MEANING,
    SCOPES,
    X_LABEL,
    Y_LABEL,
    Saturation,
    gate_title,
    saturation_lines,
)
from explorer.session.views.tables import Table

SCOPE_LABELS = ("this review", "the corpus")  # in the order of `SCOPES`


class SaturationDialog(AnalysisDialog):
    """Right-saturated against left-saturated; a click on a point selects the cell."""

    name = "saturation"

    def __init__(self, parent: QWidget, theme: Theme, session: Session, on_select: Callable[[int], None]) -> None:
        super().__init__(parent, "Saturation of the gates", theme, session)
        self.text.setToolTip(MEANING)
        self._on_select = on_select
        self._shown: tuple[object, ...] = ()
        self.scopes = QComboBox()
        self.scopes.addItems(list(SCOPE_LABELS))
        self.scopes.setCurrentIndex(SCOPES.index(session.saturation.scope))
        self.scopes.currentIndexChanged.connect(self._use)
        self.row = QHBoxLayout()
        self.plots: list[Any] = []
        self.points: list[Any] = []
        self.column.addWidget(self.scopes)
        self.column.addLayout(self.row, 1)
        self.add_buttons()
        self.update_view()

    def update_view(self) -> None:
        frame, saturation = self.session.frame(), self.session.saturation
        selected = frame.choices.selected
        key = saturation.scope, frame.snapshot.run, frame.word, selected, saturation.progress, self.message
        if key != self._shown:
            self._shown, found = key, saturation.result(frame)
            self.show_lines(saturation_lines(found, saturation.progress, selected))
            self._draw(found, selected)

    def _draw(self, found: Saturation | None, selected: int | None) -> None:
        gates = found.gates.gates if found is not None else ()
        while len(self.plots) < len(gates):
            self._add_plot()
        for k, (plot, points) in enumerate(zip(self.plots, self.points, strict=True)):
            if found is None or k >= len(gates):
                points.setData([], [])
                continue
            places = found.places(k)
            chosen = np.arange(len(places)) == selected
            plot.getPlotItem().setTitle(gate_title(found, k), color=self.theme.title.hex, size="10pt")
            points.setData(
                pos=places,
                data=np.arange(len(places)),
                brush=[pg.mkBrush(self.theme.pink if each else self.theme.good) for each in chosen],
                size=np.where(chosen, 13, 8),
            )

    def _add_plot(self) -> None:
        widget = plot_widget(self.theme, escape(X_LABEL), escape(Y_LABEL))  # labels are HTML
        item = widget.getPlotItem()
        item.setRange(xRange=(0, 1), yRange=(0, 1), padding=0.03)
        item.addItem(pg.PlotCurveItem([0, 1], [1, 0], pen=self.theme.faint))
        points = pg.ScatterPlotItem(pen=None, hoverable=True, tip=_tip)
        points.sigClicked.connect(lambda _, found: self._on_select(int(found[0].data())))
        item.addItem(points)
        self.row.addWidget(widget)
        self.plots.append(widget)
        self.points.append(points)

    def table(self) -> Table:
        return saturation_table(self.session.saturation.result(self.session.frame()))

    def _use(self, index: int) -> None:
        self.session.saturation.use(SCOPES[index])
        self.update_view()


def _tip(x: float, y: float, data: int) -> str:
    return f"{cell_name(int(data))}: left {percent(x)}, right {percent(y)}"

"""Dialogs with plots of the dynamics: branches of fixed points, and the memory of a review."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from explorer.gui.dialogs.base import Dialog
from explorer.gui.panels.panel import Axis
from explorer.gui.text import rich_text
from explorer.gui.theme import Theme, role_colour
from explorer.session.session import Session
from explorer.session.views.branch_curves import (
    AXES,
    BranchCurves,
    Target,
    branch_curves,
    branches_legend,
    branches_line,
)
from explorer.session.views.memory import (
    DECAY_TITLE,
    MEANING,
    ROLES,
    SPECTRUM_TITLE,
    Memory,
    decay_of,
    memory_lines,
)
from explorer.session.views.units import unit_names

POLL = 100  # milliseconds


def plot_widget(theme: Theme, x: str, y: str) -> Any:
    """Return an empty plot in the colours of a theme, with labels of its axes."""
    widget = pg.PlotWidget(background=theme.ground, axisItems={side: Axis(side) for side in ("left", "bottom")})
    item = widget.getPlotItem()
    item.hideButtons()
    item.setMenuEnabled(False)
    for side, label in (("bottom", x), ("left", y)):
        item.getAxis(side).enableAutoSIPrefix(False)
        item.getAxis(side).setPen(theme.border)
        item.getAxis(side).setTextPen(theme.dim)
        item.setLabel(side, label)
    return widget


class PlotDialog(Dialog):
    """A line of numbers above plots, which are drawn once the result is there."""

    def __init__(self, parent: QWidget, title: str, theme: Theme, session: Session) -> None:
        super().__init__(parent, title, 820, 560)
        self.session, self.theme = session, theme
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setWordWrap(True)
        self.column.addWidget(self.text)
        self.row = QHBoxLayout()
        self.column.addLayout(self.row, 1)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self.update_plots)
        self._clock.start(POLL)

    def update_plots(self) -> None:
        """Show the progress, or draw the result."""
        raise NotImplementedError

    def plot(self, x: str, y: str) -> Any:
        """Add a plot in the window's colours."""
        widget = plot_widget(self.theme, x, y)
        self.row.addWidget(widget)
        return widget


class BranchesDialog(PlotDialog):
    """Fixed points against the weight of a word, or a channel of a network with a task: stable branches solid,
    unstable ones dashed."""

    def __init__(self, parent: QWidget, theme: Theme, session: Session) -> None:
        super().__init__(parent, "Fixed points", theme, session)
        self.networks, self.channels, self.axes = QComboBox(), QComboBox(), QComboBox()
        chooser = QHBoxLayout()
        for name, box in (("Follow", self.networks), ("Channel", self.channels), ("Axis", self.axes)):
            box.setAccessibleName(name)
            chooser.addWidget(QLabel(name))
            chooser.addWidget(box, 1)
        self.column.addLayout(chooser)
        word = session.branches.channels("")[0]
        for network in session.branches.networks:
            self.networks.addItem(network or f"“{word}”", network)
        self.networks.currentIndexChanged.connect(self._list_channels)
        self.channels.currentIndexChanged.connect(self._follow)
        self.axes.addItems(list(AXES))
        self.axes.currentTextChanged.connect(lambda _: self.update_plots())
        self.channels.setEnabled(False)
        self.picture = self.plot(" ", " ")
        self._drawn: tuple[object, ...] = ()
        self.update_plots()

    def _list_channels(self) -> None:
        network = self.networks.currentData()
        self.channels.blockSignals(True)
        self.channels.clear()
        self.channels.addItems(self.session.branches.channels(network) if network else [])
        self.channels.setEnabled(bool(network))
        self.channels.blockSignals(False)
        self._follow()

    def _follow(self) -> None:
        network = self.networks.currentData()
        what = self.channels.currentText() if network else self.session.branches.channels("")[0]
        self.session.branches.follow(Target(what, network))
        self.update_plots()

    def update_plots(self) -> None:
        self.session.fixed_points.request(self.session.frame())  # the components of its map are those of the plot
        branches, points = self.session.branches, self.session.fixed_points.point_map
        self.setWindowTitle(f"Fixed points {branches.target.change}")
        found = branches.result()
        lines = [branches_line(found, branches.progress)]
        if found is not None:
            lines.append(branches_legend())
            if self._drawn != (found, points, self.axes.currentText()):
                self._drawn = found, points, self.axes.currentText()
                curves = branch_curves(found, self.axes.currentText(), points)
                if curves is not None:
                    self._draw(curves)
        self.text.setText("<br>".join(rich_text(line, self.theme) for line in lines))

    def _draw(self, curves: BranchCurves) -> None:
        item = self.picture.getPlotItem()
        item.clear()
        for piece in curves.pieces:
            style = Qt.PenStyle.SolidLine if piece.stable else Qt.PenStyle.DashLine
            pen = pg.mkPen(self.theme.good if piece.stable else self.theme.pink, style=style)
            item.addItem(pg.PlotCurveItem(piece.x, piece.y, pen=pen))
        marks = (curves.folds, "t3", self.theme.warning), (curves.crossings, "x", self.theme.other)
        for places, symbol, colour in marks:
            item.addItem(pg.ScatterPlotItem(pos=places, symbol=symbol, size=10, pen=None, brush=colour))
        item.setLabel("bottom", curves.x_label)
        item.setLabel("left", curves.y_label)
        item.setXRange(*curves.x_range)
        item.setYRange(*curves.y_range, padding=0)


class MemoryDialog(PlotDialog):
    """Lyapunov spectrum and memory decay of the present review."""

    def __init__(self, parent: QWidget, theme: Theme, session: Session) -> None:
        super().__init__(parent, "Memory: Lyapunov spectrum and decay", theme, session)
        self._names = names = unit_names(session.stream.snapshot.network)
        self.text.setToolTip(names.reword(MEANING))
        self.spectrum = self.plot("number", names.reword(SPECTRUM_TITLE))
        self.decay = self.plot(f"{names.units} before the last", DECAY_TITLE.split(" against")[0])
        self.decay.getPlotItem().getAxis("left").setLogMode(True)
        self._drawn: Memory | None = None
        self.update_plots()

    def update_plots(self) -> None:
        found = self.session.memory.result()
        lines = map(self._names.line, memory_lines(found, self.session.memory.progress))
        self.text.setText("<br>".join(rich_text(line, self.theme) for line in lines))
        if found is not None and found is not self._drawn:
            self._drawn = found
            self._draw(found)

    def _draw(self, found: Memory) -> None:
        for widget in (self.spectrum, self.decay):
            widget.getPlotItem().clear()
        self.spectrum.getPlotItem().addItem(pg.InfiniteLine(0, angle=0, pen=self.theme.faint))
        for run, role in zip(found.runs, ROLES, strict=True):
            colour = role_colour(self.theme, role)
            number = np.arange(1, len(run.exponents) + 1)
            dots = pg.ScatterPlotItem(x=number, y=run.exponents, symbol="o", size=8, pen=None, brush=colour)
            self.spectrum.getPlotItem().addItem(dots)
            self.decay.getPlotItem().addItem(pg.PlotCurveItem(*decay_of(run), pen=colour))

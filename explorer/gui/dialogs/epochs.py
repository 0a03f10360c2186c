"""A slider over the epochs of a training run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSlider, QWidget

from explorer.gui.dialogs.analysis import AnalysisDialog
from explorer.gui.dialogs.dynamics import plot_widget
from explorer.gui.theme import Theme
from explorer.session.session import Session
from explorer.session.views.analysis_tables import epochs_table
from explorer.session.views.epochs import DEAD_TITLE, LOSS_TITLE, MEANING, POINTS_TITLE, Epochs, epochs_lines
from explorer.session.views.tables import Table


class EpochsDialog(AnalysisDialog):
    """Curves of loss and dead cells, and a map of points, of the epoch on the slider."""

    name = "epochs"

    def __init__(self, parent: QWidget, theme: Theme, session: Session, on_read: Callable[[str], None]) -> None:
        super().__init__(parent, "Epochs of the training run", theme, session)
        self.text.setToolTip(MEANING)
        self._on_read = on_read
        self._shown: tuple[object, ...] = ()
        self._moved = False
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setPageStep(1)
        self.slider.sliderMoved.connect(self._move)
        self.slider.actionTriggered.connect(self._move)
        self.slider.valueChanged.connect(lambda _: self.update_view())
        self.read = QPushButton("Read with this network")
        self.read.setAutoDefault(False)
        self.read.clicked.connect(self.read_with_it)
        row = QHBoxLayout()
        row.addWidget(self.slider, 1)
        row.addWidget(self.read)
        self.column.addLayout(row)
        self.loss, self.dead = plot_widget(theme, "epoch", LOSS_TITLE), plot_widget(theme, "epoch", DEAD_TITLE)
        self.map = plot_widget(theme, POINTS_TITLE.replace(" and PC2", ""), "PC2 of h")
        plots = QGridLayout()
        plots.addWidget(self.loss, 0, 0)
        plots.addWidget(self.dead, 1, 0)
        plots.addWidget(self.map, 0, 1, 2, 1)
        plots.setColumnStretch(0, 2)
        plots.setColumnStretch(1, 3)
        self.column.addLayout(plots, 1)
        self.add_buttons()
        self.slider.setFocus()
        self.update_view()

    def _move(self, _: int) -> None:
        self._moved = True

    def update_view(self) -> None:
        epochs, threshold = self.session.epochs, self.session.stream.snapshot.threshold
        found = epochs.result()
        if (found is not None and self.slider.maximum() != len(found.epochs) - 1) or not self._shown:
            last = 0 if found is None else len(found.epochs) - 1
            self.slider.blockSignals(True)
            self.slider.setRange(0, last)
            if found is not None and not self._moved:
                self.slider.setValue(epochs.place_of_present(found))
            self.slider.blockSignals(False)
        place = self.slider.value()
        self.show_lines(epochs_lines(found, place, threshold, epochs.progress))
        self.read.setEnabled(found is not None)
        if found is not None and self._shown != (found, place, threshold):
            self._draw(found, place, threshold)
        self._shown = found, place, threshold

    def _draw(self, found: Epochs, place: int, threshold: float) -> None:
        dead = found.dead(threshold)
        for plot, values, colour in ((self.loss, found.loss, self.theme.text), (self.dead, dead, self.theme.dead)):
            item = plot.getPlotItem()
            item.clear()
            item.addItem(pg.PlotCurveItem(found.numbers, values, pen=colour))
            here = found.numbers[[place]], values[[place]]
            item.addItem(pg.ScatterPlotItem(*here, symbol="o", size=11, pen=None, brush=self.theme.pink))
        self.dead.getPlotItem().setYRange(0, len(found.epochs[0].activity))
        item = self.map.getPlotItem()
        item.clear()
        visited = found.places(found.epochs[place].visited)
        item.addItem(pg.ScatterPlotItem(pos=visited, symbol="o", size=2, pen=None, brush=self.theme.faint))
        points = found.points_of(place)
        if points is not None:
            at, nothing = found.places(points.h), pg.mkBrush(None)
            for which, pen, brush in (
                (~points.fixed, self.theme.warning, nothing),
                (points.fixed & ~points.stable, self.theme.pink, nothing),
                (points.stable, self.theme.good, pg.mkBrush(self.theme.good)),
            ):
                if np.any(which):
                    item.addItem(pg.ScatterPlotItem(pos=at[which], symbol="o", size=11, pen=pg.mkPen(pen), brush=brush))
        x_range, y_range = found.limits
        item.setRange(xRange=x_range, yRange=y_range, padding=0)

    def read_with_it(self) -> None:
        """Read the present review with the network of this epoch."""
        if (found := self.session.epochs.result()) is not None:
            self._on_read(str(found.epochs[self.slider.value()].path))

    def table(self) -> Table:
        return epochs_table(self.session.epochs.result(), self.session.stream.snapshot.threshold)

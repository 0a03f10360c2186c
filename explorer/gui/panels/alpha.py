"""Panel 5: rolling α and β of the layer sum."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsLineItem, QGraphicsRectItem

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.charts import FAR, GUTTER, TimeMarks, TimeViewBox
from explorer.gui.theme import Theme, qcolor
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.readouts import alpha_line, estimator_line
from explorer.session.views.runs import join
from explorer.session.views.tables import Table, alpha_table
from explorer.session.views.traces import alpha_at, alpha_column, other_alpha

BEHIND = -10  # z value of what lies behind the curves
LOW, HIGH = 0.25, 2.1
NOISES = {0.5: "white", 1.0: "pink", 1.5: "Brownian"}


class AlphaPanel(Panel):
    """The curve of α, guide lines at the exponents of exact noise, and the 90% intervals of white and pink noise."""

    name = "alpha"
    title = "5 Rolling α"
    place = "low"
    every = 2

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._box = TimeViewBox(host)
        self._plot = self.plot(view=self._box)
        item = self._plot.getPlotItem()
        item.getAxis("left").setWidth(GUTTER)
        item.getAxis("left").setTicks([[(alpha, f"α {alpha:g}  β {2 * alpha - 1:g}") for alpha in NOISES]])
        self._box.setYRange(LOW, HIGH, padding=0)
        self.bands = [QGraphicsRectItem() for _ in range(2)]  # white, pink
        self._guides = [QGraphicsLineItem(-FAR, alpha, FAR, alpha) for alpha in NOISES]
        self._names = [pg.TextItem(name, anchor=(0, 1)) for name in NOISES.values()]
        for shape in (*self.bands, *self._guides):
            shape.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
            shape.setZValue(BEHIND)
        for shape in (*self.bands, *self._guides, *self._names):
            self._box.addItem(shape, ignoreBounds=True)
        for band in self.bands:
            band.hide()
        self._other, self._curve = (pg.PlotCurveItem(connect="finite") for _ in range(2))
        for curve in (self._other, self._curve):
            item.addItem(curve, ignoreBounds=True)
        self._marks = TimeMarks(self._plot)
        self.column.addWidget(self._plot)

    def paint_theme(self, theme: Theme) -> None:
        for band, colour in zip(self.bands, (theme.white_band, theme.pink_band), strict=True):
            band.setBrush(qcolor(colour))
            band.setPen(Qt.PenStyle.NoPen)
        for guide, label, name in zip(self._guides, self._names, NOISES.values(), strict=True):
            guide.setPen(pg.mkPen(theme.pink if name == "pink" else theme.faint))
            label.setColor(theme.pink if name == "pink" else theme.dim)
        self._curve.setPen(theme.pink)
        self._other.setPen(theme.other)
        self._marks.apply_theme(theme)

    def show_frame(self, session: Session, frame: Frame) -> None:
        snapshot = frame.snapshot
        words = self.host.visible_range.words(frame)
        self._box.show_words(*words)
        first, values = self._alpha(session, frame, words)
        if self.changed("curve", first, values):
            self._curve.setData(first + np.arange(len(values)) + 0.5, values)
        other = other_alpha(session.comparison.result(frame), frame)
        if self.changed("other", other):
            self._other.setVisible(other is not None)
            if other is not None:
                self._other.setData(np.arange(len(other)) + 0.5, other)
        session.noise_bands.request(snapshot.window, snapshot.scales)
        noise = session.noise_bands.result(snapshot.window, snapshot.scales)
        if self.changed("band", noise) and noise is not None:
            for band, (low, high) in zip(self.bands, (noise.white, noise.pink), strict=True):
                band.setRect(-FAR, low, 2 * FAR, high - low)
                band.show()
        if self.changed("names", words[0]):
            for label, alpha in zip(self._names, NOISES, strict=True):
                label.setPos(words[0], alpha)
        self._marks.show(self.host, session, frame)
        there = None
        if other is not None:
            known = 0 <= frame.word < len(other)
            there = session.comparison.name, float(other[frame.word]) if known else float("nan")
        line = alpha_line(frame, alpha_at(session, frame), noise, there)
        self.set_readout(join((line, estimator_line(snapshot))))

    def _alpha(self, session: Session, frame: Frame, words: tuple[float, float]) -> tuple[int, NDArray[np.float64]]:
        """Return the first visible word with a value, and α (word,) from there on."""
        last = min(int(np.ceil(words[1])), frame.snapshot.time)
        values = alpha_column(session, frame, int(words[0]), last)[:, 0].astype(float)
        return last - len(values), values

    def export_table(self) -> Table:
        session = self.host.session
        assert session is not None
        frame = session.frame()
        first, last = self.host.visible_range.words(frame)
        return alpha_table(session, frame, (int(first), math.ceil(last)))

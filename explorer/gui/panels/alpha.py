"""Rolling α and β of the layer sum over the same words as the pictures of the cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsLineItem, QGraphicsRectItem

from explorer.gui.panels.panel import Panel
from explorer.gui.plots.charts import FAR, GUTTER, TimeBox, TimeMarks
from explorer.gui.text import as_html
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.traces import alpha_at, alpha_column, other_alpha

if TYPE_CHECKING:
    from explorer.gui.window import Window

BEHIND = -10  # the curves
LOW, HIGH = 0.25, 2.1
NOISES = {0.5: "white", 1.0: "pink", 1.5: "brown"}


class RollingPanel(Panel):
    """The trace between the exponents of white, pink and Brownian noise, before the band that exact noise gives."""

    name = "alpha"
    title = "5 Rolling α"
    place = "low"
    every = 2

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self._box = TimeBox(explorer)
        self._plot = self.plot(view=self._box)
        item = self._plot.getPlotItem()
        item.getAxis("left").setWidth(GUTTER)
        ticks = [[(alpha, f"α {alpha:g}  β {2 * alpha - 1:g}") for alpha in NOISES]]
        item.getAxis("left").setTicks(ticks)
        self._box.setYRange(LOW, HIGH, padding=0)
        self.bands = [QGraphicsRectItem() for _ in range(2)]
        self._guides = [QGraphicsLineItem(-FAR, alpha, FAR, alpha) for alpha in NOISES]
        self._names = [pg.TextItem(name, anchor=(0, 1)) for name in NOISES.values()]
        for shape in (*self.bands, *self._guides):
            shape.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
            shape.setZValue(BEHIND)
        for shape in (*self.bands, *self._guides, *self._names):
            self._box.addItem(shape, ignoreBounds=True)
        for region in self.bands:
            region.hide()
        self._other, self._curve = (pg.PlotCurveItem(connect="finite") for _ in range(2))
        for curve in (self._other, self._curve):
            item.addItem(curve, ignoreBounds=True)
        self._marks = TimeMarks(self._plot)
        self.column.addWidget(self._plot)

    def paint_theme(self, theme: Theme) -> None:
        for region, colour in zip(self.bands, (theme.white_band, theme.pink_band), strict=True):
            region.setBrush(QColor(colour))
            region.setPen(Qt.PenStyle.NoPen)
        for guide, label, name in zip(self._guides, self._names, NOISES.values(), strict=True):
            guide.setPen(pg.mkPen(theme.pink if name == "pink" else theme.faint))
            label.setColor(theme.pink if name == "pink" else theme.dim)
        self._curve.setPen(theme.pink)
        self._other.setPen(theme.other)
        self._marks.apply_theme(theme)

    def show_frame(self, session: Session, frame: Frame) -> None:
        words = self.explorer.span.seen(frame)
        self._box.show_words(*words)
        first, values = self._alpha(session, frame, words)
        if self.fresh("curve", first, values):
            self._curve.setData(first + np.arange(len(values)) + 0.5, values)
        other = other_alpha(session.comparison.result(frame), frame)
        if self.fresh("other", other):
            self._other.setVisible(other is not None)
            if other is not None:
                self._other.setData(np.arange(len(other)) + 0.5, other)
        session.noise_bands.request(frame.snapshot.window, frame.snapshot.scales)
        null = session.noise_bands.result(frame.snapshot.window, frame.snapshot.scales)
        if self.fresh("band", null) and null is not None:
            for region, (low, high) in zip(self.bands, (null.white, null.pink), strict=True):
                region.setRect(-FAR, low, 2 * FAR, high - low)
                region.show()
        if self.fresh("names", words[0]):
            for label, alpha in zip(self._names, NOISES, strict=True):
                label.setPos(words[0], alpha)
        self._marks.show(self.explorer, session, frame)
        self._tell(session, frame)

    def _alpha(self, session: Session, frame: Frame, words: tuple[float, float]) -> tuple[int, NDArray[np.float64]]:
        """α at the words in view, and the word the first belongs to."""
        last = min(int(np.ceil(words[1])), frame.snapshot.time)
        values = alpha_column(session, frame, int(words[0]), last)[:, 0].astype(float)
        return last - len(values), values

    def _tell(self, session: Session, frame: Frame) -> None:
        snapshot, name, theme = frame.snapshot, frame.choices.signal, self.theme
        alpha = alpha_at(session, frame)
        parts = [
            f"Σ{name}",
            f"α <b>{number(alpha)}</b>",
            f"β <b style='color:{theme.pink}'>{number(2 * alpha - 1)}</b>",
        ]
        if frame.following and not math.isnan(alpha):
            parts.append(f"r² {number(snapshot.r2[name])}")
        if math.isnan(alpha) and 0 <= frame.word + 1 < snapshot.window:
            parts.append(
                f"<span style='color:{theme.warn}'>after {snapshot.window} words: {frame.word + 1} read</span>"
            )
        elif math.isnan(alpha) and frame.following:
            parts.append(f"<span style='color:{theme.warn}'>no exponent: {snapshot.reason[name]}</span>")
        cell = frame.choices.selected
        if cell is not None and snapshot.watched == name and cell < len(snapshot.cell_alpha):
            parts.append(f"cell #{cell:03d} β <b>{number(2 * snapshot.cell_alpha[cell] - 1)}</b>")
        other = other_alpha(session.comparison.result(frame), frame)
        if other is not None:
            there = float(other[frame.word]) if 0 <= frame.word < len(other) else math.nan
            name = as_html(session.comparison.name, 30)
            parts.append(f"<span style='color:{theme.other}'>{name} α {number(there)}</span>")
        null = session.noise_bands.result(snapshot.window, snapshot.scales)
        if null is not None:
            pink, white = ("{:.2f}…{:.2f}".format(*ends) for ends in (null.pink, null.white))
            parts.append(f"9 in 10: <span style='color:{theme.pink}'>pink</span> {pink} · white {white}")
        scales = snapshot.scales
        parts.append(f"window {snapshot.window} words, {len(scales)} scales {min(scales)}…{max(scales)}, unbiased DFA")
        self.say("&nbsp;&nbsp; ".join(parts))

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        """α and β of the layer sum at the words in view."""
        session = self.explorer.session
        assert session is not None
        frame = session.frame()
        first, alpha = self._alpha(session, frame, self.explorer.span.seen(frame))
        name = frame.choices.signal
        return ["word", f"alpha_{name}", f"beta_{name}"], np.column_stack(
            [first + np.arange(len(alpha)), alpha, 2 * alpha - 1]
        )

"""P(positive) over the whole review; a click or a drag looks there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsLineItem, QGraphicsRectItem

from explorer.gui.panels.panel import Panel
from explorer.gui.plots.charts import FAR, fill, stretch, upright
from explorer.gui.text import as_html
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.traces import Difference, Overview, difference, other_overview, overview, probability_at

if TYPE_CHECKING:
    from explorer.gui.window import Window

COLUMNS = 1000  # more cannot be told apart
LEFT = 40  # pixels left of both pictures


class OverviewView(pg.ViewBox):  # type: ignore[misc]
    """The mouse says where to look, nothing else."""

    def __init__(self, panel: OverviewPanel) -> None:
        super().__init__(enableMenu=False)
        self._panel = panel
        self.setMouseEnabled(x=False, y=False)
        self.disableAutoRange()

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        event.accept()
        self._panel.go(self.mapToView(event.pos()))

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self._panel.go(self.mapToView(event.pos()))


class Strip:
    """One picture of the whole review, and what marks words on it: the one looked at, the one under the mouse, and the
    part that the pictures over time show."""

    def __init__(self, panel: OverviewPanel, ticks: list[tuple[float, str]]) -> None:
        self.view = OverviewView(panel)
        self.picture = panel.plot(view=self.view)
        self.picture.setMinimumHeight(30)
        self.picture.hideAxis("bottom")
        self.axis = self.picture.getPlotItem().getAxis("left")
        self.axis.setWidth(LEFT)
        self.axis.setTicks([ticks])
        self.here, self.hover, self.part = upright(), upright(), QGraphicsRectItem()
        self.zero = QGraphicsLineItem(-FAR, 0, FAR, 0)

    def add(self, *items: Any) -> None:
        """Fill the picture: marks lie over these, the part that is shown below."""
        for item in (self.part, self.zero, *items, self.here, self.hover):
            self.view.addItem(item, ignoreBounds=True)

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.hover.setPen(pg.mkPen(theme.dim))
        fill(self.part, theme.dim)
        self.zero.setPen(pg.mkPen(theme.faint))
        self.here.setPen(pg.mkPen(theme.pink, width=2))


class OverviewPanel(Panel):
    """Bars up to P(positive), in one colour above one half and another below; a line is the network compared with, and
    a curve below tells by how much the two differ."""

    name: ClassVar[str] = "overview"
    title: ClassVar[str] = "8 P(positive) over the whole review"
    place: ClassVar[Any] = "bottom"
    every: ClassVar[int] = 2

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self._overview: Overview | None = None
        self._other: Overview | None = None
        self._apart: Difference | None = None
        self._bars = [pg.PlotCurveItem([0], [], stepMode="center", fillLevel=0, pen=None) for _ in range(2)]
        self._compared = pg.PlotCurveItem([0], [], stepMode="center", connect="finite")
        self.difference = pg.PlotCurveItem([0], [], stepMode="center", connect="finite")
        self._half = pg.InfiniteLine(0.5, angle=0)
        self.strip = Strip(self, [(0, "0"), (0.5, "½"), (1, "1")])
        self.strip.add(*self._bars, self._compared, self._half)
        self.strip.view.setYRange(0, 1.02, padding=0)
        self.below = Strip(self, [])
        self.below.add(self.difference)
        self.below.picture.setMinimumHeight(44)  # room for three numbers
        self.below.picture.hide()
        self.picture, self.view = self.strip.picture, self.strip.view
        self.column.addWidget(self.picture, 3)
        self.column.addWidget(self.below.picture, 2)

    def show_frame(self, session: Session, frame: Frame) -> None:
        theme, snapshot = self.theme, frame.snapshot
        columns = min(COLUMNS, max(1, round(self.view.width())))
        if self.fresh("read", snapshot.run, snapshot.time, columns, theme):
            self._overview = view = overview(session, frame, columns)
            for strip in (self.strip, self.below):
                strip.view.setXRange(0, max(1, snapshot.words), padding=0)
            for bars, sign in zip(self._bars, (view.values >= 0.5, view.values < 0.5), strict=True):
                bars.setData(view.edges, np.where(sign, view.values, 0.0))
        self._show_other(session, frame, columns)
        for strip in (self.strip, self.below):
            strip.here.setX(frame.word + 0.5)
        self._show_links(frame)
        self.say(self._numbers(session, frame))

    def _show_other(self, session: Session, frame: Frame, columns: int) -> None:
        """What it is compared with, and the difference."""
        compared = session.comparison.result(frame)
        if not self.fresh("other", compared, frame.snapshot.run, frame.snapshot.time, columns, self.theme):
            return
        self._other = other = other_overview(compared, frame, columns)
        self._apart = apart = difference(session, compared, frame)
        self.below.picture.setVisible(apart is not None)
        if other is None or apart is None:
            self._compared.setData(np.zeros(1), np.empty(0))
            return
        shown = apart.columns(columns)
        self._compared.setData(other.edges, other.values)
        self.difference.setData(shown.edges, shown.values)
        if self.fresh("reach", apart.reach):
            self.below.view.setYRange(-apart.reach * 1.04, apart.reach * 1.04, padding=0)
            ends = -apart.reach, 0, apart.reach
            self.below.axis.setTicks([[(end, f"{end:g}") for end in ends]])

    def _show_links(self, frame: Frame) -> None:
        """The words that the pictures over time show, where they do not show all, and the word under the mouse."""
        first, last = self.explorer.span.seen(frame)
        whole = last - first >= frame.snapshot.words
        if self.fresh("links", first, last, whole, self.explorer.hovered):
            hovered = self.explorer.hovered
            for strip in (self.strip, self.below):
                strip.part.setVisible(not whole)
                stretch(strip.part, first, last)
                strip.hover.setVisible(hovered is not None)
                strip.hover.setX((hovered or 0) + 0.5)

    def _numbers(self, session: Session, frame: Frame) -> str:
        here, theme, apart = probability_at(session, frame), self.theme, self._apart
        text = f"P(positive) <b style='color:{theme.bright}'>{number(here)}</b>"
        compared = session.comparison.result(frame)
        if compared is not None and apart is not None:
            there = compared.at(frame.word)
            text += (
                f"&nbsp;&nbsp; <span style='color:{theme.other}'>━ {as_html(compared.name)} <b>{number(there)}</b>"
                f"&nbsp;&nbsp; difference <b>{number(here - there)}</b> in ±{apart.reach:g}</span>"
            )
        return f"{text}&nbsp;&nbsp; word {frame.word + 1} of {frame.snapshot.words}, click or drag to go there"

    def paint_theme(self, theme: Theme) -> None:
        for bars, colour in zip(self._bars, (theme.good, theme.bad), strict=True):
            bars.setBrush(QColor(colour))
        for curve in (self._compared, self.difference):
            curve.setPen(theme.other)
        self._half.setPen(theme.faint)
        for strip in (self.strip, self.below):
            strip.apply_theme(theme)

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        view, other, apart = self._overview, self._other, self._apart
        headings = ["first_word", "probability"]
        if view is None:
            return headings, np.empty((0, 2))
        columns = [view.edges[:-1], view.values]
        if other is not None and apart is not None:
            headings += ["probability_compared", "difference"]
            columns += [other.values, apart.columns(len(view.values)).values]
        return headings, np.stack(columns, axis=1)

    def go(self, place: QPointF) -> None:
        """Look at the word at a place of the picture."""
        self.explorer.look_at(int(np.floor(place.x())))

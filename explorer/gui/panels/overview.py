"""Panel 8: the first output over the whole review; a click or a drag moves the cursor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QGraphicsLineItem, QGraphicsRectItem

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.charts import FAR, set_fill, set_interval, vertical_line
from explorer.gui.theme import Theme, qcolor
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.outputs import POSITIVE, output_of, scale_of
from explorer.session.views.readouts import overview_line
from explorer.session.views.tables import Table, overview_table
from explorer.session.views.traces import Difference, Overview, difference, other_overview, output_at, overview

MAX_COLUMNS = 1000
LEFT = 40  # pixels left of both plots


class OverviewView(pg.ViewBox):  # type: ignore[misc]
    """Clicks and drags move the cursor; no zoom."""

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
    """A plot over the whole review with marks: the cursor, the word under the mouse, and the visible range of the plots
    over time."""

    def __init__(self, panel: OverviewPanel, ticks: list[tuple[float, str]]) -> None:
        self.view = OverviewView(panel)
        self.picture = panel.plot(view=self.view)
        self.picture.setMinimumHeight(30)
        self.picture.hideAxis("bottom")
        self.axis = self.picture.getPlotItem().getAxis("left")
        self.axis.setWidth(LEFT)
        self.axis.setTicks([ticks])
        self.here, self.hover, self.part = vertical_line(), vertical_line(), QGraphicsRectItem()
        self.zero = QGraphicsLineItem(-FAR, 0, FAR, 0)

    def add(self, *items: Any) -> None:
        """Add the curves, between the visible range and the other marks."""
        for item in (self.part, self.zero, *items, self.here, self.hover):
            self.view.addItem(item, ignoreBounds=True)

    def apply_theme(self, theme: Theme) -> None:
        """Set the colours."""
        self.hover.setPen(pg.mkPen(theme.dim))
        set_fill(self.part, theme.dim)
        self.zero.setPen(pg.mkPen(theme.faint))
        self.here.setPen(pg.mkPen(theme.pink, width=2))


class OverviewPanel(Panel):
    """Bars of the first output, coloured by whether P is above ½ or a linear output above 0; in a comparison also the
    curve of the other side, and the difference below."""

    name: ClassVar[str] = "overview"
    title: ClassVar[str] = "8 Output over the whole review"
    place: ClassVar[Any] = "bottom"
    every: ClassVar[int] = 2

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._overview: Overview | None = None
        self._other: Overview | None = None
        self._difference: Difference | None = None
        self._bars = [pg.PlotCurveItem([0], [], stepMode="center", fillLevel=0, pen=None) for _ in range(2)]
        self._compared = pg.PlotCurveItem([0], [], stepMode="center", connect="finite")
        self.difference = pg.PlotCurveItem([0], [], stepMode="center", connect="finite")
        self._half = pg.InfiniteLine(0.5, angle=0)
        self.strip = Strip(self, [])
        self.strip.add(*self._bars, self._compared, self._half)
        self.below = Strip(self, [])
        self.below.add(self.difference)
        self.below.picture.setMinimumHeight(44)  # room for three numbers
        self.below.picture.hide()
        self.picture, self.view = self.strip.picture, self.strip.view
        self.column.addWidget(self.picture, 3)
        self.column.addWidget(self.below.picture, 2)

    def show_frame(self, session: Session, frame: Frame) -> None:
        theme, snapshot = self.theme, frame.snapshot
        columns = min(MAX_COLUMNS, max(1, round(self.view.width())))
        if self.changed("read", snapshot.run, snapshot.time, columns, theme):
            self._overview = view = overview(session, frame, columns)
            for strip in (self.strip, self.below):
                strip.view.setXRange(0, max(1, snapshot.words), padding=0)
            middle = output_of(snapshot.network).middle
            for bars, sign in zip(self._bars, (view.values >= middle, view.values < middle), strict=True):
                bars.setData(view.edges, np.where(sign, view.values, 0.0))
        self._show_other(session, frame, columns)
        self._show_axis(frame)
        for strip in (self.strip, self.below):
            strip.here.setX(frame.word + 0.5)
        self._show_links(frame)
        here, other, found = output_at(session, frame), session.comparison.result(frame), self._difference
        compared = None if other is None else (other.name, other.at(frame.word))
        self.set_readout(overview_line(frame, here, compared, None if found is None else found.reach))

    def _show_other(self, session: Session, frame: Frame, columns: int) -> None:
        """Draw the other side of a comparison, and the difference."""
        compared = session.comparison.result(frame)
        if not self.changed("other", compared, frame.snapshot.run, frame.snapshot.time, columns, self.theme):
            return
        self._other = other = other_overview(compared, frame, columns)
        self._difference = found = difference(session, compared, frame)
        self.below.picture.setVisible(found is not None)
        if other is None or found is None:
            self._compared.setData(np.zeros(1), np.empty(0))
            return
        shown = found.columns(columns)
        self._compared.setData(other.edges, other.values)
        self.difference.setData(shown.edges, shown.values)
        if self.changed("reach", found.reach):
            self.below.view.setYRange(-found.reach * 1.04, found.reach * 1.04, padding=0)
            ends = -found.reach, 0, found.reach
            self.below.axis.setTicks([[(end, f"{end:g}".replace("-", "−")) for end in ends]])

    def _show_axis(self, frame: Frame) -> None:
        """Set the range and the ticks: 0, ½ and 1 for a probability."""
        output = output_of(frame.snapshot.network)
        drawn = [each.values for each in (self._overview, self._other) if each is not None]
        scale = scale_of(output, *drawn)
        if self.changed("scale", scale):
            margin = 0.02 * (scale.high - scale.low)
            self.strip.view.setYRange(scale.low - (0 if output.bounded else margin), scale.high + margin, padding=0)
            ticks = (
                [(0.0, "0"), (0.5, "½"), (1.0, "1")]
                if output.bounded
                else [(value, number(value, 5)) for value in sorted({scale.low, 0.0, scale.high})]
            )
            self.strip.axis.setTicks([ticks])
            self._half.setValue(scale.middle)

    def _show_links(self, frame: Frame) -> None:
        """Mark the visible range of the plots over time, unless it is everything, and the word under the mouse."""
        first, last = self.host.visible_range.words(frame)
        whole = last - first >= frame.snapshot.words
        if self.changed("links", first, last, whole, self.host.hovered):
            hovered = self.host.hovered
            for strip in (self.strip, self.below):
                strip.part.setVisible(not whole)
                set_interval(strip.part, first, last)
                strip.hover.setVisible(hovered is not None)
                strip.hover.setX((hovered or 0) + 0.5)

    def paint_theme(self, theme: Theme) -> None:
        for bars, colour in zip(self._bars, (theme.good, theme.bad), strict=True):
            bars.setBrush(qcolor(colour))
        for curve in (self._compared, self.difference):
            curve.setPen(theme.other)
        self._half.setPen(theme.faint)
        for strip in (self.strip, self.below):
            strip.apply_theme(theme)

    def export_table(self) -> Table:
        session = self.host.session
        output = POSITIVE if session is None else output_of(session.frame().snapshot.network)
        return overview_table(self._overview, self._other, self._difference, output)

    def go(self, place: QPointF) -> None:
        """Move the cursor to the word at a place of the plot."""
        self.host.look_at(int(np.floor(place.x())))

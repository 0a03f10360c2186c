"""P(positive) over the whole review; a click or a drag looks there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsRectItem

from explorer.gui.charts import fill, stretch, upright
from explorer.gui.panel import Panel
from explorer.gui.text import as_html
from explorer.gui.theme import Theme
from explorer.session.model import Frame, Session
from explorer.session.series import Overview, other_overview, overview, probability_at
from explorer.session.text import number

if TYPE_CHECKING:
    from explorer.gui.window import Window

COLUMNS = 1000  # more cannot be told apart


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


class OverviewPanel(Panel):
    """Bars up to P(positive), in one colour above one half and another below; a line is the network compared with."""

    name: ClassVar[str] = "overview"
    title: ClassVar[str] = "8 P(positive) over the whole review"
    place: ClassVar[Any] = "bottom"
    every: ClassVar[int] = 2

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self._overview: Overview | None = None
        self._other: Overview | None = None
        self.view = OverviewView(self)
        self.picture = self.plot(view=self.view)
        self.picture.setMinimumHeight(30)
        self.picture.hideAxis("bottom")
        self.picture.getPlotItem().getAxis("left").setTicks([[(0, "0"), (0.5, "½"), (1, "1")]])
        self.view.setYRange(0, 1.02, padding=0)
        self._bars = [pg.PlotCurveItem([0], [], stepMode="center", fillLevel=0, pen=None) for _ in range(2)]
        self._compared = pg.PlotCurveItem([0], [], stepMode="center", connect="finite")
        self._half = pg.InfiniteLine(0.5, angle=0)
        self._here = pg.InfiniteLine(angle=90)
        self._hover, self._part = upright(), QGraphicsRectItem()
        for item in (self._part, *self._bars, self._compared, self._half, self._here, self._hover):
            self.view.addItem(item, ignoreBounds=True)
        self.column.addWidget(self.picture)

    def show_frame(self, session: Session, frame: Frame) -> None:
        theme, snapshot = self.theme, frame.snapshot
        columns = min(COLUMNS, max(1, round(self.view.width())))
        if self.fresh("read", snapshot.run, snapshot.time, columns, theme):
            self._overview = view = overview(session, frame, columns)
            self.view.setXRange(0, max(1, snapshot.words), padding=0)
            for bars, sign in zip(self._bars, (view.values >= 0.5, view.values < 0.5), strict=True):
                bars.setData(view.edges, np.where(sign, view.values, 0.0))
        self._other = other = other_overview(session, frame, columns)
        if self.fresh("other", None if other is None else other.values, snapshot.time, theme):
            empty = np.empty(0)
            self._compared.setData(*((np.zeros(1), empty) if other is None else (other.edges, other.values)))
        self._here.setPos(frame.word + 0.5)
        self._show_links(frame)
        self.say(self._numbers(session, frame))

    def _show_links(self, frame: Frame) -> None:
        """The words that the pictures over time show, where they do not show all, and the word under the mouse."""
        first, last = self.explorer.span.seen(frame)
        whole = last - first >= frame.snapshot.words
        if self.fresh("links", first, last, whole, self.explorer.hovered):
            hovered = self.explorer.hovered
            self._part.setVisible(not whole)
            stretch(self._part, first, last)
            self._hover.setVisible(hovered is not None)
            self._hover.setX((hovered or 0) + 0.5)

    def _numbers(self, session: Session, frame: Frame) -> str:
        here, theme = probability_at(session, frame), self.theme
        text = f"P(positive) <b style='color:{theme.bright}'>{number(here)}</b>"
        compared = session.comparing.comparison(frame)
        if compared is not None and 0 <= frame.word < len(compared.probability):
            there = float(compared.probability[frame.word])
            text += (
                f"&nbsp;&nbsp; <span style='color:{theme.other}'>━ {as_html(compared.name)} <b>{number(there)}</b>"
                f"&nbsp;&nbsp; difference <b>{number(here - there)}</b></span>"
            )
        return f"{text}&nbsp;&nbsp; word {frame.word + 1} of {frame.snapshot.words}, click or drag to go there"

    def paint_theme(self, theme: Theme) -> None:
        for bars, colour in zip(self._bars, (theme.good, theme.bad), strict=True):
            bars.setBrush(QColor(colour))
        self._compared.setPen(theme.other)
        self._hover.setPen(pg.mkPen(theme.dim))
        fill(self._part, theme.dim)
        self._half.setPen(theme.faint)
        self._here.setPen(pg.mkPen(theme.pink, width=2))

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        view, other = self._overview, self._other
        if view is None:
            return ["first_word", "probability"], np.empty((0, 2))
        columns = [view.edges[:-1], view.values] + ([] if other is None else [other.values])
        return ["first_word", "probability", "probability_compared"][: len(columns)], np.stack(columns, axis=1)

    def go(self, place: QPointF) -> None:
        """Look at the word at a place of the picture."""
        self.explorer.look_at(int(np.floor(place.x())))

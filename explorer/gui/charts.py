"""Pictures over time: a view that is zoomed, clicked and brushed alike everywhere, what marks words on it, a scale."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from explorer.gui.theme import Theme, table
from explorer.session.model import Frame, Session

if TYPE_CHECKING:
    from explorer.gui.window import Window

GUTTER = 84  # pixels left of every picture over time, so that words stand above each other
ABOVE = 10  # marks lie over pictures and curves
PLACES = 40  # stretches where the cells of a brush agree that are marked


class TimeBox(pg.ViewBox):  # type: ignore[misc]
    """A view in which x counts words and word w lies between w and w + 1.

    A click looks at the word, a drag brushes words, the wheel zooms, a drag with another button moves, a double click
    shows all. All pictures over time show the same words (`explorer.session.span`). ``cell_at`` tells the cell at a
    height of the picture, None where there is none; a click selects it.
    """

    def __init__(self, explorer: Window, cell_at: Callable[[float], int | None] | None = None) -> None:
        super().__init__(enableMenu=False, defaultPadding=0)
        self._explorer = explorer
        self._cell_at = cell_at or (lambda _: None)
        self.setMouseEnabled(x=True, y=False)
        self.sigRangeChangedManually.connect(self._moved)

    def show_words(self, first: float, last: float) -> None:
        """Show these words, unless they are shown."""
        if self.viewRange()[0] != [first, last]:
            self.setXRange(first, last, padding=0)

    def _moved(self, *_: Any) -> None:
        self._explorer.span.zoom(*self.viewRange()[0])
        self._explorer.redraw()

    def _at(self, scene_position: Any) -> tuple[int, float]:
        place = self.mapSceneToView(scene_position)
        return floor(place.x()), place.y()

    def mouseDragEvent(self, event: Any, axis: Any = None) -> None:
        if event.button() != Qt.MouseButton.LeftButton or axis is not None:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        first, last = self._at(event.buttonDownScenePos())[0], self._at(event.scenePos())[0]
        self._explorer.dragged = None if event.isFinish() else (min(first, last), max(first, last))
        if event.isFinish():
            self._explorer.brush(max(0, first), max(0, last))

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        event.accept()
        if event.double():
            self._explorer.span.whole()
            self._explorer.redraw()
            return
        word, height = self._at(event.scenePos())
        cell = self._cell_at(height)
        if cell is not None:
            self._explorer.select(cell)
        self._explorer.look_at(word)

    def hoverEvent(self, event: Any) -> None:
        if event.isExit():
            self._explorer.hover(None)
        else:
            word, height = self._at(event.scenePos())
            self._explorer.hover(word, self._cell_at(height))


class TimeMarks:
    """What every picture over time shows besides: the word looked at, the one under the mouse, brushed words."""

    def __init__(self, plot: Any) -> None:
        self._cursor = pg.InfiniteLine(angle=90)
        self._hover = pg.InfiniteLine(angle=90)
        self._brush = pg.LinearRegionItem(movable=False)
        self._places: list[Any] = []  # as many as were ever needed at once
        self._plot = plot
        self._theme: Theme | None = None
        self._shown: tuple[object, ...] = ()
        for item in (self._cursor, self._hover, self._brush):
            self._add(item)

    def _add(self, item: Any) -> None:
        item.setZValue(ABOVE)
        item.hide()
        item.setAcceptedMouseButtons(Qt.MouseButton.NoButton)  # no item may take the mouse from the view
        self._plot.addItem(item, ignoreBounds=True)

    def dress(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self._cursor.setPen(theme.pink, width=2)
        self._hover.setPen(theme.dim, style=Qt.PenStyle.DashLine)
        _fill(self._brush, theme.pink)
        for place in self._places:
            _fill(place, theme.good)

    def show(self, explorer: Window, session: Session, frame: Frame) -> None:
        """Mark a frame."""
        words, pattern = session.brushed.words, session.brushed.pattern
        brushed = explorer.dragged or ((words.start, words.stop - 1) if words else None)
        places = pattern.places[:PLACES] if pattern is not None else ()
        shown = (frame.word, explorer.hovered, brushed, places)
        if shown == self._shown:
            return
        before, self._shown = self._shown or (None, None, None, ()), shown
        for line, word, was in ((self._cursor, frame.word, before[0]), (self._hover, explorer.hovered, before[1])):
            if word != was:
                line.setVisible(word is not None and word >= 0)
                line.setValue((word or 0) + 0.5)
        if brushed != before[2]:
            self._brush.setVisible(brushed is not None)
            if brushed is not None:
                self._brush.setRegion((brushed[0], brushed[1] + 1))
        if places != before[3]:
            while len(self._places) < len(places):
                self._places.append(pg.LinearRegionItem(movable=False))
                self._add(self._places[-1])
                if self._theme is not None:
                    _fill(self._places[-1], self._theme.good)
            for number, item in enumerate(self._places):
                item.setVisible(number < len(places))
                if number < len(places):
                    item.setRegion(places[number])


def _fill(region: Any, colour: str) -> None:
    inside = QColor(colour)
    inside.setAlpha(45)
    region.setBrush(inside)
    for line in region.lines:
        line.setPen(colour)


class ColourBar(QWidget):
    """A colour map with the values at its ends."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(190, 16)
        self._shown = ("cividis", "", "")

    def show_map(self, name: str, low: str, high: str) -> None:
        """Show a map of `explorer.session.colours` between two values."""
        if (name, low, high) != self._shown:
            self._shown = (name, low, high)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        name, low, high = self._shown
        painter = QPainter(self)
        metrics = painter.fontMetrics()
        left, right = metrics.horizontalAdvance(low) + 6, metrics.horizontalAdvance(high) + 6
        bar = QRectF(left, 3, max(10, self.width() - left - right), self.height() - 6)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for at in range(0, 256, 15):
            gradient.setColorAt(at / 255, QColor(*table(name)[at].tolist()))
        painter.fillRect(bar, gradient)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, low)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, high)
        painter.end()

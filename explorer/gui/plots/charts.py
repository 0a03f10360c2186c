"""Pictures over time: a view that is zoomed, clicked and brushed alike everywhere, what marks words on it, a scale."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsLineItem, QGraphicsRectItem, QWidget

from explorer.gui.theme import Theme, table
from explorer.session.core import Frame
from explorer.session.session import Session

if TYPE_CHECKING:
    from explorer.gui.window import Window

GUTTER = 84  # pixels left of every picture over time, so that words stand above each other
ABOVE = 10  # marks lie over pictures and curves
FAR = 1e4  # beyond the ends of any picture
PLACES = 40  # stretches where the cells of a brush agree that are marked


class TimeBox(pg.ViewBox):  # type: ignore[misc]
    """A view in which x counts words and word w lies between w and w + 1.

    A click looks at the word, a drag brushes words, the wheel zooms, a drag with another button moves, a double click
    shows all. All pictures over time show the same words (`explorer.session.views.visible_range`).
    ``cell_at`` tells the cell at a
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
    """What every picture over time shows besides: the word looked at, the one under the mouse, brushed words.

    Plain items of Qt, which are painted without Python: they are over every picture and move with every word.
    """

    def __init__(self, plot: Any) -> None:
        self._plot = plot
        self.cursor, self.hover = upright(), upright()
        self.brush = QGraphicsRectItem()
        self.places: list[QGraphicsRectItem] = []  # as many as were ever needed at once
        self._theme: Theme | None = None
        self._shown: tuple[Any, ...] = (None, None, None, ())
        for item in (self.brush, self.cursor, self.hover):
            self._add(item)

    def _add(self, item: QGraphicsItem) -> None:
        item.setZValue(ABOVE)
        item.hide()
        item.setAcceptedMouseButtons(Qt.MouseButton.NoButton)  # no item may take the mouse from the view
        self._plot.getPlotItem().vb.addItem(item, ignoreBounds=True)

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.cursor.setPen(pg.mkPen(theme.pink, width=2))
        self.hover.setPen(pg.mkPen(theme.dim))
        fill(self.brush, theme.pink)
        for place in self.places:
            fill(place, theme.good)

    def show(self, explorer: Window, session: Session, frame: Frame) -> None:
        """Mark a frame."""
        words, pattern = session.brush.words, session.brush.pattern
        brushed = explorer.dragged or ((words.start, words.stop - 1) if words else None)
        places = pattern.places[:PLACES] if pattern is not None else ()
        before, self._shown = self._shown, (frame.word, explorer.hovered, brushed, places)
        for line, word, was in ((self.cursor, frame.word, before[0]), (self.hover, explorer.hovered, before[1])):
            if word != was:
                line.setVisible(word is not None and word >= 0)
                line.setX((word or 0) + 0.5)
        if brushed != before[2]:
            self.brush.setVisible(brushed is not None)
            if brushed is not None:
                stretch(self.brush, brushed[0], brushed[1] + 1)
        if places != before[3]:
            self._show_places(places)

    def _show_places(self, places: tuple[tuple[int, int], ...]) -> None:
        while len(self.places) < len(places):
            self.places.append(QGraphicsRectItem())
            self._add(self.places[-1])
            if self._theme is not None:
                fill(self.places[-1], self._theme.good)
        for number, item in enumerate(self.places):
            item.setVisible(number < len(places))
            if number < len(places):
                stretch(item, *places[number])


def upright() -> QGraphicsLineItem:
    """A line over the whole height of any picture, to be moved along x."""
    return QGraphicsLineItem(0, -FAR, 0, FAR)


def stretch(item: QGraphicsRectItem, first: float, last: float) -> None:
    """Lay a rectangle over the whole height, from one x to another."""
    item.setRect(first, -FAR, last - first, 2 * FAR)


def fill(item: QGraphicsRectItem, colour: str) -> None:
    """Colour a rectangle so that one sees through it."""
    inside = QColor(colour)
    inside.setAlpha(45)
    item.setBrush(inside)
    item.setPen(pg.mkPen(colour))


class ColourBar(QWidget):
    """A colour map with the values at its ends."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(190, 16)
        self._shown = ("cividis", "", "")

    def show_map(self, name: str, low: str, high: str) -> None:
        """Show a map of `explorer.session.palette` between two values."""
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

"""Plots over time: one view with the same mouse gestures everywhere, marks at words, and a colour bar."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsLineItem, QGraphicsRectItem, QWidget

from explorer.gui.host import Host
from explorer.gui.theme import Theme, qcolor, table
from explorer.session.core import Frame
from explorer.session.palette import RGB
from explorer.session.session import Session

GUTTER = 84  # pixels left of every plot over time, so that the same word has the same x in all of them
PAN_STEP = 0.1  # of the visible range, for each notch of the wheel
ABOVE = 10  # z value of marks
FAR = 1e4  # beyond the edge of any plot
MAX_MATCHES = 40  # places matching the brushed pattern that are marked


class TimeViewBox(pg.ViewBox):  # type: ignore[misc]
    """A view whose x axis counts words: word w lies between w and w + 1.

    A click moves the cursor, a left drag brushes words, the wheel zooms, a drag with another button or the wheel with
    Shift pans, a double click resets the zoom. All plots over time share the host's visible range. ``cell_at`` returns
    the cell at a height of the plot or None; a click also selects that cell.
    """

    def __init__(self, host: Host, cell_at: Callable[[float], int | None] | None = None) -> None:
        super().__init__(enableMenu=False, defaultPadding=0)
        self._host = host
        self._cell_at = cell_at or (lambda _: None)
        self.setMouseEnabled(x=True, y=False)
        self.sigRangeChangedManually.connect(self._set_visible_range)

    def show_words(self, first: float, last: float) -> None:
        """Show the words ``first`` to ``last``."""
        if self.viewRange()[0] != [first, last]:
            self.setXRange(first, last, padding=0)

    def _set_visible_range(self, *_: Any) -> None:
        self._host.visible_range.zoom(*self.viewRange()[0])
        self._host.redraw()

    def _word_and_height(self, scene_position: Any) -> tuple[int, float]:
        place = self.mapSceneToView(scene_position)
        return floor(place.x()), place.y()

    def mouseDragEvent(self, event: Any, axis: Any = None) -> None:
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton:
            self._pan(self.mapToView(event.lastPos()).x() - self.mapToView(event.pos()).x())
            return
        first = self._word_and_height(event.buttonDownScenePos())[0]
        last = self._word_and_height(event.scenePos())[0]
        self._host.dragged = None if event.isFinish() else (min(first, last), max(first, last))
        if event.isFinish():
            self._host.brush(max(0, first), max(0, last))

    def _pan(self, words: float) -> None:
        self._host.visible_range.pan(words)
        self._host.redraw()

    def wheelEvent(self, event: Any, axis: Any = None) -> None:
        across = event.orientation() == Qt.Orientation.Horizontal
        if across or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            first, last = self.viewRange()[0]
            event.accept()
            self._pan(-PAN_STEP * (last - first) * event.delta() / 120)
        else:
            super().wheelEvent(event, axis)

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        event.accept()
        if event.double():
            self._host.visible_range.reset()
            self._host.redraw()
            return
        word, height = self._word_and_height(event.scenePos())
        cell = self._cell_at(height)
        if cell is not None:
            self._host.select(cell)
        self._host.look_at(word)

    def hoverEvent(self, event: Any) -> None:
        if event.isExit():
            self._host.hover(None)
        else:
            word, height = self._word_and_height(event.scenePos())
            self._host.hover(word, self._cell_at(height))


class TimeMarks:
    """The cursor, the word under the mouse, brushed words and matches of their pattern, in a plot over time.

    Plain Qt items: they lie over every plot and move with every word, and Qt paints them without calling Python.
    """

    def __init__(self, plot: Any) -> None:
        self._plot = plot
        self.cursor, self.hover = vertical_line(), vertical_line()
        self.brush = QGraphicsRectItem()
        self.matches: list[QGraphicsRectItem] = []  # a pool, hidden when not in use
        self._theme: Theme | None = None
        self._shown: tuple[Any, ...] = (None, None, None, ())
        for item in (self.brush, self.cursor, self.hover):
            self._add(item)

    def _add(self, item: QGraphicsItem) -> None:
        item.setZValue(ABOVE)
        item.hide()
        item.setAcceptedMouseButtons(Qt.MouseButton.NoButton)  # the view handles the mouse
        self._plot.getPlotItem().vb.addItem(item, ignoreBounds=True)

    def apply_theme(self, theme: Theme) -> None:
        """Set the colours."""
        self._theme = theme
        self.cursor.setPen(pg.mkPen(theme.pink, width=2))
        self.hover.setPen(pg.mkPen(theme.dim))
        set_fill(self.brush, theme.pink)
        for match in self.matches:
            set_fill(match, theme.good)

    def show(self, host: Host, session: Session, frame: Frame) -> None:
        """Move the marks to a frame."""
        words, pattern = session.brush.words, session.brush.pattern
        brushed = host.dragged or ((words.start, words.stop - 1) if words else None)
        matches = pattern.places[:MAX_MATCHES] if pattern is not None else ()
        before, self._shown = self._shown, (frame.word, host.hovered, brushed, matches)
        for line, word, previous in ((self.cursor, frame.word, before[0]), (self.hover, host.hovered, before[1])):
            if word != previous:
                line.setVisible(word is not None and word >= 0)
                line.setX((word or 0) + 0.5)
        if brushed != before[2]:
            self.brush.setVisible(brushed is not None)
            if brushed is not None:
                set_interval(self.brush, brushed[0], brushed[1] + 1)
        if matches != before[3]:
            self._show_matches(matches)

    def _show_matches(self, matches: tuple[tuple[int, int], ...]) -> None:
        while len(self.matches) < len(matches):
            self.matches.append(QGraphicsRectItem())
            self._add(self.matches[-1])
            if self._theme is not None:
                set_fill(self.matches[-1], self._theme.good)
        for number, item in enumerate(self.matches):
            item.setVisible(number < len(matches))
            if number < len(matches):
                set_interval(item, *matches[number])


def vertical_line() -> QGraphicsLineItem:
    """Return a line over the whole height of any plot, to be moved along x."""
    return QGraphicsLineItem(0, -FAR, 0, FAR)


def set_interval(item: QGraphicsRectItem, first: float, last: float) -> None:
    """Extend a rectangle from x = ``first`` to ``last`` over the whole height of any plot."""
    item.setRect(first, -FAR, last - first, 2 * FAR)


def set_fill(item: QGraphicsRectItem, colour: RGB) -> None:
    """Fill a rectangle with a translucent colour and outline it."""
    item.setBrush(qcolor(colour, 45))
    item.setPen(pg.mkPen(colour))


class ColourBar(QWidget):
    """A colour map with the values at its ends."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(190, 16)
        self._shown = ("cividis", "", "")

    def show_map(self, name: str, low: str, high: str) -> None:
        """Show a colour map between two values."""
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

"""Plot items that pyqtgraph lacks or draws slowly: line segments in many colours, labels, spots that move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from explorer.gui.text import safe
from explorer.gui.theme import qcolor
from explorer.session.palette import RGB

Floats = NDArray[np.float64]
PAD = 6.0  # pixels between a mark and its label


class Spots(pg.ScatterPlotItem):  # type: ignore[misc]
    """Spots that leave the mouse to the view and can move without a new `setData`."""

    def move(self, places: Floats) -> None:
        """Move the spots to ``places`` (spot, 2)."""
        self.data["x"], self.data["y"] = places.T
        self.prepareGeometryChange()
        self.bounds = [None, None]
        self.update()

    def paint(self, painter: QPainter, *rest: Any) -> None:
        if len(self.data):
            super().paint(painter, *rest)

    def mouseClickEvent(self, event: Any) -> None:
        event.ignore()


class Overlay(pg.GraphicsObject):  # type: ignore[misc]
    """An item that covers the whole view and does not affect its range."""

    def boundingRect(self) -> QRectF:
        return QRectF(self.viewRect())

    def viewTransformChanged(self) -> None:
        super().viewTransformChanged()
        self.prepareGeometryChange()

    def dataBounds(self, axis: int, frac: float = 1.0, orthoRange: Any = None) -> tuple[None, None]:
        return None, None


class LineSegments(Overlay):
    """Straight lines, each with its own colour."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self._width = width
        self._lines: list[QLineF] = []
        self._colours: list[QColor] = []

    def draw(self, lines: Floats, colours: Sequence[QColor]) -> None:
        """Draw ``lines`` (line, end, 2) in one colour each, or all in the only colour given."""
        self._lines = [QLineF(*begin, *end) for begin, end in lines.tolist()]
        self._colours = list(colours) * (len(self._lines) if len(colours) == 1 else 1)
        self.update()

    def paint(self, painter: QPainter, *_: Any) -> None:
        # Antialiasing makes wide lines ten times slower.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, self._width <= 1)
        for line, colour in zip(self._lines, self._colours, strict=True):
            pen = QPen(colour, self._width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLine(line)


class Labels(Overlay):
    """Short texts, ``pad`` pixels to the right of their places, at the same size at every zoom."""

    def __init__(self, pad: float = PAD) -> None:
        super().__init__()
        self._pad = pad
        self._texts: list[tuple[float, float, str]] = []
        self._text, self._ground = QColor("white"), QColor("black")

    def apply_theme(self, text: RGB, ground: RGB, cover: float = 1.0) -> None:
        """Set the colours of text and background, and the opacity of the background."""
        self._text, self._ground = qcolor(text), qcolor(ground, round(255 * cover))
        self.update()

    def write(self, places: Floats, texts: Sequence[str]) -> None:
        """Write ``texts`` at ``places`` (text, 2)."""
        shown = ("\n".join(safe(line) for line in text.split("\n")) for text in texts)
        self._texts = [(x, y, text) for (x, y), text in zip(places.tolist(), shown, strict=True)]
        self.update()

    @property
    def texts(self) -> list[str]:
        """The texts that are shown."""
        return [text for _, _, text in self._texts]

    def paint(self, painter: QPainter, *_: Any) -> None:
        across, up = self.getViewBox().viewPixelSize()
        if not self._texts or not across or not up:  # a view without a size, whose errors would end the process
            return
        painter.scale(across, -up)  # to pixels, y downwards
        seen = QRectF(self.viewRect())
        left, right = seen.left() / across, seen.right() / across
        metrics = QFontMetricsF(painter.font())
        for x, y, text in self._texts:
            room = metrics.boundingRect(QRectF(), Qt.AlignmentFlag.AlignLeft, text).adjusted(0, 0, 2, 0)
            room.moveLeft(x / across + self._pad)
            if room.right() > right and room.width() < x / across - left:  # does not fit to the right of its place
                room.moveRight(x / across - self._pad)
            room.moveLeft(max(left, min(room.left(), right - room.width())))
            room.moveCenter(QPointF(room.center().x(), -y / up))
            painter.fillRect(room.adjusted(-3, 0, 1, 0), self._ground)
            painter.setPen(self._text)
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft, text)


def fading_colours(colour: RGB, count: int, weakest: float = 0.06) -> list[QColor]:
    """Return a colour ``count`` times, its opacity rising from ``weakest`` to 1."""
    return [qcolor(colour, round(255 * alpha)) for alpha in np.linspace(weakest, 1, count).tolist()]

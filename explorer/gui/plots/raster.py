"""Pictures of colour map positions that grow word by word: only new columns are painted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem

from explorer.gui.theme import table


class Raster(QGraphicsItem):
    """An image whose columns are one unit wide, in a place that it may fill by and by."""

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self._room = QRectF()
        self._place: tuple[float, ...] = ()
        self._codes: NDArray[np.uint8] = np.empty((0, 0), dtype=np.uint8)
        self._image = QImage()
        self._map = ""
        self._colours: list[int] = []

    def show_codes(self, codes: NDArray[np.uint8], map: str, place: QRectF) -> None:
        """Show (row, column), the first columns of a place that has room for as many as it is wide."""
        before = self._codes
        rows, columns = codes.shape
        where = (rows, place.x(), place.y(), place.width(), place.height())
        there = before.shape[1]
        same = map == self._map and where == self._place and there <= columns
        if same and there == columns and np.array_equal(before, codes):
            return
        if map != self._map:
            self._map, self._colours = map, [QColor(*colour).rgb() for colour in table(map).tolist()]
        self._codes = np.ascontiguousarray(codes)  # which the image draws from
        self._image = QImage(self._codes.data, columns, rows, columns, QImage.Format.Format_Indexed8)
        self._image.setColorTable(self._colours)
        if same and np.array_equal(before, codes[:, :there]):
            self.update(QRectF(there, 0, columns - there, rows))
            return
        self.prepareGeometryChange()
        self._place, self._room = where, QRectF(0, 0, place.width(), rows)
        down = place.height() / rows if rows else 1.0
        self.setTransform(QTransform.fromTranslate(place.x(), place.y()).scale(1, down))
        self.update()

    def boundingRect(self) -> QRectF:
        return self._room

    def paint(self, painter: QPainter, *_: Any) -> None:
        rows, columns = self._codes.shape
        if rows and columns:
            painter.drawImage(QRectF(0, 0, columns, rows), self._image)

"""Images of colour-map codes that grow word by word; only new columns are painted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem

from explorer.gui.theme import table


class Raster(QGraphicsItem):
    """An image whose columns are one unit wide and fill a given rectangle from the left."""

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self._bounds = QRectF()
        self._geometry: tuple[float, ...] = ()
        self._codes: NDArray[np.uint8] = np.empty((0, 0), dtype=np.uint8)
        self._image = QImage()
        self._map = ""
        self._colours: list[int] = []

    def show_codes(self, codes: NDArray[np.uint8], map_name: str, place: QRectF) -> None:
        """Show ``codes`` (row, column) in ``place``, which may be wider than there are columns yet."""
        before = self._codes
        rows, columns = codes.shape
        geometry = (rows, place.x(), place.y(), place.width(), place.height())
        drawn = before.shape[1]
        grows = map_name == self._map and geometry == self._geometry and drawn <= columns
        if grows and drawn == columns and np.array_equal(before, codes):
            return
        if map_name != self._map:
            self._map, self._colours = map_name, [QColor(*colour).rgb() for colour in table(map_name).tolist()]
        self._codes = np.ascontiguousarray(codes)  # the image refers to this memory
        self._image = QImage(self._codes.data, columns, rows, columns, QImage.Format.Format_Indexed8)
        self._image.setColorTable(self._colours)
        if grows and np.array_equal(before, codes[:, :drawn]):
            self.update(QRectF(drawn, 0, columns - drawn, rows))
            return
        self.prepareGeometryChange()
        self._geometry, self._bounds = geometry, QRectF(0, 0, place.width(), rows)
        row_height = place.height() / rows if rows else 1.0
        self.setTransform(QTransform.fromTranslate(place.x(), place.y()).scale(1, row_height))
        self.update()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, *_: Any) -> None:
        rows, columns = self._codes.shape
        if rows and columns:
            painter.drawImage(QRectF(0, 0, columns, rows), self._image)

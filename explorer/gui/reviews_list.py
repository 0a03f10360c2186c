"""The list of reviews: search, sort, double click opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
)
from PySide6.QtGui import QBrush, QColor, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QTableView, QWidget

from explorer.gui.panel import Panel
from explorer.gui.text import safe
from explorer.session.model import Frame, Session
from explorer.session.text import number

if TYPE_CHECKING:
    from engine.reviews import Review
    from explorer.gui.window import Window

Index = QModelIndex | QPersistentModelIndex
HEADINGS = ("#", "±", "name", "signs")
TYPING = 150  # milliseconds without a key before a search begins
_MARKS = {True: "+", False: "−", None: "·"}
_OWN_KEYS = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End}


class ReviewsModel(QAbstractTableModel):
    """Number, label, name and length of every review, and further columns of numbers (`set_columns`)."""

    def __init__(self) -> None:
        super().__init__()
        self.reviews: Sequence[Review] = ()
        self.present = -1
        self._more: dict[str, NDArray[np.float64]] = {}
        self.highlight = QColor()

    def set_reviews(self, reviews: Sequence[Review]) -> None:
        self.beginResetModel()
        self.reviews = reviews
        self._more = {}
        self.endResetModel()

    def set_columns(self, more: dict[str, NDArray[np.float64]]) -> None:
        """Numbers by review, (review,) each, NaN where unknown."""
        if list(more) == list(self._more):
            self._more = more
            if more and self.reviews:
                self.dataChanged.emit(
                    self.index(0, len(HEADINGS)), self.index(self.rowCount() - 1, self.columnCount() - 1)
                )
        else:
            self.beginResetModel()
            self._more = more
            self.endResetModel()

    def set_present(self, index: int) -> None:
        """Mark the review that is open."""
        before, self.present = self.present, index
        for row in {before, index} - {-1}:
            self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.reviews)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return len(HEADINGS) + len(self._more)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return (*HEADINGS, *self._more)[section]
        return None

    def value(self, row: int, column: int) -> Any:
        """What a place is sorted by."""
        review = self.reviews[row]
        if column < len(HEADINGS):
            return (row, _MARKS[review.label], review.name, len(review.text))[column]
        values = list(self._more.values())[column - len(HEADINGS)]
        return float(values[row]) if row < len(values) and np.isfinite(values[row]) else -np.inf

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            value = self.value(index.row(), index.column())
            if index.column() == 0:
                return str(value + 1)
            if isinstance(value, float):
                return number(value)
            return safe(str(value), 80)
        if role == Qt.ItemDataRole.UserRole:
            return self.value(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return safe(self.reviews[index.row()].text, 400)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() not in (1, 2):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole and index.row() == self.present:
            return QBrush(self.highlight)
        return None


class Found(QSortFilterProxyModel):
    """The reviews in whose name or text every word searched for stands."""

    def __init__(self, model: ReviewsModel) -> None:
        super().__init__()
        self._model = model
        self._wanted: list[str] = []
        self.setSourceModel(model)
        self.setSortRole(Qt.ItemDataRole.UserRole)

    def search(self, text: str) -> None:
        self._wanted = text.lower().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        if not self._wanted:
            return True
        review = self._model.reviews[row]
        text = f"{review.name} {review.text}".lower()
        return all(part in text for part in self._wanted)

    def lessThan(self, left: Index, right: Index) -> bool:
        a, b = self._model.value(left.row(), left.column()), self._model.value(right.row(), right.column())
        return bool(a < b)


class Table(QTableView):
    """A table that keeps the keys that move in it, and Enter, while it has the focus."""

    def __init__(self, choose: Callable[[], None]) -> None:
        super().__init__()
        self._choose = choose

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and event.key() in _OWN_KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        else:
            super().keyPressEvent(event)


class ReviewsPanel(Panel):
    """Search above, the table below; Enter or a double click opens."""

    name = "reviews"
    title = "Reviews"
    place = "list"
    every = 10

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self.search = QLineEdit()
        self.search.setPlaceholderText("search names and texts")
        self.search.setClearButtonEnabled(True)
        self.model = ReviewsModel()
        self.found = Found(self.model)
        self.table = Table(self._open_current)
        self.table.setModel(self.found)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(20)
        header = self.table.horizontalHeader()
        header.setMinimumSectionSize(18)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate((44, 22, 150, 48)):
            self.table.setColumnWidth(column, width)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.doubleClicked.connect(self._open_current)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(TYPING)
        self._pause.timeout.connect(self._search)
        self.search.textChanged.connect(self._pause.start)
        self.search.returnPressed.connect(self._leave_search)
        self.column.addWidget(self.search)
        self.column.addWidget(self.table)
        self.setFocusProxy(self.search)

    def paint_theme(self, theme: Any) -> None:
        self.model.highlight = QColor(theme.pink)

    def show_frame(self, session: Session, frame: Frame) -> None:
        if self.model.reviews is not session.reviews:
            self.model.set_reviews(session.reviews)
        if self.fresh("present", session.index):
            self.model.set_present(session.index)
        self.say(f"{self.found.rowCount():,} of {len(session.reviews):,} reviews, double click opens")

    def focus_list(self) -> QWidget:
        """Where the arrow keys move through the reviews."""
        return self.table

    def _search(self) -> None:
        self.found.search(self.search.text())
        if self.found.rowCount():
            self.table.selectRow(0)
        self.explorer.redraw()

    def _leave_search(self) -> None:
        self._pause.stop()
        self._search()
        self.table.setFocus()

    def _open_current(self) -> None:
        session, index = self.explorer.session, self.table.currentIndex()
        if session is not None and index.isValid():
            row = self.found.mapToSource(index).row()
            self.explorer.attempt(lambda: session.open_review(row))

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        """The list as it is searched and sorted."""
        rows = [self.found.mapToSource(self.found.index(row, 0)).row() for row in range(self.found.rowCount())]
        columns = range(self.model.columnCount())
        headings = [str(self.model.headerData(column, Qt.Orientation.Horizontal)) for column in columns]
        table = [[self.model.value(row, column) for column in columns] for row in rows]
        return headings, np.array(table, dtype=object).reshape(len(rows), len(headings))

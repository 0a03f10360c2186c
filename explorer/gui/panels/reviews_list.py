"""Panel 9: the list of reviews, to search, sort and open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QTimer,
)
from PySide6.QtGui import QBrush, QColor, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QTableView

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.text import safe
from explorer.gui.theme import Theme, qcolor
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import count, number
from explorer.session.views.outputs import POSITIVE, Output, output_of
from explorer.session.views.runs import Run, join
from explorer.session.views.tables import Table, reviews_table
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.reviews import Review

Index = QModelIndex | QPersistentModelIndex
HEADINGS = ("#", "±", "name", "length")
HINT = "Enter or double click opens"
MEASURED = ("β h", "β x", "P")  # columns that are added once the corpus is measured
MAX_SEARCH = 200  # characters of a search that are saved
NUMBER_WIDTH = 44  # pixels
TYPING_PAUSE = 150  # milliseconds without a key after which a search starts
_MARKS = {True: "+", False: "−", None: "·"}
_ORDER = {False: 0, None: 1, True: 2}
_OWN_KEYS = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End}


class ReviewsModel(QAbstractTableModel):
    """Number, label, name and length in characters of every review, and further columns of numbers (`set_columns`).

    The model searches and sorts itself: a `QSortFilterProxyModel` would be too slow for tens of thousands of reviews.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reviews: Sequence[Review] = ()
        self._count = 0  # reviews that are shown or searched
        self.present = -1
        self.highlight = QColor()
        self.shown: NDArray[np.intp] = np.empty(0, dtype=np.intp)  # indices of reviews, in the order of the rows
        self._more: dict[str, NDArray[np.float64]] = {}
        self._output = POSITIVE
        self._wanted: list[str] = []
        self.sorted: tuple[int, bool] = (0, False)  # column, descending

    def set_reviews(self, reviews: Sequence[Review]) -> None:
        """Show other reviews."""
        self.reviews, self._more, self._count = reviews, {}, len(reviews)
        if self.sorted[0] >= self.columnCount():
            self.sorted = 0, False
        self._fill()

    def extend(self) -> None:
        """Show the reviews that were added to the source."""
        first, total = self._count, len(self.reviews)
        self._count = total
        missing = np.full(total - first, np.nan)
        self._more = {name: np.append(values, missing) for name, values in self._more.items()}
        if self._wanted or self.sorted != (0, False):
            self._fill()
            return
        self.beginInsertRows(QModelIndex(), first, total - 1)
        self.shown = np.arange(total)
        self.endInsertRows()

    @property
    def grown(self) -> bool:
        """Whether reviews were added to the source."""
        return len(self.reviews) > self._count

    def set_columns(self, more: dict[str, NDArray[np.float64]], output: Output = POSITIVE) -> None:
        """Set columns of numbers, each (review,), NaN where unknown; ``output`` is what column ``P`` holds."""
        self._more, self._output = more, output
        self._fill()

    def set_present(self, index: int) -> None:
        """Highlight the open review."""
        self.present = index
        if len(self.shown):
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))

    def search(self, text: str) -> None:
        """Show only reviews whose name or text contains every word of ``text``."""
        self._wanted = text.lower().split()
        self._fill()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the rows; unknown values come last in both directions."""
        self.sorted = column, order == Qt.SortOrder.DescendingOrder
        self._fill()

    def _fill(self) -> None:
        self.beginResetModel()
        reviews, wanted = self.reviews, self._wanted
        found = [k for k in range(self._count) if not wanted or _holds(reviews[k], wanted)]
        shown = np.array(found, dtype=np.intp)
        column, descending = self.sorted
        if column < self.columnCount() and (column or descending):
            keys = self._keys(column)[shown]
            shown = shown[np.argsort(-keys if descending else keys, kind="stable")]
        self.shown = shown
        self.endResetModel()

    def _keys(self, column: int) -> NDArray[Any]:
        """Return sort keys, (review,)."""
        if column >= len(HEADINGS):
            return list(self._more.values())[column - len(HEADINGS)]
        if column == 0:
            return np.arange(len(self.reviews))
        if column == 1:
            return np.array([_ORDER[review.label] for review in self.reviews])
        if column == 3:
            return np.array([review.length for review in self.reviews])
        names = np.array([review.name for review in self.reviews])
        return np.unique(names, return_inverse=True)[1]

    def export_table(self) -> Table:
        """Return the rows as numbers."""
        names = {"β h": "beta_h", "β x": "beta_x", "P": self._output.column}
        return reviews_table(
            self.reviews, self.shown.tolist(), {names[name]: values for name, values in self._more.items()}
        )

    # ---- QAbstractTableModel -------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return len(HEADINGS) + len(self._more)

    def column_name(self, column: int) -> str:
        """Return the name of a column in the saved state."""
        return (*HEADINGS, *self._more)[column]

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            name = self.column_name(section)
            return self._output.short if name == "P" and not self._output.positive else name
        return None

    def cell_text(self, row: int, column: int) -> str:
        """Return the text of a table cell."""
        index = int(self.shown[row])
        review = self.reviews[index]
        if column < len(HEADINGS):
            return safe(str((index + 1, _MARKS[review.label], review.name, review.length)[column]), 80)
        return number(float(list(self._more.values())[column - len(HEADINGS)][index]))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cell_text(index.row(), index.column())
        review = int(self.shown[index.row()])
        if role == Qt.ItemDataRole.ToolTipRole:
            return safe(self.reviews[review].text or self.reviews[review].summary, 400)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() not in (1, 2):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole and review == self.present:
            return QBrush(self.highlight)
        return None


def _holds(review: Review, wanted: Sequence[str]) -> bool:
    text = f"{review.name} {review.text}".lower()
    return all(part in text for part in wanted)


class TableView(QTableView):
    """A table that handles the arrow keys and Enter itself while it has the focus; they are no shortcuts then."""

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
    """A search box and the table; Enter or a double click opens a review. Search and sort order are saved."""

    name = "reviews"
    title = "Reviews"
    place = "list"
    every = 10
    readout_rows = 2

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search names and texts")
        self.search.setClearButtonEnabled(True)
        self.model = ReviewsModel()
        self.table = TableView(self._open_current)
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(20)
        header = self.table.horizontalHeader()
        header.setMinimumSectionSize(18)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate((44, 22, 150, 54)):
            self.table.setColumnWidth(column, width)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.doubleClicked.connect(self._open)
        self._search_later = "", ""  # a search and the reviews that it belongs to
        self._sort_later: tuple[str, bool] | None = None  # by a column that does not exist yet
        header.sortIndicatorChanged.connect(self._forget_later)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(TYPING_PAUSE)
        self._pause.timeout.connect(self._search)
        self.search.textChanged.connect(self._pause.start)
        self.search.returnPressed.connect(self._leave_search)
        self.column.addWidget(self.search)
        self.column.addWidget(self.table)
        self.setFocusProxy(self.search)

    def paint_theme(self, theme: Theme) -> None:
        self.model.highlight = qcolor(theme.pink)

    def show_frame(self, session: Session, frame: Frame) -> None:
        if self.model.reviews is not session.reviews:
            self.model.set_reviews(session.reviews)
            searched, source = self._search_later
            self._search_later = "", ""
            if searched and source == _source(session.reviews):
                self._set_search(searched)
        elif self.model.grown:
            self.model.extend()
        if self.host.panel_in_view("corpus"):  # it requests the measuring
            rows = session.corpus.rows(frame)
            if self.changed("corpus", len(rows), frame.snapshot.network) and len(rows):
                self.model.set_columns(_columns(rows, len(session.reviews)), output_of(frame.snapshot.network))
                for column in range(len(HEADINGS), self.model.columnCount()):
                    self.table.setColumnWidth(column, NUMBER_WIDTH)
                if self._sort_later is not None:
                    self._sort(*self._sort_later)
        if self.changed("present", session.index):
            self.model.set_present(session.index)
        names = unit_names(frame.snapshot.network).sequence
        self.set_readout(join(((Run(_summary(self.model.rowCount(), len(session.reviews), names)),), (Run(HINT),))))

    def saved_state(self) -> dict[str, Any]:
        column, descending = self.model.sorted
        name = self.model.column_name(column)
        name, descending = self._sort_later or (name, descending)
        searched = {"search": self.search.text(), "source": _source(self.model.reviews)}
        if not self.model.reviews:  # nothing was opened: store what was restored
            searched = dict(zip(("search", "source"), self._search_later, strict=True))
        return {**super().saved_state(), **searched, "sort": name, "falling": descending}

    def restore(self, saved: Mapping[str, Any]) -> None:
        super().restore(saved)
        searched, source, name, descending = (saved.get(part) for part in ("search", "source", "sort", "falling"))
        if isinstance(searched, str) and isinstance(source, str):
            self._search_later = searched[:MAX_SEARCH], source
        if name in (*HEADINGS, *MEASURED) and isinstance(descending, bool):
            self._sort(name, descending)

    def _set_search(self, text: str) -> None:
        self.search.setText(text)
        self._pause.stop()
        self.model.search(text)

    def _sort(self, name: str, descending: bool) -> None:
        """Sort by a column, or as soon as it exists."""
        columns = range(self.model.columnCount())
        headings = [self.model.headerData(column, Qt.Orientation.Horizontal) for column in columns]
        self._sort_later = None if name in headings else (name, descending)
        if name in headings:
            order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
            self.table.sortByColumn(headings.index(name), order)

    def _forget_later(self, *_: Any) -> None:
        self._sort_later = None

    def _search(self) -> None:
        self.model.search(self.search.text())
        if self.model.rowCount():
            self.table.selectRow(0)
        self.host.redraw()

    def _leave_search(self) -> None:
        self._pause.stop()
        self._search()
        self.table.setFocus()

    def _open_current(self) -> None:
        self._open(self.table.currentIndex())

    def _open(self, index: QModelIndex) -> None:
        session = self.host.session
        if session is not None and index.isValid():
            review = int(self.model.shown[index.row()])
            self.host.run_guarded(lambda: session.open_review(review))

    def export_table(self) -> Table:
        return self.model.export_table()


def _source(reviews: Sequence[Review]) -> str:
    """Return what identifies a source of reviews."""
    return f"{len(reviews)} from {reviews[0].name}" if reviews else ""


def _summary(shown: int, total: int, name: str) -> str:
    return count(total, name) if shown == total else f"{shown:,} of {count(total, name)}"


def _columns(rows: NDArray[np.void], reviews: int) -> dict[str, NDArray[np.float64]]:
    """Return β of h, β of x and the first output, (review,) each, NaN where not measured yet."""
    out = {name: np.full(reviews, np.nan) for name in MEASURED}
    if len(rows):
        for name, values in zip(MEASURED, (*rows["beta"].T, rows["probability"]), strict=True):
            out[name][rows["review"]] = values
    return out

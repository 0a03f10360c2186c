"""The table of cells, in the session's order or sorted by a column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from explorer.gui.theme import DARK, Theme, qcolor
from explorer.session.views.cell_readouts import (
    ACCURACY_HEADING,
    ACCURACY_MEANING,
    CELL_HEADINGS,
    CELL_MEANINGS,
    MARKS_MEANING,
    accuracy_text,
    cell_text,
)
from explorer.session.views.traces import CellRow

Index = Any  # QModelIndex or QPersistentModelIndex
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
KEYS: tuple[Callable[[CellRow], float], ...] = (
    lambda row: row.cell,
    lambda row: row.value,
    lambda row: 2 * row.alpha - 1,
    lambda row: row.activity,
    lambda row: row.saturation,
    lambda row: row.weight,
    lambda row: row.dead,
    lambda row: row.accuracy_without,
)
HEADINGS = ("cell", *CELL_HEADINGS, "dead", f"{ACCURACY_HEADING} %")
MEANINGS = (MARKS_MEANING, *CELL_MEANINGS, "σ below the threshold", ACCURACY_MEANING)
ACCURACY = len(HEADINGS) - 1  # a column that is hidden until it is measured
VALUE = 1  # the column whose heading is the chosen signal


class CellModel(QAbstractTableModel):
    """Rows of the session's cell table; ``by`` is the column they are sorted by, None for the session's order."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[CellRow] = []
        self.by: int | None = None
        self.descending = True
        self.theme: Theme = DARK
        self.signal_name = "h"
        self._given: list[CellRow] = []  # in the session's order
        self._order: list[int] = []
        self._texts: dict[int, tuple[str, ...]] = {}  # those of the rows in view, by row

    def set_rows(self, rows: list[CellRow], *, reorder: bool) -> None:
        """Show these rows. Unless ``reorder``, a sorted table keeps its order: moving rows cannot be read."""
        by, self._given = self.by, rows
        if by is not None:
            keys = {row.cell: KEYS[by](row) for row in rows}
            place = {cell: at for at, cell in enumerate(self._order)}
            if reorder or len(place) != len(rows):
                sign = -1 if self.descending else 1
                rows = sorted(rows, key=lambda row: (not np.isfinite(keys[row.cell]), sign * keys[row.cell]))
            else:
                rows = sorted(rows, key=lambda row: place[row.cell])
        self._order = [row.cell for row in rows]
        if rows != self.rows:
            self._texts.clear()
        if len(rows) != len(self.rows):
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
        elif rows != self.rows:
            self.rows = rows
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(HEADINGS) - 1))

    def sort_by(self, column: int) -> None:
        """Sort by a column in descending order, then ascending, then in the session's order again."""
        if column != self.by:
            self.by, self.descending = column, True
        elif self.descending:
            self.descending = False
        else:
            self.by = None
        self.set_rows(self._given, reorder=True)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(HEADINGS) - 1)

    # ---- QAbstractTableModel -------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = None) -> int:
        return len(self.rows)

    def columnCount(self, parent: Index = None) -> int:
        return len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and section:
            return RIGHT
        if role == Qt.ItemDataRole.DisplayRole:
            arrow = "" if section != self.by else " ▾" if self.descending else " ▴"
            return (self.signal_name if section == VALUE else HEADINGS[section]) + arrow
        return MEANINGS[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._texts_of(index.row())[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole:
            row, theme = self.rows[index.row()], self.theme
            return qcolor(theme.warning if row.clamps else theme.dim if row.dead else theme.text)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return RIGHT
        return None

    def _texts_of(self, number: int) -> tuple[str, ...]:
        texts = self._texts.get(number)
        if texts is None:
            row = self.rows[number]
            text = cell_text(row)
            texts = self._texts[number] = (
                f"{text.name} {text.mark}",
                *text.numbers,
                "†" if row.dead else "",
                accuracy_text(row),
            )
        return texts


class CellTable(QTableView):
    """The table; ``chosen`` is emitted for a clicked cell."""

    chosen: ClassVar[Signal] = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.cells = CellModel()
        self.setModel(self.cells)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the window
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setMinimumHeight(60)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 4)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(20)
        header.setSectionsClickable(True)
        header.sectionClicked.connect(self.cells.sort_by)
        self.setColumnHidden(ACCURACY, True)
        self.clicked.connect(lambda index: self.chosen.emit(self.cells.rows[index.row()].cell))

    def show_rows(self, rows: list[CellRow], theme: Theme, signal: str, *, reorder: bool) -> None:
        """Show these rows, and scroll to the selected one when the selection changes."""
        cells = self.cells
        if (theme, signal) != (cells.theme, cells.signal_name):
            cells.theme, cells.signal_name = theme, signal
            cells.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(HEADINGS) - 1)
        before = self.currentIndex().row()
        cells.set_rows(rows, reorder=reorder)
        selected = next((k for k, row in enumerate(cells.rows) if row.selected), -1)
        if selected != before or (selected >= 0 and not self.selectionModel().hasSelection()):
            flags = QItemSelectionModel.SelectionFlag
            index = cells.index(selected, 0) if selected >= 0 else QModelIndex()
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            if selected >= 0:
                self.scrollTo(index)
            else:
                self.clearSelection()

    def cell_at(self, place: QPoint) -> int | None:
        """Return the cell at a place of the viewport."""
        index = self.indexAt(place)
        return self.cells.rows[index.row()].cell if index.isValid() else None

"""The table of cells: every number of every cell, in the session's order or by any column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from explorer.gui.theme import DARK, Theme
from explorer.session.views.cell_readouts import cell_text
from explorer.session.views.traces import CellRow

Index = Any  # QModelIndex or QPersistentModelIndex
_NUMBERS = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_Shown = tuple[str, Callable[[CellRow], float], Callable[[CellRow], str], str]
COLUMNS: tuple[_Shown, ...] = (
    ("cell", lambda r: r.cell, lambda r: f"#{r.cell:03d} {r.mark}", "∅ silenced, = a gate held, † dead, * pinned"),
    ("", lambda r: r.value, lambda r: cell_text(r).numbers[0], "the chosen signal at the word looked at"),
    (
        "β",
        lambda r: 2 * r.alpha - 1,
        lambda r: cell_text(r).numbers[1],
        "rolling exponent of the chosen signal, 2α − 1",
    ),
    ("σ", lambda r: r.activity, lambda r: cell_text(r).numbers[2], "activity: standard deviation of h in the window"),
    (
        "sat",
        lambda r: r.saturation,
        lambda r: cell_text(r).numbers[3],
        "share of words in the outer tenths of its range",
    ),
    ("weight", lambda r: r.weight, lambda r: cell_text(r).numbers[4], "in the readout"),
    ("dead", lambda r: r.dead, lambda r: "†" if r.dead else "", "σ below the threshold"),
)


class CellModel(QAbstractTableModel):
    """Rows of the session's table; ``by`` is the column they are sorted by, None for the session's order."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[CellRow] = []
        self.by: int | None = None
        self.falling = True
        self.theme: Theme = DARK
        self.signal_name = "h"
        self._given: list[CellRow] = []  # in the session's order
        self._order: list[int] = []

    def take(self, rows: list[CellRow], *, settled: bool) -> None:
        """Show these rows. Until they are ``settled`` a sorted table keeps its order: moving rows cannot be read."""
        by, self._given = self.by, rows
        if by is not None:
            keys = {row.cell: COLUMNS[by][1](row) for row in rows}
            place = {cell: at for at, cell in enumerate(self._order)}
            if settled or len(place) != len(rows):
                sign = -1 if self.falling else 1
                rows = sorted(rows, key=lambda row: (not np.isfinite(keys[row.cell]), sign * keys[row.cell]))
            else:
                rows = sorted(rows, key=lambda row: place[row.cell])
        self._order = [row.cell for row in rows]
        if len(rows) != len(self.rows):
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
        elif rows != self.rows:
            self.rows = rows
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))

    def sort_by(self, column: int) -> None:
        """By a column, highest first; again: lowest first; once more: the session's order."""
        if column != self.by:
            self.by, self.falling = column, True
        elif self.falling:
            self.falling = False
        else:
            self.by = None
        self.take(self._given, settled=True)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)

    # ---- what Qt asks ------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = None) -> int:
        return len(self.rows)

    def columnCount(self, parent: Index = None) -> int:
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and section:
            return _NUMBERS
        title, _, _, meaning = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            arrow = "" if section != self.by else " ▾" if self.falling else " ▴"
            return (title or self.signal_name) + arrow
        return meaning if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, at = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[at][2](row)
        if role == Qt.ItemDataRole.ForegroundRole:
            theme = self.theme
            return QColor(theme.other if row.clamps else theme.dim if row.dead else theme.text)
        if role == Qt.ItemDataRole.TextAlignmentRole and at:
            return _NUMBERS
        return None


class CellTable(QTableView):
    """``chosen`` tells a cell that was clicked, ``asked`` one whose context menu is wanted, and where."""

    chosen: ClassVar[Signal] = Signal(int)
    asked: ClassVar[Signal] = Signal(int, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.cells = CellModel()
        self.setModel(self.cells)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys are the window's
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
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.clicked.connect(lambda index: self.chosen.emit(self.cells.rows[index.row()].cell))
        self.customContextMenuRequested.connect(self._ask)

    def show_rows(self, rows: list[CellRow], theme: Theme, signal: str, *, settled: bool) -> None:
        """Show these rows; the selected one is kept in sight when another is selected."""
        cells = self.cells
        if (theme, signal) != (cells.theme, cells.signal_name):
            cells.theme, cells.signal_name = theme, signal
            cells.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
        before = self.currentIndex().row()
        cells.take(rows, settled=settled)
        at = next((k for k, row in enumerate(cells.rows) if row.selected), -1)
        if at != before or (at >= 0 and not self.selectionModel().hasSelection()):
            flags = QItemSelectionModel.SelectionFlag
            index = cells.index(at, 0) if at >= 0 else QModelIndex()
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            if at >= 0:
                self.scrollTo(index)
            else:
                self.clearSelection()

    def _ask(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if index.isValid():
            self.asked.emit(self.cells.rows[index.row()].cell, self.viewport().mapToGlobal(place))

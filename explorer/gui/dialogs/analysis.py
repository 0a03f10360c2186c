"""Base of the dialogs of analyses: lines of numbers above, a clock that updates them, and a button that saves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from explorer.gui.dialogs.base import Dialog
from explorer.gui.text import rich_text, safe
from explorer.gui.theme import Theme, role_colour
from explorer.session.core import SessionError
from explorer.session.save_table import save_table
from explorer.session.session import Session
from explorer.session.views.runs import Line, Run
from explorer.session.views.tables import Table

POLL = 100  # milliseconds


class RowsTable(QTableWidget):
    """A table of which whole rows are selected. Numbers, and the words in front of a word, are aligned to the right.

    Parameters
    ----------
    headings : sequence of str
    left : sequence of int
        The columns that are aligned to the left.
    stretched : int
        The column that takes the room left.
    """

    def __init__(self, headings: Sequence[str], left: Sequence[int], stretched: int) -> None:
        super().__init__(0, len(headings))
        self._left = left
        self.setHorizontalHeaderLabels(list(headings))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)

    def fill(self, rows: Sequence[Sequence[Run]], theme: Theme) -> None:
        """Show rows, one run of text a column."""
        self.setRowCount(len(rows))
        for row, runs in enumerate(rows):
            for column, run in enumerate(runs):
                item = QTableWidgetItem(safe(run.text))
                item.setForeground(role_colour(theme, run.role))
                if column not in self._left:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(row, column, item)
        if rows and self.currentRow() < 0:
            self.setCurrentCell(0, 0)

    def texts(self, row: int) -> list[str]:
        """Return the texts of a row."""
        return [item.text() for column in range(self.columnCount()) if (item := self.item(row, column)) is not None]


class AnalysisDialog(Dialog):
    """A dialog that shows the newest result of an analysis.

    Subclasses set ``name``, which the saved file has in its name, and implement `update_view` and `table`.
    """

    name = ""

    def __init__(self, parent: QWidget, title: str, theme: Theme, session: Session) -> None:
        super().__init__(parent, title, 860, 620)
        self.session, self.theme = session, theme
        self.message = ""
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setWordWrap(True)
        self.column.addWidget(self.text)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self.update_view)
        self._clock.start(POLL)

    def add_buttons(self) -> None:
        """Add the buttons below everything else."""
        buttons = QDialogButtonBox()
        save = buttons.addButton("Save as CSV", QDialogButtonBox.ButtonRole.ActionRole)
        save.clicked.connect(self.save)
        close = buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.clicked.connect(self.reject)
        for button in (save, close):
            button.setAutoDefault(False)  # Enter belongs to the list
        self.column.addWidget(buttons)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show lines of text above, and below them what was saved."""
        shown: Iterable[Line] = (*lines, (Run(self.message),)) if self.message else lines
        text = "<br>".join(rich_text(line, self.theme) for line in shown)
        if text != self.text.text():
            self.text.setText(text)

    def save(self) -> None:
        """Save the numbers as CSV in the working directory."""
        try:
            self.message = save_table(self.session, self.name, self.table)
        except (SessionError, OSError) as error:
            self.message = str(error)
        self.update_view()

    def update_view(self) -> None:
        """Show the newest result."""
        raise NotImplementedError

    def table(self) -> Table:
        """Return the numbers."""
        raise NotImplementedError

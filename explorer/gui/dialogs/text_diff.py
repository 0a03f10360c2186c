"""The two compared texts word by word, with the output after each word and the difference."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableWidget, QTableWidgetItem, QWidget

from explorer.gui.dialogs.base import Dialog
from explorer.gui.text import safe
from explorer.gui.theme import Theme, qcolor
from explorer.session.controllers.text_diff import WordByWord
from explorer.session.session import Session
from explorer.session.views.number_format import number

POLL = 100  # milliseconds
HEADINGS = ("Before", "Output", "After", "Output", "Difference")


class TextDiffDialog(Dialog):
    """Both texts side by side; ``on_choose`` is called with the index of the word of a chosen row."""

    def __init__(self, parent: QWidget, theme: Theme, session: Session, on_choose: Callable[[int], None]) -> None:
        super().__init__(parent, "Word by word", 760, 700)
        self._session, self._on_choose, self._theme = session, on_choose, theme
        self._shown: WordByWord | None = None
        self.summary = QLabel("reading …")
        self.summary.setWordWrap(True)
        self.table = QTableWidget(0, len(HEADINGS))
        self.table.setHorizontalHeaderLabels(list(HEADINGS))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(20)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.itemActivated.connect(self._choose)
        self.column.addWidget(self.summary)
        self.column.addWidget(self.table)
        self.table.setFocus()
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._update)
        self._clock.start(POLL)
        self._update()

    def _update(self) -> None:
        frame = self._session.frame()
        self._session.text_diff.request(frame)
        table = self._session.text_diff.result(frame)
        if table is not None and table is not self._shown:
            self._shown = table
            self.summary.setText(table.summary(safe(self._session.comparison.name, 60)))
            self._fill(table)

    def _fill(self, table: WordByWord) -> None:
        headings = (table.output.name if heading == "Output" else heading for heading in HEADINGS)
        self.table.setHorizontalHeaderLabels(list(headings))
        self.table.setRowCount(len(table.pairs))
        for row, pair in enumerate(table.pairs):
            texts = (
                safe(pair.before),
                number(pair.output_before),
                safe(pair.after),
                number(pair.output_after),
                number(pair.difference),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                if column not in (0, 2):
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if pair.changed:
                    item.setForeground(qcolor(self._theme.warning))
                self.table.setItem(row, column, item)
        self.table.setCurrentCell(table.first_change, 0)

    def _choose(self, item: QTableWidgetItem) -> None:
        if self._shown is not None:
            place = self._shown.pairs[item.row()].place
            self.accept()
            self._on_choose(place)

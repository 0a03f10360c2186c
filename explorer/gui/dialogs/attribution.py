"""The words by the strength of their attribution."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from explorer.gui.dialogs.analysis import AnalysisDialog
from explorer.gui.text import safe
from explorer.gui.theme import Theme, role_colour
from explorer.session.session import Session
from explorer.session.views.analysis_tables import attribution_table
from explorer.session.views.attribution import (
    MEANING,
    METHODS,
    WordAttribution,
    attributed_word,
    attribution_lines,
)
from explorer.session.views.number_format import number
from explorer.session.views.tables import Table

ROWS = 500  # the strongest words


class AttributionDialog(AnalysisDialog):
    """A table of words, the strongest first; Enter or a double click goes to one."""

    name = "attribution"

    def __init__(self, parent: QWidget, theme: Theme, session: Session, on_choose: Callable[[int], None]) -> None:
        super().__init__(parent, "Attribution of the output to the words read", theme, session)
        self.text.setToolTip(MEANING)
        self._on_choose = on_choose
        self._found: WordAttribution | None = None
        self._order: list[int] = []
        self.methods = QComboBox()
        self.methods.addItems([method.name for method in METHODS])
        assert session.attribution.method is not None, "the action has chosen one"
        self.methods.setCurrentIndex(METHODS.index(session.attribution.method))
        self.methods.currentIndexChanged.connect(self._use)
        self.words = QTableWidget(0, 4)
        self.words.setHorizontalHeaderLabels(["word", "attribution", "before", "text"])
        self.words.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.words.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.words.verticalHeader().hide()
        self.words.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.words.itemActivated.connect(lambda item: self.choose(item.row()))
        self.column.addWidget(self.methods)
        self.column.addWidget(self.words, 1)
        self.add_buttons()
        self.words.setFocus()
        self.update_view()

    def update_view(self) -> None:
        found = self.session.attribution.result(self.session.frame())
        self.show_lines(attribution_lines(found, self.session.attribution.progress))
        if found is not self._found:
            self._found, self._order = found, [] if found is None else found.strongest()[:ROWS]
            self._fill()

    def _fill(self) -> None:
        surface = self.session.stream.snapshot.review.surface
        self.words.setRowCount(len(self._order))
        for row, index in enumerate(self._order if self._found is not None else ()):
            assert self._found is not None
            word = attributed_word(self._found, surface, index)
            texts = f"{word.word + 1:,}", number(word.value), f"… {safe(word.before)}", safe(word.text)
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setForeground(role_colour(self.theme, word.role if column == 1 else "text"))
                if column != 3:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.words.setItem(row, column, item)

    def choose(self, row: int) -> None:
        """Go to the word of a row."""
        word = self._order[row]
        self.close()
        self._on_choose(word)

    def table(self) -> Table:
        return attribution_table(self._found, self.session.stream.snapshot.review.words)

    def _use(self, index: int) -> None:
        self.session.attribution.use(METHODS[index])
        self.update_view()

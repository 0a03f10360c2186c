"""The words by the strength of their attribution."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QComboBox, QWidget

from explorer.gui.dialogs.analysis import AnalysisDialog, RowsTable
from explorer.gui.theme import Theme
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
from explorer.session.views.runs import Run
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
        self.words = RowsTable(["word", "attribution", "before", "text"], left=[3], stretched=2)
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
        surface, rows = self.session.stream.snapshot.review.surface, []
        for index in self._order if self._found is not None else ():
            assert self._found is not None
            word = attributed_word(self._found, surface, index)
            rows.append(
                (
                    Run(f"{word.word + 1:,}"),
                    Run(number(word.value), word.role),
                    Run(f"… {word.before}"),
                    Run(word.text, "value"),
                )
            )
        self.words.fill(rows, self.theme)

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

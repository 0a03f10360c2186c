"""The words of all reviews at which the selected cell is highest and lowest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox, QWidget

from explorer.gui.dialogs.analysis import AnalysisDialog, RowsTable
from explorer.gui.theme import Theme
from explorer.session.menu_items import numbered
from explorer.session.session import Session
from explorer.session.views.analysis_tables import contexts_table
from explorer.session.views.contexts import ENDS, End, context, contexts_line
from explorer.session.views.number_format import number
from explorer.session.views.runs import Run
from explorer.session.views.tables import Table

if TYPE_CHECKING:
    from engine.contexts import Place


class ContextsDialog(AnalysisDialog):
    """A table of places, best first; Enter or a double click opens one."""

    name = "contexts"

    def __init__(self, parent: QWidget, theme: Theme, session: Session, on_choose: Callable[[Place], None]) -> None:
        super().__init__(parent, "Top contexts of a cell", theme, session)
        self._on_choose = on_choose
        self._places: tuple[Place, ...] | None = None
        self.ends = QComboBox()
        self.ends.addItems(list(ENDS))
        self.ends.currentIndexChanged.connect(lambda _: self.update_view())
        self.places = RowsTable(["value", "review", "word", "before", "text", "after"], left=[4, 5], stretched=3)
        self.places.itemActivated.connect(lambda item: self.choose(item.row()))
        self.column.addWidget(self.ends)
        self.column.addWidget(self.places, 1)
        self.add_buttons()
        self.places.setFocus()
        self.update_view()

    @property
    def end(self) -> End:
        """The end that is listed."""
        return ENDS[self.ends.currentIndex()]

    def update_view(self) -> None:
        contexts = self.session.contexts
        found = contexts.result()
        self.show_lines([contexts_line(found, self.end, contexts.progress)])
        places = found.places(self.end) if found is not None else ()
        if places != self._places:
            self._places, rows = places, []
            for place in places:
                before, word, after = context(contexts.review(place), place.word)
                rows.append(
                    (
                        Run(number(place.value), "value"),
                        Run(numbered(self.session, place.review)),
                        Run(f"{place.word + 1:,}"),
                        Run(f"… {before}"),
                        Run(word, "accent"),
                        Run(f"{after} …"),
                    )
                )
            self.places.fill(rows, self.theme)

    def choose(self, row: int) -> None:
        """Open the place of a row."""
        assert self._places is not None
        place = self._places[row]
        self.close()
        self._on_choose(place)

    def table(self) -> Table:
        return contexts_table(self.session.contexts.result(), self.session.reviews)

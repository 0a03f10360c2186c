"""The words of all reviews at which the selected cell is highest and lowest."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import BindingType

from explorer.session.menu_items import numbered
from explorer.session.session import Session
from explorer.session.views.analysis_tables import contexts_table
from explorer.session.views.contexts import ENDS, End, context, contexts_line
from explorer.session.views.number_format import number
from explorer.session.views.tables import Table
from explorer.tui.dialogs.analysis import AnalysisDialog
from explorer.tui.terminal.styles import BRIGHT, DIM, PINK_BOLD, Line, safe, width_of

if TYPE_CHECKING:
    from engine.contexts import Place as ContextPlace


class ContextsDialog(AnalysisDialog["ContextPlace"]):
    """A list of places, best first. Returns the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [*AnalysisDialog.BINDINGS, ("s", "switch", "Switch")]
    title_text = "Top contexts of a cell"
    keys_text = "enter open   s highest or lowest   e save as CSV   esc close"
    name_of_file = "contexts"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.end: End = "highest"
        self._places: tuple[ContextPlace, ...] = ()

    def update_rows(self) -> None:
        contexts = self.session.contexts
        found = contexts.result()
        places = found.places(self.end) if found is not None else ()
        if places != self._places:
            self._places = places
            self.rows.fill(len(places))
        self.show_lines([contexts_line(found, self.end, contexts.progress, self.rows.size.width)])

    def row(self, number_: int, width: int) -> Line:
        place = self._places[number_]
        before, word, after = context(self.session.contexts.review(place), place.word)
        line: Line = [
            Segment(f"{number(place.value):>7} ", PINK_BOLD),
            Segment(f"{numbered(self.session, place.review)} word {place.word + 1:>4,} ", DIM),
        ]
        room = max(8, (width - width_of(line)) // 2 - 4)
        shown = safe(before, len(before))[-room:]
        line += [Segment(f"{shown:>{room}} ", DIM), Segment(safe(word, max(4, room // 2)), BRIGHT)]
        return [*line, Segment(" " + safe(after, max(1, width - width_of(line) - 1)), DIM)]

    def chosen(self, number: int) -> None:
        self.dismiss(self._places[number])

    def table(self) -> Table:
        return contexts_table(self.session.contexts.result(), self.session.reviews)

    def action_switch(self) -> None:
        """List the other end."""
        self.end = ENDS[1 - ENDS.index(self.end)]
        self.update_rows()

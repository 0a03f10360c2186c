"""The words by the strength of their attribution."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.binding import BindingType

from explorer.session.session import Session
from explorer.session.views.analysis_tables import attribution_table
from explorer.session.views.attribution import WordAttribution, attributed_word, attribution_lines
from explorer.session.views.number_format import number
from explorer.session.views.tables import Table
from explorer.tui.dialogs.analysis import AnalysisDialog
from explorer.tui.terminal.styles import BRIGHT, DIM, ROLES, Line, bar, padded, safe, width_of

BAR = 12  # columns
BEFORE = 30


class AttributionDialog(AnalysisDialog[int]):
    """A list of words, the strongest first. Returns the chosen word."""

    BINDINGS: ClassVar[list[BindingType]] = [*AnalysisDialog.BINDINGS, ("i", "method", "Method")]
    title_text = "Attribution of the output to the words read"
    keys_text = "enter go to the word   i next method   e save as CSV   esc close"
    name_of_file = "attribution"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._found: WordAttribution | None = None
        self._order: list[int] = []

    def update_rows(self) -> None:
        attribution = self.session.attribution
        found = attribution.result(self.session.update())
        if found is not self._found:
            self._found, self._order = found, [] if found is None else found.strongest()
            self.rows.fill(len(self._order))
        self.show_lines(attribution_lines(found, attribution.progress, self.rows.size.width))

    def row(self, number_: int, width: int) -> Line:
        if self._found is None:
            return []
        surface = self.session.stream.snapshot.review.surface
        word = attributed_word(self._found, surface, self._order[number_])
        style = ROLES[word.role]
        line: Line = [
            Segment(f"{word.word + 1:>6,} ", DIM),
            Segment(f"{number(word.value):>8} ", style),
            *padded([Segment(bar(word.share, BAR), style)], BAR),
            Segment(f" {safe(word.before, BEFORE):>{BEFORE}} ", DIM),
        ]
        return [*line, Segment(safe(word.text, max(4, width - width_of(line))), BRIGHT)]

    def chosen(self, number: int) -> None:
        self.dismiss(self._order[number])

    def table(self) -> Table:
        return attribution_table(self._found, self.session.stream.snapshot.review.words)

    def action_method(self) -> None:
        """Attribute by the next method, or by the first after the last."""
        self.session.attribution.next_method()
        self.session.attribution.begin()
        self.update_rows()

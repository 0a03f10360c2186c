"""The words by the strength of their attribution."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from explorer.session.core import SessionError
from explorer.session.save_table import save_table
from explorer.session.session import Session
from explorer.session.views.analysis_tables import attribution_table
from explorer.session.views.attribution import WordAttribution, attributed_word, attribution_lines
from explorer.session.views.number_format import number
from explorer.tui.dialogs.rows import ListDialog
from explorer.tui.terminal.styles import BRIGHT, DIM, ROLES, Line, bar, markup, padded, safe, width_of

POLL = 0.1  # seconds
BAR = 12  # columns
BEFORE = 30


class AttributionDialog(ListDialog[int]):
    """A list of words, the strongest first. Returns the chosen word."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *ListDialog.BINDINGS, ("i", "method", "Method"), ("e", "save", "Save"), ("q", "dismiss", "Close"),
    ]  # fmt: skip
    title_text = "Attribution of the output to the words read"
    keys_text = "enter go to the word   i next method   e save as CSV   esc close"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._found: WordAttribution | None = None
        self._order: list[int] = []
        self._message = ""

    def heading(self) -> ComposeResult:
        yield Static(id="heading")

    def on_mount(self) -> None:
        self.rows.focus()
        self.set_interval(POLL, self.update_rows)
        self.call_after_refresh(self.update_rows)

    def update_rows(self) -> None:
        """Show the newest attribution."""
        session = self._session
        found = session.attribution.result(session.update())
        if found is not self._found:
            self._found, self._order = found, [] if found is None else found.strongest()
            self.rows.fill(len(self._order))
        lines = attribution_lines(found, session.attribution.progress, self.rows.size.width)
        self.query_one("#heading", Static).update("\n".join(map(markup, lines)))
        self.set_status(self._message, self.keys_text)

    def row(self, number_: int, width: int) -> Line:
        if self._found is None:
            return []
        surface = self._session.stream.snapshot.review.surface
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

    def action_method(self) -> None:
        """Attribute by the next method, or by the first after the last."""
        attribution = self._session.attribution
        attribution.next_method()
        attribution.begin()
        self.update_rows()

    def action_save(self) -> None:
        """Save the attributions as CSV."""
        session = self._session
        try:
            words = session.stream.snapshot.review.words
            self._message = save_table(session, "attribution", lambda: attribution_table(self._found, words))
        except (SessionError, OSError) as error:
            self._message = str(error)
        self.update_rows()

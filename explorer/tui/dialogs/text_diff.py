"""The comparison word by word: the other text on the left, this one on the right, and the difference of the output."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import ComposeResult
from textual.widgets import Static

from explorer.session.controllers.text_diff import WordByWord, WordPair
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.tui.dialogs.rows import ListDialog
from explorer.tui.terminal.styles import DIM, FAINT, GOOD, NEGATIVE, OTHER, TEXT, WARN, Line, as_markup, fit, safe

POLL = 0.1  # seconds
NUMBERS = 21  # columns of the two outputs and the difference
BAR = 6  # columns on each side of the bar


class TextDiffDialog(ListDialog[int]):
    """Both texts side by side. Returns the index of the chosen word, None if none was chosen."""

    title_text = "Word by word"
    keys_text = "↑ ↓ enter look at the word   esc close"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._table: WordByWord | None = None

    def heading(self) -> ComposeResult:
        yield Static(id="summary")

    def on_mount(self) -> None:
        self.rows.focus()
        self.set_interval(POLL, self._update_table)
        self._update_table()

    def _update_table(self) -> None:
        frame = self._session.update()  # the application rests behind a dialog
        self._session.text_diff.request(frame)
        table = self._session.text_diff.result(frame)
        if table is None:
            self.query_one("#summary", Static).update("reading …")
            self.rows.fill(0)
        elif table is not self._table:
            self.query_one("#summary", Static).update(as_markup(table.summary(safe(self._session.comparison.name, 40))))
            self.rows.fill(len(table.pairs), table.first_change)
        self._table = table

    def row(self, number: int, width: int) -> Line:
        assert self._table is not None, "the list has rows only once there is a table"
        return _line(self._table.pairs[number], width, self._table.reach)

    def chosen(self, number: int) -> None:
        assert self._table is not None, "the list has rows only once there is a table"
        self.dismiss(self._table.pairs[number].place)


def _line(pair: WordPair, width: int, reach: float) -> Line:
    words = max(4, (width - NUMBERS - 2 * BAR - 4) // 2)
    style = WARN if pair.changed else TEXT
    delta = pair.difference
    length = 0 if delta != delta else round(min(1.0, abs(delta) / reach) * BAR) or (abs(delta) > 0.01 * reach)
    left = ("█" * length).rjust(BAR) if delta < 0 else " " * BAR
    right = ("█" * length).ljust(BAR) if delta > 0 else " " * BAR
    return [
        Segment("▸" if pair.changed else " ", WARN),
        Segment(_padded(pair.before, words), style if pair.changed else DIM),
        Segment(f"{number(pair.output_before, 5):>5}  ", OTHER),
        Segment(_padded(pair.after, words), style),
        Segment(f"{number(pair.output_after, 5):>5}  ", TEXT),
        Segment(f"{number(delta, 6):>6} ", DIM if abs(delta) < 0.1 * reach or delta != delta else TEXT),
        Segment(left, NEGATIVE),
        Segment("│", FAINT),
        Segment(right, GOOD),
    ]


def _padded(word: str, width: int) -> str:
    shown = safe(word, width)
    return shown + " " * (width - cell_len(shown)) if shown else fit("·", width)

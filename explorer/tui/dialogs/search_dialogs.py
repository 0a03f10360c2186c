"""Dialogs whose lists grow during a search: for words, and for the pattern of cells found by the brush."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.widgets import Input

from explorer.session.controllers.pattern_search import Place
from explorer.session.controllers.word_search import Hit, wanted_words
from explorer.session.menu_items import numbered
from explorer.session.session import Session
from explorer.tui.dialogs.rows import ListDialog
from explorer.tui.terminal.styles import BRIGHT, DIM, PINK_BOLD, TEXT, WARN, Line, safe, width_of

POLL = 0.1  # seconds
TYPING_PAUSE = 0.25  # seconds without a key before a search begins


class SearchDialog(ListDialog[Hit | int]):
    """Search for words. Returns the chosen place: a word of this review, or a hit in another one."""

    title_text = "Search for words"
    hint = "a word or phrase; film* also finds films"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._wait: object = None
        self._here: tuple[int, ...] = ()
        self._hits: Sequence[Hit] = ()

    def on_mount(self) -> None:
        self.query_one(Input).value = " ".join(self._session.word_search.wanted)
        self.set_interval(POLL, self._update_results)

    def on_input_changed(self, event: Input.Changed) -> None:
        def begin() -> None:
            if self._wait is timer:
                self._session.word_search.look_for(event.value)
                self._update_results()

        self._wait = timer = self.set_timer(TYPING_PAUSE, begin)

    def submitted(self) -> None:
        text = self.query_one(Input).value
        if wanted_words(text) != self._session.word_search.wanted:
            self._wait = None
            self._session.word_search.look_for(text)
            self._update_results()
        else:
            self.rows.action_choose()

    def on_unmount(self) -> None:
        self._session.word_search.others.cancel()

    def _update_results(self) -> None:
        session = self._session
        words = session.word_search
        self._here, self._hits = words.here(session.stream.snapshot), words.others.found
        self.rows.fill(len(self._hits) + bool(words.wanted))
        keys = session.key_of("next-found", "previous-found")
        self.set_status(words.status, f"{keys} next, previous   esc close")

    def row(self, number: int, width: int) -> Line:
        words, session = self._session.word_search, self._session
        if number == 0:
            times = len(self._here)
            return [
                Segment(f"{times:>5}× ", PINK_BOLD if times else DIM),
                Segment("in this review" if times else "not in this review", TEXT if times else DIM),
            ]
        hit = self._hits[number - 1]
        head: Line = [Segment(f"{hit.count:>5}× ", PINK_BOLD), Segment(f"{numbered(session, hit.review)} ", DIM)]
        return [*head, *_in_context(words.context(hit), width - width_of(head))]

    def chosen(self, number: int) -> None:
        if number:
            self.dismiss(self._hits[number - 1])
        elif self._here:
            frame = self._session.frame()
            self.dismiss(self._session.word_search.nearest(frame.snapshot, frame.word))


class PatternDialog(ListDialog[Place]):
    """Ranges in other reviews where the cells of the brush fire together, best first. Returns the chosen one."""

    title_text = "Matches of the brushed pattern"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def on_mount(self) -> None:
        self.rows.focus()
        self.set_interval(POLL, self._update_results)
        self._update_results()

    def on_unmount(self) -> None:
        self._session.pattern_search.results.cancel()

    def _update_results(self) -> None:
        search = self._session.pattern_search
        self.rows.fill(len(search.results.found) + search.can_continue)
        self.set_status(search.status, "enter open   esc close")

    def row(self, number: int, width: int) -> Line:
        search, session = self._session.pattern_search, self._session
        if number >= len(search.results.found):
            return [Segment(f"  {search.more_text}", WARN)]
        place = search.results.found[number]
        head: Line = [
            Segment(f"{place.strength:>5.1f} ", PINK_BOLD),
            Segment(f"{numbered(session, place.review)} ", DIM),
        ]
        return [*head, *_in_context(search.context(place), width - width_of(head))]

    def chosen(self, number: int) -> None:
        found = self._session.pattern_search.results.found
        if number < len(found):
            self.dismiss(found[number])
        else:
            self._session.pattern_search.more()


def _in_context(context: tuple[str, str, str], width: int) -> Line:
    """Return the words found between those before and after them."""
    before, found, after = context
    room = max(8, width // 3)
    line: Line = [Segment(f"…{before[-room:]} " if before else "", DIM)]
    line.append(Segment(safe(found, max(4, width - width_of(line))), BRIGHT))
    return [*line, Segment(" " + safe(after, max(1, width - width_of(line) - 1)), DIM)]

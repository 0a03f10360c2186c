"""Dialogues whose lists grow while one looks: words in all reviews, and places where the brushed cells agree."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.widgets import Input

from explorer.session.controllers.pattern_search import Place
from explorer.session.controllers.word_search import Hit, wanted_words
from explorer.session.session import Session
from explorer.tui.dialogs.rows import ListDialog
from explorer.tui.terminal.styles import BRIGHT, DIM, PINK_BOLD, TEXT, WARN, Line, safe, width_of

POLL = 0.1  # seconds
REST = 0.25  # seconds without a key before a search begins
SIGNS = {True: "+", False: "−", None: " "}


class SearchDialog(ListDialog[Hit | int]):
    """Words to search. Returns the place that was chosen: a word of this review, or a hit in another one."""

    title_text = "Search words"
    hint = "a word or phrase; film* stands for films too"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._wait: object = None
        self._here: tuple[int, ...] = ()
        self._hits: Sequence[Hit] = ()

    def on_mount(self) -> None:
        self.query_one(Input).value = " ".join(self._session.word_search.wanted)
        self.set_interval(POLL, self._look)

    def on_input_changed(self, event: Input.Changed) -> None:
        def begin() -> None:
            if self._wait is timer:
                self._session.word_search.look_for(event.value)
                self._look()

        self._wait = timer = self.set_timer(REST, begin)

    def submitted(self) -> None:
        text = self.query_one(Input).value
        if wanted_words(text) != self._session.word_search.wanted:
            self._wait = None
            self._session.word_search.look_for(text)
            self._look()
        else:
            self.rows.action_choose()

    def on_unmount(self) -> None:
        self._session.word_search.others.cancel()

    def _look(self) -> None:
        session = self._session
        words = session.word_search
        self._here, self._hits = words.here(session.stream.snapshot), words.others.found
        self.rows.fill(len(self._hits) + bool(words.wanted))
        total = sum(hit.count for hit in self._hits)
        told = f"in other reviews: {total:,}× in {len(self._hits):,}   " if words.wanted else ""
        self.tell(
            f"{told}{words.others.progress}",
            f"{session.key_of('next-found', 'previous-found')}: next, before   esc closes",
        )

    def row(self, number: int, width: int) -> Line:
        words, session = self._session.word_search, self._session
        if number == 0:
            times = len(self._here)
            return [
                Segment(f"{times:>5}× ", PINK_BOLD if times else DIM),
                Segment("in this review" if times else "not in this review", TEXT if times else DIM),
            ]
        hit = self._hits[number - 1]
        review = session.reviews[hit.review]
        head: Line = [
            Segment(f"{hit.count:>5}× ", PINK_BOLD),
            Segment(f"{hit.review + 1:>5} {SIGNS[review.label]} ", DIM),
        ]
        return [*head, *_around(words.context(hit), width - width_of(head))]

    def chosen(self, number: int) -> None:
        if number:
            self.dismiss(self._hits[number - 1])
        elif self._here:
            word = self._session.frame().word
            self.dismiss(next((at for at in self._here if at >= word), self._here[0]))


class AgreeDialog(ListDialog[Place]):
    """Places in other reviews where the cells of the brush agree, best first. Returns the one that was chosen."""

    title_text = "Where the same cells agree"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def on_mount(self) -> None:
        self.rows.focus()
        self.set_interval(POLL, self._look)
        self._look()

    def on_unmount(self) -> None:
        self._session.pattern_search.results.cancel()

    def _look(self) -> None:
        agreement = self._session.pattern_search
        gathering = agreement.results
        self.rows.fill(len(gathering.found) + self._more)
        none = "" if gathering.found or not gathering.finished else "nowhere in the reviews looked through   "
        self.tell(f"{none}{gathering.progress}", "enter opens   esc closes")

    @property
    def _more(self) -> bool:
        """Whether a last row offers to look through more."""
        return self._session.pattern_search.results.finished and self._session.pattern_search.left > 0

    def row(self, number: int, width: int) -> Line:
        agreement, session = self._session.pattern_search, self._session
        if number >= len(agreement.results.found):
            return [Segment(f"  look through more: {agreement.left:,} reviews are left", WARN)]
        place = agreement.results.found[number]
        review = session.reviews[place.review]
        head: Line = [
            Segment(f"{place.strength:>5.1f} ", PINK_BOLD),
            Segment(f"{place.review + 1:>5} {SIGNS[review.label]} ", DIM),
        ]
        return [*head, *_around(agreement.context(place), width - width_of(head))]

    def chosen(self, number: int) -> None:
        found = self._session.pattern_search.results.found
        if number < len(found):
            self.dismiss(found[number])
        else:
            self._session.pattern_search.more()


def _around(context: tuple[str, str, str], width: int) -> Line:
    """Words found, between those around them."""
    before, found, behind = context
    room = max(8, width // 3)
    line: Line = [Segment(f"…{before[-room:]} " if before else "", DIM)]
    line.append(Segment(safe(found, max(4, width - width_of(line))), BRIGHT))
    return [*line, Segment(" " + safe(behind, max(1, width - width_of(line) - 1)), DIM)]

"""Dialogs whose lists grow during a search: words in all reviews, and matches of the brushed pattern."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QListWidget, QWidget

from explorer.gui.dialogs.base import Dialog, SearchBox
from explorer.gui.text import safe
from explorer.session.controllers.pattern_search import Place
from explorer.session.controllers.word_search import Hit, wanted_words
from explorer.session.menu_items import numbered
from explorer.session.session import Session
from explorer.session.task_results import TaskResults

POLL = 100  # milliseconds
TYPING_PAUSE = 250  # milliseconds without a key after which a search starts
MAX_LINES = 1000


class ResultsDialog(Dialog):
    """A list that grows as results arrive; Enter or a double click chooses a line."""

    def __init__(self, parent: QWidget, title: str, session: Session) -> None:
        super().__init__(parent, title, 860, 620)
        self._session = session
        self._lines: list[str] = []
        self.summary = QLabel()
        self.list = QListWidget()
        self.list.itemActivated.connect(lambda: self.choose(self.list.currentRow()))
        self._clock = QTimer(self)
        self._clock.timeout.connect(self.update_results)
        self._clock.start(POLL)

    def fill(self, lines: Sequence[str], summary: str) -> None:
        """Show ``lines``, appending where the list already begins with them, and a summary above."""
        self.summary.setText(safe(summary))
        if lines[: len(self._lines)] != self._lines:
            self.list.clear()
            self._lines = []
        self.list.addItems(list(lines[len(self._lines) :]))
        self._lines = list(lines)
        if self.list.currentRow() < 0:
            self.list.setCurrentRow(0)

    def update_results(self) -> None:
        """Show the results so far."""
        raise NotImplementedError

    def choose(self, row: int) -> None:
        """Choose a line."""
        raise NotImplementedError


class WordSearchDialog(ResultsDialog):
    """Search words. ``on_choose`` gets a word of the open review, or a hit in another one."""

    def __init__(self, parent: QWidget, session: Session, on_choose: Callable[[int | Hit], None]) -> None:
        super().__init__(parent, "Search words", session)
        self._on_choose = on_choose
        self._seen: TaskResults[Hit] | None = None
        self._hit_lines: list[str] = []
        self.finished.connect(lambda: session.word_search.others.cancel())
        self.search = SearchBox(self.list, " ".join(session.word_search.wanted))
        self.search.setPlaceholderText("A word or phrase; film* also finds films")
        for widget in (self.search, self.summary, self.list):
            self.column.addWidget(widget)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(TYPING_PAUSE)
        self._pause.timeout.connect(self._start)
        self.search.textChanged.connect(self._pause.start)
        self.search.returnPressed.connect(self._enter)
        self.update_results()

    def _start(self) -> None:
        self._pause.stop()
        self._session.word_search.look_for(self.search.text())
        self.update_results()

    def _enter(self) -> None:
        if wanted_words(self.search.text()) != self._session.word_search.wanted:
            self._start()
        elif self.list.currentRow() >= 0:
            self.choose(self.list.currentRow())

    def update_results(self) -> None:
        words, session = self._session.word_search, self._session
        if not words.wanted:
            self.fill([], "")
            return
        if words.others is not self._seen:
            self._seen, self._hit_lines = words.others, []
        for hit in words.others.found[len(self._hit_lines) : MAX_LINES]:
            self._hit_lines.append(_line(f"{hit.count}×", session, hit.review, words.context(hit)))
        here = len(words.here(session.stream.snapshot))
        self.fill([f"{here}×   in this review" if here else "not in this review", *self._hit_lines], words.status)

    def choose(self, row: int) -> None:
        frame, words = self._session.frame(), self._session.word_search
        place = words.others.found[row - 1] if row else words.nearest(frame.snapshot, frame.word)
        if place is not None:
            self.close()
            self._on_choose(place)


class PatternDialog(ResultsDialog):
    """Ranges in other reviews where the cells of the brush fire together, best first."""

    def __init__(self, parent: QWidget, session: Session, on_choose: Callable[[Place], None]) -> None:
        super().__init__(parent, "Matches of the brushed pattern", session)
        self._on_choose = on_choose
        self._shown: tuple[Sequence[Place], bool] | None = None
        self.finished.connect(lambda: session.pattern_search.results.cancel())
        for widget in (self.summary, self.list):
            self.column.addWidget(widget)
        self.list.setFocus()
        self.update_results()

    def update_results(self) -> None:
        search, session = self._session.pattern_search, self._session
        results: TaskResults[Place] = search.results
        if self._shown is not None and self._shown[0] is results.found and self._shown[1] == search.can_continue:
            self.summary.setText(safe(search.status))
            return
        self._shown = results.found, search.can_continue
        lines = [
            _line(f"{place.strength:.1f}", session, place.review, search.context(place)) for place in results.found
        ]
        self.fill(lines + [search.more_text] * search.can_continue, search.status)

    def choose(self, row: int) -> None:
        found = self._session.pattern_search.results.found
        if row < len(found):
            self.close()
            self._on_choose(found[row])
        else:
            self._session.pattern_search.more()


def _line(lead: str, session: Session, number: int, context: tuple[str, str, str]) -> str:
    before, found, after = context
    return safe(f"{lead:>6}   {numbered(session, number)}   …{before} [{found}] {after}…")

"""Dialogues whose lists grow while one looks: words in all reviews, and places where the brushed cells agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QWidget

from explorer.gui.dialogs.base import Dialog
from explorer.gui.text import safe
from explorer.session.controllers.pattern_search import Place
from explorer.session.controllers.word_search import Hit, wanted_words
from explorer.session.session import Session
from explorer.session.task_results import TaskResults

POLL = 100  # milliseconds
REST = 250  # milliseconds without a key before a search begins
SHOWN = 1000  # lines of a list
SIGNS = {True: "+", False: "−", None: " "}


class GrowingDialog(Dialog):
    """A list that is filled as results come; Enter or a double click takes a line."""

    def __init__(self, parent: QWidget, title: str, session: Session) -> None:
        super().__init__(parent, title, 860, 620)
        self._session = session
        self._lines: list[str] = []
        self.told = QLabel()
        self.list = QListWidget()
        self.list.itemActivated.connect(lambda: self.chosen(self.list.currentRow()))
        self._clock = QTimer(self)
        self._clock.timeout.connect(self.look)
        self._clock.start(POLL)

    def fill(self, lines: Sequence[str], told: str) -> None:
        """Show these lines; those that are there stay."""
        self.told.setText(safe(told))
        if lines[: len(self._lines)] != self._lines:
            self.list.clear()
            self._lines = []
        self.list.addItems(list(lines[len(self._lines) :]))
        self._lines = list(lines)
        if self.list.currentRow() < 0:
            self.list.setCurrentRow(0)

    def look(self) -> None:
        """Show what is found so far."""
        raise NotImplementedError

    def chosen(self, row: int) -> None:
        """Take a line."""
        raise NotImplementedError


class SearchDialog(GrowingDialog):
    """Words to search. ``then`` is called with the place chosen: a word of this review, or a hit in another one."""

    def __init__(self, parent: QWidget, session: Session, then: Callable[[int | Hit], None]) -> None:
        super().__init__(parent, "Search words", session)
        self._then = then
        self._seen: TaskResults[Hit] | None = None
        self._told: list[str] = []
        self.finished.connect(lambda: session.word_search.others.cancel())
        self.search = QLineEdit(" ".join(session.word_search.wanted))
        self.search.setPlaceholderText("a word or phrase; film* stands for films too")
        self.search.installEventFilter(self)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for widget in (self.search, self.told, self.list):
            self.column.addWidget(widget)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST)
        self._rest.timeout.connect(self._begin)
        self.search.textChanged.connect(self._rest.start)
        self.search.returnPressed.connect(self._enter)
        self.look()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Move in the list while the search keeps the keys."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = (event.key() == Qt.Key.Key_Down) - (event.key() == Qt.Key.Key_Up)
            if step and self.list.count():
                self.list.setCurrentRow((self.list.currentRow() + step) % self.list.count())
                return True
        return False

    def _begin(self) -> None:
        self._rest.stop()
        self._session.word_search.look_for(self.search.text())
        self.look()

    def _enter(self) -> None:
        if wanted_words(self.search.text()) != self._session.word_search.wanted:
            self._begin()
        elif self.list.currentRow() >= 0:
            self.chosen(self.list.currentRow())

    def look(self) -> None:
        words, session = self._session.word_search, self._session
        if not words.wanted:
            self.fill([], "")
            return
        if words.others is not self._seen:
            self._seen, self._told = words.others, []
        here = len(words.here(session.stream.snapshot))
        found = words.others.found
        for hit in found[len(self._told) : SHOWN]:
            self._told.append(_line(f"{hit.count}×", session, hit.review, words.context(hit)))
        lines = [f"{here}×   in this review" if here else "not in this review", *self._told]
        total = sum(hit.count for hit in found)
        self.fill(lines, f"{total:,} times in {len(found):,} other reviews   {words.others.progress}")

    def chosen(self, row: int) -> None:
        session, words = self._session, self._session.word_search
        here = words.here(session.stream.snapshot)
        if row == 0 and not here:
            return
        word = session.frame().word
        place = words.others.found[row - 1] if row else next((at for at in here if at >= word), here[0])
        self.close()
        self._then(place)


class AgreeDialog(GrowingDialog):
    """Places in other reviews where the cells of the brush agree, best first; ``then`` is called with the chosen."""

    def __init__(self, parent: QWidget, session: Session, then: Callable[[Place], None]) -> None:
        super().__init__(parent, "Where the same cells agree", session)
        self._then = then
        self._shown: tuple[Sequence[Place], bool] | None = None
        self.finished.connect(lambda: session.pattern_search.results.cancel())
        for widget in (self.told, self.list):
            self.column.addWidget(widget)
        self.list.setFocus()
        self.look()

    def look(self) -> None:
        agreement, session = self._session.pattern_search, self._session
        gathering: TaskResults[Place] = agreement.results
        more = gathering.finished and agreement.left > 0
        none = "" if gathering.found or not gathering.finished else "nowhere in the reviews looked through   "
        if self._shown is not None and self._shown[0] is gathering.found and self._shown[1] == more:
            self.told.setText(safe(none + gathering.progress))
            return
        self._shown = gathering.found, more
        lines = [
            _line(f"{place.strength:.1f}", session, place.review, agreement.context(place)) for place in gathering.found
        ]
        if more:
            lines.append(f"look through more: {agreement.left:,} reviews are left")
        self.fill(lines, none + gathering.progress)

    def chosen(self, row: int) -> None:
        found = self._session.pattern_search.results.found
        if row < len(found):
            self.close()
            self._then(found[row])
        else:
            self._session.pattern_search.more()


def _line(lead: str, session: Session, number: int, context: tuple[str, str, str]) -> str:
    review = session.reviews[number]
    before, found, behind = context
    return safe(f"{lead:>6}   {number + 1:>5} {SIGNS[review.label]}   …{before} [{found}] {behind}…")

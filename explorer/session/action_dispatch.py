"""What a person does in either face: an action by its name, a word, a cell or a stretch of words under the mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from explorer.session.actions import action
from explorer.session.session import Session, SessionError


class ActionDispatcher:
    """A face is one of these. It does actions of the table that only a face can do in methods ``do_…``.

    ``early`` are the actions that need no session, which is None until it is open.
    """

    session: Session | None
    early: ClassVar[tuple[str, ...]] = ("quit", "help")

    def redraw(self) -> None:
        """Draw now, after something was done."""
        raise NotImplementedError

    def run_guarded(self, deed: Callable[[], object]) -> None:
        """Do something that may be refused; the session's note then tells why."""
        try:
            deed()
        except (SessionError, OSError) as error:
            assert self.session is not None
            self.session.note = str(error)
        self.redraw()

    def own(self, name: str) -> Callable[[], None] | None:
        """What the face itself does for an action, None if that is the session's."""
        return getattr(self, f"do_{action(name).method}", None)

    def perform(self, name: str) -> None:
        """Do an action of the table, here or in the session."""
        own, session = self.own(name), self.session

        def do() -> None:
            if session is not None:
                session.allow(name)
            if own is not None:
                own()
            elif session is not None:
                session.perform(name)

        if session is not None:
            self.run_guarded(do)
        elif name in self.early:
            do()

    def look_at(self, word: int) -> None:
        """Look at a word that was clicked."""
        session = self.session
        if session is not None:
            self.run_guarded(lambda: session.look_at(word))

    def select(self, cell: int) -> None:
        """Select a cell that was clicked; let go of the one that was."""
        session = self.session
        if session is not None:
            self.run_guarded(lambda: session.select(None if session.choices.selected == cell else cell))

    def brush(self, first: int, last: int) -> None:
        """Brush words that were dragged over."""
        if self.session is not None:
            brush = self.session.brush
            brush.open_at(first)
            self.run_guarded(lambda: brush.close_at(last))

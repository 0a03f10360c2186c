"""Dispatch of a front end's actions: those of the table, and those on a word, a cell or a stretch of words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from explorer.session.core import SessionError
from explorer.session.session import Session

Handler = Callable[[], None]


class ActionDispatcher:
    """Base of the front ends.

    Attributes
    ----------
    session : Session or None
        None until it is open.
    early : tuple of str
        The actions that need no session.
    """

    session: Session | None
    early: ClassVar[tuple[str, ...]] = ("quit", "help", "legend")

    def handlers(self) -> Mapping[str, Handler]:
        """Return the front end's own handlers by action id; they take precedence over the session's."""
        return {}

    def redraw(self) -> None:
        """Draw at once, after an action."""
        raise NotImplementedError

    def run_guarded(self, action: Callable[[], object]) -> None:
        """Run a call that the session or the disk may refuse; the reason becomes the session's notice."""
        try:
            action()
        except (SessionError, OSError) as error:
            assert self.session is not None
            self.session.note = str(error)
        self.redraw()

    def handler_for(self, name: str) -> Handler | None:
        """Return the front end's own handler of an action, None if the session handles it."""
        return self.handlers().get(name)

    def perform(self, name: str) -> None:
        """Perform an action of the table, here or in the session."""
        handler, session = self.handler_for(name), self.session

        def run() -> None:
            if session is not None:
                session.check_allowed(name)
            if handler is not None:
                handler()
            elif session is not None:
                session.perform(name)

        if session is not None:
            self.run_guarded(run)
        elif name in self.early:
            run()

    def look_at(self, word: int) -> None:
        """Look at a word that was clicked."""
        session = self.session
        if session is not None:
            self.run_guarded(lambda: session.look_at(word))

    def select(self, cell: int) -> None:
        """Select a cell that was clicked, or deselect it if it was selected."""
        session = self.session
        if session is not None:
            self.run_guarded(lambda: session.select(None if session.choices.selected == cell else cell))

    def brush(self, first: int, last: int) -> None:
        """Brush words that were dragged over."""
        if self.session is not None:
            brush = self.session.brush
            brush.open_at(first)
            self.run_guarded(lambda: brush.close_at(last))

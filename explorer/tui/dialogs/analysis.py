"""Base of the dialogs of analyses: lines of numbers above, and keys that save and close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from explorer.session.core import SessionError
from explorer.session.save_table import save_table
from explorer.session.session import Session
from explorer.session.views.runs import Line
from explorer.session.views.tables import Table
from explorer.tui.dialogs.rows import ListDialog
from explorer.tui.terminal.styles import markup

POLL = 0.1  # seconds

Chosen = TypeVar("Chosen")


def saved(session: Session, name: str, table: Callable[[], Table]) -> str:
    """Save a table in the working directory, and return a message: where it is, or why it is not there."""
    try:
        return save_table(session, name, table)
    except (SessionError, OSError) as error:
        return str(error)


class AnalysisDialog(ListDialog[Chosen]):
    """A list that shows the newest result of an analysis, below lines about it.

    Subclasses set ``name_of_file``, and implement `update_rows` and `table` besides `row` and `chosen`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*ListDialog.BINDINGS, ("e", "save", "Save"), ("q", "dismiss", "Close")]
    name_of_file = ""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.message = ""

    def heading(self) -> ComposeResult:
        yield Static(id="heading")

    def on_mount(self) -> None:
        self.rows.focus()
        self.set_interval(POLL, self.update_rows)
        self.call_after_refresh(self.update_rows)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show lines above the list."""
        self.query_one("#heading", Static).update("\n".join(map(markup, lines)))
        self.set_status(self.message, self.keys_text)

    def action_save(self) -> None:
        """Save the numbers as CSV."""
        self.message = saved(self.session, self.name_of_file, self.table)
        self.update_rows()

    def update_rows(self) -> None:
        """Show the newest result."""
        raise NotImplementedError

    def table(self) -> Table:
        """Return the numbers."""
        raise NotImplementedError

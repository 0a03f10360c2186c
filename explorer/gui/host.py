"""Interface of the window that panels, plots and dialogs use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtWidgets import QMenu

from explorer.gui.theme import Theme
from explorer.session.actions import Action
from explorer.session.session import Session
from explorer.session.views.visible_range import VisibleRange


class Host(Protocol):
    """The part of the main window that panels depend on.

    ``session`` is None until the session is open. ``hovered`` and ``hovered_cell`` are the word and the cell under the
    mouse in any panel, ``dragged`` the first and last word of a brush in progress, ``visible_range`` the words that
    every plot over time shows.
    """

    session: Session | None
    theme: Theme
    show_rates: bool
    hovered: int | None
    hovered_cell: int | None
    dragged: tuple[int, int] | None
    visible_range: VisibleRange

    @property
    def table(self) -> Sequence[Action]:
        """Every action with the user's keys."""

    def redraw(self) -> None:
        """Draw every visible panel now."""

    def perform(self, name: str) -> None:
        """Perform an action of the table."""

    def run_guarded(self, deed: Callable[[], object]) -> None:
        """Call ``deed``; if it fails, show the reason in the status bar."""

    def look_at(self, word: int) -> None:
        """Move the cursor to a word."""

    def select(self, cell: int) -> None:
        """Select a cell, or deselect it if it is selected."""

    def brush(self, first: int, last: int) -> None:
        """Brush the words ``first`` to ``last``, both included."""

    def hover(self, word: int | None, cell: int | None = None) -> None:
        """Mark the word and the cell under the mouse in every panel at the next frame."""

    def raise_panel(self, name: str) -> None:
        """Bring a panel to the front and give it the keyboard focus."""

    def panel_in_view(self, name: str) -> bool:
        """Return whether any part of a panel is visible."""

    def add_action_item(self, menu: QMenu, name: str) -> None:
        """Add an action of the table to a context menu."""

    def add_panel_items(self, menu: QMenu, panel: str) -> None:
        """Add the items that every panel's context menu has: copy, export, close."""

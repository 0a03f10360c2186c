"""The application as its panels and dialogs see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from explorer.session.actions import Action
from explorer.session.session import Session
from explorer.tui.terminal.direct_renderer import DirectRenderer
from explorer.tui.terminal.throttle import Throttle


class Host(Protocol):
    """Interface of the application that panels and dialogs use."""

    session: Session | None
    actions: Sequence[Action]
    show_rates: bool
    tab: str
    held: bool
    zoomed: str | None
    trace: bool

    @property
    def focused_panel(self) -> str:
        """The name of the panel with the focus; empty if there is none."""

    @property
    def glyphs(self) -> bool:
        """Whether values are drawn as characters of different density, for terminals with few colours or none."""

    @property
    def renderer(self) -> DirectRenderer | None:
        """The direct renderer; None where Textual draws everything."""

    @property
    def throttle(self) -> Throttle:
        """The link to the terminal."""

    @property
    def output_pending(self) -> bool:
        """Whether part of what was drawn is not sent yet."""

    def draw(self, *, numbers: bool = True) -> None:
        """Draw the newest frame; without ``numbers`` only the panels that move with the words."""

    def perform(self, name: str) -> None:
        """Perform an action by its name."""

    def run_guarded(self, deed: Callable[[], object]) -> None:
        """Run something that may be refused, show the reason if it is, and draw."""

    def look_at(self, word: int) -> None:
        """Look at a word."""

    def select(self, cell: int) -> None:
        """Select a cell, or deselect it if it is selected."""

    def brush(self, first: int, last: int) -> None:
        """Brush a range of words."""

    def raise_panel(self, name: str) -> None:
        """Focus a panel, and show it where panels are tabs."""

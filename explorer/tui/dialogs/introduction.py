"""Introduction that a first start shows over the panels: a sentence at each of three panels, and three keys."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from explorer.session.actions import Action, key_of
from explorer.session.views.introduction import KEY_LABELS, KEYS, TITLE, annotations_for
from explorer.session.views.units import WORDS, UnitNames
from explorer.tui.dialogs.closing import Dialog
from explorer.tui.host import Host
from explorer.tui.terminal.styles import DIM, PINK_BOLD, TEXT

WIDTH = 58  # columns of a box at most
ROOMY = 30  # rows from which boxes stand in their panels; below, under each other


class IntroductionScreen(Dialog[str | None]):
    """Any key or click closes it. Returns the action of that key, so that no key is lost; None if it has none."""

    def __init__(self, actions: Sequence[Action], names: UnitNames = WORDS) -> None:
        super().__init__()
        self._annotations = annotations_for(names)
        self._keys = Text()
        for name in KEYS:
            self._keys.append(f"{key_of(actions, name)} ", PINK_BOLD)
            self._keys.append(f"{KEY_LABELS[name]}   ", TEXT)
        self._keys.append("any key begins", DIM)

    def compose(self) -> ComposeResult:
        for annotation in self._annotations:
            yield Static(Text(annotation.sentence, style=TEXT), id=f"about-{annotation.panel}", classes="annotation")
        yield Static(self._keys, id="about-keys", classes="annotation")

    def on_mount(self) -> None:
        for box in self.query(".annotation"):
            box.border_title = TITLE if box.id == f"about-{self._annotations[0].panel}" else ""
        self._place()

    def on_resize(self) -> None:
        self._place()

    def _place(self) -> None:
        """Put each box over its panel, or, where the panel is not shown, below the others. A terminal may be tiny."""
        width, height = self.app.size
        below, main = 1, self.app.screen_stack[0]
        for annotation in self._annotations:
            box, region = self.query_one(f"#about-{annotation.panel}"), main.query_one(f"#{annotation.panel}").region
            columns = max(5, min(WIDTH, width - 4, region.width - 4 if region.width else width))
            rows = len(wrap(annotation.sentence, columns - 4)) + 2
            beside = region.width and region.x > 0
            top = region.y + 1 if beside else below if not region.width or height < ROOMY else max(below, region.y + 1)
            box.styles.width, box.styles.height = columns, rows
            box.styles.offset = region.x + 2 if beside else 2, top
            below = below if beside else top + rows
        keys, columns = self.query_one("#about-keys"), max(5, min(width - 4, 84))
        rows = len(wrap(self._keys.plain, columns - 4)) + 2
        keys.styles.width, keys.styles.height = columns, rows
        keys.styles.offset = 2, height - rows - 2

    def on_key(self, event: events.Key) -> None:
        event.stop()
        actions = cast("Host", self.app).actions
        self.dismiss(next((action.id for action in actions if event.key in action.keys), None))

    def on_click(self) -> None:
        self.dismiss(None)

"""What opens over the panels: help, lists to choose from, a place to type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from explorer.session.actions import ACTIONS, GROUPS, shown_key
from explorer.tui.ink import DIM, PINK_BOLD, TEXT, safe

LEGEND = (
    "The words light up with the chosen signal while the network reads. In the picture each line is two rows of cells "
    "and each column a word. α is the exponent of detrended fluctuation analysis; β = 2α − 1 is 0 for white noise, "
    "1 for pink (1/f), 2 for Brownian. † marks dead cells, whose h hardly moves."
)


class HelpDialog(ModalScreen[None]):
    """Every action with its keys, made from the table."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,f1", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help", classes="dialog") as box:
            box.border_title = "Help"
            box.border_subtitle = "esc closes"
            yield Static(Text(LEGEND, style=DIM))
            yield Static(_keys_table())


def _keys_table() -> Table:
    table = Table(box=None, padding=(0, 1), show_header=False, expand=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for group in GROUPS:
        table.add_row("", Text(f"\n{group}", style=PINK_BOLD))
        for action in ACTIONS:
            if action.group == group:
                keys = " ".join(shown_key(key) for key in action.keys)
                table.add_row(Text(keys, style=PINK_BOLD), Text(action.help, style=TEXT))
    return table


class ChooseDialog(ModalScreen[str | None]):
    """A list that narrows while one types. Returns the id of the chosen entry, None if none was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss", "Close"),
        ("down", "move(1)", "Down"),
        ("up", "move(-1)", "Up"),
    ]
    SHOWN: ClassVar[int] = 500

    def __init__(self, title: str, entries: Sequence[tuple[str, str]], present: str = "") -> None:
        super().__init__()
        self._title = title
        self._entries = [(key, safe(label, 200)) for key, label in entries]
        self._present = present

    def compose(self) -> ComposeResult:
        with Vertical(id="choose", classes="dialog") as box:
            box.border_title = self._title
            box.border_subtitle = "type to search   ↑ ↓ enter choose   esc closes"
            yield Input(placeholder="search")
            yield OptionList()

    def on_mount(self) -> None:
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def on_input_submitted(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self.dismiss(options.get_option_at_index(options.highlighted).id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_move(self, count: int) -> None:
        """Move the highlight while the search keeps the keys."""
        options = self.query_one(OptionList)
        if options.option_count:
            options.highlighted = ((options.highlighted or 0) + count) % options.option_count

    def _fill(self, search: str) -> None:
        wanted = search.lower().split()
        found = [e for e in self._entries if all(part in e[1].lower() for part in wanted)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(Text(label), id=key) for key, label in found[: self.SHOWN]])
        keys = [key for key, _ in found[: self.SHOWN]]
        if keys:
            options.highlighted = keys.index(self._present) if self._present in keys else 0
        if len(found) > self.SHOWN:
            options.add_option(Option(Text(f"… {len(found) - self.SHOWN} more: type to search"), disabled=True))


class TypeDialog(ModalScreen[str | None]):
    """A place to type or paste a review. Enter reads it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss", "Close")]

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="type", classes="dialog") as box:
            box.border_title = "Type or paste a review"
            box.border_subtitle = "enter reads it   ctrl+j new line   esc closes"
            yield ReviewEditor(self._text, soft_wrap=True)

    def on_mount(self) -> None:
        self.query_one(ReviewEditor).focus()


class ReviewEditor(TextArea):
    """A text area in which Enter means: read it."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.prevent_default().stop()
            self.screen.dismiss(self.text)
        elif event.key == "ctrl+j":
            event.prevent_default().stop()
            self.insert("\n")
        else:
            await super()._on_key(event)


class AskDialog(ModalScreen[str | None]):
    """Asks for a line of text."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss", "Close")]

    def __init__(self, title: str, hint: str, enter: str) -> None:
        super().__init__()
        self._title, self._hint, self._enter = title, hint, enter

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog ask") as box:
            box.border_title = self._title
            box.border_subtitle = f"enter {self._enter}   esc closes"
            yield Input(placeholder=self._hint)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

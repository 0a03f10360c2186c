"""Dialogs: help, a list to choose from, a text area and a text field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static, TextArea

from explorer.session.actions import Action, key_of, sections, shown_key
from explorer.session.core import SessionError
from explorer.session.palette import DARK
from explorer.session.views.legend import Section, legend, sentence
from explorer.session.views.units import WORDS, UnitNames
from explorer.tui.dialogs.closing import Dialog
from explorer.tui.dialogs.rows import ListDialog
from explorer.tui.terminal.styles import BRIGHT, DIM, PINK_BOLD, TEXT, Line, as_markup, safe
from explorer.tui.terminal.textual_internals import remove_watchers

TERM = 18  # columns of the terms


class HelpDialog(Dialog[None]):
    """All actions with their keys; those of the focused panel first."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,f1", "dismiss", "Close")]

    def __init__(self, actions: Sequence[Action], panel: str = "") -> None:
        super().__init__()
        self._sections = sections(actions, panel)
        self._hint = f"{key_of(actions, 'legend')} explains the terms on the screen"

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help", classes="dialog") as box:
            box.border_title = "Help"
            box.border_subtitle = "esc close"
            yield Static(_keys_table(self._sections[:1]))
            yield Static(Text(f"\n{self._hint}", style=DIM))
            yield Static(_keys_table(self._sections[1:]))


def _keys_table(shown: Sequence[tuple[str, Sequence[Action]]]) -> Table:
    table = Table(box=None, padding=(0, 1), show_header=False, expand=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for title, actions in shown:
        table.add_row("", Text(f"\n{title}", style=PINK_BOLD))
        for action in actions:
            keys = " ".join(shown_key(key) for key in action.keys)
            table.add_row(Text(keys, style=PINK_BOLD), Text(action.help, style=TEXT))
    return table


class LegendDialog(Dialog[None]):
    """Legend of the terms on the screen; those of the focused panel first."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,l,question_mark", "dismiss", "Close")]

    def __init__(self, panel: str = "", names: UnitNames = WORDS) -> None:
        super().__init__()
        self._names = names
        self._sections = sorted(legend(names), key=lambda section: section.panel != panel)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="legend", classes="dialog") as box:
            box.border_title = "Legend"
            box.border_subtitle = "esc close"
            for section in self._sections:
                yield Static(_terms_table(section, self._names))


def _terms_table(section: Section, names: UnitNames) -> Table:
    table = Table(box=None, padding=(0, 1), show_header=False, expand=True)
    table.add_column(width=TERM, no_wrap=False)
    table.add_column(ratio=1)
    table.add_row(Text(f"\n{section.title}", style=PINK_BOLD), Text(f"\n{sentence(section.panel, names)}", style=DIM))
    for term in section.terms:
        table.add_row(Text(term.shown, style=BRIGHT), Text(term.meaning, style=TEXT))
    return table


class ChooseDialog(ListDialog[str]):
    """A list that can be searched. Returns the key of the chosen entry, None if none was chosen."""

    keys_text = "type to search   ↑ ↓ enter choose   esc close"
    hint = "search"

    def __init__(self, title: str, entries: Sequence[tuple[str, str]], present: str = "") -> None:
        super().__init__()
        self.title_text = title
        self._entries = entries
        self._lower: list[str] = []
        self._found: Sequence[int] = range(len(entries))
        self._present = next((k for k, (key, _) in enumerate(entries) if key == present), None)

    def on_mount(self) -> None:
        self.rows.fill(len(self._found), self._present or 0)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._lower = self._lower or [label.lower() for _, label in self._entries]
        wanted = event.value.lower().split()
        self._found = [k for k, label in enumerate(self._lower) if all(part in label for part in wanted)]
        self.rows.fill(len(self._found), 0)

    def row(self, number: int, width: int) -> Line:
        entry = self._found[number]
        marked = [] if self._present is None else [Segment("● " if entry == self._present else "  ", PINK_BOLD)]
        return [*marked, Segment(safe(self._entries[entry][1], width - 2), TEXT)]

    def chosen(self, number: int) -> None:
        self.dismiss(self._entries[self._found[number]][0])


Accept = Callable[[str], object]
"""Acts on what was entered; raises SessionError, ValueError or OSError if that is impossible."""


class EntryDialog(Dialog[bool]):
    """A dialog that stays open, with the reason, while what is entered is refused. Returns True once it is accepted."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(False)", "Close")]

    def __init__(self, accept: Accept) -> None:
        super().__init__()
        self._accept = accept

    def enter(self, text: str) -> None:
        """Accept a text and close the dialog, or show why it is refused."""
        try:
            self._accept(text)
        except (SessionError, ValueError, OSError) as error:
            self.query_one(".dialog").border_subtitle = f"[b {DARK.warning.hex}]{as_markup(str(error))}[/]"
        else:
            self.dismiss(True)


class TypeDialog(EntryDialog):
    """A text area to type or paste a review."""

    def __init__(self, accept: Accept, title: str = "Type or paste a review", text: str = "") -> None:
        super().__init__(accept)
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(id="type", classes="dialog") as box:
            box.border_title = self._title
            box.border_subtitle = "enter read   ctrl+j new line   esc close"
            yield ReviewEditor(self._text, soft_wrap=True)

    def on_mount(self) -> None:
        self.query_one(ReviewEditor).focus()


class ReviewEditor(TextArea):
    """A text area in which Enter ends the input."""

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.prevent_default().stop()
            cast("TypeDialog", self.screen).enter(self.text)
        elif event.key == "ctrl+j":
            event.prevent_default().stop()
            self.insert("\n")

    def on_unmount(self) -> None:
        remove_watchers(self.app, self)


class AskDialog(EntryDialog):
    """A text field."""

    def __init__(self, accept: Accept, title: str, hint: str, enter: str) -> None:
        super().__init__(accept)
        self._title, self._hint, self._enter = title, hint, enter

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog ask") as box:
            box.border_title = self._title
            box.border_subtitle = f"enter {self._enter}   esc close"
            yield Input(placeholder=self._hint)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.enter(event.value)

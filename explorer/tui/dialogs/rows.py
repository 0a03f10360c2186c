"""A list of any length that draws only its visible rows, and a dialog with such a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input

from explorer.session.palette import DARK
from explorer.tui.dialogs.closing import Dialog
from explorer.tui.terminal.styles import Line, as_markup

HIGHLIGHT = Style(bgcolor=DARK.selected.hex)


class Rows(ScrollView, can_focus=True):
    """Numbered rows. ↑ ↓, PgUp, PgDn, Home, End and the wheel move the highlight; Enter or a click chooses.

    Parameters
    ----------
    draw : callable
        Returns the line for (row, columns).
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("down", "move(1)", "Down"),
        ("up", "move(-1)", "Up"),
        ("pagedown", "page(1)", "Page down"),
        ("pageup", "page(-1)", "Page up"),
        ("home", "go(0)", "First"),
        ("end", "go(-1)", "Last"),
        ("enter", "choose", "Choose"),
    ]

    class Chosen(Message):
        """A row was chosen."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    def __init__(self, draw: Callable[[int, int], Line]) -> None:
        super().__init__()
        self._draw = draw
        self.count = 0
        self.highlighted = 0

    def fill(self, count: int, highlighted: int | None = None) -> None:
        """Set the number of rows, and highlight one of them if given."""
        self.count = count
        self.virtual_size = Size(0, count)
        if highlighted is not None:
            self.action_go(highlighted)
        self.highlighted = max(0, min(self.highlighted, count - 1))
        self.refresh()

    def on_resize(self) -> None:
        self.action_go(self.highlighted)

    def render_line(self, y: int) -> Strip:
        row, width = y + self.scroll_offset.y, self.size.width
        if row >= self.count:
            return Strip.blank(width, self.rich_style)
        strip = Strip(self._draw(row, width)).adjust_cell_length(width)
        return strip.apply_style(self.rich_style + HIGHLIGHT if row == self.highlighted else self.rich_style)

    def action_go(self, row: int) -> None:
        """Highlight a row; a negative one counts from the end."""
        row = max(0, min(row if row >= 0 else self.count + row, self.count - 1))
        self.highlighted = row
        top, height = self.scroll_offset.y, self.size.height
        if height and not top <= row < top + height:
            self.scroll_to(y=row - height // 2, animate=False, immediate=True)
        self.refresh()

    def action_move(self, count: int) -> None:
        """Move the highlight by ``count`` rows."""
        self.action_go(max(0, self.highlighted + count))

    def action_page(self, count: int) -> None:
        """Move the highlight by ``count`` pages."""
        self.action_move(count * max(1, self.size.height - 1))

    def action_choose(self) -> None:
        """Choose the highlighted row."""
        if self.count:
            self.post_message(self.Chosen(self.highlighted))

    def on_click(self, event: events.Click) -> None:
        row = event.y + self.scroll_offset.y
        if row < self.count:
            self.action_go(row)
            self.action_choose()


Result = TypeVar("Result")


class ListDialog(Dialog[Result | None]):
    """A dialog with a list, and a text field above it if ``hint`` is set.

    Subclasses implement `row`, the line of a row, and `chosen`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss", "Close"),
        ("down", "move(1)", "Down"),
        ("up", "move(-1)", "Up"),
        ("pagedown", "page(1)", "Page down"),
        ("pageup", "page(-1)", "Page up"),
    ]
    title_text = ""
    keys_text = "↑ ↓ enter choose   esc close"
    hint = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = as_markup(self.title_text)
            box.border_subtitle = self.keys_text
            if self.hint:
                yield Input(placeholder=self.hint)
            yield from self.heading()
            yield Rows(self.row)

    def heading(self) -> ComposeResult:
        """Return widgets above the list."""
        return iter(())

    def set_status(self, *parts: str) -> None:
        """Set the progress and the keys in the lower border."""
        status = "   ".join(part for part in parts if part)
        box = self.query_one(".dialog")
        if box.border_subtitle != status:
            box.border_subtitle = status

    def row(self, number: int, width: int) -> Line:
        """Return a row as a line of at most ``width`` columns."""
        raise NotImplementedError

    def chosen(self, number: int) -> None:
        """Handle the choice of a row."""
        raise NotImplementedError

    @property
    def rows(self) -> Rows:
        return self.query_one(Rows)

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        if self.is_current:  # a second click may arrive after the dialog was closed
            self.chosen(event.row)

    def on_input_submitted(self) -> None:
        self.submitted()

    def submitted(self) -> None:
        """Handle Enter in the text field."""
        self.rows.action_choose()

    def action_move(self, count: int) -> None:
        """Move the highlight while the text field has the focus."""
        self.rows.action_move(count)

    def action_page(self, count: int) -> None:
        """Move the highlight by pages while the text field has the focus."""
        self.rows.action_page(count)

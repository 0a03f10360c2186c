"""A folder of networks in the terminal: a table to sort and filter, a scatter plot, and the explorers of a row."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.coordinate import Coordinate
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import DataTable, Input, Static

from explorer.session.core import SessionError
from explorer.session.network_browser import NetworkBrowser
from explorer.session.network_folder import NetworkFolder, command_line, start_desktop
from explorer.session.palette import DARK, RGB
from explorer.session.views.network_table import NAME, heading, is_numeric, value_text
from explorer.session.views.picking import nearest
from explorer.tui.terminal.canvas import Canvas
from explorer.tui.terminal.styles import DIM, PINK_BOLD, TEXT, WARN, Line, fit, padded, safe

WIDE = 100  # columns from which the plot has room beside the table
NAME_COLUMNS = 32
MARKED = 300  # points up to which each is a mark; more are single dots
_REACH = 3.0  # columns between a click and the point it means
_AXES_ROWS = 1
KEYS = (
    ("/", "Filter"),
    ("s", "Sort"),
    ("enter", "Explore"),
    ("d", "Desktop"),
    ("p", "Plot"),
    ("x y", "Axes"),
    ("e", "Export"),
    ("q", "Quit"),
)
HINT = "a text to find, or size>=32 cell=lstm,gru beta_h<1.2"

OpenTerminal = Callable[[App[None], Path], None]


def explore_here(app: App[None], network: Path) -> None:
    """Run the terminal explorer in place of the table, and return to the table when it is quit."""
    with app.suspend():
        subprocess.run(command_line("tui", network), check=False)


class ScatterPlot(Widget, can_focus=True):
    """Two columns of the listed networks; a click or the arrow keys select a point, and with it its row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("right", "step(0, 1)", "Next along x"),
        ("left", "step(0, -1)", "Previous along x"),
        ("up", "step(1, 1)", "Next along y"),
        ("down", "step(1, -1)", "Previous along y"),
    ]

    class Picked(Message):
        """A point was selected."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    def __init__(self, browser: NetworkBrowser) -> None:
        super().__init__()
        self._browser = browser
        self._scatter = browser.scatter()
        self._lines: list[Line] = []
        self.row = -1

    def show(self, row: int, *, changed: bool) -> None:
        """Mark a row; ``changed``: other points are shown."""
        if changed:
            self._scatter = self._browser.scatter()
        self.row = row
        self._lines = []
        self.border_title = f"{self._scatter.y or 'no two columns of numbers'}"
        self.border_subtitle = self._scatter.x
        self.refresh()

    def on_resize(self) -> None:
        self._lines = []

    def render_line(self, y: int) -> Strip:
        self._lines = self._lines or self._drawn()
        line = self._lines[y] if y < len(self._lines) else []
        return Strip(padded(line, self.size.width)).apply_style(self.rich_style)

    def _drawn(self) -> list[Line]:
        columns, rows = self.size.width, self.size.height - 2 * _AXES_ROWS
        if rows < 2 or columns < 4:
            return []
        found = self._scatter
        canvas = Canvas(columns, rows)
        if len(found.rows) <= MARKED:
            for place in found.places:
                canvas.mark(place.tolist(), "•", TEXT)
        else:
            canvas.dots(found.places, TEXT)
        for place in found.places[found.rows == self.row]:
            canvas.mark(place.tolist(), "●", PINK_BOLD)
        low, high = (value_text(end) for end in found.x_range)
        bottom, top = (value_text(end) for end in found.y_range)
        corner = f"{bottom} ↑  → {low}"
        scale = corner + high.rjust(max(1, columns - len(corner)))
        return [[Segment(fit(top, columns), DIM)], *canvas.lines(), [Segment(fit(scale, columns), DIM)]]

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        columns, rows = self.size.width, self.size.height - 2 * _AXES_ROWS
        if place is None or rows < 2:
            return
        unit = (2 / columns, 2 / rows)
        at = ((place.x + 0.5) * unit[0] - 1, 1 - (place.y - _AXES_ROWS + 0.5) * unit[1])
        found = nearest(self._scatter.places, at, unit, _REACH)
        if found is not None:
            self.post_message(self.Picked(int(self._scatter.rows[found])))

    def action_step(self, axis: int, direction: int) -> None:
        """Select the next point along an axis."""
        found = self._scatter
        if not len(found.rows):
            return
        order = found.rows[np.argsort(found.places[:, axis], kind="stable")]
        at = np.flatnonzero(order == self.row)
        following = int(np.clip(at[0] + direction, 0, len(order) - 1)) if len(at) else 0
        self.post_message(self.Picked(int(order[following])))


class NetworkTable(App[None]):
    """The application.

    Parameters
    ----------
    folder : NetworkFolder
    explore, desktop : callable
        Open a network in the terminal and in the desktop.
    """

    CSS_PATH = ["style.tcss", "network_table.tcss"]
    TITLE = "pinkx table"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "quit", show=False, priority=True),
        ("q", "quit", "Quit"),
        ("slash,f", "filter", "Filter"),
        ("escape", "leave", "Back"),
        ("s", "sort", "Sort"),
        ("d", "desktop", "Desktop"),
        ("p", "plot", "Plot"),
        ("x", "axis('x')", "x axis"),
        ("y", "axis('y')", "y axis"),
        ("e", "export", "Export"),
    ]

    def __init__(
        self,
        folder: NetworkFolder,
        explore: OpenTerminal = explore_here,
        desktop: Callable[[Path], object] = start_desktop,
        exports: Path | None = None,
    ) -> None:
        super().__init__(ansi_color="NO_COLOR" in os.environ)
        self.browser = NetworkBrowser(folder)
        self._explore, self._desktop = explore, desktop
        self._exports = Path.cwd() if exports is None else exports
        self._note = "; ".join(folder.notes)
        self._plot_wanted: bool | None = None

    def get_css_variables(self) -> dict[str, str]:
        """Return Textual's variables and the colours of the palette."""
        colours = {f"pinkx-{name}": colour.hex for name, colour in vars(DARK).items() if isinstance(colour, RGB)}
        return super().get_css_variables() | colours

    def compose(self) -> ComposeResult:
        yield Static(id="summary")
        yield Input(placeholder=HINT, id="filter")
        with Horizontal(id="body"):
            yield DataTable[Text](cursor_type="cell", fixed_columns=1)
            yield ScatterPlot(self.browser)
        yield Static(id="note")
        keys = (part for key, label in KEYS for part in ((f" {key}", PINK_BOLD), f" {label} "))
        yield Static(Text.assemble(*keys), id="keys")

    def on_mount(self) -> None:
        self._fill()
        self._table.focus()

    def on_resize(self, event: events.Resize) -> None:
        wanted = self._plot_wanted
        self.query_one(ScatterPlot).display = event.size.width >= WIDE if wanted is None else wanted

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    @property
    def _row(self) -> int:
        """The row under the cursor, −1 if none is listed."""
        at, listed = self._table.cursor_row, self.browser.listed
        return listed[at] if 0 <= at < len(listed) else -1

    @property
    def _column(self) -> str:
        return self.browser.columns[self._table.cursor_column]

    def _fill(self, row: int = -1) -> None:
        """List the rows, with the cursor on ``row`` in the column where it is."""
        browser, table = self.browser, self._table
        column = table.cursor_column
        table.clear(columns=True)
        right = [is_numeric(browser.rows, name) for name in browser.columns]
        for name, numeric in zip(browser.columns, right, strict=True):
            title = heading(safe(name, NAME_COLUMNS), browser.sorting)
            table.add_column(Text(title, justify="right" if numeric else "left"))
        listed = browser.listed
        for number in listed:
            values = (value_text(browser.rows[number].get(name)) for name in browser.columns)
            table.add_row(
                *(
                    Text(safe(text, NAME_COLUMNS), justify="right" if numeric else "left")
                    for text, numeric in zip(values, right, strict=True)
                )
            )
        table.move_cursor(row=listed.index(row) if row in listed else 0, column=column)
        self._show(changed=True)

    def _show(self, note: str = "", *, changed: bool = False) -> None:
        self._note = note or self._note
        filtered = f"   where {self.browser.where}" if self.browser.where else ""
        summary = safe(f"{self.browser.folder.source}   {self.browser.summary()}{filtered}", self.size.width - 8)
        self.query_one("#summary", Static).update(Text.assemble((" pinkx", PINK_BOLD), f" {summary}"))
        self.query_one("#note", Static).update(Text(f" {safe(self._note, self.size.width - 1)}", style=WARN))
        self.query_one(ScatterPlot).show(self._row, changed=changed)

    def _attempt(self, act: Callable[[], str | None]) -> None:
        """Act, and show what it returns or why it is impossible."""
        try:
            self._note = ""
            self._show(act() or "")
        except (SessionError, OSError) as error:
            self._show(str(error))

    # ---- what the user does --------------------------------------------------------------------------------------

    def on_data_table_cell_highlighted(self) -> None:
        self._show()

    def on_data_table_cell_selected(self) -> None:
        def explore() -> None:
            self._explore(self, self.browser.folder.path_of(self._row))

        if self._row >= 0:
            self._attempt(explore)

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        self._table.move_cursor(column=event.column_index)
        self.action_sort()

    def on_scatter_plot_picked(self, event: ScatterPlot.Picked) -> None:
        listed = self.browser.listed
        if event.row in listed:
            self._table.cursor_coordinate = Coordinate(listed.index(event.row), self._table.cursor_column)
        else:
            name = value_text(self.browser.rows[event.row].get(NAME))
            self._show(f"{name} is not among the first {len(listed):,} rows: filter or sort to list it")

    def on_input_changed(self, event: Input.Changed) -> None:
        row = self._row

        def filter_rows() -> None:
            self.browser.filter_by(event.value)
            self._fill(row)

        self._attempt(filter_rows)

    def on_input_submitted(self) -> None:
        self.action_leave()

    def action_filter(self) -> None:
        """Type a filter; the table follows while it is typed."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()

    def action_leave(self) -> None:
        """Return to the table; the filter stays, and an empty one is hidden."""
        line = self.query_one("#filter", Input)
        line.display = bool(line.value)
        self._table.focus()

    def action_sort(self) -> None:
        """Order by the column of the cursor: ascending, descending, as in the table."""
        row = self._row
        self.browser.sort_by(self._column)
        self._fill(row)

    def action_desktop(self) -> None:
        """Open the row's network in the desktop window."""

        def start() -> str:
            path = self.browser.folder.path_of(self._row)
            self._desktop(path)
            return f"{path.name} opens in a window of its own"

        if self._row >= 0:
            self._attempt(start)

    def action_plot(self) -> None:
        """Show or hide the plot."""
        plot = self.query_one(ScatterPlot)
        self._plot_wanted = plot.display = not plot.display
        if not plot.display:
            self._table.focus()

    def action_axis(self, axis: str) -> None:
        """Plot the column of the cursor along an axis."""
        if self.browser.plot_along(axis, self._column):
            self._show(changed=True)
        else:
            self._show(f"{self._column} has no numbers to plot: move the cursor to another column with ← →")

    def action_export(self) -> None:
        """Write the rows that are shown as CSV into the working directory."""
        self._attempt(lambda: self.browser.export(self._exports))

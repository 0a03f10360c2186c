"""Draw lines straight into the `ScreenBuffer`, without Textual's pipeline.

Textual renders a widget, cuts it to the visible parts and writes them as text with all colours, which `ScreenBuffer`
parses again: 100 ms for what one word changes. A panel knows its lines and its position, so `DirectRenderer` puts them
into the buffer itself. Textual's cached copy is discarded; when Textual redraws for its own reasons, it renders the
same lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, cast, runtime_checkable

import numpy as np
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.errors import NoWidget
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.session.palette import LEVELS
from explorer.tui.terminal import sgr
from explorer.tui.terminal.sgr import DEFAULT
from explorer.tui.terminal.styles import Line, half_blocks
from explorer.tui.terminal.textual_internals import discard_cached_lines
from explorer.tui.terminal.throttle import Throttle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from explorer.tui.terminal.screen_buffer import Codes, ScreenBuffer


@runtime_checkable
class DirectDriver(Protocol):
    """A Textual driver that accepts cells from a `DirectRenderer`."""

    renderer: DirectRenderer
    throttle: Throttle

    @property
    def gone(self) -> bool:
        """Whether the terminal was closed."""

    @property
    def pending(self) -> bool:
        """Whether part of what was drawn is not sent yet."""

    def flush_cells(self) -> None:
        """Send what the renderer drew."""

    def invalidate(self) -> None:
        """Send every cell again: the terminal may have lost what it showed."""


MAX_STYLES: Final = 4096  # converted styles at which all are dropped: pictures have one for each pair of colours


class DirectRenderer:
    """Converts lines of styled text to cells of a `ScreenBuffer`. ``draw…`` return False where Textual must draw."""

    def __init__(self, app: App[Any], screen: ScreenBuffer) -> None:
        self._app, self._screen = app, screen
        self._styles: dict[tuple[Style | None, Style | None], sgr.Style] = {}
        self._blocks: dict[tuple[str, Style], tuple[int, Codes]] = {}

    def place(self, widget: Widget) -> Region | None:
        """Return the region of a widget on the terminal; None if it is clipped, covered or not shown."""
        if len(self._app.screen_stack) != 1:
            return None
        try:
            placed = self._app.screen_stack[0].find_widget(widget)
        except NoWidget:
            return None
        return placed.region if placed.region and placed.clip.contains_region(placed.region) else None

    def draw(self, widget: Widget, lines: Iterable[tuple[int, Line]], background: Style) -> bool:
        """Draw lines of a widget's content, given as (row from the top, line)."""
        place = self.place(widget)
        if place is None:
            return False
        discard_cached_lines(widget)
        content = place.shrink(widget.styles.gutter)
        self._screen.put((content.y + y, content.x, self._codes(line, background, content.width)) for y, line in lines)
        return True

    def draw_border(self, widget: Widget, top: bool, bottom: bool) -> bool:
        """Draw the top or bottom border of a widget with the title in it."""
        place = self.place(widget)
        if place is None:
            return False
        discard_cached_lines(widget)
        for y in [0] * top + [place.height - 1] * bottom:
            (strip,) = widget.render_lines(Region(0, y, place.width, 1))
            self._screen.put([(place.y + y, place.x, self._codes(list(strip), None, place.width))])
        return True

    def draw_columns(self, widgets: Sequence[Widget], cells: Codes) -> bool:
        """Draw cells (row, column) over adjacent widgets without borders."""
        places = [self.place(widget) for widget in widgets]
        if None in places or places[0] is None:
            return False
        for widget in widgets:
            discard_cached_lines(widget)
        x, y = places[0].offset
        self._screen.put((y + row, x, line) for row, line in enumerate(cells))
        return True

    def cell(self, segment: Segment, background: Style) -> int:
        """Return the code of one character."""
        return self._codes([segment], background, 1)[0]

    def blocks(self, colour_map: str, upper: NDArray[np.uint8], lower: NDArray[np.uint8], background: Style) -> Codes:
        """Return the codes of half blocks whose upper and lower halves have these colour-map positions."""
        generation, known = self._blocks.get((colour_map, background), (-1, None))
        if known is None or generation != self._screen.generation:
            known = np.full(LEVELS * LEVELS, -1, dtype=np.int32)
            self._blocks[colour_map, background] = self._screen.generation, known
        pairs = upper.astype(np.intp) * LEVELS + lower
        for pair in np.unique(pairs[known[pairs] < 0]).tolist():
            known[pair] = self.cell(half_blocks(colour_map, *divmod(pair, LEVELS)), background)
        return cast("Codes", known[pairs])

    def _codes(self, line: Line, background: Style | None, width: int) -> list[int]:
        """Return the codes of a line, cut or padded with background to a width."""
        codes: list[int] = []
        for text, style, control in line:
            if not control:
                codes += self._screen.codes(text, self._style(background, style))
        if background is not None and len(codes) < width:
            codes += self._screen.codes(" " * (width - len(codes)), self._style(background, None))
        return codes[:width]

    def _style(self, background: Style | None, style: Style | None) -> sgr.Style:
        known = self._styles.get((background, style))
        if known is None:
            segment = Segment("x", style if background is None else background + style)
            if background is not None:
                colour = background.bgcolor
                behind = Color.parse("#000000") if colour is None else Color.from_rich_color(colour)
                for each in self._app.get_line_filters():
                    (segment,) = each.apply([segment], behind)
            if len(self._styles) >= MAX_STYLES:
                self._styles.clear()
            known = self._styles[background, style] = self._rendered(segment)
        return known

    def _rendered(self, segment: Segment) -> sgr.Style:
        if segment.style is None:
            return DEFAULT
        system = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}.get(
            self._app.console.color_system or "", ColorSystem.TRUECOLOR
        )
        drawn = Strip.render_style(segment.style, "x", system)
        return sgr.after(DEFAULT, drawn[2:].partition("m")[0]) if drawn.startswith("\x1b[") else DEFAULT

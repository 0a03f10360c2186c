"""Lines straight into the cells of the terminal, where nothing lies above them.

Textual renders a widget, cuts it into what is visible, writes that as text with all its colours, and `ScreenBuffer`
reads the text back: 100 ms for what a word changes. A panel that knows its lines and its place puts them there itself.
Textual is left to know nothing of it but that its own copy is old, and draws the same lines when it draws for reasons
of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

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

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from explorer.tui.terminal.screen_buffer import Codes, ScreenBuffer


class DirectRenderer:
    """Turns what panels draw with into the cells of a screen."""

    def __init__(self, app: App[Any], screen: ScreenBuffer) -> None:
        self._app, self._screen = app, screen
        self._styles: dict[tuple[Style | None, Style | None], sgr.Style] = {}
        self._blocks: dict[tuple[str, Style], tuple[int, Codes]] = {}

    def place(self, widget: Widget) -> Region | None:
        """Where a widget is on the terminal; None where Textual must draw it: if it is cut, covered, or nowhere."""
        if len(self._app.screen_stack) != 1:
            return None
        try:
            there = self._app.screen_stack[0].find_widget(widget)
        except NoWidget:
            return None
        return there.region if there.region and there.clip.contains_region(there.region) else None

    def draw(self, widget: Widget, lines: Iterable[tuple[int, Line]], ground: Style) -> bool:
        """Draw lines of a widget's content, by their number from its top; False if Textual must."""
        place = self.place(widget)
        if place is None:
            return False
        _outdate(widget)
        content = place.shrink(widget.styles.gutter)
        self._screen.put((content.y + y, content.x, self._codes(line, ground, content.width)) for y, line in lines)
        return True

    def draw_frame(self, widget: Widget, top: bool, bottom: bool) -> bool:
        """Draw the border of a widget above or below, with the title in it; False if Textual must."""
        place = self.place(widget)
        if place is None:
            return False
        _outdate(widget)
        for y in [0] * top + [place.height - 1] * bottom:
            (strip,) = widget.render_lines(Region(0, y, place.width, 1))
            self._screen.put([(place.y + y, place.x, self._codes(list(strip), None, place.width))])
        return True

    def draw_columns(self, widgets: Sequence[Widget], cells: Codes) -> bool:
        """Draw cells (row, column) over widgets that stand side by side without frames; False if Textual must."""
        places = [self.place(widget) for widget in widgets]
        if None in places or places[0] is None:
            return False
        for widget in widgets:
            _outdate(widget)
        x, y = places[0].offset
        self._screen.put((y + row, x, line) for row, line in enumerate(cells))
        return True

    def cell(self, segment: Segment, ground: Style) -> int:
        """The cell of one character."""
        return self._codes([segment], ground, 1)[0]

    def blocks(self, map: str, upper: NDArray[np.uint8], lower: NDArray[np.uint8], ground: Style) -> Codes:
        """The cells of half blocks, from map positions of the same shape above and below."""
        generation, known = self._blocks.get((map, ground), (-1, None))
        if known is None or generation != self._screen.generation:
            known = np.full(LEVELS * LEVELS, -1, dtype=np.int32)
            self._blocks[map, ground] = self._screen.generation, known
        pairs = upper.astype(np.intp) * LEVELS + lower
        for pair in np.unique(pairs[known[pairs] < 0]).tolist():
            known[pair] = self.cell(half_blocks(map, *divmod(pair, LEVELS)), ground)
        return cast("Codes", known[pairs])

    def _codes(self, line: Line, ground: Style | None, width: int) -> list[int]:
        """The cells of a line, cut or filled with ground to a width."""
        codes: list[int] = []
        for text, style, control in line:
            if not control:
                codes += self._screen.codes(text, self._style(ground, style))
        if ground is not None and len(codes) < width:
            codes += self._screen.codes(" " * (width - len(codes)), self._style(ground, None))
        return codes[:width]

    def _style(self, ground: Style | None, style: Style | None) -> sgr.Style:
        known = self._styles.get((ground, style))
        if known is None:
            segment = Segment("x", style if ground is None else ground + style)
            if ground is not None:
                behind = Color.parse("#000000") if ground.bgcolor is None else Color.from_rich_color(ground.bgcolor)
                for each in self._app.get_line_filters():
                    (segment,) = each.apply([segment], behind)
            known = self._styles[ground, style] = self._rendered(segment)
        return known

    def _rendered(self, segment: Segment) -> sgr.Style:
        if segment.style is None:
            return DEFAULT
        system = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}.get(
            self._app.console.color_system or "", ColorSystem.TRUECOLOR
        )
        drawn = Strip.render_style(segment.style, "x", system)
        return sgr.after(DEFAULT, drawn[2:].partition("m")[0]) if drawn.startswith("\x1b[") else DEFAULT


def _outdate(widget: Widget) -> None:
    """Tell Textual that what it keeps of a widget is old. The one place that knows the private name of its cache."""
    widget._styles_cache.clear()

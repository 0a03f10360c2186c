"""Panel 2: a heatmap of the chosen signal, cells × time, in half blocks: two rows per line.

While words are read it sweeps: a cursor wraps around, and only its columns are drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.session.core import Frame
from explorer.session.moment import INPUT
from explorer.session.palette import DARK, DIMMED, LEVELS, glyph
from explorer.session.session import Session
from explorer.session.views.cell_readouts import heatmap_line
from explorer.session.views.clamps import clamped_cells
from explorer.session.views.heatmap import Heatmap, heatmap
from explorer.session.views.number_format import MINUS, number, row_name
from explorer.session.views.time_axis import axis_labels
from explorer.session.views.units import unit_names
from explorer.tui.panels.panel import BorderedWidget, Panel
from explorer.tui.terminal.styles import (
    DEAD,
    DIM,
    FAINT,
    PINK,
    PINK_BOLD,
    SELECTED,
    WARN,
    Line,
    gradient,
    half_blocks,
    markup,
)

if TYPE_CHECKING:
    from explorer.tui.terminal.direct_renderer import DirectRenderer
    from explorer.tui.terminal.screen_buffer import Codes

GUTTER = 7
TILES = 12
LEVELS_OF_256_COLOURS = 8  # with more levels, lightness would not rise from each to the next
CURSOR = Segment("┃", PINK)
CURSOR_ASCII = Segment("|")
EMPTY = Segment(" ")


@dataclass(frozen=True)
class Picture:
    """The heatmap as it is drawn.

    ``codes`` (row, column) are colour-map positions, ``there`` (column,) marks the columns that show a word, ``dimmed``
    (column,) those with words of another time, and ``cursor`` is a column.
    """

    codes: NDArray[np.uint8]
    there: NDArray[np.bool_]
    dimmed: NDArray[np.bool_]
    cursor: int | None
    colour_map: str
    glyphs: bool

    @classmethod
    def of(cls, view: Heatmap, colour_map: str, glyphs: bool, steps: NDArray[np.uint8]) -> Picture:
        """Quantise a view: in a column, ``steps`` (column,) neighbouring map positions share a colour."""
        codes = view.codes // steps * steps + steps // 2
        return cls(codes, view.has_word, view.axis.dimmed, view.axis.cursor, colour_map, glyphs)

    def part(self, start: int, stop: int) -> Picture:
        """Return the columns from ``start`` up to ``stop``."""
        cursor = self.cursor - start if self.cursor is not None and start <= self.cursor < stop else None
        codes, there, dimmed = self.codes[:, start:stop], self.there[start:stop], self.dimmed[start:stop]
        return Picture(codes, there, dimmed, cursor, self.colour_map, self.glyphs)

    @property
    def height(self) -> int:
        """Height in lines."""
        return len(self.codes) // (1 if self.glyphs else 2)

    def changed(self, before: Picture | None) -> list[int]:
        """Return the lines that differ from an earlier picture."""
        if before is None or before.codes.shape != self.codes.shape or before._look() != self._look():
            return list(range(self.height))
        lines = (self.codes != before.codes).reshape(self.height, -1).any(axis=1)
        return np.flatnonzero(lines).tolist()

    def _look(self) -> tuple[object, ...]:
        """Return everything that determines the picture except the codes."""
        return self.there.tobytes(), self.dimmed.tobytes(), self.cursor, self.colour_map, self.glyphs

    def line(self, y: int) -> Line:
        """Return one line."""
        upper, lower = (self.codes[y] if self.glyphs else self.codes[2 * y + half] for half in (0, 1))
        line: Line = []
        dimmed = DIMMED + self.colour_map
        for column, (above, below, shown, dim) in enumerate(
            zip(upper.tolist(), lower.tolist(), self.there.tolist(), self.dimmed.tolist(), strict=True)
        ):
            if column == self.cursor:
                place = CURSOR_ASCII if self.glyphs else CURSOR
            elif not shown:
                place = EMPTY
            elif self.glyphs:
                place = Segment(glyph(above))
            else:
                place = half_blocks(dimmed if dim else self.colour_map, above, below)
            if line and line[-1].style == place.style:
                line[-1] = Segment(line[-1].text + place.text, place.style)
            else:
                line.append(place)
        return line

    def cells(self, renderer: DirectRenderer, background: Style) -> Codes:
        """Return the picture in half blocks as cell codes (line, column)."""
        upper, lower, dim = self.codes[::2], self.codes[1::2], self.dimmed
        cells = renderer.blocks(self.colour_map, upper, lower, background)
        if dim.any():
            cells[:, dim] = renderer.blocks(DIMMED + self.colour_map, upper[:, dim], lower[:, dim], background)
        cells[:, ~self.there] = renderer.cell(EMPTY, background)
        if self.cursor is not None:
            cells[:, self.cursor] = renderer.cell(CURSOR, background)
        return cells


class Tile(Widget):
    """Some columns of the picture. Textual redraws whole widths of a widget; with tiles it redraws only what moved."""

    picture: Picture | None = None

    def draw(self, picture: Picture) -> None:
        """Let Textual draw the lines that changed."""
        changed, self.picture = picture.changed(self.picture), picture
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        self._background = self.rich_style  # slow to compute, and the same for all lines
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        line = self.picture.line(y) if self.picture is not None and y < self.picture.height else []
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self._background)


class Gutter(Panel):
    """The labels of the rows."""

    labels: list[Line]

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        return self.labels


class Axis(Panel):
    """The numbers of the words below the picture."""

    labels: Line

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        return [self.labels]


class HeatmapPanel(Vertical, BorderedWidget, can_focus=True):
    """A gutter with cell numbers, tiles side by side, and an axis. A click selects the cell and looks at the word."""

    _drawn: tuple[object, NDArray[np.intp], NDArray[np.uint8]] | None = None  # choices, words, and colour steps

    def compose(self) -> ComposeResult:
        self._gutter, self._tiles, self._axis = Gutter(), [Tile() for _ in range(TILES)], Axis()
        with Horizontal(id="picture"):
            yield self._gutter
            yield from self._tiles
        yield self._axis

    def show(self, session: Session, frame: Frame) -> None:
        """Draw a frame."""
        widths = [tile.size.width for tile in self._tiles]
        width, height = sum(widths), self._tiles[0].size.height
        if not width or not height or not self.display:
            return
        glyphs = self.host.glyphs
        per_line = 1 if glyphs else 2
        self._view = view = heatmap(session, frame, width, height * per_line)
        self._set_titles(frame, view, glyphs)
        self._draw(Picture.of(view, frame.choices.colour_map, glyphs, self._steps(frame, view)), widths)
        self._gutter.labels = _labels(view, frame, per_line, session.brush.signs)
        self._gutter.show(session, frame)
        names = unit_names(frame.snapshot.network)
        numbers = names.reword(axis_labels(view.axis, session.brush.words))
        self._axis.labels = [Segment(f"{names.unit[: GUTTER - 1]:>{GUTTER - 1}} {numbers}", DIM)]
        self._axis.show(session, frame)

    def _steps(self, frame: Frame, view: Heatmap) -> NDArray[np.uint8]:
        """Return the number of map positions that share a colour, (column,).

        While words are read the number of a column stays, so that a slow terminal is not sent the same words in other
        colours.
        """
        available = LEVELS_OF_256_COLOURS if self.app.console.color_system == "256" else LEVELS
        step = LEVELS // min(self.host.throttle.colour_levels, available)
        steps = np.full(len(view.has_word), step, np.uint8)
        chosen, words = (frame.snapshot.run, replace(frame.choices, cursor=None, selected=None)), view.axis.words
        if self._drawn is not None and frame.snapshot.playing:
            before, drawn, had = self._drawn
            if before == chosen and len(drawn) == len(words):
                steps = np.where(drawn == words, had, steps)
        self._drawn = chosen, words, steps
        return steps

    def _draw(self, picture: Picture, widths: list[int]) -> None:
        renderer, background = self.host.renderer, self._tiles[0].rich_style
        stops = np.cumsum([0, *widths]).tolist()
        parts = [picture.part(start, stop) for start, stop in pairwise(stops)]
        direct = (
            renderer is not None
            and not picture.glyphs
            and renderer.draw_columns(self._tiles, picture.cells(renderer, background))
        )
        for tile, part in zip(self._tiles, parts, strict=True):
            if direct:
                tile.picture = part
            else:
                tile.draw(part)

    def _set_titles(self, frame: Frame, view: Heatmap, glyphs: bool) -> None:
        chosen = frame.choices.signal
        signal = next(s for s in frame.snapshot.network.signals if s.name == chosen)
        names = "·".join(
            f"[b {DARK.pink.hex}]{s.name}[/]"
            if s.name == chosen
            else f"[@click=app.choose_signal('{s.name}')]{s.name}[/]"
            for s in frame.snapshot.network.signals
        )
        scale = "".join(
            segment.text if glyphs or segment.style is None else f"[on {segment.style.bgcolor.name}] [/]"  # type: ignore[union-attr]
            for segment in gradient(frame.choices.colour_map, 10, glyphs)
        )
        unit = " σ of each cell" if frame.choices.contrast == "each cell" else ""
        badges = markup(heatmap_line(frame, view.cells_per_row))
        badges = f"   {badges}" if badges else ""
        self.set_title(
            f"2 {names}  {signal.meaning}",
            f"{number(view.low)} {scale} {number(view.high)}{unit}{badges}",
        )

    @property
    def words_shown(self) -> int:
        """The number of columns of the picture."""
        return len(self._view.axis.words)

    def on_click(self, event: events.Click) -> None:
        if not self.content_region.contains_point(event.screen_offset):
            return
        place = event.screen_offset - self.content_region.offset  # event.offset is relative to a tile
        host = self.host
        line = place.y * (1 if host.glyphs else 2)
        if host.session is not None and line < len(self._view.row_of) and host.session.choices.signal != INPUT:
            host.session.select(self._view.rows[self._view.row_of[line]][0])
        column = place.x - GUTTER
        if 0 <= column < len(self._view.axis.words) and self._view.axis.words[column] >= 0:
            host.look_at(int(self._view.axis.words[column]))
        else:
            host.draw()


def _labels(view: Heatmap, frame: Frame, per_line: int, brushed: Mapping[int, int]) -> list[Line]:
    """Label each line with the first cell that begins in it, or the selected or a brushed one: ∅ ablated, = clamped,
    + − high or low in the brushed words, † dead, * pinned, ▸ selected."""
    choices = frame.choices
    cells = choices.signal != INPUT
    clamps, pins = (clamped_cells(frame.snapshot), choices.pins) if cells else ({}, ())
    labels: list[Line] = []
    before = -1
    for top in range(0, len(view.row_of), per_line):
        last = int(view.row_of[min(top + per_line, len(view.row_of)) - 1])
        new = [cell for row in range(before + 1, last + 1) for cell in view.rows[row]]
        selected = choices.cell in new
        before = last
        rule = Segment("│" if per_line == 2 else "|", FAINT)
        if not new:
            labels.append([Segment(" " * (GUTTER - 1)), rule])
            continue
        cell = next((cell for cell in new if cells and cell in brushed), new[0])
        cell = choices.cell if selected and choices.cell is not None else cell
        pinned = cell in pins
        dead = cells and cell < len(frame.moment.dead) and bool(frame.moment.dead[cell])
        label = f"{'▸' if selected else ' '}{row_name(choices.signal, cell):<4}"
        style = SELECTED if selected else PINK if pinned else DIM
        mark = Segment("†", DEAD) if dead else Segment("*", PINK) if pinned else Segment(" ")
        if cells and cell in brushed:
            mark = Segment("+" if brushed[cell] > 0 else MINUS, PINK_BOLD)
        if cell in clamps:
            mark = Segment("∅" if "h" in clamps[cell] else "=", WARN)
        labels.append([Segment(label, style), mark, rule])
    return labels

"""Panel 2: cells × time of the chosen signal, two rows a line in half blocks, sweeping while words are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.session.core import Frame
from explorer.session.palette import LEVELS, glyph
from explorer.session.session import Session
from explorer.session.views.clamps import clamped_cells
from explorer.session.views.heatmap import Heatmap, heatmap
from explorer.tui.panels.panel import Framed, Panel
from explorer.tui.terminal.styles import DEAD, DIM, FAINT, PINK, SELECTED, WARN, Line, gradient, half_blocks

if TYPE_CHECKING:
    from explorer.tui.terminal.direct_renderer import DirectRenderer
    from explorer.tui.terminal.screen_buffer import Codes

GUTTER = 7
TILES = 12
# Levels of the map for a terminal that takes so many bytes a second: neighbours of one colour cost one sequence.
COLOURS = ((150_000, 32), (20_000, 16), (0, 8))
FEW = 8  # of 256 colours: more would not rise in lightness from one to the next
CURSOR = Segment("┃", PINK)
CURSOR_ASCII = Segment("|")
EMPTY = Segment(" ")


@dataclass(frozen=True)
class Picture:
    """``codes`` (row, column) are map positions, ``there`` (column,) says where a word is, ``cursor`` is a column."""

    codes: NDArray[np.uint8]
    there: NDArray[np.bool_]
    cursor: int | None
    map: str
    glyphs: bool

    @classmethod
    def of(cls, view: Heatmap, map: str, glyphs: bool, steps: NDArray[np.uint8]) -> Picture:
        """A view of which, in each column, so many neighbouring map positions share a colour."""
        return cls(view.codes // steps * steps + steps // 2, view.there, view.axis.cursor, map, glyphs)

    def part(self, start: int, stop: int) -> Picture:
        """Some columns of it."""
        cursor = self.cursor - start if self.cursor is not None and start <= self.cursor < stop else None
        return Picture(self.codes[:, start:stop], self.there[start:stop], cursor, self.map, self.glyphs)

    @property
    def height(self) -> int:
        """In lines."""
        return len(self.codes) // (1 if self.glyphs else 2)

    def changed(self, before: Picture | None) -> list[int]:
        """The lines that are not as they were."""
        if before is None or before.codes.shape != self.codes.shape or before._look() != self._look():
            return list(range(self.height))
        lines = (self.codes != before.codes).reshape(self.height, -1).any(axis=1)
        return np.flatnonzero(lines).tolist()

    def _look(self) -> tuple[object, ...]:
        """Everything but the codes."""
        return self.there.tobytes(), self.cursor, self.map, self.glyphs

    def line(self, y: int) -> Line:
        """A line of it."""
        upper, lower = (self.codes[y] if self.glyphs else self.codes[2 * y + half] for half in (0, 1))
        line: Line = []
        for column, (above, below, shown) in enumerate(
            zip(upper.tolist(), lower.tolist(), self.there.tolist(), strict=True)
        ):
            if column == self.cursor:
                place = CURSOR_ASCII if self.glyphs else CURSOR
            elif not shown:
                place = EMPTY
            elif self.glyphs:
                place = Segment(glyph(above))
            else:
                place = half_blocks(self.map, above, below)
            if line and line[-1].style == place.style:
                line[-1] = Segment(line[-1].text + place.text, place.style)
            else:
                line.append(place)
        return line

    def cells(self, ink: DirectRenderer, ground: Style) -> Codes:
        """All of it as the cells of a terminal, (line, column); half blocks only."""
        cells = ink.blocks(self.map, self.codes[::2], self.codes[1::2], ground)
        cells[:, ~self.there] = ink.cell(EMPTY, ground)
        if self.cursor is not None:
            cells[:, self.cursor] = ink.cell(CURSOR, ground)
        return cells


class Tile(Widget):
    """Some columns of the picture. Textual redraws whole widths, so a picture in tiles redraws only what moved."""

    picture: Picture | None = None

    def show(self, picture: Picture) -> None:
        """Let Textual draw it, as far as it changed."""
        changed, self.picture = picture.changed(self.picture), picture
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        self._ground = self.rich_style  # the same for all lines, and dear to ask for
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        line = self.picture.line(y) if self.picture is not None and y < self.picture.height else []
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self._ground)


class Gutter(Panel):
    """The names of the rows."""

    lines: list[Line]

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        return self.lines


class HeatmapPanel(Horizontal, Framed, can_focus=True):
    """A gutter that names the cells, and tiles side by side. A click selects the cell and looks at the word."""

    _drawn: tuple[object, NDArray[np.intp], NDArray[np.uint8]] | None = None  # what, which words, and their steps

    def compose(self) -> ComposeResult:
        self._gutter, self._tiles = Gutter(), [Tile() for _ in range(TILES)]
        yield self._gutter
        yield from self._tiles

    def show(self, session: Session, frame: Frame) -> None:
        """Draw a frame."""
        widths = [tile.size.width for tile in self._tiles]
        width, height = sum(widths), self.size.height
        if not width or not height or not self.display:
            return
        explorer = self.explorer
        glyphs, per_line = explorer.glyphs, 1 if explorer.glyphs else 2
        self._view = view = heatmap(session, frame, width, height * per_line)
        self._entitle(frame, view, glyphs)
        self._draw(Picture.of(view, frame.choices.colour_map, glyphs, self._steps(frame, view)), widths)
        self._gutter.lines = _names(view, frame, per_line)
        self._gutter.show(session, frame)

    def _steps(self, frame: Frame, view: Heatmap) -> NDArray[np.uint8]:
        """How many map positions share a colour, (column,).

        While words go by a column keeps what it has: a slow terminal must be spared the same words in other colours.
        """
        few = self.explorer.console.color_system == "256"
        levels = next(count for rate, count in COLOURS if self.explorer.terminal_rate >= rate)
        step = LEVELS // min(levels, FEW if few else LEVELS)
        steps = np.full(len(view.there), step, np.uint8)
        chosen, words = (frame.snapshot.run, replace(frame.choices, cursor=None, selected=None)), view.axis.words
        if self._drawn is not None and frame.snapshot.playing:
            before, drawn, had = self._drawn
            if before == chosen and len(drawn) == len(words):
                steps = np.where(drawn == words, had, steps)
        self._drawn = chosen, words, steps
        return steps

    def _draw(self, picture: Picture, widths: list[int]) -> None:
        ink, ground = self.explorer.ink, self._tiles[0].rich_style
        stops = np.cumsum([0, *widths]).tolist()
        parts = [picture.part(start, stop) for start, stop in pairwise(stops)]
        if ink is not None and not picture.glyphs and ink.draw_columns(self._tiles, picture.cells(ink, ground)):
            for tile, part in zip(self._tiles, parts, strict=True):
                tile.picture = part
        else:
            for tile, part in zip(self._tiles, parts, strict=True):
                tile.show(part)

    def _entitle(self, frame: Frame, view: Heatmap, glyphs: bool) -> None:
        chosen = frame.choices.signal
        signal = next(s for s in frame.snapshot.network.signals if s.name == chosen)
        names = "·".join(
            f"[b #ff8fc0]{s.name}[/]" if s.name == chosen else f"[@click=app.choose_signal('{s.name}')]{s.name}[/]"
            for s in frame.snapshot.network.signals
        )
        per_row = view.cells_per_row
        how = "mean" if frame.choices.bins == "mean" else "strongest"
        badges = [f"up to {per_row} cells/row ({how})"] if per_row > 1 else []
        badges += [f"order: {frame.choices.order}"] if frame.choices.order != "number" else []
        scale = "".join(
            segment.text if glyphs or segment.style is None else f"[on {segment.style.bgcolor.name}] [/]"  # type: ignore[union-attr]
            for segment in gradient(frame.choices.colour_map, 10, glyphs)
        )
        unit = " σ of its cell" if frame.choices.contrast == "each cell" else ""
        self.entitle(
            f"2 {names}  {signal.meaning}",
            "   ".join([f"{_end(view.low)} {scale} {_end(view.high)}{unit}", *badges, "† dead"]),
        )

    @property
    def words_shown(self) -> int:
        """How many columns the picture has."""
        return len(self._view.axis.words)

    def on_click(self, event: events.Click) -> None:
        if not self.content_region.contains_point(event.screen_offset):
            return
        place = event.screen_offset - self.content_region.offset  # the click came to a tile, with the tile's offset
        explorer = self.explorer
        line = place.y * (1 if explorer.glyphs else 2)
        if explorer.session is not None and line < len(self._view.row_of):
            explorer.session.select(self._view.rows[self._view.row_of[line]][0])
        column = place.x - GUTTER
        if 0 <= column < len(self._view.axis.words) and self._view.axis.words[column] >= 0:
            explorer.look_at(int(self._view.axis.words[column]))
        else:
            explorer.draw()


def _names(view: Heatmap, frame: Frame, per_line: int) -> list[Line]:
    """For every line the first cell that begins in it: ∅ where silenced, = held, † dead, * pinned, ▸ selected."""
    clamps = clamped_cells(frame.snapshot)
    named: list[Line] = []
    before = -1
    for top in range(0, len(view.row_of), per_line):
        last = int(view.row_of[min(top + per_line, len(view.row_of)) - 1])
        new = [cell for row in range(before + 1, last + 1) for cell in view.rows[row]]
        selected = frame.choices.selected in new
        before = last
        rule = Segment("│" if per_line == 2 else "|", FAINT)
        if not new:
            named.append([Segment(" " * (GUTTER - 1)), rule])
            continue
        cell = frame.choices.selected if selected and frame.choices.selected is not None else new[0]
        pinned = cell in frame.choices.pins
        dead = cell < len(frame.snapshot.dead) and bool(frame.snapshot.dead[cell])
        label = f"{'▸' if selected else ' '}#{cell:03d}"
        style = SELECTED if selected else PINK if pinned else DIM
        mark = Segment("†", DEAD) if dead else Segment("*", PINK) if pinned else Segment(" ")
        if cell in clamps:
            mark = Segment("∅" if "h" in clamps[cell] else "=", WARN)
        named.append([Segment(label, style), mark, rule])
    return named


def _end(value: float) -> str:
    return f"{value:.2g}"

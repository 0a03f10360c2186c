"""Panel 2: cells × time of the chosen signal, two rows a line in half blocks, sweeping while words are read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.session.colours import LEVELS, glyph
from explorer.session.heatmap import Heatmap, heatmap
from explorer.session.holding import held_cells
from explorer.session.model import Frame, Session
from explorer.tui.ink import DEAD, DIM, FAINT, PINK, SELECTED, WARN, Line, gradient, half_blocks, hex_colours_of
from explorer.tui.panel import Panel, entitle

GUTTER = 7
TILES = 12
FIRST = 3  # tiles drawn between two looks at the keys
COLOURS = (32, 32, 16, 8)  # levels of the map at each level of pacing: neighbours of one colour cost one sequence
FEW = 8  # of 256 colours: more would not rise in lightness from one to the next
CURSOR = Segment("┃", PINK)
CURSOR_ASCII = Segment("|")
EMPTY = Segment(" ")


class Tile(Widget):
    """Some columns of the picture. Textual redraws whole widths, so a picture in tiles redraws only what moved."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []
        self._shown: tuple[object, ...] = ()

    def show(self, view: Heatmap, start: int, stop: int, name: str, glyphs: bool, levels: int) -> bool:
        """Draw columns ``start`` to ``stop`` in so many colours; False if they are drawn already."""
        cursor = view.axis.cursor if view.axis.cursor is not None and start <= view.axis.cursor < stop else None
        step = LEVELS // levels
        codes = view.codes[:, start:stop] // step * step + step // 2
        there = view.there[start:stop]
        shown = (codes.tobytes(), there.tobytes(), cursor, name, stop - start)
        if shown == self._shown:
            return False
        self._shown, before = shown, self._lines
        at = None if cursor is None else cursor - start
        self._lines = _tile(codes.tolist(), there.tolist(), at, name, glyphs)
        changed = [y for y, line in enumerate(self._lines) if y >= len(before) or line != before[y]]
        self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))
        return True

    def render_lines(self, crop: Region) -> list[Strip]:
        self._ground = self.rich_style  # the same for all lines, and dear to ask for
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else []
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self._ground)


class Gutter(Panel):
    """The names of the rows."""

    lines: list[Line]

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        return self.lines


class HeatmapPanel(Horizontal, can_focus=True):
    """A gutter that names the cells, and tiles side by side. A click selects the cell and looks at the word."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._titles = ("", "")
        self._left: list[Callable[[], bool]] = []
        self._at_once = TILES

    def compose(self) -> ComposeResult:
        yield Gutter()
        for _ in range(TILES):
            yield Tile()

    def show(self, session: Session, frame: Frame) -> None:
        """Draw a frame."""
        tiles = list(self.query(Tile))
        width, height = sum(tile.size.width for tile in tiles), self.size.height
        if not width or not height or not self.display:
            return
        explorer = self.query_one(Gutter).explorer
        glyphs, per_line = explorer.glyphs, 1 if explorer.glyphs else 2
        self._view = view = heatmap(session, frame, width, height * per_line)
        levels = COLOURS[explorer.pacer.level]
        if explorer.console.color_system == "256":
            levels = min(levels, FEW)
        stops = np.cumsum([tile.size.width for tile in tiles]).tolist()
        self._left = [
            partial(tile.show, view, start, stop, frame.choices.map, glyphs, levels)
            for tile, start, stop in zip(tiles, [0, *stops[:-1]], stops, strict=True)
        ]
        # A key that changes all of it is answered at once by what changes little, and then filled in.
        in_parts = frame.snapshot.speed is not None or not frame.snapshot.playing
        self._at_once = FIRST if in_parts and hasattr(explorer.app._driver, "busy") else TILES
        self._fill()
        gutter = self.query_one(Gutter)
        gutter.lines = _names(view, frame, per_line)
        gutter.show(session, frame)
        self._entitle(session, frame, view, glyphs)

    def _fill(self) -> None:
        drawn = 0
        while self._left and drawn < self._at_once:
            drawn += self._left.pop(0)()
        if self._left:
            self.call_after_refresh(self._fill)

    def _entitle(self, session: Session, frame: Frame, view: Heatmap, glyphs: bool) -> None:
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
            for segment in gradient(frame.choices.map, 10, glyphs)
        )
        unit = " σ of its cell" if frame.choices.contrast == "each cell" else ""
        title = f"2 {names}  {signal.meaning}"
        subtitle = "   ".join([f"{_end(view.low)} {scale} {_end(view.high)}{unit}", *badges, "† dead"])
        self._titles = entitle(self, (title, subtitle), self._titles)

    @property
    def words_shown(self) -> int:
        """How many columns the picture has."""
        return len(self._view.axis.words)

    def on_click(self, event: events.Click) -> None:
        if not self.content_region.contains_point(event.screen_offset):
            return
        place = event.screen_offset - self.content_region.offset  # the click came to a tile, with the tile's offset
        explorer = self.query_one(Gutter).explorer
        line = place.y * (1 if explorer.glyphs else 2)
        if explorer.session is not None and line < len(self._view.row_of):
            explorer.session.select(self._view.rows[self._view.row_of[line]][0])
        column = place.x - GUTTER
        if 0 <= column < len(self._view.axis.words) and self._view.axis.words[column] >= 0:
            explorer.look_at(int(self._view.axis.words[column]))
        else:
            explorer.draw()


def _tile(codes: list[list[int]], there: list[bool], cursor: int | None, name: str, glyphs: bool) -> list[Line]:
    """The lines of some columns; ``codes`` are rows of map positions, ``cursor`` is a column or None."""
    lines: list[Line] = []
    for top in range(0, len(codes), 1 if glyphs else 2):
        upper = codes[top]
        lower = codes[top + 1] if top + 1 < len(codes) else None
        line: Line = []
        for column, shown in enumerate(there):
            if column == cursor:
                place = CURSOR_ASCII if glyphs else CURSOR
            elif not shown:
                place = EMPTY
            elif glyphs:
                place = Segment(glyph(upper[column]))
            elif lower is None:
                place = Segment("▀", Style(color=hex_colours_of(name)[upper[column]]))
            else:
                place = half_blocks(name, upper[column], lower[column])
            if line and line[-1].style == place.style:
                line[-1] = Segment(line[-1].text + place.text, place.style)
            else:
                line.append(place)
        lines.append(line)
    return lines


def _names(view: Heatmap, frame: Frame, per_line: int) -> list[Line]:
    """For every line the first cell that begins in it: ∅ where silenced, = held, † dead, * pinned, ▸ selected."""
    held = held_cells(frame.snapshot)
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
        if cell in held:
            mark = Segment("∅" if "h" in held[cell] else "=", WARN)
        named.append([Segment(label, style), mark, rule])
    return named


def _end(value: float) -> str:
    return f"{value:.2g}"

"""Panel 3: fixed points, word attractors and the trajectory among them, in three components that can be turned."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset

from explorer.session.palette import DARK, LEVELS, gradient
from explorer.session.session import Frame, Session
from explorer.session.views.point_map import MEMORIES, PointMap, Scene
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.canvas import Canvas
from explorer.tui.terminal.styles import (
    BRIGHT,
    DEAD,
    DIM,
    FAINT,
    GOOD,
    PINK,
    PINK_BOLD,
    TEXT,
    WARN,
    Line,
    safe,
)

MARKS = "●○◌◌"  # by `point_map.STATES`
CLASSES = (GOOD, PINK, WARN, DEAD)  # colours of the same
FORETOLD = DIM
TRAIL = tuple(Style(color=colour.hex) for colour in DARK.trail)  # old to new
ENDS = {"readout": ("neg", "pos"), "memory": (f"{MEMORIES[0]:.0f}", f"{MEMORIES[1] / 1000:.0f}k words")}
MARGIN = 0.93  # of the picture that the box fills, so that marks at its edge are whole
DRAG = (4.0, 8.0)  # degrees a character across and down


class PointsPanel(Panel, can_focus=True):
    """A drag turns the picture, a click selects the nearest point, the wheel walks through the points."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._scene: Scene | None = None
        self._certified = 0
        self._held: Offset | None = None
        self._dragged = False

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        columns, rows = self.size.width, self.size.height - 1
        points = session.points
        self._scene = scene = points.scene(frame)
        map, view = points.map, points.view
        title, angles = (
            f"3 Fixed points, words ·   by {view.colour}",
            f"az {view.azimuth:.0f}° el {view.elevation:.0f}°",
        )
        if scene is None or map is None or rows < 1:
            self.entitle(title, angles)
            return [[Segment(f" {points.search.progress or 'no search'}", WARN)]]
        share = " + ".join(f"{part:.0%}" for part in map.projection.explained)
        self.entitle(title, f"PC1–3 {share}   {angles}")
        self._certified = map.certified
        doing = points.search.progress
        legend: Line = [Segment(f" {safe(doing, columns - 2)}", WARN)] if doing else self._legend(view.colour, columns)
        return [*_drawn(map, scene, view.colour, columns, rows, self.explorer.glyphs), legend]

    def _legend(self, by: str, columns: int) -> Line:
        gap = " " if columns < 50 else "   "
        line: Line = []
        for mark, name, style in zip("●○◌", ("stable", "saddle", "slow"), CLASSES, strict=False):
            line += [Segment(f" {mark} ", style if by == "stability" else BRIGHT), Segment(name, DIM)]
        line += [Segment(" ◆ ", PINK_BOLD), Segment(f"now{gap}", DIM)]
        if by in ENDS:
            low, high = ENDS[by]
            styles = _styles(by, self.explorer.glyphs)
            scale = [
                Segment("━", styles[code]) for code in np.linspace(0, LEVELS - 1, len(gap) * 3).astype(int).tolist()
            ]
            line += [Segment(low, TEXT), *scale, Segment(high, TEXT)]
        return line

    # ---- the mouse -------------------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._held, self._dragged = event.screen_offset, False
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        session = self.explorer.session
        if self._held is None or session is None:
            return
        moved = event.screen_offset - self._held
        if moved.x or moved.y:
            self._held, self._dragged = event.screen_offset, True
            session.points.rotate(-DRAG[0] * moved.x, DRAG[1] * moved.y)
            self.explorer.draw()

    def on_mouse_up(self) -> None:
        self.release_mouse()
        self._held = None

    def on_click(self, event: events.Click) -> None:
        place, session, scene = event.get_content_offset(self), self.explorer.session, self._scene
        columns, rows = self.size.width, self.size.height - 1
        if place is None or session is None or scene is None or self._dragged or place.y >= rows:
            return
        x = ((place.x + 0.5) / columns * 2 - 1) / MARGIN
        y = (1 - (place.y + 0.5) / rows * 2) / MARGIN
        session.points.select(scene.pick(x, y, columns, rows, self._certified))
        self.explorer.draw()

    def on_mouse_scroll_down(self) -> None:
        self.explorer.action_perform("next-point")

    def on_mouse_scroll_up(self) -> None:
        self.explorer.action_perform("previous-point")


def _drawn(map: PointMap, scene: Scene, by: str, columns: int, rows: int, colourless: bool) -> list[Line]:
    """The picture, from below: axes, states visited, words, what is foretold, the trajectory, certified points, what is
    selected."""
    canvas = Canvas(columns, rows)
    styles = _styles(by, colourless)
    axes = scene.axes * MARGIN
    canvas.strokes(axes, FAINT)
    for number, end in enumerate(axes[:, 1].tolist()):
        canvas.mark(end, f"PC{number + 1}", DIM)
    words = slice(map.certified, None)
    if len(scene.places) == map.certified:
        canvas.dots(scene.visited * MARGIN, FAINT)
    elif by == "input":
        canvas.dots(scene.places[words] * MARGIN, DIM)
    else:
        canvas.cloud(scene.places[words] * MARGIN, scene.colours[words], styles)
    canvas.strokes(scene.unstable * MARGIN, TEXT)
    trail, path = scene.trail * MARGIN, scene.path * MARGIN
    canvas.strokes(np.stack([path[:-1], path[1:]], axis=1), FORETOLD)
    steps = np.stack([trail[:-1], trail[1:]], axis=1)
    for style, part in zip(TRAIL, np.array_split(steps, len(TRAIL)), strict=True):
        canvas.strokes(part, style)
    for k in reversed(range(map.certified)):
        style = styles[scene.colours[k] % len(styles)]
        canvas.mark(scene.places[k].tolist(), MARKS[map.state[k]], style + Style(bold=True))
    if len(trail):
        canvas.mark(trail[-1].tolist(), "◆", PINK_BOLD)
    if scene.selected is not None:
        place = scene.places[scene.selected] * MARGIN
        canvas.mark(place.tolist(), f"◉ {safe(map.names[scene.selected], 16)}", BRIGHT)
        canvas.mark(place.tolist(), "◉", BRIGHT)
    return canvas.lines()


@lru_cache(maxsize=8)
def _styles(by: str, colourless: bool) -> tuple[Style, ...]:
    """What the scene's colours look like; without colours only marks tell."""
    if colourless:
        return (Style(),) * LEVELS
    if by == "stability":
        return CLASSES
    if by == "input":
        return tuple(Style(color=colour.hex) for colour in DARK.inputs)
    mixed = gradient(DARK.readout if by == "readout" else DARK.time_constant)
    return tuple(Style(color=f"#{r:02x}{g:02x}{b:02x}") for r, g, b in mixed.tolist())

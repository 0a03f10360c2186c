"""Panel 3: fixed points, word attractors and the trajectory of h, in three principal components that can be rotated."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset

from explorer.session.core import Frame
from explorer.session.palette import DARK, LEVELS, gradient
from explorer.session.session import Session
from explorer.session.views.number_format import count, number
from explorer.session.views.point_map import TIME_CONSTANTS, PointMap, Scene
from explorer.session.views.point_readouts import POINT_MARKS, index_line, other_trajectory_line
from explorer.session.views.runs import Run, join, plain
from explorer.session.views.units import unit_names
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

CYCLE = Style(color=DARK.other.hex)
CLASSES = (GOOD, PINK, WARN, DEAD, CYCLE)  # colours by the same
PREDICTED = DIM
RING = (2.5, 5.5)  # radius in dots around an attractor, for none and for all of the visited states
TRAIL = tuple(Style(color=colour.hex) for colour in DARK.trail)  # from old to new
TIMES = f"{TIME_CONSTANTS[0]:.0f}", f"{TIME_CONSTANTS[1] / 1000:.0f}k"  # ends of the colour scale
MARGIN = 0.93  # fraction of the picture that the box fills, so that marks at its edge are complete
DRAG = (4.0, 8.0)  # degrees of rotation per column and per row


class FixedPointsPanel(Panel, can_focus=True):
    """A drag rotates the picture, a click selects the nearest point, the wheel steps through the points."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._scene: Scene | None = None
        self._large = 0
        self._drag_from: Offset | None = None
        self._dragged = False

    def state(self, session: Session, frame: Frame) -> tuple[object, ...]:
        points, snapshot = session.fixed_points, frame.snapshot
        points.request(frame)
        drawn = points.point_map, points.view, points.search.progress, points.prediction(frame)
        other = session.comparison.name, session.comparison.result(frame)
        return *drawn, *other, snapshot.run, snapshot.time, snapshot.playing, frame.word, self.host.glyphs

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        columns, rows = self.size.width, self.size.height - 1
        points = session.fixed_points
        other = session.comparison.result(frame)
        self._scene = scene = points.scene(frame, other)
        found, view = points.point_map, points.view
        title = f"3 Fixed points   colour: {view.colour}"
        angles = f"az {view.azimuth:.0f}° el {view.elevation:.0f}°".replace("-", "−")
        if scene is None or found is None or rows < 1:
            self.set_title(title, angles)
            return [[Segment(f" {points.search.progress or 'no search'}", WARN)]]
        share = "+".join(f"{part:.0%}" for part in found.projection.explained)
        cycles = (Run(f"◇ {count(len(found.cycles), 'cycle')}"),) if found.cycles else ()
        parts = (cycles, index_line(found), (Run(f"PC1–3 {share}"),), (Run(angles),))
        self.set_title(title, plain(join(parts, columns - 4, "  ")))  # the border cuts longer ones
        self._large = found.first_word
        progress = points.search.progress
        legend = self._legend(found, view.colour, columns)
        if progress:
            legend = [Segment(f" {safe(progress, columns - 2)}", WARN)]
        picture = _picture(found, scene, view.colour, columns, rows, self.host.glyphs)
        if other is not None:
            name = plain(other_trajectory_line(other, found.size))
            picture[0] = [Segment(f" {safe(name, columns - 2)}", CYCLE)]
        return [*picture, legend]

    def _legend(self, found: PointMap, by: str, columns: int) -> Line:
        gap = " " if columns < 50 else "   "
        line: Line = []
        for mark, name, style in zip("●○◌", ("stable", "saddle", "slow"), CLASSES, strict=False):
            line += [Segment(f" {mark} ", style if by == "stability" else BRIGHT), Segment(name, DIM)]
        if found.cycles:
            line += [Segment(" ◇ ", CYCLE if by == "stability" else BRIGHT), Segment("cycle", DIM)]
        line += [Segment(" ◆ ", PINK_BOLD), Segment(f"now{gap}", DIM)]
        if by == "readout" and not found.output.exists:
            line.append(Segment("no output", DIM))
        elif by in ("readout", "time constant"):
            units = unit_names(found.found.network).units
            low, high = _ends(found) if by == "readout" else (TIMES[0], f"{TIMES[1]} {units}")
            styles = _styles(by, self.host.glyphs)
            scale = [
                Segment("━", styles[code]) for code in np.linspace(0, LEVELS - 1, len(gap) * 3).astype(int).tolist()
            ]
            line += [Segment(low, TEXT), *scale, Segment(high, TEXT)]
        return line

    # ---- the mouse -------------------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.get_content_offset(self) is None:  # a drag of the border resizes
            return
        self._drag_from, self._dragged = event.screen_offset, False
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        session = self.host.session
        if self._drag_from is None or session is None:
            return
        moved = event.screen_offset - self._drag_from
        if moved.x or moved.y:
            self._drag_from, self._dragged = event.screen_offset, True
            session.fixed_points.rotate(-DRAG[0] * moved.x, DRAG[1] * moved.y)
            self.host.draw()

    def on_mouse_up(self) -> None:
        self.release_mouse()
        self._drag_from = None

    def on_click(self, event: events.Click) -> None:
        place, session, scene = event.get_content_offset(self), self.host.session, self._scene
        columns, rows = self.size.width, self.size.height - 1
        if place is None or session is None or scene is None or self._dragged or place.y >= rows:
            return
        x = ((place.x + 0.5) / columns * 2 - 1) / MARGIN
        y = (1 - (place.y + 0.5) / rows * 2) / MARGIN
        session.fixed_points.select(scene.pick(x, y, columns, rows, self._large))
        self.host.draw()

    def on_mouse_scroll_down(self) -> None:
        self.host.perform("next-point")

    def on_mouse_scroll_up(self) -> None:
        self.host.perform("previous-point")


def _ends(found: PointMap) -> tuple[str, str]:
    """Return the ends of the colour scale of the readout."""
    if found.output.positive:
        return "neg", "pos"
    reach = float(np.abs(found.logit).max(initial=0.0))
    return number(-reach, 5), number(reach, 5)


def _picture(found: PointMap, scene: Scene, by: str, columns: int, rows: int, colourless: bool) -> list[Line]:
    """Draw, bottom to top: axes, visited states, word attractors, predicted path, trajectory, points, selection."""
    canvas = Canvas(columns, rows)
    styles = _styles(by, colourless)
    axes = scene.axes * MARGIN
    canvas.strokes(axes, FAINT)
    for component, end in enumerate(axes[:, 1].tolist(), 1):
        canvas.mark(end, f"PC{component}", DIM)
    words = np.arange(found.first_word, len(scene.places))
    restless = words[scene.colours[words] < 0] if by == "time constant" else words[:0]
    if not len(words):
        canvas.dots(scene.visited * MARGIN, FAINT)
    elif by == "input":
        canvas.dots(scene.places[words] * MARGIN, DIM)
    else:
        known = np.setdiff1d(words, restless)
        canvas.dots(scene.places[restless] * MARGIN, DEAD)
        canvas.cloud(scene.places[known] * MARGIN, scene.colours[known], styles)
    canvas.strokes(scene.unstable * MARGIN, TEXT)
    canvas.strokes(scene.cycles * MARGIN, CYCLE)
    beside = scene.other * MARGIN
    canvas.strokes(np.stack([beside[:-1], beside[1:]], axis=1), CYCLE)
    if len(beside):
        canvas.mark(beside[-1].tolist(), "◇" if not len(scene.cycles) else "◈", CYCLE)
    trail, path = scene.trail * MARGIN, scene.path * MARGIN
    canvas.strokes(np.stack([path[:-1], path[1:]], axis=1), PREDICTED)
    steps = np.stack([trail[:-1], trail[1:]], axis=1)
    for style, part in zip(TRAIL, np.array_split(steps, len(TRAIL)), strict=True):
        canvas.strokes(part, style)
    sizes = found.basin_sizes[: found.first_word]
    for k in np.flatnonzero(sizes > 0).tolist():
        canvas.dots(_ring(scene.places[k] * MARGIN, sizes[k], columns, rows), styles[scene.colours[k] % len(styles)])
    for k in reversed(range(found.first_word)):
        style = styles[scene.colours[k] % len(styles)]
        canvas.mark(scene.places[k].tolist(), POINT_MARKS[found.state[k]], style + Style(bold=True))
    if len(trail):
        canvas.mark(trail[-1].tolist(), "◆", PINK_BOLD)
    if scene.selected is not None:
        place = scene.places[scene.selected] * MARGIN
        canvas.mark(place.tolist(), f"◉ {safe(found.names[scene.selected], 16)}", BRIGHT)
        canvas.mark(place.tolist(), "◉", BRIGHT)
    return canvas.lines()


def _ring(place: NDArray[np.float64], size: float, columns: int, rows: int) -> NDArray[np.float64]:
    """Return the dots of a circle around a place; its area grows with the share of states that end there."""
    radius = RING[0] + (RING[1] - RING[0]) * size
    angle = np.linspace(0, 2 * np.pi, 8 * round(radius), endpoint=False)
    return place + radius * np.stack([np.cos(angle) / columns, np.sin(angle) / (2 * rows)], axis=1)


@lru_cache(maxsize=8)
def _styles(by: str, colourless: bool) -> tuple[Style, ...]:
    """Return the styles of the scene's colour codes; without colours the marks alone distinguish points."""
    if colourless:
        return (Style(),) * LEVELS
    if by == "stability":
        return CLASSES
    if by == "input":
        return tuple(Style(color=colour.hex) for colour in DARK.inputs)
    mixed = gradient(DARK.readout if by == "readout" else DARK.time_constant)
    return tuple(Style(color=f"#{r:02x}{g:02x}{b:02x}") for r, g, b in mixed.tolist())

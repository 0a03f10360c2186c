"""Panel 3: fixed points, word attractors and the trajectory, in three principal components that can be rotated."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QMenu

from explorer.gui.host import Host
from explorer.gui.panels.panel import CACHED, Panel
from explorer.gui.plots.marks import Labels, LineSegments, Spots, fading_colours
from explorer.gui.text import as_html, rich_text, safe
from explorer.gui.theme import Theme, qcolor
from explorer.session.core import Frame
from explorer.session.palette import RGB, gradient
from explorer.session.session import Session
from explorer.session.views.many_points import PointSelection, point_selection
from explorer.session.views.number_format import number
from explorer.session.views.picking import inside
from explorer.session.views.point_map import COLOURS, STATES, TIME_CONSTANTS, PointMap, Scene
from explorer.session.views.point_readouts import (
    entry_line,
    no_points_line,
    other_trajectory_line,
    point_legend,
    points_line,
)
from explorer.session.views.runs import Run, join, plain
from explorer.session.views.tables import Table, points_table
from explorer.session.views.units import unit_names

DEGREES_PER_PIXEL = 0.5  # of a drag
POINT, GROWTH = 11, 16  # pixels: a point, and how much larger it is if all visited states end there
CYCLE = STATES.index("cycle")
RANGE = (-1.08, 1.08)  # the unit box and a margin for marks at its edge
CHARACTER = (6.0, 12.0)  # pixels; a click is as exact as in a terminal with characters of this size
NOTHING = np.empty((0, 2))
HINT = "Drag: rotate · wheel: zoom · click: select · Shift+drag: select a rectangle · Ctrl+drag: select with a lasso"


class FixedPointsView(pg.ViewBox):  # type: ignore[misc]
    """A drag rotates, with Shift it selects a rectangle, with Ctrl a lasso. The wheel zooms."""

    def __init__(self, panel: FixedPointsPanel) -> None:
        super().__init__(enableMenu=False)
        self._panel = panel
        self._corners: list[tuple[float, float]] = []
        self.disableAutoRange()
        self.reset_zoom()

    def reset_zoom(self) -> None:
        """Show the whole box."""
        self.setRange(xRange=RANGE, yRange=RANGE, padding=0)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        event.accept()
        modifiers = event.modifiers()
        selecting = modifiers & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis)
        elif self._corners or selecting:
            self._outline(event, bool(modifiers & Qt.KeyboardModifier.ControlModifier))
        else:
            moved = event.pos() - event.lastPos()
            self._panel.rotate(-DEGREES_PER_PIXEL * moved.x(), DEGREES_PER_PIXEL * moved.y())

    def _outline(self, event: Any, lasso: bool) -> None:
        begin, here = (self.mapToView(place) for place in (event.buttonDownPos(), event.pos()))
        here = (here.x(), here.y())
        if not self._corners or (not lasso and len(self._corners) <= 2):
            self._corners = [(begin.x(), begin.y()), here]
        else:
            self._corners.append(here)
        outline, done = np.array(self._corners), event.isFinish()
        if done:
            self._corners = []
        self._panel.outline(outline, done=done)

    def mouseClickEvent(self, event: Any) -> None:
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton:
            return  # the panel opens its menu
        if event.double():
            self.reset_zoom()
        else:
            self._panel.click(self.mapToView(event.pos()))


class FixedPointsPanel(Panel):
    """All points and word attractors, projected in NumPy: no OpenGL is needed and every point can be picked."""

    name: ClassVar[str] = "points"
    title: ClassVar[str] = "3 Fixed points"
    every: ClassVar[int] = 2
    readout_rows: ClassVar[int] = 2

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._scene: Scene | None = None
        self._map: PointMap | None = None
        self._selection = PointSelection((), (), "")
        self.view = FixedPointsView(self)
        self.picture = self.plot(view=self.view)
        self.picture.setMinimumHeight(60)
        self.picture.hideAxis("left")
        self.picture.hideAxis("bottom")
        self._axes, self._unstable, self._cycles, self._path, self._drawn = (LineSegments() for _ in range(5))
        self._trail, self._other = LineSegments(2), LineSegments(2)
        self._cloud, self._many = (Spots(pen=None, size=5) for _ in range(2))
        sizes = POINT, 14, 17, 11, 12
        self._certified, self._now, self._ring, self._hovered, self._other_now = (Spots(size=size) for size in sizes)
        self._ends, self._chosen, self._tip = Labels(), Labels(12), Labels(12)
        for item in (
            self._axes, self._cloud, self._many, self._unstable, self._cycles, self._path, self._other, self._trail,
            self._certified, self._other_now, self._now, self._ring, self._hovered, self._drawn, self._ends,
            self._chosen, self._tip,
        ):  # fmt: skip
            self.view.addItem(item, ignoreBounds=True)
        self._cloud.setCacheMode(CACHED)  # the trail moves over it at every word
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.list = QListWidget()
        self.list.setFixedWidth(110)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.hide()
        row = QHBoxLayout()
        row.addWidget(self.picture)
        row.addWidget(self.list)
        self.column.addLayout(row)
        self.column.addWidget(self.legend)
        self.list.itemClicked.connect(lambda item: self._select(item.data(Qt.ItemDataRole.UserRole)))
        self.picture.scene().sigMouseMoved.connect(self._hover)
        self.picture.mouse_left.connect(lambda: self._tip.write(NOTHING, []))
        self.picture.setToolTip(HINT)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        points, theme = session.fixed_points, self.theme
        points.request(frame)
        other = session.comparison.result(frame)
        self._scene = scene = points.scene(frame, other)
        self._map = found = points.point_map
        if scene is None or found is None:
            self.set_readout(no_points_line(points.search.progress, session.replaying))
            self._clear()
            return
        view = points.view
        self._show_entries(found, scene, view.colour)
        self._show_many(found, scene, view.many)
        line = points_line(found, view, points.search.progress)
        line = (Run(self._selection.summary, "text"),) if view.many else line
        self.set_readout(join((line, other_trajectory_line(other, found.size))))
        if self.changed("frame", scene.axes, found, theme):
            self._tip.write(NOTHING, [])  # the entry under the mouse is another one now
            self._axes.draw(scene.axes, [qcolor(theme.faint)])
            self._ends.write(scene.axes[:, 1], ["PC1", "PC2", "PC3"])
            self._unstable.draw(scene.unstable, [qcolor(theme.text)])
        if self.changed("cycles", scene.axes, found, theme):
            self._cycles.draw(scene.cycles, [qcolor(theme.other)])
        if self.changed("path", scene.path, theme):
            self._path.draw(np.stack([scene.path[:-1], scene.path[1:]], axis=1), [qcolor(theme.dim)])
        if self.changed("trail", scene.trail, theme):
            steps = np.stack([scene.trail[:-1], scene.trail[1:]], axis=1)
            self._trail.draw(steps, fading_colours(theme.pink, len(steps)))
            if self.changed("now", len(scene.trail) > 0, theme):
                self._now.setData(pos=scene.trail[-1:], symbol="d", brush=theme.pink, pen=theme.ground)
            else:
                self._now.move(scene.trail[-1:])
        if self.changed("other", scene.other, theme):
            steps = np.stack([scene.other[:-1], scene.other[1:]], axis=1)
            self._other.draw(steps, fading_colours(theme.other, len(steps)))
            self._other_now.setData(pos=scene.other[-1:], symbol="d", brush=theme.ground, pen=theme.other)
        hovered = points.place_of(-1 if self.host.hovered is None else self.host.hovered)
        if self.changed("hovered", hovered, theme):
            self._hovered.setData(pos=hovered, symbol="d", brush=None, pen=theme.pink)
        if self.changed("selected", scene.selected, scene.axes, found, theme):
            chosen = scene.places[[] if scene.selected is None else [scene.selected]]
            self._ring.setData(pos=chosen, symbol="o", brush=None, pen=pg.mkPen(theme.bright, width=2))
            self._chosen.write(chosen, [found.names[scene.selected]] if scene.selected is not None else [])
        if self.changed("legend", view.colour, found, theme):
            self.legend.setText(_legend(view.colour, found, theme))

    def _show_entries(self, found: PointMap, scene: Scene, by: str) -> None:
        """Draw points and words; while they are only rotated, their symbols stay."""
        first, theme = found.first_word, self.theme
        words = len(found) > first
        cloud = scene.places[first:] if words else scene.visited
        if self.changed("styles", found, by, theme):
            palette = brushes(by, theme)
            colours = [palette[code] for code in scene.colours.tolist()]
            faint, ground = QBrush(qcolor(theme.faint)), QBrush(qcolor(theme.ground))
            self._cloud.setData(pos=cloud, brush=colours[first:] if words else faint, size=5)
            state = found.state[:first].tolist()
            self._certified.setData(
                pos=scene.places[:first],
                brush=[brush if s in (0, CYCLE) else ground for s, brush in zip(state, colours, strict=False)],
                pen=[_outline(s, brush, theme) for s, brush in zip(state, colours, strict=False)],
                symbol=["d" if s == CYCLE else "o" for s in state],
                size=POINT + GROWTH * np.nan_to_num(found.basin_sizes[:first]),
            )
        elif self.changed("places", scene.axes):
            self._cloud.move(cloud)
            self._certified.move(scene.places[:first])

    def _show_many(self, found: PointMap, scene: Scene, entries: tuple[int, ...]) -> None:
        """Ring and list the entries of a rectangle or lasso."""
        if self.changed("many", entries, found):
            self._selection = selection = point_selection(found, entries)
            self.list.clear()
            self.list.addItems([safe(name, 40) for name in selection.names])
            for row, entry in enumerate(selection.entries):
                self.list.item(row).setData(Qt.ItemDataRole.UserRole, entry)
            self.list.setToolTip(selection.summary)
            self.list.setVisible(bool(entries))
        if self.changed("rings", entries, scene.axes, found, self.theme):
            pen = pg.mkPen(self.theme.bright)
            self._many.setData(pos=scene.places[list(entries)], symbol="o", brush=None, pen=pen, size=8)

    def _clear(self) -> None:
        for spots in (
            self._cloud, self._many, self._certified, self._now, self._ring, self._hovered, self._other_now
        ):  # fmt: skip
            spots.clear()
        for lines in (self._axes, self._unstable, self._cycles, self._path, self._trail, self._other):
            lines.draw(np.empty((0, 2, 2)), [])
        for labels in (self._ends, self._chosen, self._tip):
            labels.write(NOTHING, [])
        self.list.hide()
        self.invalidate()

    def paint_theme(self, theme: Theme) -> None:
        self._ends.apply_theme(theme.dim, theme.ground, 0)
        self._chosen.apply_theme(theme.bright, theme.selected)
        self._tip.apply_theme(theme.text, theme.raised)

    def export_table(self) -> Table:
        session = self.host.session
        view = None if session is None else session.fixed_points.view
        return points_table(self._map, () if view is None else {*view.many, view.selected})

    # ---- the mouse -----------------------------------------------------------------------------------------------

    def rotate(self, azimuth: float, elevation: float) -> None:
        """Rotate by degrees; only this panel is drawn, so that it follows the mouse without delay."""
        session = self.host.session
        if session is not None:
            session.fixed_points.rotate(azimuth, elevation)
            self.show_frame(session, session.frame())

    def outline(self, corners: NDArray[np.float64], *, done: bool) -> None:
        """Draw the outline of a selection; when it is ``done``, select what lies inside."""
        session, scene = self.host.session, self._scene
        if session is None or scene is None:
            return
        (x0, y0), (x1, y1) = corners[0], corners[-1]
        polygon = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) if len(corners) == 2 else corners
        edges = np.stack([polygon, np.roll(polygon, -1, axis=0)], axis=1)
        self._drawn.draw(edges[: 0 if done else None], [qcolor(self.theme.bright)])
        if done:
            session.fixed_points.select_many(inside(scene.places, corners).tolist())
            self.host.redraw()

    def click(self, place: QPointF) -> None:
        """Select the entry at a place of the plot, or deselect."""
        if self._scene is not None:
            self._select(self._entry_at(place))

    def add_menu_items(self, menu: QMenu, place: QPoint) -> None:
        host, session = self.host, self.host.session
        if session is not None:
            for by in COLOURS:
                entry = menu.addAction(f"Colour by {by}", partial(self._colour, by))
                entry.setCheckable(True)
                entry.setChecked(session.fixed_points.view.colour == by)
            menu.addSeparator()
            menu.addAction("Find fixed points for the word at the cursor", lambda: host.perform("find-points"))
            menu.addAction("Deselect", lambda: host.perform("deselect"))
        menu.addAction("Reset zoom", self.view.reset_zoom)

    def _colour(self, by: str) -> None:
        session = self.host.session
        if session is not None:
            session.fixed_points.colour_by(by)
            self.host.redraw()

    def _select(self, entry: int | None) -> None:
        session = self.host.session
        if session is not None:
            session.fixed_points.select(entry)
            self.host.redraw()

    def _entry_at(self, place: QPointF) -> int | None:
        assert self._scene is not None
        assert self._map is not None
        across, up = self.view.viewPixelSize()
        columns, rows = 2 / across / CHARACTER[0], 2 / up / CHARACTER[1]
        return self._scene.pick(place.x(), place.y(), round(columns), round(rows), self._map.first_word)

    def _hover(self, place: QPointF) -> None:
        scene, found = self._scene, self._map
        entry = None
        if scene is not None and found is not None and self.view.sceneBoundingRect().contains(place):
            entry = self._entry_at(self.view.mapSceneToView(place))
        if scene is None or found is None or entry is None:
            self._tip.write(NOTHING, [])
        else:
            self._tip.write(scene.places[entry : entry + 1], [plain(entry_line(found, entry))])


@lru_cache(maxsize=16)
def brushes(by: str, theme: Theme) -> tuple[QBrush, ...]:
    """Return the brushes of a scene's colour codes; the last one is that of words, colouring by input, and of words
    without a time constant."""
    if by == "stability":
        colours = theme.stability
    elif by == "input":
        colours = (*(theme.inputs[k % len(theme.inputs)] for k in range(256)), theme.dim)
    else:
        points = theme.readout if by == "readout" else theme.time_constant
        colours = (*(RGB(*colour) for colour in gradient(points).tolist()), theme.dead)
    return tuple(QBrush(qcolor(colour)) for colour in colours)


def _outline(state: int, brush: QBrush, theme: Theme) -> QPen:
    """The pen of a point: stable points are discs, saddles rings, slow points dotted rings."""
    if state in (0, CYCLE):
        return pg.mkPen(theme.ground)
    return pg.mkPen(brush.color(), width=2, style=Qt.PenStyle.SolidLine if state == 1 else Qt.PenStyle.DotLine)


def _legend(by: str, found: PointMap, theme: Theme) -> str:
    """The meaning of marks and of colours, with units, as rich text."""
    legend = point_legend(by == "stability", cycles=bool(found.cycles), basins=bool(found.basins))
    parts = [rich_text(legend, theme)]
    palette = brushes(by, theme)
    if by == "input":
        inputs = dict.fromkeys(found.names[: found.first_word])
        parts += [f"{_coloured('●', palette[k].color())} {as_html(name)}" for k, name in enumerate(inputs)]
    elif by == "readout" and not found.output.exists:
        parts.append(as_html(found.output.name))
    elif by != "stability":
        scale = "".join(_coloured("━", brush.color()) for brush in palette[:-1:28])
        reach, units = float(np.abs(found.logit).max(initial=0)), unit_names(found.found.network).units
        low, high, unit = (
            (number(-reach), number(reach), found.output.logit) if by == "readout"
            else (f"{TIME_CONSTANTS[0]:,.0f}", f"{TIME_CONSTANTS[1]:,.0f}", f"{units} (slowest τ)")
        )  # fmt: skip
        parts.append(f"{low} {scale} {high} {unit}")
    return "&nbsp;&nbsp; ".join(f"<span style='white-space:nowrap'>{part}</span>" for part in parts)


def _coloured(mark: str, colour: QColor) -> str:
    return f"<span style='color:{colour.name()}'>{mark}</span>"

"""Panel 3: fixed points, word attractors and the trajectory among them, in three components that can be turned."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QMenu

from explorer.gui.panels.panel import CACHED, Panel
from explorer.gui.plots.marks import Labels, Spots, Strokes, faded
from explorer.gui.text import as_html, safe
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.palette import PALETTES, gradient
from explorer.session.session import Session
from explorer.session.views.many_points import Many, many
from explorer.session.views.number_format import number
from explorer.session.views.picking import inside
from explorer.session.views.point_map import COLOURS, MEMORIES, STATES, PointMap, Scene

if TYPE_CHECKING:
    from explorer.gui.window import Window

DRAG = 0.5  # degrees a pixel
RANGE = (-1.08, 1.08)  # the box and a margin for marks at its edge
CHARACTER = (6.0, 12.0)  # pixels: a click is as exact as in a terminal whose characters are this big
NOTHING = np.empty((0, 2))
HINT = "drag turns, wheel zooms, click selects, shift+drag a rectangle, ctrl+drag a lasso"


class PointsView(pg.ViewBox):  # type: ignore[misc]
    """A drag turns; with shift it draws a rectangle, with ctrl a lasso. The wheel zooms."""

    def __init__(self, panel: PointsPanel) -> None:
        super().__init__(enableMenu=False)
        self._panel = panel
        self._corners: list[tuple[float, float]] = []
        self.disableAutoRange()
        self.whole()

    def whole(self) -> None:
        """The whole box."""
        self.setRange(xRange=RANGE, yRange=RANGE, padding=0)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        event.accept()
        clamps = event.modifiers()
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis)
        elif self._corners or clamps & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier):
            self._outline(event, bool(clamps & Qt.KeyboardModifier.ControlModifier))
        else:
            moved = event.pos() - event.lastPos()
            self._panel.turn(-DRAG * moved.x(), DRAG * moved.y())

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
        if event.button() == Qt.MouseButton.RightButton:
            self._panel.menu(event.screenPos().toPoint())
        elif event.double():
            self.whole()
        else:
            self._panel.click(self.mapToView(event.pos()))


class PointsPanel(Panel):
    """Everything that was found, turned by hand and projected, so that it needs no OpenGL and every point is picked."""

    name: ClassVar[str] = "points"
    title: ClassVar[str] = "3 Fixed points"
    every: ClassVar[int] = 2

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self._scene: Scene | None = None
        self._map: PointMap | None = None
        self._together = Many((), (), "")
        self.view = PointsView(self)
        self.picture = self.plot(view=self.view)
        self.picture.hideAxis("left")
        self.picture.hideAxis("bottom")
        self._axes, self._unstable, self._path, self._drawn = (Strokes() for _ in range(4))
        self._trail = Strokes(2)
        self._cloud, self._many = (Spots(pen=None, size=5) for _ in range(2))
        self._certified, self._now, self._ring, self._hovered = (Spots(size=size) for size in (11, 14, 17, 11))
        self._ends, self._chosen, self._told = Labels(), Labels(12), Labels(12)
        for item in (
            self._axes, self._cloud, self._many, self._unstable, self._path, self._trail, self._certified, self._now,
            self._ring, self._hovered, self._drawn, self._ends, self._chosen, self._told,
        ):  # fmt: skip
            self.view.addItem(item, ignoreBounds=True)
        self._cloud.setCacheMode(CACHED)  # the trail moves over it word by word
        self.legend = QLabel()
        self.legend.setObjectName("head")
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
        self.picture.setToolTip(HINT)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        points, theme = session.fixed_points, self.theme
        points.request(frame)
        self._scene = scene = points.scene(frame)
        self._map = map = points.map
        doing = f"<span style='color:{theme.warn}'>{as_html(points.search.progress)}</span>"
        if scene is None or map is None:
            self.say(nothing(session, theme))
            self._clear()
            return
        view = points.view
        self._show_entries(map, scene, view.colour)
        self._show_many(map, scene, view.many)
        if view.many:
            self.say(f"<span style='color:{theme.bright}'>{self._together.summary}</span>")
        else:
            share = " + ".join(f"{part:.0%}" for part in map.projection.explained)
            self.say(f"PC1–3 of h, {share}   az {view.azimuth:.0f}° el {view.elevation:.0f}°   {doing}")
        if self.fresh("frame", scene.axes, theme):
            self._axes.draw(scene.axes, [QColor(theme.faint)])
            self._ends.write(scene.axes[:, 1], ["PC1", "PC2", "PC3"])
            self._unstable.draw(scene.unstable, [QColor(theme.text)])
        if self.fresh("path", scene.path, theme):
            self._path.draw(np.stack([scene.path[:-1], scene.path[1:]], axis=1), [QColor(theme.dim)])
        if self.fresh("trail", scene.trail, theme):
            steps = np.stack([scene.trail[:-1], scene.trail[1:]], axis=1)
            self._trail.draw(steps, faded(theme.pink, len(steps)))
            if self.fresh("now", len(scene.trail) > 0, theme):
                self._now.setData(pos=scene.trail[-1:], symbol="d", brush=theme.pink, pen=theme.ground)
            else:
                self._now.move(scene.trail[-1:])
        hovered = points.place_of(-1 if self.explorer.hovered is None else self.explorer.hovered)
        if self.fresh("hovered", hovered, theme):  # the word under the mouse in any panel
            self._hovered.setData(pos=hovered, symbol="d", brush=None, pen=theme.pink)
        if self.fresh("selected", scene.selected, scene.axes, map, theme):
            chosen = scene.places[[] if scene.selected is None else [scene.selected]]
            self._ring.setData(pos=chosen, symbol="o", brush=None, pen=pg.mkPen(theme.bright, width=2))
            self._chosen.write(chosen, [map.names[scene.selected]] if scene.selected is not None else [])
        if self.fresh("legend", view.colour, map.names[: map.certified], theme):
            self.legend.setText(_legend(view.colour, map, theme))

    def _show_entries(self, map: PointMap, scene: Scene, by: str) -> None:
        """Words and points; while they only turn, their symbols stay as they are."""
        first, theme = map.certified, self.theme
        words = len(map) > first
        cloud = scene.places[first:] if words else scene.visited
        if self.fresh("styles", map, by, theme):
            palette = brushes(by, theme)
            colours = [palette[code] for code in scene.colours.tolist()]
            self._cloud.setData(pos=cloud, brush=colours[first:] if words else QBrush(QColor(theme.faint)), size=5)
            state = map.state[:first].tolist()
            self._certified.setData(
                pos=scene.places[:first],
                brush=[
                    brush if s == 0 else QBrush(QColor(theme.ground)) for s, brush in zip(state, colours, strict=False)
                ],
                pen=[_outline(s, brush, theme) for s, brush in zip(state, colours, strict=False)],
                symbol="o",
            )
        elif self.fresh("places", scene.axes):
            self._cloud.move(cloud)
            self._certified.move(scene.places[:first])

    def _show_many(self, map: PointMap, scene: Scene, entries: tuple[int, ...]) -> None:
        if self.fresh("many", entries, map):
            self._together = together = many(map, entries)
            self.list.clear()
            self.list.addItems([safe(name, 40) for name in together.names])
            for row, entry in enumerate(together.entries):
                self.list.item(row).setData(Qt.ItemDataRole.UserRole, entry)
            self.list.setToolTip(together.summary)
            self.list.setVisible(bool(entries))
        if self.fresh("rings", entries, scene.axes, map, self.theme):
            pen = pg.mkPen(self.theme.bright)
            self._many.setData(pos=scene.places[list(entries)], symbol="o", brush=None, pen=pen, size=8)

    def _clear(self) -> None:
        for spots in (self._cloud, self._many, self._certified, self._now, self._ring, self._hovered):
            spots.clear()
        for strokes in (self._axes, self._unstable, self._path, self._trail):
            strokes.draw(np.empty((0, 2, 2)), [])
        for labels in (self._ends, self._chosen, self._told):
            labels.write(NOTHING, [])
        self.list.hide()
        self.forget()

    def paint_theme(self, theme: Theme) -> None:
        self._ends.apply_theme(theme.dim, theme.ground, 0)
        self._chosen.apply_theme(theme.bright, theme.selected)
        self._told.apply_theme(theme.text, theme.raised)

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        headings = ["entry", "name", "kind", "PC1", "PC2", "PC3", "logit", "slowest_tau_words", "selected"]
        map, session = self._map, self.explorer.session
        if map is None or session is None:
            return headings, np.empty((0, len(headings)), dtype=object)
        chosen = {*session.fixed_points.view.many, session.fixed_points.view.selected}
        rows = [
            [k, name, STATES[map.state[k]], *map.places[k].tolist(), map.logit[k], map.memory[k], int(k in chosen)]
            for k, name in enumerate(map.names)
        ]
        return headings, np.array(rows, dtype=object).reshape(-1, len(headings))

    # ---- the mouse -----------------------------------------------------------------------------------------------

    def turn(self, azimuth: float, elevation: float) -> None:
        """Turn the picture by so many degrees; only this panel is drawn, so that it follows the hand."""
        session = self.explorer.session
        if session is not None:
            session.fixed_points.rotate(azimuth, elevation)
            self.show_frame(session, session.frame())

    def outline(self, corners: NDArray[np.float64], *, done: bool) -> None:
        """Show the outline that is being drawn; when it is done, select what lies inside."""
        session, scene = self.explorer.session, self._scene
        if session is None or scene is None:
            return
        (x0, y0), (x1, y1) = corners[0], corners[-1]
        shown = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) if len(corners) == 2 else corners
        edges = np.stack([shown, np.roll(shown, -1, axis=0)], axis=1)
        self._drawn.draw(edges[: 0 if done else None], [QColor(self.theme.bright)])
        if done:
            session.fixed_points.select_many(inside(scene.places, corners).tolist())
            self.explorer.redraw()

    def click(self, place: QPointF) -> None:
        """Select the entry under a place of the picture, or let go."""
        if self._scene is not None:
            self._select(self._under(place))

    def menu(self, place: Any) -> None:
        """What can be done here."""
        menu = self._menu()
        menu.exec(place)

    def _menu(self) -> QMenu:
        explorer, session, menu = self.explorer, self.explorer.session, QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if session is not None:
            for by in COLOURS:
                entry = menu.addAction(f"Colour by {by}", partial(self._colour, by))
                entry.setCheckable(True)
                entry.setChecked(session.fixed_points.view.colour == by)
            menu.addSeparator()
            menu.addAction("Find the points under the word looked at", lambda: explorer.perform("find-points"))
            menu.addAction("Let go of what is selected", lambda: explorer.perform("deselect"))
        menu.addAction("Whole picture", self.view.whole)
        explorer.offer(menu, self)
        return menu

    def _colour(self, by: str) -> None:
        session = self.explorer.session
        if session is not None:
            session.fixed_points.colour_by(by)
            self.explorer.redraw()

    def _select(self, entry: int | None) -> None:
        session = self.explorer.session
        if session is not None:
            session.fixed_points.select(entry)
            self.explorer.redraw()

    def _under(self, place: QPointF) -> int | None:
        assert self._scene is not None
        assert self._map is not None
        across, up = self.view.viewPixelSize()
        columns, rows = 2 / across / CHARACTER[0], 2 / up / CHARACTER[1]
        return self._scene.pick(place.x(), place.y(), round(columns), round(rows), self._map.certified)

    def _hover(self, place: QPointF) -> None:
        scene, map = self._scene, self._map
        if scene is None or map is None or not self.view.sceneBoundingRect().contains(place):
            self._told.write(NOTHING, [])
            return
        entry = self._under(self.view.mapSceneToView(place))
        if entry is None:
            self._told.write(NOTHING, [])
        else:
            told = f"{map.names[entry]}   logit {number(map.logit[entry])}   slowest τ {map.memory[entry]:,.0f} words"
            self._told.write(scene.places[entry : entry + 1], [told])


def nothing(session: Session, theme: Theme) -> str:
    """Why there is no point to see."""
    why = "a recording has no network to search" if session.replaying else "none is found yet"
    return (
        f"<span style='color:{theme.warn}'>fixed points: {as_html(session.fixed_points.search.progress) or why}</span>"
    )


@lru_cache(maxsize=16)
def brushes(by: str, theme: Theme) -> tuple[QBrush, ...]:
    """What a scene's colours look like; the last one is that of words where colours are inputs."""
    if by == "stability":
        colours = [theme.good, theme.pink, theme.warn, theme.dead]
    elif by == "input":
        named = (theme.bright, *theme.lines[:-1])
        colours = [*(named[k % len(named)] for k in range(256)), theme.dim]
    else:
        palette = PALETTES[theme.name]
        points = palette.readout if by == "readout" else palette.time_constant
        colours = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in gradient(points).tolist()]
    return tuple(QBrush(QColor(colour)) for colour in colours)


def _outline(state: int, brush: QBrush, theme: Theme) -> QPen:
    """Stable points are full, unstable ones rings, slow ones dotted rings."""
    if state == 0:
        return pg.mkPen(theme.ground)
    return pg.mkPen(brush.color(), width=2, style=Qt.PenStyle.SolidLine if state == 1 else Qt.PenStyle.DotLine)


def _legend(by: str, map: PointMap, theme: Theme) -> str:
    """Marks, and what colours mean, with units."""
    classes = (theme.good, theme.pink, theme.warn) if by == "stability" else (theme.text,) * 3
    marks = [
        f"<span style='color:{colour}'>{mark}</span> {name}"
        for mark, name, colour in zip("●○◌", ("stable", "saddle", "slow"), classes, strict=True)
    ]
    marks.append(f"<span style='color:{theme.pink}'>◆</span> now")
    marks.append(f"<span style='color:{theme.dim}'>─</span> foretold")
    if by == "input":
        clamps = dict.fromkeys(map.names[: map.certified])
        palette = brushes(by, theme)
        marks += [
            f"<span style='color:{palette[k].color().name()}'>●</span> {as_html(n)}" for k, n in enumerate(clamps)
        ]
    elif by != "stability":
        scale = "".join(f"<span style='color:{brush.color().name()}'>━</span>" for brush in brushes(by, theme)[::28])
        reach = float(np.abs(map.logit).max(initial=0))
        low, high, unit = (
            (number(-reach), number(reach), "logit") if by == "readout"
            else (f"{MEMORIES[0]:,.0f}", f"{MEMORIES[1]:,.0f}", "words (slowest τ)")
        )  # fmt: skip
        marks.append(f"{low} {scale} {high} {unit}")
    return "&nbsp;&nbsp; ".join(f"<span style='white-space:nowrap'>{mark}</span>" for mark in marks)

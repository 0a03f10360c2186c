"""Panel 6: the activity of every cell against the threshold of dead ones, and every cell with its numbers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu, QSplitter

from engine.activity import participation_ratio
from explorer.gui.panels.cell_table import CellTable
from explorer.gui.panels.panel import Panel
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.traces import CellRow, cell_table

if TYPE_CHECKING:
    from explorer.gui.window import Window

WIDTH = 0.8  # of a bar; neighbours are 1 apart


class BarsView(pg.ViewBox):  # type: ignore[misc]
    """A click selects a cell, a right click offers what can be done with it; the wheel zooms along the cells."""

    def __init__(self, panel: CellsPanel) -> None:
        super().__init__(enableMenu=False)
        self._panel = panel
        self.setMouseEnabled(x=True, y=False)
        self.disableAutoRange()

    def mouseClickEvent(self, event: Any) -> None:
        event.accept()
        cell = self._panel.cell_at(self.mapToView(event.pos()))
        if event.button() == Qt.MouseButton.RightButton:
            self._panel.menu(cell).exec(event.screenPos().toPoint())
        elif event.double():
            self._panel.whole()
        elif cell is not None:
            self._panel.explorer.select(cell)


class CellsPanel(Panel):
    """Bars in the chosen order above a table that can be sorted."""

    name: ClassVar[str] = "cells"
    title: ClassVar[str] = "6 Cells"
    place: ClassVar[Any] = "right-low"
    every: ClassVar[int] = 4

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self._rows: list[CellRow] = []
        self.view = BarsView(self)
        self.picture = self.plot(view=self.view, y="σ of h")
        self.picture.getPlotItem().getAxis("bottom").setStyle(showValues=False)
        self.picture.setMinimumHeight(60)
        self._bars = pg.BarGraphItem(x=[], height=[], width=WIDTH, pen=None)
        self.threshold = pg.InfiniteLine(angle=0, movable=True, bounds=(0, None))
        self.view.addItem(self._bars, ignoreBounds=True)
        self.view.addItem(self.threshold, ignoreBounds=True)
        self.table = CellTable()
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.picture)
        split.addWidget(self.table)
        split.setSizes([100, 140])
        self.column.addWidget(split)
        self.threshold.sigPositionChanged.connect(self._move_threshold)
        self.table.chosen.connect(explorer.select)
        self.table.asked.connect(lambda cell, place: self.menu(cell).exec(place))
        self.picture.scene().sigMouseMoved.connect(self._hover)

    # ---- drawing -----------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        theme, snapshot = self.theme, frame.snapshot
        self._rows = rows = cell_table(session, frame)
        dead, working = int(snapshot.dead.sum()), float(participation_ratio(snapshot.activity))
        self.say(
            f"<b style='color:{theme.bright}'>{len(rows) - dead}</b> alive &nbsp; "
            f"<span style='color:{theme.dead}'>† {dead}</span> dead &nbsp; "
            f"<b style='color:{theme.bright}'>{working:.1f}</b> working &nbsp; "
            f"† σ of h &lt; {snapshot.threshold:.3g} in {snapshot.window} words, order: {frame.choices.order}"
        )
        activity = np.array([row.activity for row in rows])
        colours = [_colour(row, theme) for row in rows]
        if self.fresh("size", len(rows)):
            self.whole()
        if self.fresh("colours", colours):
            self._bars.setOpts(brushes=colours)
        if self.fresh("bars", activity):
            self._bars.setOpts(x=np.arange(len(rows)), height=np.nan_to_num(activity), width=WIDTH)
        top = max(0.1, float(np.nanmax(activity, initial=0.0)), 1.2 * snapshot.threshold)
        if not self.threshold.moving and self.fresh("top", round(top, 1)):
            self.view.setYRange(0, 1.05 * np.ceil(top * 10) / 10, padding=0)
        if not self.threshold.moving:
            self.threshold.setValue(snapshot.threshold)
        self.table.show_rows(rows, theme, frame.choices.signal, settled=not snapshot.playing)

    def whole(self) -> None:
        """All cells."""
        self.view.setXRange(-0.6, max(1, len(self._rows)) - 0.4, padding=0)

    def paint_theme(self, theme: Theme) -> None:
        self.threshold.setPen(pg.mkPen(theme.dead, width=2))
        self.threshold.setHoverPen(pg.mkPen(theme.pink, width=3))

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        headings = [
            "cell",
            "value",
            "beta",
            "activity",
            "saturation",
            "weight",
            "dead",
            "silenced",
            "pinned",
            "selected",
        ]
        rows = [
            [
                r.cell,
                r.value,
                2 * r.alpha - 1,
                r.activity,
                r.saturation,
                r.weight,
                r.dead,
                bool(r.clamps),
                r.pinned,
                r.selected,
            ]
            for r in self._rows
        ]
        return headings, np.array(rows, dtype=float).reshape(-1, len(headings))

    # ---- the mouse -----------------------------------------------------------------------------------------------

    def cell_at(self, place: QPointF) -> int | None:
        """The cell whose bar stands at a place of the picture."""
        at = round(place.x())
        return self._rows[at].cell if 0 <= at < len(self._rows) else None

    def menu(self, cell: int | None) -> QMenu:
        """What can be done with a cell, and with all."""
        explorer, session, menu = self.explorer, self.explorer.session, QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        row = next((row for row in self._rows if row.cell == cell), None)
        if session is not None and row is not None:
            do = partial(self._with_cell, row.cell)
            menu.addAction(f"Select cell #{cell}", partial(do, None))
            silence = f"Let cell #{cell} speak" if "h" in row.clamps else f"Silence cell #{cell}"
            menu.addAction(silence, partial(do, "ablate"))
            menu.addAction(f"{'Unpin' if row.pinned else 'Pin'} cell #{cell}", partial(do, "pin"))
            menu.addSeparator()
        every = "Let all speak" if any("h" in row.clamps for row in self._rows) else "Silence all dead cells"
        menu.addAction(every, lambda: explorer.perform("ablate-dead"))
        menu.addAction("All cells", self.whole)
        explorer.offer(menu, self)
        return menu

    def _with_cell(self, cell: int, action: str | None) -> None:
        session = self.explorer.session
        if session is not None:
            session.select(cell)
            if action is None:
                self.explorer.redraw()
            else:
                self.explorer.perform(action)

    def _move_threshold(self) -> None:
        session = self.explorer.session
        if session is not None and self.threshold.moving:
            session.display.set_threshold(float(self.threshold.value()))

    def _hover(self, place: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(place)
        cell = self.cell_at(self.view.mapSceneToView(place)) if inside else None
        self.explorer.hover(self.explorer.hovered, cell)
        row = next((row for row in self._rows if row.cell == cell), None)
        self.picture.setToolTip(
            "" if row is None else f"cell #{row.cell}: σ {number(row.activity)}, β {number(2 * row.alpha - 1)}, "
            f"weight {number(row.weight)}"
        )  # fmt: skip


def _colour(row: CellRow, theme: Theme) -> str:
    if row.selected:
        return theme.bright
    return theme.dead if row.dead else theme.other if row.clamps else theme.pink if row.pinned else theme.good

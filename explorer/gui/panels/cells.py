"""Panel 6: the activity of every cell against the threshold of dead cells, and the table of cells."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QMenu, QSplitter

from explorer.gui.host import Host
from explorer.gui.panels.cell_table import ACCURACY, CellTable
from explorer.gui.panels.panel import Panel
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.palette import RGB
from explorer.session.session import Session
from explorer.session.views.cell_readouts import accuracy_line, cell_line, cells_line, dead_line
from explorer.session.views.number_format import cell_name
from explorer.session.views.runs import Run, join, plain
from explorer.session.views.tables import Table, cells_table
from explorer.session.views.traces import CellRow, cell_table

BAR_WIDTH = 0.8  # the distance between bars is 1
AXIS_WIDTH = 58  # pixels; enough for the label and the numbers


class BarsView(pg.ViewBox):  # type: ignore[misc]
    """A click selects a cell, the wheel zooms along the cells."""

    def __init__(self, panel: CellsPanel) -> None:
        super().__init__(enableMenu=False)
        self._panel = panel
        self.setMouseEnabled(x=True, y=False)
        self.disableAutoRange()

    def mouseClickEvent(self, event: Any) -> None:
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton:
            return  # the panel opens its menu
        cell = self._panel.cell_at(self.mapToView(event.pos()))
        if event.double():
            self._panel.reset_zoom()
        elif cell is not None:
            self._panel.host.select(cell)


class CellsPanel(Panel):
    """Bars of the activity in the chosen order, a threshold that can be dragged, and a table that can be sorted."""

    name: ClassVar[str] = "cells"
    title: ClassVar[str] = "6 Cells"
    place: ClassVar[Any] = "right-low"
    every: ClassVar[int] = 4
    readout_rows: ClassVar[int] = 2

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._rows: list[CellRow] = []
        self._reviews = 0  # over which accuracy is measured
        self.view = BarsView(self)
        self.picture = self.plot(view=self.view, y="σ of h")
        self.picture.getPlotItem().getAxis("bottom").setStyle(showValues=False)
        self.picture.getPlotItem().getAxis("left").setWidth(AXIS_WIDTH)
        self.picture.setMinimumHeight(40)
        self._bars = pg.BarGraphItem(x=[], height=[], width=BAR_WIDTH, pen=None)
        self.threshold = pg.InfiniteLine(angle=0, movable=True, bounds=(0, None))
        self.view.addItem(self._bars, ignoreBounds=True)
        self.view.addItem(self.threshold, ignoreBounds=True)
        self.table = CellTable()
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.picture)
        split.addWidget(self.table)
        split.setSizes([50, 190])
        split.setChildrenCollapsible(False)
        self.splitters = (split,)
        self.column.addWidget(split)
        self.threshold.sigPositionChanged.connect(self._move_threshold)
        self.table.chosen.connect(host.select)
        self.picture.scene().sigMouseMoved.connect(self._hover)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        theme, snapshot = self.theme, frame.snapshot
        accuracy = session.ablation_accuracy
        found = accuracy.result(frame)
        without = None if found is None else found.without
        self._rows = rows = cell_table(session, frame, session.brush.signs, without)
        self._reviews = 0 if found is None else found.reviews
        measured = accuracy_line(found, accuracy.progress) if accuracy.shown else ()
        order = (Run(f"order: {frame.choices.order}"),)
        self.set_readout(join((cells_line(frame), *((measured,) if measured else ()), order, dead_line(snapshot))))
        self.table.setColumnHidden(ACCURACY, not accuracy.shown)
        activity = np.array([row.activity for row in rows])
        colours = [_colour(row, theme) for row in rows]
        if self.changed("size", len(rows)):
            self.reset_zoom()
        if self.changed("colours", colours):
            brushes = {colour: pg.mkBrush(colour) for colour in set(colours)}
            self._bars.setOpts(brushes=[brushes[colour] for colour in colours])
        if self.changed("bars", activity):
            self._bars.setOpts(x=np.arange(len(rows)), height=np.nan_to_num(activity), width=BAR_WIDTH)
        top = max(0.1, float(np.nanmax(activity, initial=0.0)), 1.2 * snapshot.threshold)
        top = float(np.ceil(top * 10)) / 10
        if not self.threshold.moving and self.changed("top", top):
            self.view.setYRange(0, 1.05 * top, padding=0)
        if not self.threshold.moving:
            self.threshold.setValue(snapshot.threshold)
        self.table.show_rows(rows, theme, frame.choices.signal, reorder=not snapshot.playing)

    def reset_zoom(self) -> None:
        """Show all cells."""
        self.view.setXRange(-0.6, max(1, len(self._rows)) - 0.4, padding=0)

    def paint_theme(self, theme: Theme) -> None:
        self.threshold.setPen(pg.mkPen(theme.dead, width=2))
        self.threshold.setHoverPen(pg.mkPen(theme.pink, width=3))

    def export_table(self) -> Table:
        return cells_table(self._rows, self.table.cells.signal_name, self._reviews)

    # ---- the mouse -----------------------------------------------------------------------------------------------

    def cell_at(self, place: QPointF) -> int | None:
        """Return the cell whose bar is at a place of the plot."""
        at = round(place.x())
        return self._rows[at].cell if 0 <= at < len(self._rows) else None

    def add_menu_items(self, menu: QMenu, place: QPoint) -> None:
        on_table = self.table.viewport().mapFrom(self, place)
        if self.table.viewport().rect().contains(on_table):
            cell = self.table.cell_at(on_table)
        else:
            cell = self.cell_at(self.view.mapSceneToView(self.picture.mapToScene(self.picture.mapFrom(self, place))))
        self.add_cell_items(menu, cell)

    def add_cell_items(self, menu: QMenu, cell: int | None) -> None:
        """Add what can be done with a cell, and with all cells."""
        host, session = self.host, self.host.session
        row = next((row for row in self._rows if row.cell == cell), None)
        if session is not None and row is not None:
            act, name = partial(self._act_on_cell, row.cell), cell_name(row.cell)
            menu.addAction(f"Select {name}", partial(act, None))
            menu.addAction(f"{'Restore' if 'h' in row.clamps else 'Ablate'} {name}", partial(act, "ablate"))
            menu.addAction(f"{'Unpin' if row.pinned else 'Pin'} {name}", partial(act, "pin"))
            menu.addSeparator()
        ablated = session is not None and session.ablation.dead_are_ablated
        menu.addAction(
            "Restore the dead cells" if ablated else "Ablate all dead cells", lambda: host.perform("ablate-dead")
        )
        menu.addAction("Show all cells", self.reset_zoom)

    def _act_on_cell(self, cell: int, action: str | None) -> None:
        session = self.host.session
        if session is not None:
            session.select(cell)
            if action is None:
                self.host.redraw()
            else:
                self.host.perform(action)

    def _move_threshold(self) -> None:
        session = self.host.session
        if session is not None and self.threshold.moving:
            session.display.set_threshold(float(self.threshold.value()))

    def _hover(self, place: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(place)
        cell = self.cell_at(self.view.mapSceneToView(place)) if inside else None
        self.host.hover(self.host.hovered, cell)
        row = next((row for row in self._rows if row.cell == cell), None)
        self.picture.setToolTip("" if row is None else plain(cell_line(row)))


def _colour(row: CellRow, theme: Theme) -> RGB:
    if row.selected:
        return theme.bright
    return theme.dead if row.dead else theme.warning if row.clamps else theme.pink if row.pinned else theme.good

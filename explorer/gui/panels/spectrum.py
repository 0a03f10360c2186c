"""Panel 4: the eigenvalues of one point against the unit circle, and what is known of that point."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.marks import Spots
from explorer.gui.text import rich_text
from explorer.gui.theme import Theme
from explorer.session.controllers.linear_prediction import AHEAD
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.eigenvalues import eigenvalue_text
from explorer.session.views.point_map import PointDetails
from explorer.session.views.point_readouts import PREDICTION_MEANING, no_points_line, point_lines, spectrum_title
from explorer.session.views.runs import Run, join
from explorer.session.views.tables import Table, spectrum_table
from explorer.session.views.units import unit_names

RANGE = 1.25  # of both axes of the complex plane
REACH = 12.0  # pixels around an eigenvalue in which the mouse points at it


class SpectrumPanel(Panel):
    """The complex plane, and the point's type, stability, time constant and readout."""

    name: ClassVar[str] = "spectrum"
    title: ClassVar[str] = "4 Spectrum"
    place: ClassVar[Any] = "right-middle"
    every: ClassVar[int] = 6

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._point: PointDetails | None = None
        self.picture = self.plot(x="Re λ", y="Im λ")
        view = self.view = self.picture.getPlotItem().getViewBox()
        view.setAspectLocked(True)
        view.setRange(xRange=(-RANGE, RANGE), yRange=(-RANGE, RANGE), padding=0)
        angle = np.linspace(0, 2 * np.pi, 400)
        self._circle = pg.PlotCurveItem(np.cos(angle), np.sin(angle), antialias=True)
        self._lines = [pg.InfiniteLine(angle=degrees, movable=False) for degrees in (0, 90)]
        self._values = Spots(size=6, symbol="o", pen=None)
        self._ring = Spots(size=13, symbol="o", brush=None)
        self._hovered: complex | None = None
        for item in (*self._lines, self._circle, self._values, self._ring):
            view.addItem(item, ignoreBounds=True)
        self.details = QLabel()
        self.details.setTextFormat(Qt.TextFormat.RichText)
        self.details.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.details.setWordWrap(True)
        self.details.setMinimumWidth(60)
        self.details.setToolTip(PREDICTION_MEANING)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.addWidget(self.details, 3)
        row.addWidget(self.picture, 2)
        self.column.addLayout(row)
        self.picture.scene().sigMouseMoved.connect(self._hover)
        self.picture.mouse_left.connect(lambda: self._point_at(None))

    def show_frame(self, session: Session, frame: Frame) -> None:
        theme, points = self.theme, session.fixed_points
        points.request(frame)
        self._point = point = points.details(frame)
        if point is None:
            self.set_readout(no_points_line(points.search.progress, session.replaying, points.point_map))
            self.details.setText("")
            self._values.clear()
            self._ring.clear()
            self.invalidate()
            return
        hovered = () if self._hovered is None else (Run(eigenvalue_text(self._hovered), "value"),)
        title = (Run(spectrum_title(points.view.selected is not None)),)
        self.set_readout(join((hovered, title)))
        prediction = points.prediction(frame)
        explained = None if prediction is None else dict(zip(AHEAD, prediction.explained, strict=True))
        lines = tuple(map(unit_names(frame.snapshot.network).line, point_lines(point, explained)))
        if self.changed("details", lines, theme):
            self.details.setText("<br>".join(rich_text(line, theme) for line in lines))
        if self.changed("room", lines, self.details.width()):
            self._make_room()
        if self.changed("values", point.eigenvalues, theme):
            outside = (np.abs(point.eigenvalues) > 1).tolist()
            brushes = [pg.mkBrush(theme.pink if unstable else theme.good) for unstable in outside]
            self._values.setData(x=point.eigenvalues.real, y=point.eigenvalues.imag, brush=brushes)
            self._point_at(None)

    def release_room(self) -> None:
        self.details.setMinimumHeight(0)
        self.invalidate("room")

    def _make_room(self) -> None:
        """Show every line of the details: their number depends on the point, and long ones wrap."""
        needed = self.details.heightForWidth(self.details.width())
        if needed > self.details.minimumHeight():
            self.details.setMinimumHeight(needed)

    def paint_theme(self, theme: Theme) -> None:
        self._circle.setPen(theme.dim)
        for line in self._lines:
            line.setPen(theme.faint)
        self._ring.setPen(pg.mkPen(theme.bright, width=2))

    def export_table(self) -> Table:
        return spectrum_table(self._point)

    def _hover(self, place: QPointF) -> None:
        if self._point is None:
            return
        here, values = self.view.mapSceneToView(place), self._point.eigenvalues
        distance = np.abs(values - complex(here.x(), here.y())) / self.view.viewPixelSize()[0]
        nearest = int(distance.argmin())
        self._point_at(complex(values[nearest]) if distance[nearest] <= REACH else None)

    def _point_at(self, value: complex | None) -> None:
        """Mark one eigenvalue; the readout line describes it."""
        self._hovered = value
        self._ring.setData(pos=np.array([[] if value is None else [value.real, value.imag]]).reshape(-1, 2))

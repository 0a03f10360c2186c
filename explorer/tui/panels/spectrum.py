"""Panel 4: the eigenvalues of one point in the complex plane, and its numbers."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment

from explorer.session.controllers.linear_prediction import AHEAD
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.point_map import PointDetails
from explorer.session.views.point_readouts import no_points_line, point_lines, spectrum_title
from explorer.session.views.units import unit_names
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.canvas import Canvas
from explorer.tui.terminal.styles import DIM, FAINT, GOOD, PINK, Line, padded, styled, width_of

NUMBERS = 34  # columns of the numbers, so that none is cut
REACH = 1.25  # half the width of the plane


class SpectrumPanel(Panel, can_focus=True):
    """Numbers on the left, the complex plane on the right."""

    def state(self, session: Session, frame: Frame) -> tuple[object, ...]:
        points = session.fixed_points
        points.request(frame)
        found, selected = points.point_map, points.view.selected
        return points.details(frame), points.prediction(frame), selected, found, session.replaying

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        point = session.fixed_points.details(frame)
        if point is None:
            self.set_title("4 Spectrum")
            return [[Segment(" "), *styled(no_points_line("", session.replaying, session.fixed_points.point_map))]]
        selected = session.fixed_points.view.selected is not None
        title = f"4 {spectrum_title(selected)}"
        if len(title) > width - 2:
            title = f"4 Spectrum: {'selected' if selected else 'nearest'} point"
        self.set_title(title)
        plane = _plane(point, max(1, min(2 * height, width // 3, width - NUMBERS)), height)
        room = width - width_of(plane[0])
        prediction = session.fixed_points.prediction(frame)
        explained = None if prediction is None else dict(zip(AHEAD, prediction.explained, strict=True))
        names = unit_names(frame.snapshot.network)
        text = tuple(map(names.line, point_lines(point, explained, room - 1)))
        lines: list[Line] = []
        for row, picture in enumerate(plane):
            line = [Segment(" "), *styled(text[row])] if row < len(text) else []
            lines.append([*padded(line, room), *picture])
        return lines


def _plane(point: PointDetails, columns: int, rows: int) -> list[Line]:
    """Draw the real axis, the unit circle and the eigenvalues, those outside the circle in pink."""
    canvas = Canvas(columns, rows)
    angle = np.linspace(0, 2 * np.pi, 400)
    canvas.strokes(np.array([[(-1.0, 0.0), (1.0, 0.0)]]), FAINT)
    canvas.dots(np.stack([np.cos(angle), np.sin(angle)], axis=1) / REACH, DIM)
    values = point.eigenvalues / REACH
    places = np.stack([values.real, values.imag], axis=1)
    outside = np.abs(point.eigenvalues) > 1
    canvas.dots(places[~outside], GOOD)
    canvas.dots(places[outside], PINK)
    return canvas.lines()

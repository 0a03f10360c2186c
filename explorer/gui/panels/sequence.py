"""Panel 1 for a sequence of vectors: a band for each input and output over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.charts import GUTTER, TimeMarks, TimeViewBox
from explorer.gui.theme import Theme, qcolor
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.channels import Floats, Trace, Traces

FILLED = 0.82  # of the height of a band
MOST = 24  # bands; more would be too low to be read

# Parts of each band: the shade of its target, then values by what is known of them.
KINDS = ("target", "unread", "open", "right", "wrong")


class SequenceBands(QWidget):
    """Inputs, outputs and targets of all steps; the plot's gestures are those of all plots over time."""

    def __init__(self, panel: Panel, host: Host) -> None:
        super().__init__()
        self._host = host
        self._box = TimeViewBox(host)
        self.picture = panel.plot(view=self._box)
        self.axis = self.picture.getPlotItem().getAxis("left")
        self.axis.setWidth(GUTTER)
        self.picture.hideAxis("bottom")
        self.curves: list[dict[str, Any]] = []
        self._marks = TimeMarks(self.picture)
        self._theme: Theme | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picture)

    def apply_theme(self, theme: Theme) -> None:
        """Set the colours."""
        self._theme = theme
        self._marks.apply_theme(theme)
        colours = {
            "target": theme.selected, "unread": theme.dim, "open": theme.text, "right": theme.good, "wrong": theme.bad,
        }  # fmt: skip
        for curves in self.curves:
            for kind, curve in curves.items():
                curve.setBrush(qcolor(colours[kind]))

    def show_traces(self, session: Session, frame: Frame, found: Traces, *, changed: bool) -> None:
        """Draw a frame; ``changed``: with the curves, not only the marks."""
        self._box.show_words(*self._host.visible_range.words(frame))
        if changed:
            order = found.order[:MOST]
            self._prepare(len(order), found)
            for band, (curves, trace) in enumerate(zip(self.curves, order, strict=True)):
                self._draw(curves, trace, float(len(order) - 1 - band), frame.snapshot.time)
        self._marks.show(self._host, session, frame)

    def _prepare(self, count: int, found: Traces) -> None:
        """Make as many bands as there are curves, and name them at the axis."""
        while len(self.curves) < count:
            curves = {kind: pg.PlotCurveItem([0, 1], [0], stepMode="center", pen=None) for kind in KINDS}
            for curve in curves.values():
                curve.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
                self._box.addItem(curve, ignoreBounds=True)
            self.curves.append(curves)
            if self._theme is not None:
                self.apply_theme(self._theme)
        for curves in self.curves[count:]:
            for curve in curves.values():
                self._box.removeItem(curve)
        del self.curves[count:]
        names = [trace.name for trace in found.order[:MOST]]
        self.axis.setTicks([[(count - 1 - k + FILLED / 2, name) for k, name in enumerate(names)]])
        self._box.setYRange(0, count, padding=0)

    def _draw(self, curves: dict[str, Any], trace: Trace, bottom: float, read: int) -> None:
        scale = FILLED / (trace.high - trace.low)
        zero = bottom - scale * trace.low if trace.low < 0 < trace.high else bottom
        heights = bottom + scale * (trace.values - trace.low)
        steps = np.arange(len(heights))
        known = np.isfinite(heights)
        right = trace.right
        parts = {
            "unread": known & (steps >= read) if trace.is_input else np.zeros_like(known),
            "open": known & (right == 0) & (steps < read),
            "right": known & (right > 0),
            "wrong": known & (right < 0),
        }
        for kind, part in parts.items():
            _fill(curves[kind], np.where(part, heights, zero), zero, bool(part.any()))
        target = np.zeros(len(heights)) if trace.target is None else np.nan_to_num(trace.target)
        _fill(curves["target"], bottom + FILLED * target, bottom, bool(target.any()))


def _fill(curve: Any, heights: Floats, base: float, shown: bool) -> None:
    """Fill between a curve of steps and a height."""
    curve.setVisible(shown)
    if shown:
        curve.setFillLevel(base)
        curve.setData(np.arange(len(heights) + 1), heights)

"""F(s) on logarithmic axes with its fit; the bounds of the fit can be dragged, and the exponent follows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.marks import Spots
from explorer.gui.theme import Theme, qcolor
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.readouts import scaling_line
from explorer.session.views.runs import Run, join
from explorer.session.views.scaling import Scaling, fine_fluctuation, fine_scales, scaling
from explorer.session.views.tables import Table, scaling_table
from explorer.session.views.units import unit_names

NOISES = {0.5: "white", 1.0: "pink", 1.5: "Brownian"}


def tick_values(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten in a range, or powers of ten alone in a range of five or more decades."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [factor * 10.0**power for power in powers for factor in ((1, 2, 5) if len(powers) < 5 else (1,))]
    return [value for value in found if low <= value <= high]


class ScalingPanel(Panel):
    """F at every scale, fitted scales filled; a double click fits the scales of the rolling α again."""

    name = "scaling"
    title = "F(s)"
    place = "low"
    every = 4

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.bounds: tuple[float, float] | None = None  # None: the scales of the rolling α
        self._moving = False
        self._plot = self.plot(x="scale s, words", y="F(s)")
        item = self._plot.getPlotItem()
        item.setLogMode(x=True, y=True)
        item.setMouseEnabled(x=False, y=False)
        item.vb.disableAutoRange()
        self._region = pg.LinearRegionItem()
        self._region.sigRegionChanged.connect(self._set_bounds)
        item.addItem(self._region, ignoreBounds=True)
        self._fine, self._fitted = Spots(symbol="o", size=5), Spots(symbol="o", size=8)
        self._fit, *self._slopes = (pg.PlotCurveItem(skipFiniteCheck=True) for _ in range(1 + len(NOISES)))
        self._names = [pg.TextItem(name, anchor=(0, 0.5)) for name in NOISES.values()]
        for shape in (*self._slopes, *self._names, self._fine, self._fit, self._fitted):
            item.vb.addItem(shape, ignoreBounds=True)  # these get logarithms
        self._plot.scene().sigMouseClicked.connect(self._click)
        self.column.addWidget(self._plot)

    def paint_theme(self, theme: Theme) -> None:
        inside = qcolor(theme.selected, 90)
        self._region.setBrush(inside)
        self._region.setHoverBrush(inside)
        for line in self._region.lines:
            line.setPen(theme.good, width=2)
            line.setHoverPen(theme.pink, width=3)
        self._fine.setPen(theme.dim)
        self._fine.setBrush(None)
        self._fitted.setPen(None)
        self._fitted.setBrush(theme.bright)
        self._fit.setPen(theme.text)
        for line, label, name in zip(self._slopes, self._names, NOISES.values(), strict=True):
            line.setPen(theme.pink if name == "pink" else theme.faint)
            label.setColor(theme.pink if name == "pink" else theme.dim)

    def _set_bounds(self) -> None:
        if not self._moving:
            low, high = self._region.getRegion()
            self.bounds = (round(10**low, 3), round(10**high, 3))
            self.host.redraw()

    def _click(self, event: Any) -> None:
        if event.double():
            self.bounds = None
            self.host.redraw()

    def show_frame(self, session: Session, frame: Frame) -> None:
        choices, snapshot = frame.choices, frame.snapshot
        state = (snapshot.run, frame.word, choices.signal, choices.selected, self.bounds, snapshot.scales)
        if not self.changed("frame", *state):
            return
        found, names = scaling(session, frame, self.bounds), unit_names(snapshot.network)
        hint = "drag the bounds to fit other scales" if self.bounds is None else "double click fits those of rolling α"
        self.set_readout(join((scaling_line(found, names=names), (Run(hint),))))
        scales = np.array(fine_scales(snapshot.window), dtype=float)
        if self.bounds is None:
            self._moving = True
            self._region.setRegion(np.log10([found.scales.min(), found.scales.max()]))
            self._moving = False
        self._region.setBounds(np.log10([scales.min(), scales.max()]).tolist())
        fluctuation = fine_fluctuation(session, frame)
        positive = fluctuation > 0  # also excludes NaN
        self._fine.setData(pos=np.log10(np.stack([scales[positive], fluctuation[positive]], axis=1)))
        self._show_axes(scales, fluctuation[positive])
        good = found.fluctuation > 0
        self._fitted.setData(pos=np.log10(np.stack([found.scales[good], found.fluctuation[good]], axis=1)))
        known = not math.isnan(found.alpha)
        for item in (self._fit, *self._slopes, *self._names):
            item.setVisible(known)
        if known:
            self._draw_lines(found, scales)

    def _show_axes(self, scales: NDArray[np.float64], heights: NDArray[np.float64]) -> None:
        """Set ranges with room for the names at the right, and the ticks."""
        low, high = (heights.min(), heights.max()) if len(heights) else (0.1, 1.0)
        ranges = {"bottom": (scales.min() / 1.1, scales.max() * 1.5), "left": (low / 1.3, high * 1.3)}
        if self.changed("axes", *ranges.values()):
            box = self._plot.getPlotItem().vb
            box.setRange(xRange=np.log10(ranges["bottom"]), yRange=np.log10(ranges["left"]), padding=0)
            for side, ends in ranges.items():
                ticks = [(float(np.log10(value)), f"{value:g}") for value in tick_values(*ends)]
                self._plot.getPlotItem().getAxis(side).setTicks([ticks])

    def _draw_lines(self, found: Scaling, scales: NDArray[np.float64]) -> None:
        """Draw the fit, and the slopes of exact noise through its centre."""
        ends = np.array([scales.min(), scales.max()])
        fitted = found.scales[[0, -1]]
        self._fit.setData(np.log10(fitted), np.log10(np.exp(found.offset) * fitted**found.alpha))
        centre = np.exp(np.log(found.scales).mean())
        height = np.exp(found.offset) * centre**found.alpha
        for slope, line, label in zip(NOISES, self._slopes, self._names, strict=True):
            heights = height * (ends / centre) ** slope
            line.setData(np.log10(ends), np.log10(heights))
            label.setPos(*np.log10([ends[1], heights[1]]))

    def export_table(self) -> Table:
        session = self.host.session
        assert session is not None
        return scaling_table(session, session.frame(), self.bounds)

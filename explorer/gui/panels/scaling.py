"""F(s) on two logarithmic axes with its fit; the bounds of the fit can be dragged, and the exponent follows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from explorer.gui.panels.panel import Panel
from explorer.gui.plots.marks import Spots
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.scaling import Scaling, fine_fluctuation, fine_scales, scaling

if TYPE_CHECKING:
    from explorer.gui.window import Window

NOISES = {0.5: "white", 1.0: "pink", 1.5: "brown"}


def round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two ends; powers of ten alone where that would be many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [factor * 10.0**power for power in powers for factor in ((1, 2, 5) if len(powers) < 5 else (1,))]
    return [value for value in found if low <= value <= high]


class ScalingPanel(Panel):
    """Every scale as a dot, those of the fit filled; a double click fits to the scales of the rolling α again."""

    name = "scaling"
    title = "F(s)"
    place = "low"
    every = 4

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self.bounds: tuple[float, float] | None = None
        self._moving = False
        self._plot = self.plot(x="scale s, words", y="F(s)")
        item = self._plot.getPlotItem()
        item.setLogMode(x=True, y=True)
        item.setMouseEnabled(x=False, y=False)
        item.vb.disableAutoRange()
        self._region = pg.LinearRegionItem()
        self._region.sigRegionChanged.connect(self._dragged)
        item.addItem(self._region, ignoreBounds=True)
        self._fine, self._fitted = Spots(symbol="o", size=5), Spots(symbol="o", size=8)
        self._fit, *self._slopes = (pg.PlotCurveItem(skipFiniteCheck=True) for _ in range(1 + len(NOISES)))
        self._names = [pg.TextItem(name, anchor=(0, 0.5)) for name in NOISES.values()]
        for shape in (*self._slopes, *self._names, self._fine, self._fit, self._fitted):
            item.vb.addItem(shape, ignoreBounds=True)  # all in logarithms already
        self._plot.scene().sigMouseClicked.connect(self._clicked)
        self.column.addWidget(self._plot)

    def paint_theme(self, theme: Theme) -> None:
        inside = QColor(theme.selected)
        inside.setAlpha(90)
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

    def _dragged(self) -> None:
        if not self._moving:
            low, high = self._region.getRegion()
            self.bounds = (round(10**low, 3), round(10**high, 3))
            self.explorer.redraw()

    def _clicked(self, event: Any) -> None:
        if event.double():
            self.bounds = None
            self.explorer.redraw()

    def show_frame(self, session: Session, frame: Frame) -> None:
        choices, snapshot = frame.choices, frame.snapshot
        state = (snapshot.run, frame.word, choices.signal, choices.selected, self.bounds, snapshot.scales)
        if not self.fresh("frame", *state):
            return
        found = scaling(session, frame, self.bounds)
        self._tell(found)
        scales = np.array(fine_scales(snapshot.window), dtype=float)
        if self.bounds is None:
            self._moving = True
            self._region.setRegion(np.log10([found.scales.min(), found.scales.max()]))
            self._moving = False
        self._region.setBounds(np.log10([scales.min(), scales.max()]).tolist())
        everywhere = fine_fluctuation(session, frame)
        there = everywhere > 0  # NaN is not
        self._fine.setData(pos=np.log10(np.stack([scales[there], everywhere[there]], axis=1)))
        self._show_axes(scales, everywhere[there])
        good = found.fluctuation > 0
        self._fitted.setData(pos=np.log10(np.stack([found.scales[good], found.fluctuation[good]], axis=1)))
        known = not math.isnan(found.alpha)
        for item in (self._fit, *self._slopes, *self._names):
            item.setVisible(known)
        if known:
            self._draw_lines(found, scales)

    def _show_axes(self, scales: NDArray[np.float64], heights: NDArray[np.float64]) -> None:
        """Ranges that leave room for the names at the right, and a few round numbers."""
        low, high = (heights.min(), heights.max()) if len(heights) else (0.1, 1.0)
        ranges = {"bottom": (scales.min() / 1.1, scales.max() * 1.5), "left": (low / 1.3, high * 1.3)}
        if self.fresh("axes", *ranges.values()):
            box = self._plot.getPlotItem().vb
            box.setRange(xRange=np.log10(ranges["bottom"]), yRange=np.log10(ranges["left"]), padding=0)
            for side, ends in ranges.items():
                ticks = [(float(np.log10(value)), f"{value:g}") for value in round_numbers(*ends)]
                self._plot.getPlotItem().getAxis(side).setTicks([ticks])

    def _draw_lines(self, found: Scaling, scales: NDArray[np.float64]) -> None:
        """The fit, and through its middle the slopes of the three noises."""
        ends = np.array([scales.min(), scales.max()])
        fitted = found.scales[[0, -1]]
        self._fit.setData(np.log10(fitted), np.log10(np.exp(found.offset) * fitted**found.alpha))
        centre = np.exp(np.log(found.scales).mean())
        height = np.exp(found.offset) * centre**found.alpha
        for slope, line, label in zip(NOISES, self._slopes, self._names, strict=True):
            heights = height * (ends / centre) ** slope
            line.setData(np.log10(ends), np.log10(heights))
            label.setPos(*np.log10([ends[1], heights[1]]))

    def _tell(self, found: Scaling) -> None:
        theme = self.theme
        parts = [
            found.series,
            f"α <b>{number(found.alpha)}</b>",
            f"β <b style='color:{theme.pink}'>{number(2 * found.alpha - 1)}</b>",
            f"r² {number(found.r2)}",
        ]
        if math.isnan(found.alpha):
            parts.append(f"<span style='color:{theme.warn}'>{found.reason}</span>")
        elif self.bounds is None:
            parts.append(f"{len(found.scales)} scales of the rolling α; drag the bounds to choose others")
        else:
            ends = f"{found.scales.min():.0f}…{found.scales.max():.0f}"
            parts.append(f"{len(found.scales)} scales {ends} words; double click: those of the rolling α")
        self.say("&nbsp;&nbsp; ".join(parts))

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        """F at every scale, and whether the fit takes it."""
        session = self.explorer.session
        assert session is not None
        frame = session.frame()
        found = scaling(session, frame, self.bounds)
        scales = np.union1d(fine_scales(frame.snapshot.window), found.scales)
        at = {
            float(s): f
            for s, f in zip(fine_scales(frame.snapshot.window), fine_fluctuation(session, frame), strict=True)
        }
        at |= dict(zip(found.scales.tolist(), found.fluctuation.tolist(), strict=True))
        fluctuation = np.array([at[float(s)] for s in scales])
        return ["scale", "F", "fitted"], np.column_stack([scales, fluctuation, np.isin(scales, found.scales)])

"""Charts in the output of a verb (``--plot``), drawn from characters with plotext.

Charts are as wide as the terminal. They are coloured only on a terminal, and not if ``NO_COLOR`` is set.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click
import numpy as np
from numpy.typing import ArrayLike, NDArray

HEIGHT: Final = 18  # rows
WIDEST: Final = 100  # columns

Colour = tuple[int, int, int]
COLOURS: Final[tuple[Colour, ...]] = ((95, 160, 230), (255, 110, 180), (235, 150, 60), (80, 190, 130))
GREY: Final[Colour] = (150, 160, 170)
LINES: Final = ("braille", "hd", "fhd")  # plotext's markers of lines, so that two lines differ without colour
POINTS: Final = ("circle", "diamond", "dot")

plot_option = click.option("--plot", is_flag=True, help="Draw charts as well.")


@dataclass(frozen=True)
class Curve:
    """Points to draw, joined by lines or each with a mark."""

    label: str
    x: ArrayLike
    y: ArrayLike
    marks: bool = False


def curves(title: str, drawn: Sequence[Curve], x_label: str, y_label: str, *, log_log: bool = False) -> str:
    """Return a chart of some curves, over logarithmic axes for ``log_log``."""
    chart = _Chart(title, x_label, y_label)
    for number, curve in enumerate(drawn):
        x, y = (np.asarray(values, dtype=float) for values in (curve.x, curve.y))
        if log_log:
            x, y = np.log10(x), np.log10(y)
        chart.draw(x, y, curve.label, COLOURS[number], (POINTS if curve.marks else LINES)[number], not curve.marks)
    return chart.text(log_log)


def histogram(title: str, series: Mapping[str, ArrayLike], x_label: str, y_label: str) -> str:
    """Return histograms of some series over common bins (Rice's rule); values that are not finite are left out."""
    finite = {name: np.asarray(values)[np.isfinite(values)] for name, values in series.items()}
    bins = int(np.clip(2 * max(map(len, finite.values())) ** (1 / 3), 8, 40)) * len(finite)
    edges = np.histogram_bin_edges(np.concatenate(list(finite.values())), bins)
    chart = _Chart(title, x_label, y_label)
    x = np.linspace(edges[0], edges[-1], 4 * chart.width)
    for number, (name, values) in enumerate(finite.items()):
        counts, _ = np.histogram(values, edges)
        heights = counts[np.clip(np.searchsorted(edges, x, side="right") - 1, 0, bins - 1)]
        spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
        label = f"{name} {values.mean():.3f}{spread}".replace("-", "−") if len(values) else f"{name}: no values"
        chart.draw(x, heights, label, COLOURS[number], LINES[number], filled=len(finite) == 1)
    return chart.text()


def eigenvalues(title: str, groups: Mapping[str, ArrayLike]) -> str:
    """Return groups of complex eigenvalues in the plane, with the unit circle."""
    chart = _Chart(title, "Re λ", "Im λ", height=30)
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 400))
    chart.draw(circle.real, circle.imag, "|λ| = 1", GREY, LINES[0])
    for number, (name, values) in enumerate(groups.items()):
        flat = np.ravel(values)
        chart.draw(flat.real, flat.imag, f"{name} ({len(flat)})", COLOURS[number], POINTS[number], line=False)
    reach = 1.1 * max(1.0, *(float(np.abs(values).max(initial=0)) for values in groups.values()))
    across = (
        reach * (chart.width - 6) / (2 * (chart.height - 4))
    )  # a character is twice as high as wide: a round circle
    chart.limits = ((-across, across), (-reach, reach))
    return chart.text()


class _Chart:
    """plotext's only figure, cleared: complete one chart before the next."""

    def __init__(self, title: str, x_label: str, y_label: str, height: int = HEIGHT) -> None:
        import plotext

        self.limits: tuple[tuple[float, float], tuple[float, float]] | None = None
        self._title = title
        self._key: list[str] = []
        self._points: list[NDArray[np.float64]] = []
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._figure: Any = plotext.figure
        self._figure.clear()
        self._figure.plot_size(min(WIDEST, shutil.get_terminal_size().columns), height)
        self.width, self.height = self._figure.size()  # plotext keeps it within the terminal
        self._figure.theme("simple")
        self._figure.label(x_label, "x")
        self._figure.label(y_label, "y")

    def draw(
        self,
        x: ArrayLike,
        y: ArrayLike,
        label: str,
        colour: Colour,
        marker: str,
        line: bool = True,
        filled: bool = False,
    ) -> None:
        """Add points, and their label (unless it is empty) to the key above the chart."""
        import plotext

        points = np.array([x, y], dtype=float)
        self._points.append(points)
        signal = self._figure.signal(*points.tolist(), marker=plotext.marker(marker, pixel=plotext.pixel(colour)))
        if line:
            signal.lines()
        if filled:
            signal.fillx()
        self._figure.draw(signal)
        if label:
            sign = {"circle": "●", "diamond": "◆", "dot": "•", "braille": "⠒", "hd": "▀", "fhd": "🬂"}[marker]
            self._key.append(f"{click.style(sign, fg=colour) if self._coloured else sign} {label}")

    def text(self, log_log: bool = False) -> str:
        """Return the finished chart, lines of text."""
        every = np.concatenate(self._points, axis=1)
        limits = self.limits or tuple((float(row.min()), float(row.max())) for row in every)
        for (axis, side), (low, high), most in zip(
            (("x", "lower"), ("y", "left")), limits, (self.width // 10, self.height // 3), strict=True
        ):
            ruler = self._figure.ruler(axis, side)
            ticks = _log_ticks(low, high) if log_log else _ticks(low, high, most)
            ruler.ticks(list(np.log10(ticks)) if log_log else ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
            ruler.lim(low, high)
        rows = self._figure.build().string(not self._coloured).splitlines()
        return "\n".join(["   ".join([self._title, *self._key]), *(row.rstrip() for row in rows), ""])


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between two values, at most about ``most``."""
    rough = max(high - low, 1e-12) / max(1, most)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [round(k * step, 12) for k in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two decimal logarithms: 1, 2 and 5 times powers of ten, or more within one decade."""
    powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    factors = (1, 2, 5) if high - low > 1 else (1, 1.5, 2, 3, 5, 7)
    ticks = [factor * 10.0**power for power in powers for factor in factors]
    return [tick for tick in ticks if low - 1e-9 <= np.log10(tick) <= high + 1e-9]

"""Charts drawn by plotext, as lines of styled text. plotext has one global figure; only this module uses it.

Logarithmic charts take logarithms and tick labels: plotext 6.1 draws no data on a logarithmic axis with own ticks.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style

from explorer.tui.terminal.styles import DIM, FAINT, Line

_PARTS = re.compile(r"\x1b\[([\d;]*)m|([^\x1b]+)")


@dataclass(frozen=True)
class Series:
    """Points (``x``, ``y``), joined by a line or each drawn as ``marker``, with a ``label`` after the last."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    style: Style
    marker: str = ""
    label: str = ""


def load_soon() -> None:
    """Load plotext in a thread, so that the first chart need not wait for it."""
    threading.Thread(target=importlib.import_module, args=("plotext",), name="pinkx plotext", daemon=True).start()


def draw_chart(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    x_ticks: Mapping[float, str],
    y_ticks: Mapping[float, str],
) -> list[Line]:
    """Draw series on common axes in ``width`` × ``height`` characters; later series cover earlier ones."""
    import plotext  # here: it would take a fifth of the time to the first frame

    styles = {_colour(style): style for style in (FAINT, DIM, *(each.style for each in series))}
    figure = plotext.figure
    plotext.terminal.limit(False, False)  # to the size of a terminal that plotext would ask for
    figure.clear()
    figure.theme("colorless")
    figure.canvas("default")
    figure.plot_size(width, height)
    figure.axes(pixel=plotext.pixel(_colour(FAINT)))
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    for axis, limits, ticks in (("x", x_range, x_ticks), ("y", y_range, y_ticks)):
        figure.ruler(axis).pixel(plotext.pixel(_colour(DIM))).lim(*limits)
        figure.ruler(axis).ticks([*ticks], [*ticks.values()])
    for each in series:
        marker = plotext.marker(each.marker or "braille", plotext.pixel(_colour(each.style)))
        figure.draw(figure.signal(each.x.tolist(), each.y.tolist(), marker=marker).lines(not each.marker))
    column = (x_range[1] - x_range[0]) / width
    for each in series:  # after all points: a point on a text removes the text
        if each.label:
            text = plotext.colorize(each.label).fill(plotext.pixel(_colour(each.style)))
            figure.draw(figure.text(float(each.x[-1]) + 2 * column, float(each.y[-1]), text, alignment="left"))
    return [_styled(line, styles) for line in figure.build().string().splitlines()]


def _colour(style: Style) -> tuple[int, int, int]:
    assert style.color is not None, "series of a chart have a colour"
    return tuple(style.color.get_truecolor())  # type: ignore[return-value]


def _styled(line: str, styles: Mapping[tuple[int, int, int], Style]) -> Line:
    """Replace plotext's colours by the styles they were made from."""
    found: Line = []
    style: Style | None = None
    for parameters, text in _PARTS.findall(line):
        if text:
            found.append(Segment(text, style))
        elif parameters.startswith("38;2;"):
            red, green, blue = map(int, parameters.split(";")[2:5])
            style = styles.get((red, green, blue))
        elif parameters == "0":
            style = None
    return found

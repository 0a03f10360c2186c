"""Panel 5: rolling α of the layer sum, on the time axis of the heatmap above it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style

from explorer.session.controllers.noise_band import Band
from explorer.session.core import Frame
from explorer.session.palette import DARK
from explorer.session.session import Session
from explorer.session.views.cell_readouts import value_line
from explorer.session.views.number_format import cell_name, number
from explorer.session.views.readouts import alpha_line, estimator_line
from explorer.session.views.scaling import scaling
from explorer.session.views.signal_images import trace_range
from explorer.session.views.time_axis import TimeAxis, time_axis
from explorer.session.views.traces import alpha_at, alpha_trace, other_alpha
from explorer.session.views.units import unit_names
from explorer.tui.panels.heatmap import GUTTER
from explorer.tui.panels.panel import Panel
from explorer.tui.panels.scaling import ScalingChart
from explorer.tui.terminal.styles import (
    DIM,
    FAINT,
    NOTHING,
    OTHER,
    PINK,
    Line,
    braille,
    markup,
    runs,
    styled,
)

LOW, HIGH = 0.25, 1.75
MARKS = {1.5: "brown", 1.0: "pink", 0.5: "white"}
WHITE_BAND, PINK_BAND = (Style(bgcolor=colour.hex) for colour in (DARK.white_band, DARK.pink_band))


class AlphaPanel(Panel, can_focus=True):
    """The trace among the exponents of white, pink and Brownian noise, and its numbers at the current word."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._chart = ScalingChart()

    def state(self, session: Session, frame: Frame) -> tuple[object, ...] | None:
        snapshot, choices, comparison = frame.snapshot, frame.choices, session.comparison
        if choices.scaling:  # its chart follows the clock
            return None
        bands, estimator = session.noise_bands, (snapshot.window, snapshot.scales)
        bands.request(*estimator)
        shown = choices.signal, choices.cell, choices.cursor, frame.word, self.host.trace, bands.result(*estimator)
        run = snapshot.run, snapshot.time, snapshot.playing, snapshot.watched, snapshot.network
        return *shown, *run, *estimator, comparison.name, comparison.result(frame)

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        if frame.choices.scaling:
            names = unit_names(frame.snapshot.network)
            self._set_titles(frame, f"F(s), the fluctuation in boxes of s {names.units}")
            return self._chart.lines(scaling(session, frame), width, height, names)
        axis = time_axis(frame, width - GUTTER)
        cell = frame.choices.cell
        if self.host.trace and cell is not None:
            return self._trace(session, frame, axis, cell, max(1, height - 1))
        rows = max(1, height - 1)
        drawn = _curve(alpha_trace(session, frame, axis), rows)
        other = other_alpha(session.comparison.result(frame), frame)
        other_dots = None if other is None else _curve(axis.gather(other[:, None], 0)[:, 0], rows)
        guides = {rows - 1 - min(rows - 1, int((at - LOW) / (HIGH - LOW) * rows)): name for at, name in MARKS.items()}
        null = session.noise_bands.result(frame.snapshot.window, frame.snapshot.scales)
        compared = None
        if other is not None and 0 <= frame.word < len(other):
            compared = session.comparison.name, float(other[frame.word])
        numbers = alpha_line(frame, alpha_at(session, frame), null, compared, width - 1)
        lines: list[Line] = [[Segment(" "), *styled(numbers)]]
        for row, text in enumerate(drawn):
            name = guides.get(row, "")
            line: Line = [Segment(f"{name:>{GUTTER - 1}}", PINK if name == "pink" else DIM), Segment("┤", FAINT)]
            blank = "┈" if name else " "
            behind = _behind(null, rows - 1 - row, rows)
            line += _runs(text, None if other_dots is None else other_dots[row], blank, axis.cursor, behind)
            lines.append(line)
        self._set_titles(frame, f"Rolling α of the layer sum Σ{frame.choices.signal}")
        return lines

    def _trace(self, session: Session, frame: Frame, axis: TimeAxis, cell: int, rows: int) -> list[Line]:
        """Draw the chosen signal of one cell on the time axis of the heatmap."""
        signal, (start, stop) = frame.choices.signal, axis.word_range
        values = session.read(signal, start, stop)
        own = values[:, cell : cell + 1].astype(np.float64)
        low, high = trace_range([own[:, 0]])
        drawn = _curve(axis.gather(own, stop - len(own))[:, 0], rows, low, high)
        at = frame.word - (stop - len(own))
        value = float(own[at, 0]) if 0 <= at < len(own) else float("nan")
        lines: list[Line] = [
            [
                Segment(" "),
                *styled(value_line(signal, cell, frame.word, value, unit_names(frame.snapshot.network).unit)),
            ]
        ]
        for row, text in enumerate(drawn):
            end = number(high, 5) if row == 0 else number(low, 5) if row == rows - 1 else ""
            head: Line = [Segment(f"{end:>{GUTTER - 1}}", DIM), Segment("┤", FAINT)]
            lines.append([*head, *_runs(text, None, " ", axis.cursor, Style())])
        self._set_titles(frame, f"{signal} of cell {cell_name(cell)}")
        return lines

    def _set_titles(self, frame: Frame, what: str) -> None:
        self.set_title(f"5 {what}   β = 2α − 1, pink = 1", markup(estimator_line(frame.snapshot)))


def _behind(null: Band | None, row: int, rows: int) -> Style:
    """Return the noise band of a row, counted from below; pink where the two overlap."""
    alpha = LOW + (row + 0.5) / rows * (HIGH - LOW)
    if null is not None and null.pink[0] <= alpha <= null.pink[1]:
        return PINK_BAND
    return WHITE_BAND if null is not None and null.white[0] <= alpha <= null.white[1] else Style()


def _curve(trace: NDArray[np.float64], rows: int, low: float = LOW, high: float = HIGH) -> list[str]:
    """Draw a trace (column,) in braille."""
    dots = np.repeat(trace, 2)
    # interpolate between two words
    dots[1:-1:2] = (dots[1:-1:2] + dots[2::2]) / 2
    return braille(dots, rows, low, high)


def _runs(text: str, other: str | None, blank: str, cursor: int | None, behind: Style) -> Line:
    """Return a row of the chart: trace, compared trace, guide line, cursor, and noise band behind them."""
    own, compared, empty = (style + behind for style in (PINK, OTHER, FAINT))
    styles = [empty if character == NOTHING else own for character in text]
    if other is not None:
        for column, dots in enumerate(other):
            if dots != NOTHING and styles[column] is empty:
                styles[column] = compared
        text = "".join(chr(ord(a) | ord(b)) for a, b in zip(text, other, strict=True))  # braille: the dots of both
    if cursor is not None and text[cursor] == NOTHING:
        styles[cursor] = own
        text = f"{text[:cursor]}╎{text[cursor + 1 :]}"
    return runs(text.replace(NOTHING, blank), styles)

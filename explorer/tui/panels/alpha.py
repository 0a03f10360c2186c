"""Panel 5: rolling α of the layer sum, on the time axis of the heatmap above it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style

from explorer.session.controllers.noise_band import Band
from explorer.session.core import Frame
from explorer.session.palette import DARK
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.scaling import scaling
from explorer.session.views.time_axis import time_axis
from explorer.session.views.traces import alpha_at, alpha_trace, other_alpha
from explorer.tui.panels.heatmap import GUTTER
from explorer.tui.panels.panel import Panel
from explorer.tui.panels.scaling import scaling_lines
from explorer.tui.terminal.styles import (
    BRIGHT,
    DIM,
    FAINT,
    NOTHING,
    OTHER,
    PINK,
    PINK_BOLD,
    TEXT,
    WARN,
    Line,
    braille,
    runs,
)

LOW, HIGH = 0.25, 1.75
MARKS = {1.5: "brown", 1.0: "pink", 0.5: "white"}
WHITE_BAND, PINK_BAND = (Style(bgcolor=colour.hex) for colour in (DARK.white_band, DARK.pink_band))


class AlphaPanel(Panel, can_focus=True):
    """The trace between the exponents of white, pink and Brownian noise, and its numbers at the word looked at."""

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        if frame.choices.scaling:
            self._set_titles(frame, "F(s), the fluctuation in boxes of s words")
            return scaling_lines(scaling(session, frame), width, height)
        axis = time_axis(frame, width - GUTTER)
        rows = max(1, height - 1)
        drawn = _drawn(alpha_trace(session, frame, axis), rows)
        other = other_alpha(session.comparison.result(frame), frame)
        beside = None if other is None else _drawn(axis.gather(other[:, None], 0)[:, 0], rows)
        guides = {rows - 1 - min(rows - 1, int((at - LOW) / (HIGH - LOW) * rows)): name for at, name in MARKS.items()}
        session.noise_bands.request(frame.snapshot.window, frame.snapshot.scales)
        null = session.noise_bands.result(frame.snapshot.window, frame.snapshot.scales)
        lines: list[Line] = [self._numbers(session, frame, null)]
        for row, text in enumerate(drawn):
            name = guides.get(row, "")
            line: Line = [Segment(f"{name:>{GUTTER - 1}}", PINK if name == "pink" else DIM), Segment("┤", FAINT)]
            blank = "┈" if name else " "
            behind = _behind(null, rows - 1 - row, rows)
            line += _runs(text, None if beside is None else beside[row], blank, axis.cursor, behind)
            lines.append(line)
        self._set_titles(frame, f"Rolling α of the layer sum Σ{frame.choices.signal}")
        return lines

    def _numbers(self, session: Session, frame: Frame, null: Band | None) -> Line:
        snapshot, name = frame.snapshot, frame.choices.signal
        alpha = alpha_at(session, frame)
        line: Line = [Segment(f" Σ{name} ", DIM), Segment("α ", DIM), Segment(number(alpha), BRIGHT)]
        line += [Segment("  β ", DIM), Segment(number(2 * alpha - 1), PINK_BOLD)]
        if frame.following and not math.isnan(alpha):
            line += [Segment("  r² ", DIM), Segment(number(snapshot.r2[name]), TEXT)]
        if math.isnan(alpha) and 0 <= frame.word + 1 < snapshot.window:
            line += [Segment(f"  after {snapshot.window} words: {frame.word + 1} read", WARN)]
        elif math.isnan(alpha) and frame.following:
            line += [Segment(f"  no exponent: {snapshot.reason[name]}", WARN)]
        cell = frame.choices.selected
        if cell is not None and snapshot.watched == name and cell < len(snapshot.cell_alpha):
            line += [
                Segment(f"   cell #{cell:03d} β ", DIM),
                Segment(number(2 * snapshot.cell_alpha[cell] - 1), BRIGHT),
            ]
        other = other_alpha(session.comparison.result(frame), frame)
        if other is not None and 0 <= frame.word < len(other):
            there = float(other[frame.word])
            line += [Segment("   ━ ", OTHER), Segment(number(there), TEXT), Segment("  difference ", DIM)]
            line.append(Segment(number(alpha - there), OTHER))
        if null is not None and not math.isnan(alpha):
            line.append(Segment("   9 in 10: ", DIM))
            line += [Segment("pink ", PINK), Segment("{:.2f}…{:.2f}".format(*null.pink), TEXT)]
            line += [Segment("  white ", DIM), Segment("{:.2f}…{:.2f}".format(*null.white), TEXT)]
        return line

    def _set_titles(self, frame: Frame, what: str) -> None:
        snapshot = frame.snapshot
        scales = snapshot.scales
        self.set_title(
            f"5 {what}   β = 2α − 1, pink = 1",
            f"window {snapshot.window} words   {len(scales)} scales {min(scales)}…{max(scales)} words   unbiased DFA",
        )


def _behind(null: Band | None, row: int, rows: int) -> Style:
    """The band that a row counted from below lies in; pink where the two overlap."""
    alpha = LOW + (row + 0.5) / rows * (HIGH - LOW)
    if null is not None and null.pink[0] <= alpha <= null.pink[1]:
        return PINK_BAND
    return WHITE_BAND if null is not None and null.white[0] <= alpha <= null.white[1] else Style()


def _drawn(trace: NDArray[np.float64], rows: int) -> list[str]:
    """A trace (column,) as braille."""
    dots = np.repeat(trace, 2)
    # halfway between two words lies halfway between their values
    dots[1:-1:2] = (dots[1:-1:2] + dots[2::2]) / 2
    return braille(dots, rows, LOW, HIGH)


def _runs(text: str, other: str | None, blank: str, cursor: int | None, behind: Style) -> Line:
    """A row of the chart as segments: the trace, what it is compared with, the guide line, the cursor, the band."""
    own, compared, empty = (ink + behind for ink in (PINK, OTHER, FAINT))
    inks = [empty if character == NOTHING else own for character in text]
    if other is not None:
        for column, beside in enumerate(other):
            if beside != NOTHING and inks[column] is empty:
                inks[column] = compared
        text = "".join(chr(ord(a) | ord(b)) for a, b in zip(text, other, strict=True))  # braille: the dots of both
    if cursor is not None and text[cursor] == NOTHING:
        inks[cursor] = own
        text = f"{text[:cursor]}╎{text[cursor + 1 :]}"
    return runs(text.replace(NOTHING, blank), inks)

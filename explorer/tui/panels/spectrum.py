"""Panel 4: the eigenvalues of one point in the complex plane, and its numbers."""

from __future__ import annotations

import math

import numpy as np
from rich.segment import Segment

from explorer.session.controllers.linear_prediction import AHEAD, Prediction
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.point_map import PointDetails
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.canvas import Canvas
from explorer.tui.terminal.styles import BRIGHT, DIM, FAINT, GOOD, PINK, PINK_BOLD, TEXT, WARN, Line, safe, width_of

LONGEST = 10**6  # words; beyond it |λ| cannot be distinguished from 1
REACH = 1.25  # half the width of the plane


class SpectrumPanel(Panel, can_focus=True):
    """Numbers on the left, the complex plane on the right."""

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        session.fixed_points.request(frame)
        portrait = session.fixed_points.details(frame)
        if portrait is None:
            self.set_title("4 Spectrum")
            why = "a recording has no network to search" if session.replaying else "none found yet"
            return [[Segment(f" fixed points: {why}", DIM)]]
        nearest = session.fixed_points.view.selected is None
        self.set_title(f"4 Spectrum of the {'point nearest to h' if nearest else 'selected point'}")
        plane = _plane(portrait, min(2 * height, width // 3), height)
        room = width - width_of(plane[0])
        text = _numbers(portrait)
        text.insert(-1, _foretold(session.fixed_points.prediction(frame), room))
        lines: list[Line] = []
        for row, picture in enumerate(plane):
            line = text[row] if row < len(text) else []
            lines.append([*line, Segment(" " * (room - width_of(line))), *picture])
        return lines


def _numbers(portrait: PointDetails) -> list[Line]:
    """What a person wants to know first, first."""
    growing = portrait.unstable > 0
    largest = abs(portrait.eigenvalues[0])
    chance = number(portrait.probability)
    origin = (
        f"#{portrait.number} {portrait.hits}/{portrait.starts} starts" if portrait.certified else "repeated for ever"
    )
    memory = f"{portrait.time_constant:,.0f}" if portrait.time_constant < LONGEST else f"over {LONGEST:,}"
    return [
        [Segment(f" {_called(portrait)} ", PINK_BOLD), Segment(origin, DIM)],
        [
            Segment(f" {portrait.kind} ", TEXT),
            Segment(portrait.stability.split()[0], PINK if growing else GOOD),
            Segment(f"  {portrait.unstable} of {len(portrait.eigenvalues)} unstable", DIM),
        ],
        [
            Segment(" |λ| ", DIM),
            Segment(f"{largest:.4f}", BRIGHT),
            Segment("  τ ", DIM),
            Segment(memory, BRIGHT),
            Segment(" words", DIM),
        ],
        [
            Segment(" P(pos) ", DIM),
            Segment(chance, BRIGHT),
            Segment("  logit ", DIM),
            Segment(number(portrait.logit), TEXT),
        ],
        [Segment(f" q {portrait.q:.0e}  Newton {portrait.newton_step:.0e}", DIM)],
    ]


def _foretold(told: Prediction | None, room: int) -> Line:
    """How much of the next words the linear map at the nearest point tells."""
    if told is None:
        return []
    line: Line = [Segment(" linear map tells" if room > 42 else " linear", DIM)]
    for ahead, explained in zip(AHEAD, told.explained, strict=True):
        line += [Segment(f" +{ahead} ", DIM), Segment(_share(explained), TEXT if explained > 0 else WARN)]
    return line


def _share(explained: float) -> str:
    return "–" if math.isnan(explained) else f"{explained:.0%}" if explained >= 0 else "<0"


def _called(portrait: PointDetails) -> str:
    if portrait.certified and portrait.name in ("zero", "mean"):
        return {"zero": "zero input", "mean": "mean word"}[portrait.name]
    return f"“{safe(portrait.name, 14)}”"


def _plane(portrait: PointDetails, columns: int, rows: int) -> list[Line]:
    """Draw the real axis, the unit circle and the eigenvalues, those outside the circle in pink."""
    canvas = Canvas(columns, rows)
    angle = np.linspace(0, 2 * np.pi, 400)
    canvas.strokes(np.array([[(-1.0, 0.0), (1.0, 0.0)]]), FAINT)
    canvas.dots(np.stack([np.cos(angle), np.sin(angle)], axis=1) / REACH, DIM)
    values = portrait.eigenvalues / REACH
    places = np.stack([values.real, values.imag], axis=1)
    outside = np.abs(portrait.eigenvalues) > 1
    canvas.dots(places[~outside], GOOD)
    canvas.dots(places[outside], PINK)
    return canvas.lines()

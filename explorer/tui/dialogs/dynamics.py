"""Dialogs with charts of the dynamics: branches of fixed points, and the memory of a review."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ScreenResultType

from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.branch_curves import (
    AXES,
    CROSSING,
    FOLD,
    BranchCurves,
    Piece,
    branch_curves,
    branches_legend,
    branches_line,
)
from explorer.session.views.memory import DECAY_TITLE, ROLES, SPECTRUM_TITLE, Memory, decay_of, memory_lines
from explorer.session.views.number_format import number
from explorer.session.views.runs import Run, join
from explorer.session.views.units import UnitNames, unit_names
from explorer.tui.dialogs.closing import Dialog
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.plotext_chart import Series, draw_chart
from explorer.tui.terminal.styles import DIM, GOOD, OTHER, PINK, ROLES as STYLES, WARN, Line, padded, styled

PERIOD = 0.2  # seconds between two looks at the progress
DASH = 2  # columns between the marks of an unstable branch


class ChartDialog(Dialog[ScreenResultType]):
    """A dialog with one panel, which draws the newest result."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss", "Close")]
    title_text = ""
    keys_text = "esc close"

    def __init__(self, session: Session, panel: Panel) -> None:
        super().__init__()
        self.session = session
        self.chart = panel

    def compose(self) -> ComposeResult:
        with Vertical(id="chart", classes="dialog") as box:
            box.border_title = self.title_text
            box.border_subtitle = self.keys_text
            yield self.chart

    def on_mount(self) -> None:
        self.set_interval(PERIOD, self.update_chart)
        self.call_after_refresh(self.update_chart)

    def on_resize(self) -> None:
        self.call_after_refresh(self.update_chart)

    def update_chart(self) -> None:
        """Draw the progress, or the result once it is there."""
        if self.is_attached:
            self.chart.show(self.session, self.session.update())  # the application rests behind a dialog


class BranchesDialog(ChartDialog[None]):
    """Fixed points against the weight of a word, or against a channel of a network with a task."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *ChartDialog.BINDINGS,
        ("u", "axis", "Axis"),
        ("n", "network", "Word or network with a task"),
        ("c", "channel", "Channel"),
    ]
    keys_text = "u readout or PC1   n word or network   c channel   esc close"

    def __init__(self, session: Session) -> None:
        self.branches = BranchesPanel()
        super().__init__(session, self.branches)

    def update_chart(self) -> None:
        if self.is_attached:
            self.query_one("#chart").border_title = f"Fixed points {self.session.branches.target.change}"
        super().update_chart()

    def action_network(self) -> None:
        """Follow the word, or a channel of the next network."""
        self.session.branches.next_network()
        self.update_chart()

    def action_channel(self) -> None:
        """Follow the next channel."""
        self.session.branches.next_channel()
        self.update_chart()

    def action_axis(self) -> None:
        """Draw the other of ``AXES``."""
        self.branches.axis = AXES[(AXES.index(self.branches.axis) + 1) % len(AXES)]
        self.update_chart()


class BranchesPanel(Panel):
    """Stable branches as lines, unstable ones dashed, with folds and crossings."""

    def __init__(self) -> None:
        super().__init__(id="branches")
        self.axis = AXES[0]
        self._drawn: tuple[tuple[object, ...], list[Line]] | None = None

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        session.fixed_points.request(frame)  # the components of its map are those of the chart
        found, points = session.branches.result(), session.fixed_points.point_map
        head: list[Line] = [styled(branches_line(found, session.branches.progress, width))]
        if found is None:
            return head
        key = found, points, self.axis, width, height
        if self._drawn is None or self._drawn[0] != key:
            curves = branch_curves(found, self.axis, points)
            if curves is None:
                return head
            against = "channel" if found.target.network else "weight"
            legend = join(((Run(f"{curves.y_label} against {against}"),), branches_legend()), width)
            self._drawn = key, [styled(legend), *_branches_chart(curves, width, height - 2)]
        return [*head, *self._drawn[1]]


def _branches_chart(curves: BranchCurves, width: int, height: int) -> list[Line]:
    low, high = curves.y_range
    series = []
    for piece in curves.pieces:
        if piece.stable:
            series.append(Series(piece.x, piece.y, GOOD))
        else:
            series.append(Series(*_dashes(piece, high - low, round(width / DASH)), PINK, marker="·"))
    for places, mark, style in ((curves.crossings, CROSSING, OTHER), (curves.folds, FOLD, WARN)):
        if len(places):
            series.append(Series(places[:, 0], places[:, 1], style, marker=mark))
    values = np.linspace(low, high, max(2, min(6, height // 3))).tolist()
    return draw_chart(
        series, width, height, x_range=curves.x_range, y_range=(low, high),
        x_ticks={value: number(value) for value in np.linspace(*curves.x_range, 5).tolist()},
        y_ticks={value: number(value) for value in values},
    )  # fmt: skip


def _dashes(piece: Piece, extent: float, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places at equal distances along a curve, ``count`` over the width of the chart."""
    x, y = piece.x, piece.y
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y) / extent))])
    places = np.linspace(0, along[-1], max(2, round(along[-1] * count)))
    return np.interp(places, along, x), np.interp(places, along, y)


class MemoryDialog(ChartDialog[None]):
    """Lyapunov spectrum and memory decay of the present review."""

    title_text = "Memory: Lyapunov spectrum and decay"

    def __init__(self, session: Session) -> None:
        super().__init__(session, MemoryPanel())


class MemoryPanel(Panel):
    """Numbers above, the exponents on the left, the decay on the right."""

    def __init__(self) -> None:
        super().__init__(id="memory")
        self._drawn: tuple[tuple[object, ...], list[Line]] | None = None

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        found = session.memory.result()
        names = unit_names(frame.snapshot.network)
        lines = [styled(names.line(line)) for line in memory_lines(found, session.memory.progress, width)]
        if found is None:
            return lines
        key = found, width, height
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = key, _memory_charts(found, width, height - len(lines) - 1, names)
        return [*lines, *self._drawn[1]]


def _memory_charts(found: Memory, width: int, height: int, names: UnitNames) -> list[Line]:
    spectrum_title, decay_title = names.reword(SPECTRUM_TITLE), names.reword(DECAY_TITLE)
    runs = tuple(zip(found.runs, (STYLES[role] for role in ROLES), strict=True))
    left_width = max(len(spectrum_title) + 2, width // 3)
    exponents = np.stack([run.exponents for run in found.runs])
    low, high = min(0.0, float(exponents.min())), max(0.0, float(exponents.max()))
    margin = 0.1 * (high - low)
    number_of = np.arange(1, exponents.shape[1] + 1, dtype=np.float64)
    left = [Series(number_of, run.exponents, style, marker="●") for run, style in runs]
    left.insert(0, Series(np.array([0.5, len(number_of) + 0.5]), np.zeros(2), DIM))
    spectrum = draw_chart(
        left, left_width, height, x_range=(0.5, len(number_of) + 0.5), y_range=(low - margin, high + margin),
        x_ticks={float(k): f"{k:.0f}" for k in number_of}, y_ticks={value: number(value) for value in (low, 0.0, high)},
    )  # fmt: skip
    curves = [decay_of(run) for run in found.runs]
    ends = np.concatenate([y for _, y in curves])
    bottom, top = float(ends.min()), float(ends.max())
    longest = max(float(x[-1]) for x, _ in curves)
    powers = np.linspace(bottom, top, max(2, height // 4)).tolist()
    decay = draw_chart(
        [Series(x, y, style) for (x, y), (_, style) in zip(curves, runs, strict=True)],
        width - left_width - 1, height, x_range=(0.0, longest), y_range=(bottom - 0.05, top + 0.05),
        x_ticks={value: f"{value:.0f}" for value in np.linspace(0, longest, 5).tolist()},
        y_ticks={value: number(10.0**value) for value in powers},
    )  # fmt: skip
    titles: Line = [*padded(styled((Run(spectrum_title),)), left_width), *styled((Run(decay_title),))]
    return [titles, *([*padded(a, left_width), *b] for a, b in zip(spectrum, decay, strict=False))]

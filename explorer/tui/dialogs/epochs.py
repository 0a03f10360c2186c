"""A slider over the epochs of a training run."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType

from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.analysis_tables import epochs_table
from explorer.session.views.epochs import DEAD_TITLE, LOSS_TITLE, POINTS_TITLE, Epochs, epochs_lines
from explorer.session.views.number_format import number
from explorer.session.views.runs import Run
from explorer.tui.dialogs.analysis import saved
from explorer.tui.dialogs.dynamics import ChartDialog
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.plotext_chart import Series, draw_chart
from explorer.tui.terminal.styles import DEAD, DIM, FAINT, GOOD, PINK_BOLD, TEXT, WARN, Line, padded, styled


class EpochsDialog(ChartDialog[str]):
    """Curves of loss and dead cells, and a map of points, of the epoch on the slider. Returns its file on Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *ChartDialog.BINDINGS,
        ("left", "move(-1)", "Earlier"),
        ("right", "move(1)", "Later"),
        ("home", "move(-10000)", "First"),
        ("end", "move(10000)", "Last"),
        ("enter", "read", "Read"),
        ("e", "save", "Save"),
    ]

    title_text = "Epochs of the training run"
    keys_text = "← → epoch   enter read with it   e save as CSV   esc close"

    def __init__(self, session: Session) -> None:
        self.epochs = EpochsPanel()
        super().__init__(session, self.epochs)

    def action_move(self, count: int) -> None:
        """Move the slider by some epochs."""
        if (found := self.session.epochs.result()) is not None:
            self.epochs.place = max(0, min(self.epochs.present(self.session, found) + count, len(found.epochs) - 1))
            self.update_chart()

    def action_read(self) -> None:
        """Close the dialog, and read the review with the network of this epoch."""
        if (found := self.session.epochs.result()) is not None:
            self.dismiss(str(found.epochs[self.epochs.present(self.session, found)].path))

    def action_save(self) -> None:
        """Save the numbers as CSV."""
        session = self.session
        threshold = session.stream.snapshot.threshold
        message = saved(session, "epochs", lambda: epochs_table(session.epochs.result(), threshold))
        self.query_one("#chart").border_subtitle = f"{message}   {self.keys_text}"


class EpochsPanel(Panel):
    """Lines, a slider, and three charts. ``place`` is that of the epoch shown; None for the present network's."""

    def __init__(self) -> None:
        super().__init__(id="epochs")
        self.place: int | None = None
        self._drawn: tuple[tuple[object, ...], list[Line]] | None = None

    def present(self, session: Session, found: Epochs) -> int:
        """Return the place of the epoch shown."""
        return session.epochs.place_of_present(found) if self.place is None else min(self.place, len(found.epochs) - 1)

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        found, progress, threshold = session.epochs.result(), session.epochs.progress, frame.snapshot.threshold
        place = 0 if found is None else self.present(session, found)
        key = found, progress, place, threshold, width, height
        if self._drawn is None or self._drawn[0] != key:
            lines = [styled(line) for line in epochs_lines(found, place, threshold, progress, width)]
            if found is not None:
                lines.append(_slider(found, place, width))
                lines += _charts(found, place, threshold, width, height - len(lines))
            self._drawn = key, lines
        return self._drawn[1]


def _slider(found: Epochs, place: int, width: int) -> Line:
    last = len(found.epochs) - 1
    room = width - 8
    at = round(place / last * (room - 1)) if last else 0
    first, end = (f"{found.epochs[k].number}" for k in (0, last))
    return [
        Segment(f"{first:>3} ", DIM),
        Segment("─" * at, FAINT),
        Segment("●", PINK_BOLD),
        Segment("─" * (room - 1 - at), FAINT),
        Segment(f" {end}", DIM),
    ]


def _charts(found: Epochs, place: int, threshold: float, width: int, height: int) -> list[Line]:
    left = width * 2 // 5
    upper = max(6, height // 2)
    dead = found.dead(threshold)
    loss = _curve(found, found.loss, place, left - 1, upper - 1, TEXT)
    cells = float(len(found.epochs[0].activity))
    deaths = _curve(found, dead, place, left - 1, height - upper - 1, DEAD, (-0.02 * cells, 1.02 * cells))
    column = [styled((Run(LOSS_TITLE, "text"),)), *loss, styled((Run(DEAD_TITLE, "dead"),)), *deaths]
    picture = [styled((Run(POINTS_TITLE, "text"),)), *_map(found, place, width - left, height - 1)]
    return [[*padded(a, left), *b] for a, b in zip(column, picture, strict=False)]


def _curve(
    found: Epochs,
    values: NDArray[np.float64],
    place: int,
    width: int,
    height: int,
    style: Style,
    limits: tuple[float, float] | None = None,
) -> list[Line]:
    numbers = found.numbers
    low, high = (float(values.min()), float(values.max())) if limits is None else limits
    margin = 0.05 * (high - low or 1.0) if limits is None else 0.0
    first, last = float(numbers[0]), float(max(numbers[-1], numbers[0] + 1))
    series = [
        Series(numbers, values, style),
        Series(numbers[[place]], values[[place]], PINK_BOLD, marker="●"),
    ]
    ticks = {float(k): f"{k:.0f}" for k in numbers[:: max(1, len(numbers) // 8)]}
    ends = (low, high) if limits is None else (0.0, round(limits[1]))
    return draw_chart(
        series, width, height, x_range=(first - 0.5, last + 0.5), y_range=(low - margin, high + margin),
        x_ticks=ticks, y_ticks={value: number(value) if limits is None else f"{value:.0f}" for value in ends},
    )  # fmt: skip


def _map(found: Epochs, place: int, width: int, height: int) -> list[Line]:
    x_range, y_range = found.limits
    visited = found.places(found.epochs[place].visited)
    series = [Series(visited[:, 0], visited[:, 1], FAINT, marker="·")]
    points = found.points_of(place)
    if points is not None:
        at = found.places(points.h)
        for which, mark, style in (
            (~points.fixed, "◌", WARN),
            (points.fixed & ~points.stable, "○", PINK_BOLD),
            (points.stable, "●", GOOD),
        ):
            if which.any():
                series.append(Series(at[which, 0], at[which, 1], style, marker=mark))
    return draw_chart(
        series, width, height, x_range=x_range, y_range=y_range,
        x_ticks={value: number(value) for value in x_range}, y_ticks={value: number(value) for value in y_range},
    )  # fmt: skip

"""The picture cells × time as small arrays: which cells share a row, and the colour of every place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader
from explorer.session.palette import codes
from explorer.session.views.time_axis import TimeAxis, time_axis

Array = NDArray[np.float32]

CONTRAST = 2.5  # standard deviations at the two ends of the map, where each cell is coloured by its own measure
REFERENCE = 512  # words that measure is taken from
FLAT = 1e-6  # a smaller deviation is float32 rounding, not activity


@dataclass(frozen=True)
class Heatmap:
    """``codes`` (height, column) are colour map positions, ``there`` (column,) says where a word is; ``rows`` lists
    the cells of every row, and ``row_of`` (height,) says which row each line of the picture belongs to, as rows are
    stretched to fill it. ``low`` and ``high`` are the values of the map's ends."""

    axis: TimeAxis
    codes: NDArray[np.uint8]
    there: NDArray[np.bool_]
    rows: tuple[tuple[int, ...], ...]
    row_of: NDArray[np.intp]
    low: float
    high: float

    @property
    def cells_per_row(self) -> int:
        """Above 1 the picture is binned, and says so."""
        return max(map(len, self.rows), default=1)


def heatmap(session: SignalReader, frame: Frame, width: int, height: int) -> Heatmap:
    """The chosen signal for a picture of ``height`` rows and ``width`` columns.

    Rows are whole cells while they fit, then bins of neighbours in the chosen order; pinned cells keep rows of their
    own. A bin shows the mean of its cells, or (``max``) the value farthest from zero.
    """
    axis = time_axis(frame, width)
    signal = frame.choices.signal
    start, stop = axis.span
    values = session.read(signal, start, stop)
    first = stop - len(values)
    low, high = value_range(frame, values)
    cells = frame.order if values.shape[1] == len(frame.order) else np.arange(values.shape[1])
    rows = cell_rows(cells, len(frame.choices.pins) if cells is frame.order else 0, height)
    columns = axis.gather(values, first)
    if frame.choices.contrast == "each cell":
        low, high = -CONTRAST, CONTRAST
        columns = standardised(columns, reference(session, frame))
    merged = np.stack([merge(columns[:, list(row)], frame.choices.bins) for row in rows])
    row_of = np.arange(height) * len(rows) // height
    there = axis.gather(np.ones((len(values), 1), dtype=np.float32), first)[:, 0] == 1
    return Heatmap(axis, codes(merged, low, high)[row_of], there, rows, row_of, low, high)


def reference(session: SignalReader, frame: Frame) -> Array:
    """The words, (time, cell), whose mean and deviation are the measure of each cell.

    All words up to the last power of two; from ``REFERENCE`` on, the last full block of that many. So the measure
    changes seldom, and a picture that sweeps keeps the colours it has.
    """
    time = max(1, frame.snapshot.time)
    stop = 1 << (time.bit_length() - 1) if time < REFERENCE else time // REFERENCE * REFERENCE
    return session.read(frame.choices.signal, max(0, stop - REFERENCE), stop)


def standardised(columns: NDArray[np.float64], measure: Array) -> NDArray[np.float64]:
    """(column, cell) about each cell's mean in ``measure`` (time, cell), in its standard deviations there.

    A cell that is flat there stays flat.
    """
    return rescaled(columns, *moments(measure))


def moments(measure: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each cell in (time, cell)."""
    if not len(measure):
        return np.empty(0), np.empty(0)
    return measure.mean(axis=0, dtype=np.float64), measure.std(axis=0, dtype=np.float64)


def rescaled(
    columns: NDArray[np.float64], mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(column, cell) about a mean, in deviations; 0 for a cell that is flat, or all where there are no moments."""
    flat = np.where(np.isnan(columns), np.nan, 0.0)
    if len(mean) != columns.shape[1]:
        return flat
    return np.divide(columns - mean, deviation, out=flat, where=deviation > FLAT)


def value_range(frame: Frame, values: Array) -> tuple[float, float]:
    """The values at the two ends of the colour map: the signal's bounds, or the range in view.

    Signals that have a sign keep zero in the middle.
    """
    signal = next(s for s in frame.snapshot.network.signals if s.name == frame.choices.signal)
    low, high = signal.low, signal.high
    if np.isfinite(low) and np.isfinite(high) and frame.choices.contrast == "bounds":
        return low, high
    if not values.size:
        return (low, high) if np.isfinite(low) else (-1.0, 1.0)
    if low < 0:
        top = _rounded(float(np.abs(values).max()))
        return -top, top
    bottom, top = float(values.min()), float(values.max())
    return np.floor(bottom * 20) / 20, max(np.ceil(top * 20) / 20, np.floor(bottom * 20) / 20 + 0.05)


def _rounded(value: float) -> float:
    """Up to one of 1, 1.5, 2, 3, 5, 7 × 10^k: a range that does not twitch at every word."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(value))
    return float(next((m * unit for m in (1, 1.5, 2, 3, 5, 7) if m * unit >= value), 10 * unit))


def cell_rows(order: NDArray[np.intp], pinned: int, height: int) -> tuple[tuple[int, ...], ...]:
    """The cells of each of at most ``height`` rows: one each while they fit, else bins of
    (almost) equal size; pinned ones apart."""
    cells = [int(cell) for cell in order]
    pinned = min(pinned, max(0, height - 1))
    rest = cells[pinned:]
    bins = np.array_split(rest, min(len(rest), max(1, height - pinned))) if rest else []
    return (*((cell,) for cell in cells[:pinned]), *(tuple(part.tolist()) for part in bins))


def merge(values: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    """(column, cell) → (column,): the mean, or (``max``) the value that is farthest from zero."""
    if values.shape[1] == 1 or how == "mean":
        return values.mean(axis=1)
    strongest = np.abs(np.nan_to_num(values)).argmax(axis=1)
    return values[np.arange(len(values)), strongest]

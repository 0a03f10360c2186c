"""The terminal's picture of cells × time: which cells share a row, and the colour of every place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader
from explorer.session.moment import INPUT
from explorer.session.palette import codes
from explorer.session.views.time_axis import TimeAxis, time_axis

Array = NDArray[np.float32]

CONTRAST = 2.5  # standard deviations at the ends of the colour map, where each cell has a scale of its own
REFERENCE = 512  # words that scale is computed from
SETTLED = 128  # words from which a cell's own mean and deviation are used alone
FLAT = 1e-6  # a smaller deviation is float32 rounding, not activity


@dataclass(frozen=True)
class Heatmap:
    """``codes`` (height, column) are colour map positions, ``has_word`` (column,) marks the columns of words; ``rows``
    lists the cells of every row, and ``row_of`` (height,) is the row of each line of the picture, as rows are
    stretched to fill it. ``low`` and ``high`` are the values at the ends of the colour map."""

    axis: TimeAxis
    codes: NDArray[np.uint8]
    has_word: NDArray[np.bool_]
    rows: tuple[tuple[int, ...], ...]
    row_of: NDArray[np.intp]
    low: float
    high: float

    @property
    def cells_per_row(self) -> int:
        """The largest number of cells that share a row; above 1 the picture is binned."""
        return max(map(len, self.rows), default=1)


def heatmap(reader: SignalReader, frame: Frame, width: int, height: int) -> Heatmap:
    """Return the chosen signal as a picture of ``height`` lines and ``width`` columns.

    Each cell has a row of its own while they fit; otherwise neighbours in the chosen order share one, except pinned
    cells. A shared row shows the mean of its cells, or (``max``) the value farthest from zero.
    """
    axis = time_axis(frame, width)
    start, stop = axis.word_range
    values = reader.read(frame.choices.signal, start, stop)
    first = stop - len(values)
    low, high = value_range(frame, values)
    rows = rows_of(frame, frame.choices.signal, values.shape[1], height)
    columns = axis.gather(values, first)
    if frame.choices.contrast == "each cell":
        low, high = -CONTRAST, CONTRAST
        columns = rescale(columns, *cell_scale(reader, frame))
    merged = np.stack([merge(columns[:, list(row)], frame.choices.bins) for row in rows])
    row_of = np.arange(height) * len(rows) // height
    has_word = axis.gather(np.ones((len(values), 1), dtype=np.float32), first)[:, 0] == 1
    return Heatmap(axis, codes(merged, low, high)[row_of], has_word, rows, row_of, low, high)


def reference(reader: SignalReader, frame: Frame) -> Array:
    """Return the words, (time, cell), from which each cell's mean and deviation are computed.

    These are all words up to the last power of two; from ``REFERENCE`` on, the last complete block of that many. So the
    scale changes seldom, and the colours of a sweeping picture stay.
    """
    time = max(1, frame.snapshot.time)
    stop = 1 << (time.bit_length() - 1) if time < REFERENCE else time // REFERENCE * REFERENCE
    return reader.read(frame.choices.signal, max(0, stop - REFERENCE), stop)


def moments(values: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and standard deviation of each cell of (time, cell)."""
    if not len(values):
        return np.empty(0), np.empty(0)
    return values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)


def cell_scale(reader: SignalReader, frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and deviation of each cell, (cell,), that its colours count from.

    Few words underestimate both, which would saturate the colours. So up to ``SETTLED`` words they are weighted with
    the middle and an eighth of the signal's range; a signal without bounds has 0 and twice its root mean square.
    """
    values = reference(reader, frame)
    mean, deviation = moments(values)
    weight = len(values) / SETTLED
    if not 0 < weight < 1:
        return mean, deviation
    signal = next(s for s in frame.snapshot.network.signals if s.name == frame.choices.signal)
    bounded = np.isfinite(signal.high - signal.low)
    middle = (signal.low + signal.high) / 2 if bounded else 0.0
    usual = (signal.high - signal.low) / 8 if bounded else 2 * float(np.sqrt(np.square(values).mean()))
    weighted = weight * mean + (1 - weight) * middle
    variance = weight * (deviation**2 + (mean - weighted) ** 2) + (1 - weight) * usual**2
    return weighted, np.where(deviation > FLAT, np.sqrt(variance), 0.0)


def rescale(
    columns: NDArray[np.float64], mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Express (column, cell) in standard deviations from the mean; 0 for a flat cell and without moments."""
    flat = np.where(np.isnan(columns), np.nan, 0.0)
    if len(mean) != columns.shape[1]:
        return flat
    return np.divide(columns - mean, deviation, out=flat, where=deviation > FLAT)


def value_range(frame: Frame, values: Array) -> tuple[float, float]:
    """Return the values at the ends of the colour map: the signal's bounds, or the range in view.

    For signals with a sign, zero stays in the middle.
    """
    signal = next(s for s in frame.snapshot.network.signals if s.name == frame.choices.signal)
    low, high = signal.low, signal.high
    if np.isfinite(low) and np.isfinite(high) and frame.choices.contrast == "bounds":
        return low, high
    if not values.size:
        return (low, high) if np.isfinite(low) else (-1.0, 1.0)
    if low < 0:
        top = _round_up(float(np.abs(values).max()))
        return -top, top
    bottom, top = float(values.min()), float(values.max())
    return np.floor(bottom * 20) / 20, max(np.ceil(top * 20) / 20, np.floor(bottom * 20) / 20 + 0.05)


def _round_up(value: float) -> float:
    """Round up to one of 1, 1.5, 2, 3, 5, 7 × 10^k, so that the range does not change at every word."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(value))
    return float(next((m * unit for m in (1, 1.5, 2, 3, 5, 7) if m * unit >= value), 10 * unit))


def cell_rows(order: NDArray[np.intp], pinned: int, height: int) -> tuple[tuple[int, ...], ...]:
    """Return the cells of each of at most ``height`` rows: one each while they fit, else bins of almost equal size.

    The first ``pinned`` cells of ``order`` have rows of their own.
    """
    cells = [int(cell) for cell in order]
    pinned = min(pinned, max(0, height - 1))
    rest = cells[pinned:]
    bins = np.array_split(rest, min(len(rest), max(1, height - pinned))) if rest else []
    return (*((cell,) for cell in cells[:pinned]), *(tuple(part.tolist()) for part in bins))


def rows_of(frame: Frame, signal: str, width: int, height: int) -> tuple[tuple[int, ...], ...]:
    """Return the cells of each row in the chosen order, pinned ones first; the inputs of ``x`` keep theirs."""
    if signal == INPUT or width != len(frame.order):
        return cell_rows(np.arange(width), 0, height)
    return cell_rows(frame.order, len(frame.choices.pins), height)


def merge(values: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    """Reduce (column, cell) to (column,): the mean, or (``max``) the value farthest from zero."""
    if values.shape[1] == 1 or how == "mean":
        return values.mean(axis=1)
    strongest = np.abs(np.nan_to_num(values)).argmax(axis=1)
    return values[np.arange(len(values)), strongest]

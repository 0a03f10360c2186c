"""The pictures cells × time of several signals at once, kept up word by word, and traces of single cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader
from explorer.session.palette import LEVELS, codes
from explorer.session.views.heatmap import CONTRAST, REFERENCE, cell_rows, moments, reference, rescaled, value_range


@dataclass(frozen=True, eq=False)
class GateImage:
    """``codes`` (row, word) are colour map positions, the first column word ``first``; ``rows`` lists the cells of
    every row, ``low`` and ``high`` are the values of the map's ends. The same object comes back while nothing
    changes."""

    codes: NDArray[np.uint8]
    first: int
    rows: tuple[tuple[int, ...], ...]
    low: float
    high: float

    @property
    def cells_per_row(self) -> int:
        """Above 1 the picture is binned, and says so."""
        return max(map(len, self.rows), default=1)

    def row_of(self, cell: int) -> int | None:
        """The row that shows a cell."""
        return next((number for number, cells in enumerate(self.rows) if cell in cells), None)


@dataclass
class _Kept:
    """What is worked out of one signal: colours (time, cell) of words ``first`` on, as the ``measure`` gives them, and
    the rows made of them."""

    measure: tuple[object, ...]
    moments: tuple[NDArray[np.float64], NDArray[np.float64]]
    first: int
    codes: NDArray[np.uint8]
    low: float
    high: float
    rows_for: tuple[object, ...] = ()
    order: NDArray[np.intp] | None = None
    rows: tuple[tuple[int, ...], ...] = ()
    image: GateImage | None = None


class Gates:
    """Keeps the colours of words that are in view, so that a new word costs one column and not the whole picture."""

    def __init__(self, session: SignalReader) -> None:
        self._session = session
        self._kept: dict[str, _Kept] = {}

    def image(self, frame: Frame, name: str, first: int, last: int, height: int) -> GateImage:
        """Words ``first`` to ``last`` of a signal in at most ``height`` rows, as far as they are read and kept."""
        own = frame if frame.choices.signal == name else replace(frame, choices=replace(frame.choices, signal=name))
        last = min(last, frame.snapshot.time)
        kept = self._update(own, name, max(0, first), last)
        choices, n = frame.choices, kept.codes.shape[1]
        pinned = len(choices.pins) if n == len(frame.order) else 0
        rows_for = (kept.first, pinned, choices.bins, height)
        if kept.image is None or kept.rows_for != rows_for or kept.order is not frame.order:
            kept.order = frame.order  # a new array whenever it changes
            order = frame.order if n == len(frame.order) else np.arange(n)
            kept.rows_for, kept.rows = rows_for, cell_rows(order, pinned, max(1, height))
            kept.image = self._grown(kept, None, choices.bins)
        elif kept.image.codes.shape[1] != len(kept.codes):
            kept.image = self._grown(kept, kept.image, choices.bins)
        return kept.image

    def _grown(self, kept: _Kept, before: GateImage | None, how: str) -> GateImage:
        """The rows of all words; those that are there already stay."""
        zero = max(0.0, -kept.low / (kept.high - kept.low) * (LEVELS - 1))
        there = 0 if before is None else before.codes.shape[1]
        merged = _merged(kept.codes[there:], kept.rows, how, zero)
        codes = merged if before is None else np.concatenate([before.codes, merged], axis=1)
        return GateImage(codes, kept.first, kept.rows, kept.low, kept.high)

    def _update(self, frame: Frame, name: str, first: int, last: int) -> _Kept:
        """Bring what is kept up to the words wanted; anew only where the measure or the stretch changed."""
        choices, snapshot = frame.choices, frame.snapshot
        each = choices.contrast == "each cell"
        if each:
            low, high = -CONTRAST, CONTRAST
            scale: tuple[object, ...] = (_measured_to(snapshot.time),)
        else:
            low, high = value_range(frame, self._session.read(name, first, last))
            scale = (low, high)
        measure = (snapshot.run, id(snapshot.network), choices.contrast, first, *scale)
        kept = self._kept.get(name)
        if kept is None or kept.measure != measure or kept.first + len(kept.codes) > last:
            unit = moments(reference(self._session, frame)) if each else moments(np.empty((0, 0), dtype=np.float32))
            kept = self._kept[name] = _Kept(measure, unit, first, np.empty((0, 0), dtype=np.uint8), low, high)
        begin = kept.first + len(kept.codes)
        if begin < last or not kept.codes.shape[1]:
            values = self._session.read(name, begin, last)
            shown = codes(rescaled(values.astype(np.float64), *kept.moments) if each else values, low, high)
            if len(kept.codes) and len(shown) == last - begin and shown.shape[1] == kept.codes.shape[1]:
                kept.codes = np.concatenate([kept.codes, shown])
            else:  # the first words, or some in between are no longer kept
                kept.first, kept.codes, kept.image = last - len(shown), shown, None
        return kept


def _measured_to(time: int) -> int:
    """When `reference` changes, as a number."""
    time = max(1, time)
    return time.bit_length() if time < REFERENCE else time // REFERENCE * REFERENCE


def _merged(values: NDArray[np.uint8], rows: tuple[tuple[int, ...], ...], how: str, zero: float) -> NDArray[np.uint8]:
    """(time, cell) → (row, time): the mean of a row's cells, or (``max``) the one farthest from the code of 0."""
    if all(len(row) == 1 for row in rows):
        return np.ascontiguousarray(values[:, [row[0] for row in rows]].T)
    cells, counts = _together(rows)
    block = values[:, cells]
    if how == "mean":
        first = (cells.shape[1] - counts) * block[:, :, 0].astype(np.float64)  # that often it stands there for none
        return np.ascontiguousarray(((block.sum(axis=2, dtype=np.float64) - first) / counts).astype(np.uint8).T)
    strongest = np.abs(block - zero).argmax(axis=2)
    return np.ascontiguousarray(np.take_along_axis(block, strongest[:, :, None], axis=2)[:, :, 0].T)


@lru_cache(maxsize=64)
def _together(rows: tuple[tuple[int, ...], ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The cells of each row (row, most), filled up with its first one, and how many there are (row,)."""
    most = max(map(len, rows))
    return np.array([(*row, *row[:1] * (most - len(row))) for row in rows]), np.array([len(row) for row in rows])


def cell_traces(
    session: SignalReader, frame: Frame, name: str, cells: tuple[int, ...], first: int, last: int
) -> tuple[int, dict[int, NDArray[np.float64]]]:
    """A signal of some cells, cell → (time,), and the word at which they begin; as far as it is kept."""
    last = min(last, frame.snapshot.time)
    values = session.read(name, max(0, first), last)
    return last - len(values), {cell: values[:, cell].astype(np.float64) for cell in cells if cell < values.shape[1]}


def trace_range(traces: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Ends of an axis that holds all traces, in tenths of their range, so that it does not twitch at every word."""
    there = [trace for trace in traces if len(trace)]
    if not there:
        return 0.0, 1.0
    low, high = min(float(trace.min()) for trace in there), max(float(trace.max()) for trace in there)
    step = 10.0 ** np.floor(np.log10(max(high - low, 1e-6)))
    return float(np.floor(low / step - 0.05) * step), float(np.ceil(high / step + 0.05) * step)

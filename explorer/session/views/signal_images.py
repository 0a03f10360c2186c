"""The desktop's pictures of cells × time, extended word by word, and traces of single cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader
from explorer.session.palette import LEVELS, codes
from explorer.session.views.heatmap import CONTRAST, REFERENCE, cell_scale, moments, rescale, rows_of, value_range


@dataclass(frozen=True, eq=False)
class SignalImage:
    """``codes`` (row, word) are colour map positions, the first column word ``first``; ``rows`` lists the cells of
    every row, ``low`` and ``high`` are the values at the ends of the colour map."""

    codes: NDArray[np.uint8]
    first: int
    rows: tuple[tuple[int, ...], ...]
    low: float
    high: float

    @property
    def cells_per_row(self) -> int:
        """The largest number of cells that share a row; above 1 the picture is binned."""
        return max(map(len, self.rows), default=1)

    def row_of(self, cell: int) -> int | None:
        """Return the row that shows a cell."""
        return next((number for number, cells in enumerate(self.rows) if cell in cells), None)


@dataclass
class _Cached:
    """Colours (time, cell) of one signal from word ``first`` on, valid while ``scale`` stays, and the image of them,
    valid while ``layout`` and ``order`` stay."""

    scale: tuple[object, ...]
    moments: tuple[NDArray[np.float64], NDArray[np.float64]]
    first: int
    codes: NDArray[np.uint8]
    low: float
    high: float
    layout: tuple[object, ...] = ()
    order: NDArray[np.intp] | None = None
    rows: tuple[tuple[int, ...], ...] = ()
    image: SignalImage | None = None


class SignalImages:
    """Images of signals. The colours of words in view are cached, so that a new word costs one column."""

    def __init__(self, reader: SignalReader) -> None:
        self._reader = reader
        self._cache: dict[str, _Cached] = {}

    def image(self, frame: Frame, name: str, first: int, last: int, height: int) -> SignalImage:
        """Return words ``first`` to ``last`` of a signal, as far as they are stored, in at most ``height`` rows.

        While nothing changes, the same object is returned.
        """
        if frame.choices.signal != name:
            frame = replace(frame, choices=replace(frame.choices, signal=name))
        cached = self._update(frame, name, max(0, first), min(last, frame.snapshot.time))
        choices, n = frame.choices, cached.codes.shape[1]
        layout = (cached.first, len(choices.pins), choices.bins, height)
        if cached.image is None or cached.layout != layout or cached.order is not frame.order:
            cached.order = frame.order  # a new array whenever it changes
            cached.layout, cached.rows = layout, rows_of(frame, name, n, max(1, height))
            cached.image = self._extend(cached, None, choices.bins)
        elif cached.image.codes.shape[1] != len(cached.codes):
            cached.image = self._extend(cached, cached.image, choices.bins)
        return cached.image

    def _extend(self, cached: _Cached, before: SignalImage | None, how: str) -> SignalImage:
        """Append the words that ``before`` lacks."""
        zero = max(0.0, -cached.low / (cached.high - cached.low) * (LEVELS - 1))
        done = 0 if before is None else before.codes.shape[1]
        merged = merge_codes(cached.codes[done:], cached.rows, how, zero)
        merged = merged if before is None else np.concatenate([before.codes, merged], axis=1)
        return SignalImage(merged, cached.first, cached.rows, cached.low, cached.high)

    def _update(self, frame: Frame, name: str, first: int, last: int) -> _Cached:
        """Bring the cached colours up to ``last``; start again if the scale or the first word changed."""
        choices, snapshot = frame.choices, frame.snapshot
        each = choices.contrast == "each cell"
        if each:
            low, high = -CONTRAST, CONTRAST
            ends: tuple[object, ...] = (_reference_block(snapshot.time),)
        else:
            low, high = value_range(frame, self._reader.read(name, first, last))
            ends = (low, high)
        scale = (snapshot.run, id(snapshot.network), choices.contrast, first, *ends)
        cached = self._cache.get(name)
        if cached is None or cached.scale != scale or cached.first + len(cached.codes) > last:
            unit = cell_scale(self._reader, frame) if each else moments(np.empty((0, 0), dtype=np.float32))
            cached = self._cache[name] = _Cached(scale, unit, first, np.empty((0, 0), dtype=np.uint8), low, high)
        begin = cached.first + len(cached.codes)
        if begin < last or not cached.codes.shape[1]:
            values = self._reader.read(name, begin, last)
            new = codes(rescale(values.astype(np.float64), *cached.moments) if each else values, low, high)
            if len(cached.codes) and len(new) == last - begin and new.shape[1] == cached.codes.shape[1]:
                cached.codes = np.concatenate([cached.codes, new])
            else:  # the first words, or some in between are no longer stored
                cached.first, cached.codes, cached.image = last - len(new), new, None
        return cached


def _reference_block(time: int) -> int:
    """Return a number that changes when `reference` does."""
    time = max(1, time)
    return time.bit_length() if time < REFERENCE else time // REFERENCE * REFERENCE


def merge_codes(
    values: NDArray[np.uint8], rows: tuple[tuple[int, ...], ...], how: str, zero: float
) -> NDArray[np.uint8]:
    """Reduce (time, cell) to (row, time): the mean of a row's cells, or (``max``) the code farthest from that of 0."""
    if all(len(row) == 1 for row in rows):
        return np.ascontiguousarray(values[:, [row[0] for row in rows]].T)
    cells, counts = _padded(rows)
    block = values[:, cells]
    if how == "mean":
        padding = (cells.shape[1] - counts) * block[:, :, 0].astype(np.float64)
        return np.ascontiguousarray(((block.sum(axis=2, dtype=np.float64) - padding) / counts).astype(np.uint8).T)
    strongest = np.abs(block - zero).argmax(axis=2)
    return np.ascontiguousarray(np.take_along_axis(block, strongest[:, :, None], axis=2)[:, :, 0].T)


@lru_cache(maxsize=64)
def _padded(rows: tuple[tuple[int, ...], ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the cells of each row padded with its first one, (row, most), and the number of cells, (row,)."""
    most = max(map(len, rows))
    return np.array([(*row, *row[:1] * (most - len(row))) for row in rows]), np.array([len(row) for row in rows])


def cell_traces(
    reader: SignalReader, frame: Frame, name: str, cells: tuple[int, ...], first: int, last: int
) -> tuple[int, dict[int, NDArray[np.float64]]]:
    """Return the first word that is stored, and a signal from there on: cell → (time,)."""
    last = min(last, frame.snapshot.time)
    values = reader.read(name, max(0, first), last)
    return last - len(values), {cell: values[:, cell].astype(np.float64) for cell in cells if cell < values.shape[1]}


def trace_range(traces: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the ends of an axis for all traces, rounded so that they do not change at every word."""
    traces = [trace for trace in traces if len(trace)]
    if not traces:
        return 0.0, 1.0
    low, high = min(float(trace.min()) for trace in traces), max(float(trace.max()) for trace in traces)
    step = 10.0 ** np.floor(np.log10(max(high - low, 1e-6)))
    return float(np.floor(low / step - 0.05) * step), float(np.ceil(high / step + 0.05) * step)

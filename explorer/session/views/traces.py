"""Rolling α along the time axis, the first output over the whole review, and the numbers of every cell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from engine.activity import saturation
from explorer.session.core import Frame, SignalReader
from explorer.session.moment import INPUT
from explorer.session.reading import Comparison
from explorer.session.views.clamps import clamped_cells
from explorer.session.views.number_format import MINUS
from explorer.session.views.outputs import cell_weights
from explorer.session.views.time_axis import TimeAxis

if TYPE_CHECKING:
    from engine.live.stream import Snapshot

REACHES = (0.05, 0.1, 0.2, 0.5, 1.0)  # ends of an axis of differences; beyond 1 they go on by 2, 5 and 10


def alpha_trace(reader: SignalReader, frame: Frame, axis: TimeAxis) -> NDArray[np.float64]:
    """Return rolling α of the chosen signal's layer sum, (column,); NaN where there is none."""
    start, stop = axis.word_range
    values = alpha_column(reader, frame, start, stop)
    return axis.gather(values, stop - len(values))[:, 0]


def alpha_at(reader: SignalReader, frame: Frame) -> float:
    """Return rolling α of the chosen signal's layer sum at the word looked at; NaN if there is none."""
    values = alpha_column(reader, frame, frame.word, frame.word + 1)
    return float(values[0, 0]) if len(values) else float("nan")


def other_alpha(other: Comparison | None, frame: Frame) -> NDArray[np.float64] | None:
    """Return rolling α of the chosen signal's layer sum in the other reading at the counterparts of the words, (word,);
    None without a comparison."""
    return None if other is None else other.alpha.get(frame.choices.signal)


def alpha_column(reader: SignalReader, frame: Frame, start: int, stop: int) -> NDArray[np.float32]:
    """Return rolling α of the chosen signal's layer sum, (time, 1), for the words that are stored."""
    names = [signal.name for signal in frame.snapshot.network.signals]
    values = reader.read("alpha", start, stop)
    column = names.index(frame.choices.signal)
    return values[:, column : column + 1] if values.shape[1] == len(names) else np.empty((0, 1), dtype=np.float32)


def output_at(reader: SignalReader, frame: Frame) -> float:
    """Return the first output after the word looked at; NaN before the first."""
    values = reader.read("probability", frame.word, frame.word + 1)
    return float(values[0, 0]) if len(values) else float("nan")


@dataclass(frozen=True)
class Overview:
    """The whole review in few columns: ``values`` (column,) is the mean of the first output over a column's words,
    NaN where unread; ``edges`` (column + 1,) are the words at which columns begin."""

    values: NDArray[np.float64]
    edges: NDArray[np.float64]

    def column(self, word: int) -> int:
        """Return the column of a word."""
        return int(np.clip(np.searchsorted(self.edges, word, side="right") - 1, 0, len(self.values) - 1))

    def word(self, column: int) -> int:
        """Return the first word of a column."""
        return int(np.ceil(self.edges[int(np.clip(column, 0, len(self.values) - 1))]))


def overview(reader: SignalReader, frame: Frame, width: int) -> Overview:
    """Return the first output over the whole review in ``width`` columns, or in fewer if it has fewer words."""
    values = reader.read("probability", 0, frame.snapshot.time)[:, 0].astype(float)
    return _binned(values, frame.snapshot.time - len(values), frame.snapshot.words, width)


def other_overview(other: Comparison | None, frame: Frame, width: int) -> Overview | None:
    """Return the same of the other reading, for the words that are read here; None without a comparison."""
    if other is None:
        return None
    return _binned(other.output[: frame.snapshot.time], 0, frame.snapshot.words, width)


@dataclass(frozen=True, eq=False)
class Difference:
    """``values`` (time,) is the first output after every word minus that of the other reading after its counterpart,
    NaN where either is missing. All lie between −``reach`` and ``reach``."""

    values: NDArray[np.float64]
    reach: float

    def columns(self, width: int) -> Overview:
        """Return the means over the columns of `overview`."""
        return _binned(self.values, 0, len(self.values), width)


def difference(reader: SignalReader, other: Comparison | None, frame: Frame) -> Difference | None:
    """Return the first output minus that of the other reading, where both exist; None without a comparison."""
    if other is None:
        return None
    values = np.full(frame.snapshot.words, np.nan)
    own = reader.read("probability", 0, frame.snapshot.time)[:, 0].astype(float)
    first = frame.snapshot.time - len(own)
    last = max(first, min(frame.snapshot.time, len(other.output)))
    values[first:last] = own[: last - first] - other.output[first:last]
    return Difference(values, _reach(float(np.nanmax(np.abs(values), initial=0.0))))


def _reach(most: float) -> float:
    """Return the end of the axis of differences that reach ``most``."""
    if most <= REACHES[-1]:
        return next(reach for reach in REACHES if most <= reach)
    power = 10.0 ** np.floor(np.log10(most))
    return float(next(step * power for step in (1, 2, 5, 10) if most <= step * power))


def _binned(values: NDArray[np.float64], first: int, words: int, width: int) -> Overview:
    """Return the means over columns of the finite ``values`` (time,), which begin at word ``first``."""
    words = max(1, words)
    edges = np.linspace(0, words, min(width, words) + 1)
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    begin = np.ceil(edges[:-1]).astype(int).clip(first, first + len(values)) - first
    end = np.ceil(edges[1:]).astype(int).clip(first, first + len(values)) - first
    count = counts[end] - counts[begin]
    means = np.where(count > 0, (sums[end] - sums[begin]) / np.maximum(count, 1), np.nan)
    return Overview(means, edges)


@dataclass(frozen=True)
class CellRow:
    """The numbers of one cell.

    ``value`` is the chosen signal at the word looked at, ``activity`` the standard deviation of h over the window,
    ``saturation`` the share of the window's words at which the chosen signal is in the outer tenths of its range (NaN
    if it has none), ``weight`` that of the readout; ``clamps`` names the clamped signals; ``brushed`` is 1 for a cell
    that is high in the brushed words, −1 for one that is low, else 0; ``accuracy_without`` is that over the corpus
    with the cell ablated.
    """

    cell: int
    value: float
    alpha: float
    activity: float
    saturation: float
    weight: float
    dead: bool
    clamps: tuple[str, ...]
    pinned: bool
    selected: bool
    brushed: int = 0
    accuracy_without: float = math.nan

    @property
    def state(self) -> Literal["", "ablated", "clamped"]:
        """``ablated`` if h is clamped, ``clamped`` if only other signals are."""
        return "ablated" if "h" in self.clamps else "clamped" if self.clamps else ""

    @property
    def mark(self) -> str:
        """``∅`` ablated, ``=`` clamped, ``+`` or ``−`` high or low in the brushed words, ``†`` dead, ``*`` pinned, else
        a blank."""
        if self.clamps:
            return "∅" if "h" in self.clamps else "="
        if self.brushed:
            return "+" if self.brushed > 0 else MINUS
        return "†" if self.dead else "*" if self.pinned else " "


def cell_table(
    reader: SignalReader,
    frame: Frame,
    brushed: Mapping[int, int] = MappingProxyType({}),
    accuracy: NDArray[np.float64] | None = None,
) -> list[CellRow]:
    """Return all cells in the chosen order.

    ``brushed`` are those of the brushed words with their signs; ``accuracy`` (cell,) is that without each cell.
    """
    snapshot, choices = frame.snapshot, frame.choices
    value, moment = value_at(reader, snapshot, choices.signal, frame.word), frame.moment
    weight = cell_weights(snapshot.network).tolist()
    saturated = saturation_of(reader, snapshot, choices.signal, frame.word)
    clamps = clamped_cells(snapshot)
    return [
        CellRow(
            cell=cell,
            value=float(value[cell]),
            alpha=float(moment.cell_alpha[cell]),
            activity=float(moment.activity[cell]),
            saturation=float(saturated[cell]),
            weight=weight[cell],
            dead=bool(moment.dead[cell]),
            clamps=clamps.get(cell, ()),
            pinned=cell in choices.pins,
            selected=cell == choices.selected,
            brushed=brushed.get(cell, 0),
            accuracy_without=math.nan if accuracy is None else float(accuracy[cell]),
        )
        for cell in frame.order.tolist()
    ]


def value_at(reader: SignalReader, snapshot: Snapshot, name: str, word: int) -> NDArray[np.float64]:
    """Return a signal of every cell at a word, (cell,); NaN for the input, and where the word is not stored."""
    n = snapshot.network.cell.size
    values = reader.read(name, word, word + 1)
    return values[0].astype(float) if name != INPUT and values.shape == (1, n) else np.full(n, np.nan)


def saturation_of(reader: SignalReader, snapshot: Snapshot, name: str, word: int) -> NDArray[np.float64]:
    """Return the share of the window's words up to ``word`` with a signal in the outer tenths of its range, (cell,)."""
    n = snapshot.network.cell.size
    signal = next(s for s in snapshot.network.signals if s.name == name)
    values = reader.read(name, word + 1 - snapshot.window, word + 1)
    if name == INPUT or values.shape[1] != n or not np.isfinite(signal.high - signal.low):
        return np.full(n, np.nan)
    return np.sum(saturation((values - signal.low) / (signal.high - signal.low)), axis=0)

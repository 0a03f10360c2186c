"""Recurrent steps on the CPU, the kernel of ``engine.recording``; ``Cell.step`` is its reference.

A block of a few sequences takes every step together.  A step is one small product, U h + W x for all gates of all
sequences of the block, summed in vector registers; then the gates' nonlinearities, while the numbers are in the L1
cache; then a copy of every recorded signal to its place.

Blocks share nothing, so any number of threads may run them.  There is no call to BLAS: it would start threads of its
own, and for these shapes the product of ``tiles`` is twice as fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engine.cells import Cell, GruCell
from engine.kernels.cpu.compiler import inner, kernel
from engine.kernels.cpu.tiles import (
    BLOCK,
    LANES,
    PANEL,
    copy_eight,
    copy_eight_past_caches,
    copy_past_caches,
    product_of_block,
    product_of_one,
)
from engine.nonlinearities import NONLINEARITIES

Float32s = NDArray[np.float32]
Indices = NDArray[np.intp]

RNN, GRU, LSTM, RATE, MINGRU, MINLSTM = range(6)
SIGMOID, HARD_5, HARD_6, TANH, RELU, LINEAR = range(6)
_LARGE: Final = 2**21  # numbers, 8 MB: more than a cache holds until they are read
STAGED: Final = 8
"""Steps of eight cells that are collected before they are written: stores past the caches must fill whole lines."""

_at = np.uintp  # an unsigned index needs no test for a negative one, so that LLVM can vectorise the loop


class Layer(NamedTuple):
    """A layer's weights in the kernel's layout.

    One row of the workspace holds one sequence at one step: its gates, ``stride`` columns each (n rounded up to 8) and
    ``width`` columns in all (rounded up to a panel), then its state, with ``h`` last, then its input.
    """

    kind: int
    gate: int  # nonlinearities, such as SIGMOID
    candidate: int
    output: int
    leak: np.float32
    cells: int
    stride: int
    width: int
    panels: Float32s  # (panel, stride + inputs, PANEL): U and W transposed, one above the other, cut into panels
    bias: Float32s  # (width,)
    columns: Indices  # (signal,): the column of a row where a signal begins


class Clamp(NamedTuple):
    """Clamped signals: entries ``start[s]`` to ``start[s + 1] − 1`` are the cells and values of signal s."""

    start: Indices
    cells: Indices
    values: Float32s


# ---- arrangement ---------------------------------------------------------------------------------------------------

_KINDS: Final = {"rnn": RNN, "lru": RNN, "gru": GRU, "lstm": LSTM, "rate": RATE, "mingru": MINGRU, "minlstm": MINLSTM}
_CODES: Final = {
    "sigmoid": SIGMOID,
    "hard_sigmoid_5": HARD_5,
    "hard_sigmoid_6": HARD_6,
    "tanh": TANH,
    "relu": RELU,
    "linear": LINEAR,
}
# The columns of a row, in order.  The LSTM's sigmoid gates come before its candidate, so that one loop covers them; the
# input of the GRU's candidate has its own columns, "x", because r multiplies only the recurrent part.
_GATES: Final = {
    RNN: ("h",),
    GRU: ("r", "z", "n", "x"),
    LSTM: ("i", "f", "o", "g"),
    RATE: ("v",),
    MINGRU: ("z", "n"),
    MINLSTM: ("f", "i", "g"),
}
_STATES: Final = {LSTM: ("c", "c_out", "h"), RATE: ("v", "h")}


def supports(cell: Cell) -> bool:
    """Whether the kernel runs a layer; `Cell.step` runs the others."""
    functions = [str(cell.setting(key)) for key, default in cell.defaults.items() if default in NONLINEARITIES]
    return not (isinstance(cell, GruCell) and cell.reset_before) and all(name in _CODES for name in functions)


def arrange(cell: Cell) -> Layer:
    """Return the weights of a cell in float32 on the CPU."""
    kind = _KINDS[cell.name]
    n, stride, gates = cell.size, -(-cell.size // 8) * 8, _GATES[kind]
    width = -(-len(gates) * stride // PANEL) * PANEL
    torch_order = [signal.name for signal in cell.signals[: cell.gates]]
    stacked = torch.cat((cell.weight_hh, cell.weight_ih, cell.bias[:, None]), dim=1).float().cpu().numpy()
    stacked = stacked.reshape(cell.gates, n, -1)
    weights = np.zeros((stride + cell.inputs + 1, width), dtype=np.float32)  # rows of U, of W, and the bias
    for k, gate in enumerate(gates):
        source = stacked[torch_order.index("n" if gate == "x" else gate)].T
        columns = slice(k * stride, k * stride + n)
        weights[:n, columns], weights[stride:, columns] = source[:n], source[n:]
        if isinstance(cell, GruCell) and gate == "n":
            weights[stride:, columns] = 0
            weights[-1, columns] = cell.bias_hn.cpu().numpy()
        elif gate == "x":
            weights[:n, columns] = 0
    places = {gate: k * stride for k, gate in enumerate(gates)}
    places |= {part: width + k * stride for k, part in enumerate(_STATES.get(kind, ("h",)))}
    return Layer(
        kind=kind,
        gate=_code(cell, "gate", "sigmoid"),
        candidate=_code(cell, "activation", "tanh"),
        output=_code(cell, "output", "tanh"),
        leak=np.float32(cell.setting("leak") if "leak" in cell.defaults else 1),
        cells=n,
        stride=stride,
        width=width,
        panels=np.ascontiguousarray(weights[:-1].reshape(-1, width // PANEL, PANEL).transpose(1, 0, 2)),
        bias=weights[-1].copy(),
        columns=np.array([places[signal.name] for signal in cell.signals], dtype=np.intp),
    )


def multiply(layer: Layer, vectors: Float32s) -> tuple[Layer, Float32s]:
    """Return the layer without W, and W x + b (token, width) for its vectors x: for tokens that are read many times."""
    product = layer.panels[:, layer.stride :].transpose(1, 0, 2).reshape(-1, layer.width)
    return layer._replace(panels=np.ascontiguousarray(layer.panels[:, : layer.stride])), vectors @ product + layer.bias


def _code(cell: Cell, key: str, default: str) -> int:
    return _CODES[str(cell.setting(key)) if key in cell.defaults else default]


def clamp(cell: Cell, values: Mapping[str, ArrayLike]) -> Clamp:
    """Return clamps in the kernel's layout; ``values`` maps signals to (n,) values, NaN for a free cell."""
    clamps = np.full((len(cell.signals), cell.size), np.nan, dtype=np.float32)
    for row, signal in zip(clamps, cell.signals, strict=True):
        if signal.name in values:
            row[:] = values[signal.name]
    signals, cells = np.nonzero(~np.isnan(clamps))
    start = np.searchsorted(signals, np.arange(len(clamps) + 1))
    return Clamp(start.astype(np.intp), cells.astype(np.intp), clamps[signals, cells])


# ---- nonlinearities ------------------------------------------------------------------------------------------------
# exp(x) = 2^k (1 + q), q = 2^r − 1, |r| ≤ ½.  q is r times a minimax polynomial of degree 5, relative error 1.1e-8.


@inner
def _split_exp(x: Any) -> tuple[Any, Any]:
    """Return 2^k and q of exp(x), for |x| ≤ 87."""
    magic = np.float32(12582912.0)  # adding 1.5·2²³ rounds to an integer and leaves it in the lowest bits
    shifted = np.float32(x * np.float32(1.4426950408889634) + magic)
    r = x * np.float32(1.4426950408889634) - (shifted - magic)
    power = np.int32((shifted.view(np.int32) << 23) + 0x3F800000).view(np.float32)
    p = np.float32(0.0001540351272624049)
    p = p * r + np.float32(0.0013390735645458299)
    p = p * r + np.float32(0.009618237494567396)
    p = p * r + np.float32(0.05550357433323183)
    p = p * r + np.float32(0.24022649794956785)
    p = p * r + np.float32(0.6931471879267566)
    return power, p * r


@inner
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(−x)) in float32: errors below 1e-7 absolute and 4e-6 relative; NaN stays NaN."""
    x = np.float32(-87.0) if x < np.float32(-87.0) else x
    x = np.float32(87.0) if x > np.float32(87.0) else x
    power, q = _split_exp(-x)
    return np.float32(1.0) / (np.float32(1.0) + (power * q + power))


@inner
def tanh(x: Any) -> Any:
    """tanh x = −m / (2 + m), m = exp(−2x) − 1, in float32: errors below 2e-7 absolute, 3e-7 relative; NaN stays NaN."""
    x = np.float32(-10.0) if x < np.float32(-10.0) else x
    x = np.float32(10.0) if x > np.float32(10.0) else x
    power, q = _split_exp(np.float32(-2.0) * x)
    m = power * q + (power - np.float32(1.0))
    return -m / (np.float32(2.0) + m)


# ---- the cells -----------------------------------------------------------------------------------------------------
# Each function gets rows whose gates hold U h + W x + b and replaces them by the signals.  Sigmoid gates are adjacent.
# Each stage processes all rows before the next: the rows are independent, which fills the processor's pipelines.


@inner
def _apply(work: Float32s, rows: int, first: int, count: int, code: int) -> None:
    """Apply a nonlinearity to neighbouring columns; NaN stays NaN."""
    if code == SIGMOID:
        for r in range(rows):
            for j in range(count):
                work[r, _at(first + j)] = sigmoid(work[r, _at(first + j)])
    elif code == TANH:
        for r in range(rows):
            for j in range(count):
                work[r, _at(first + j)] = tanh(work[r, _at(first + j)])
    elif code == RELU:
        for r in range(rows):
            for j in range(count):
                value = work[r, _at(first + j)]
                work[r, _at(first + j)] = np.float32(0.0) if value < np.float32(0.0) else value
    elif code != LINEAR:
        slope = np.float32(0.2) if code == HARD_5 else np.float32(1 / 6)
        for r in range(rows):
            for j in range(count):
                value = work[r, _at(first + j)] * slope + np.float32(0.5)
                value = np.float32(0.0) if value < np.float32(0.0) else value
                work[r, _at(first + j)] = np.float32(1.0) if value > np.float32(1.0) else value


@inner
def _clamp(work: Float32s, rows: int, columns: Indices, clamp: Clamp, signals: range) -> None:
    for signal in signals:
        for entry in range(clamp.start[signal], clamp.start[signal + 1]):
            for r in range(rows):
                work[r, columns[signal] + clamp.cells[entry]] = clamp.values[entry]


@inner
def _rnn(work: Float32s, rows: int, p: int, layer: Layer, clamp: Clamp) -> None:
    columns, leak = layer.columns, layer.leak
    h = columns[0]
    _apply(work, rows, 0, p, layer.candidate)
    for r in range(rows):
        for j in range(p):
            old = work[r, _at(h + j)]
            work[r, _at(h + j)] = work[r, j] if leak == np.float32(1.0) else old + leak * (work[r, j] - old)
    _clamp(work, rows, columns, clamp, range(1))


@inner
def _rate(work: Float32s, rows: int, p: int, layer: Layer, clamp: Clamp) -> None:
    columns = layer.columns
    v, h = columns[0], columns[1]
    for r in range(rows):
        for j in range(p):
            work[r, _at(v + j)] += layer.leak * (work[r, j] - work[r, _at(v + j)])
    _clamp(work, rows, columns, clamp, range(1))
    for r in range(rows):
        for j in range(p):
            work[r, _at(h + j)] = work[r, _at(v + j)]
    _apply(work, rows, h, p, layer.candidate)
    _clamp(work, rows, columns, clamp, range(1, 2))


@inner
def _gru(work: Float32s, rows: int, p: int, layer: Layer, clamp: Clamp) -> None:
    columns = layer.columns
    z, n, h, x = columns[1], columns[2], columns[3], 3 * p
    _apply(work, rows, 0, 2 * p, layer.gate)
    _clamp(work, rows, columns, clamp, range(2))
    for r in range(rows):
        for j in range(p):
            work[r, _at(n + j)] = work[r, _at(x + j)] + work[r, j] * work[r, _at(n + j)]
    _apply(work, rows, n, p, layer.candidate)
    _clamp(work, rows, columns, clamp, range(2, 3))
    for r in range(rows):
        for j in range(p):
            candidate = work[r, _at(n + j)]
            work[r, _at(h + j)] = candidate + work[r, _at(z + j)] * (work[r, _at(h + j)] - candidate)
    _clamp(work, rows, columns, clamp, range(3, 4))


@inner
def _mingru(work: Float32s, rows: int, p: int, layer: Layer, clamp: Clamp) -> None:
    columns = layer.columns
    n, h = columns[1], columns[2]
    _apply(work, rows, 0, p, SIGMOID)
    _apply(work, rows, n, p, layer.candidate)
    _clamp(work, rows, columns, clamp, range(2))
    for r in range(rows):
        for j in range(p):
            old = work[r, _at(h + j)]
            work[r, _at(h + j)] = old + work[r, j] * (work[r, _at(n + j)] - old)
    _clamp(work, rows, columns, clamp, range(2, 3))


@inner
def _minlstm(work: Float32s, rows: int, p: int, layer: Layer, clamp: Clamp) -> None:
    columns = layer.columns
    i, g, h = columns[1], columns[2], columns[3]
    _apply(work, rows, 0, 2 * p, SIGMOID)
    for r in range(rows):
        for j in range(p):
            total = work[r, j] + work[r, _at(i + j)]
            work[r, j] /= total
            work[r, _at(i + j)] /= total
    _apply(work, rows, g, p, layer.candidate)
    _clamp(work, rows, columns, clamp, range(3))
    for r in range(rows):
        for j in range(p):
            new = work[r, _at(i + j)] * work[r, _at(g + j)]
            work[r, _at(h + j)] = work[r, j] * work[r, _at(h + j)] + new
    _clamp(work, rows, columns, clamp, range(3, 4))


@inner
def _lstm(work: Float32s, rows: int, p: int, layer: Layer, clamp: Clamp) -> None:
    columns = layer.columns
    f, g, o, c, c_out, h = columns[1], columns[2], columns[3], columns[4], columns[5], columns[6]
    _apply(work, rows, 0, 3 * p, layer.gate)
    _apply(work, rows, g, p, layer.candidate)
    _clamp(work, rows, columns, clamp, range(4))
    for r in range(rows):
        for j in range(p):
            new = work[r, j] * work[r, _at(g + j)]
            work[r, _at(c + j)] = work[r, _at(f + j)] * work[r, _at(c + j)] + new
    _clamp(work, rows, columns, clamp, range(4, 5))
    for r in range(rows):
        for j in range(p):
            work[r, _at(c_out + j)] = work[r, _at(c + j)]
    _apply(work, rows, c_out, p, layer.output)
    _clamp(work, rows, columns, clamp, range(5, 6))
    for r in range(rows):
        for j in range(p):
            work[r, _at(h + j)] = work[r, _at(o + j)] * work[r, _at(c_out + j)]
    _clamp(work, rows, columns, clamp, range(6, 7))


# ---- the run -------------------------------------------------------------------------------------------------------


@kernel
def run(
    layer: Layer,
    vectors: Float32s,
    tokens: NDArray[np.int32],
    lengths: Indices,
    order: Indices,
    state: Float32s,
    clamp: Clamp,
    slots: Indices,
    out: Float32s,
) -> None:
    """Take all steps of the sequences in ``order``, with the GIL released.

    Parameters
    ----------
    vectors : (token, inputs) array
        Or (token, width), see `multiply`.
    tokens : (review, time) array
        Rows of ``vectors`` to read; not checked.
    lengths : (review,) array
        Number of steps; ``out`` is NaN after them.
    order : (k,) array
        The reviews to run, longest first: neighbours share a block, which shrinks as they end.
    state : (review, S) array
        Initial states; overwritten by the final ones.
    slots : (signal,) array
        Index of each signal in ``out``; −1 if it is not recorded.
    out : (slot, review, time, n) array
    """
    n, p, width, columns = layer.cells, layer.stride, layer.width, layer.columns
    memory, hidden = width, columns[-1]
    large = out.size > _LARGE and out.ctypes.data % 64 == 0
    past_caches, staged = n % LANES == 0 and large, n == 8 and large
    stage = np.empty((BLOCK, out.shape[0], STAGED, n if staged else 0), np.float32)
    stages = stage.reshape(BLOCK * out.shape[0], STAGED * stage.shape[3])
    multiplied = layer.panels.shape[1] == p
    work = np.empty((BLOCK + 1, hidden + layer.panels.shape[1]), np.float32)
    work[BLOCK] = np.nan  # an extra row, the source of the padding
    for first in range(0, order.size, BLOCK):
        rows = min(BLOCK, order.size - first)
        work[:BLOCK] = 0
        for r in range(rows):
            for j in range(n):
                work[r, _at(hidden + j)] = state[order[first + r], j]
                if layer.kind == LSTM or layer.kind == RATE:
                    work[r, _at(memory + j)] = state[order[first + r], n + j]

        for t in range(lengths[order[first]]):
            while lengths[order[first + rows - 1]] <= t:
                rows -= 1

            for r in range(rows):
                token = tokens[order[first + r], t]
                if multiplied:
                    for j in range(width):
                        work[r, j] = vectors[token, j]
                else:
                    for j in range(width):
                        work[r, j] = layer.bias[j]
                    for j in range(vectors.shape[1]):
                        work[r, _at(hidden + p + j)] = vectors[token, j]
            for panel in range(layer.panels.shape[0]):
                if rows > 2:
                    product_of_block(work, 0, hidden, layer.panels, panel)
                else:
                    for r in range(rows):
                        product_of_one(work, r, hidden, layer.panels, panel)

            if layer.kind == LSTM:
                _lstm(work, rows, p, layer, clamp)
            elif layer.kind == GRU:
                _gru(work, rows, p, layer, clamp)
            elif layer.kind == RATE:
                _rate(work, rows, p, layer, clamp)
            elif layer.kind == MINGRU:
                _mingru(work, rows, p, layer, clamp)
            elif layer.kind == MINLSTM:
                _minlstm(work, rows, p, layer, clamp)
            else:
                _rnn(work, rows, p, layer, clamp)

            for signal in range(slots.size):
                if slots[signal] >= 0:
                    for r in range(rows):
                        slot, review, column = slots[signal], order[first + r], columns[signal]
                        if staged:
                            place = (review * out.shape[2] + t) % STAGED
                            copy_eight(work, r, column, stage, r, slot, place, 0)
                        elif past_caches:
                            for j in range(0, n, LANES):
                                copy_past_caches(work, r, column + j, out, slot, review, t, j)
                        elif n % 8 == 0:
                            for j in range(0, n, 8):
                                copy_eight(work, r, column + j, out, slot, review, t, j)
                        else:
                            for j in range(n):
                                out[slot, review, t, j] = work[r, _at(column + j)]
            if staged:
                for r in range(rows):
                    review = order[first + r]
                    last = (review * out.shape[2] + t) % STAGED
                    if last == STAGED - 1 or t == lengths[review] - 1:
                        for slot in range(out.shape[0]):
                            for place in range(max(0, last - t), last + 1):
                                row, time = r * out.shape[0] + slot, t - last + place
                                copy_eight_past_caches(stages, row, place * n, out, slot, review, time, 0)

        for r in range(min(BLOCK, order.size - first)):
            review = order[first + r]
            for j in range(n):
                state[review, j] = work[r, _at(hidden + j)]
                if layer.kind == LSTM or layer.kind == RATE:
                    state[review, n + j] = work[r, _at(memory + j)]
            for slot in range(out.shape[0]):
                for t in range(lengths[review], out.shape[2]):
                    if past_caches:
                        for j in range(0, n, LANES):
                            copy_past_caches(work, BLOCK, j, out, slot, review, t, j)
                    else:
                        for j in range(n):
                            out[slot, review, t, j] = np.nan

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
from engine.kernels.cpu.compiler import inlined, inner, kernel
from engine.kernels.cpu.simd import FLOATS, load, power_of_two, store, store_past_caches, sum_of_row, unless_nan
from engine.kernels.cpu.tiles import BLOCK, PANEL, product_of_block, product_of_one
from engine.nonlinearities import NONLINEARITIES

Float32s = NDArray[np.float32]
Indices = NDArray[np.intp]

RNN, GRU, LSTM, RATE, MINGRU, MINLSTM = range(6)
SIGMOID, HARD_5, HARD_6, TANH, RELU, LINEAR = range(6)
_LARGE: Final = 2**21  # numbers, 8 MB: more than a cache holds until they are read
STAGED: Final = 8
"""Steps of eight cells that are collected before they are written: stores past the caches must fill whole lines."""


NOTHING: Final = np.empty(0, dtype=np.intp), np.empty((0, 0, 0), dtype=np.float32)
"""``summed`` and ``totals`` of `run` where no sum is asked for."""


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
    """Return whether the kernel runs a layer; `Cell.step` runs the others."""
    functions = [str(cell.setting(key)) for key, default in cell.defaults.items() if default in NONLINEARITIES]
    return not (isinstance(cell, GruCell) and cell.reset_before) and all(name in _CODES for name in functions)


def arrange(cell: Cell) -> Layer:
    """Return the weights of a cell in float32 on the CPU."""
    kind = _KINDS[cell.name]
    n, stride, gates = cell.size, -(-cell.size // 8) * 8, _GATES[kind]
    columns, width = _columns(cell)
    torch_order = [signal.name for signal in cell.signals[: cell.gates]]
    stacked = torch.cat((cell.weight_hh, cell.weight_ih, cell.bias[:, None]), dim=1).float().cpu().numpy()
    stacked = stacked.reshape(cell.gates, n, -1)
    weights = np.zeros((stride + cell.inputs + 1, width), dtype=np.float32)  # rows of U, of W, and the bias
    for k, gate in enumerate(gates):
        source = stacked[torch_order.index("n" if gate == "x" else gate)].T
        of_gate = slice(k * stride, k * stride + n)
        weights[:n, of_gate], weights[stride:, of_gate] = source[:n], source[n:]
        if isinstance(cell, GruCell) and gate == "n":
            weights[stride:, of_gate] = 0
            weights[-1, of_gate] = cell.bias_hn.cpu().numpy()
        elif gate == "x":
            weights[:n, of_gate] = 0
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
        columns=np.array(columns, dtype=np.intp),
    )


def multiply(layer: Layer, vectors: Float32s) -> tuple[Layer, Float32s]:
    """Return the layer without W, and W x + b (token, width) for its vectors x: for tokens that are read many times."""
    product = layer.panels[:, layer.stride :].transpose(1, 0, 2).reshape(-1, layer.width)
    return layer._replace(panels=np.ascontiguousarray(layer.panels[:, : layer.stride])), vectors @ product + layer.bias


def _code(cell: Cell, key: str, default: str) -> int:
    return _CODES[str(cell.setting(key)) if key in cell.defaults else default]


def clamp(cell: Cell, values: Mapping[str, ArrayLike]) -> Float32s:
    """Return clamps in the kernel's layout, a row of the workspace with NaN for what is free; empty without a clamp.

    ``values`` maps signals to (n,) values, NaN for a free cell.
    """
    columns, _ = _columns(cell)
    row = np.full(max(columns) + -(-cell.size // 8) * 8, np.nan, dtype=np.float32)
    for column, signal in zip(columns, cell.signals, strict=True):
        if signal.name in values:
            row[column : column + cell.size] = values[signal.name]
    return row[: 0 if np.isnan(row).all() else None]


def _columns(cell: Cell) -> tuple[list[int], int]:
    """Return the column of the workspace where each signal begins, and the number of columns of the gates."""
    kind, stride = _KINDS[cell.name], -(-cell.size // 8) * 8
    gates = _GATES[kind]
    width = -(-len(gates) * stride // PANEL) * PANEL
    places = {gate: k * stride for k, gate in enumerate(gates)}
    places |= {part: width + k * stride for k, part in enumerate(_STATES.get(kind, ("h",)))}
    return [places[signal.name] for signal in cell.signals], width


# ---- nonlinearities ------------------------------------------------------------------------------------------------
# Of eight float32 values.  exp(x) = 2^k (1 + q), q = 2^r − 1, |r| ≤ ½.  q is r times a minimax polynomial of degree 5,
# relative error 1.1e-8.


@inlined
def _split_exp(x: Any) -> tuple[Any, Any]:
    """Return 2^k and q of exp(x), for |x| ≤ 87."""
    magic = 12582912.0  # adding 1.5·2²³ rounds to an integer and leaves it in the lowest bits
    shifted = x * 1.4426950408889634 + magic
    r = x * 1.4426950408889634 - (shifted - magic)
    p = r * 0.0001540351272624049 + 0.0013390735645458299
    p = p * r + 0.009618237494567396
    p = p * r + 0.05550357433323183
    p = p * r + 0.24022649794956785
    p = p * r + 0.6931471879267566
    return power_of_two(shifted), p * r


@inlined
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(−x)): errors below 1e-7 absolute and 4e-6 relative; NaN stays NaN."""
    power, q = _split_exp(min(87.0, max(-87.0, 0.0 - x)))
    return 1.0 / (1.0 + (power * q + power))


@inlined
def tanh(x: Any) -> Any:
    """tanh x = −m / (2 + m), m = exp(−2x) − 1: errors below 2e-7 absolute, 3e-7 relative; NaN stays NaN."""
    power, q = _split_exp(-2.0 * min(10.0, max(-10.0, x)))
    m = power * q + (power - 1.0)
    return (0.0 - m) / (2.0 + m)


# ---- the cells -----------------------------------------------------------------------------------------------------
# Each function gets rows whose gates hold U h + W x + b and replaces them by the signals, eight cells at a time; ``at``
# is the first column of the state.


@inlined
def _apply(code: int, x: Any) -> Any:
    """Apply a nonlinearity; NaN stays NaN."""
    if code == SIGMOID:
        return sigmoid(x)
    if code == TANH:
        return tanh(x)
    if code == RELU:
        return max(0.0, x)
    if code == LINEAR:
        return x
    return min(1.0, max(0.0, x * (0.2 if code == HARD_5 else 1 / 6) + 0.5))


@inlined
def _clamped(clamps: Float32s, column: int, x: Any) -> Any:
    return unless_nan(load(clamps, column), x) if len(clamps) else x


@inner
def _rnn(work: Float32s, rows: int, p: int, at: int, candidate: int, leak: np.float32, clamps: Float32s) -> None:
    for r in range(rows):
        for j in range(0, p, FLOATS):
            h = _apply(candidate, load(work, (r, j)))
            if leak != np.float32(1.0):
                old = load(work, (r, at + j))
                h = old + leak * (h - old)
            store(work, (r, at + j), _clamped(clamps, at + j, h))


@inner
def _rate(work: Float32s, rows: int, p: int, at: int, candidate: int, leak: np.float32, clamps: Float32s) -> None:
    for r in range(rows):
        for j in range(0, p, FLOATS):
            old = load(work, (r, at + j))
            v = _clamped(clamps, at + j, old + leak * (load(work, (r, j)) - old))
            store(work, (r, at + j), v)
            store(work, (r, at + p + j), _clamped(clamps, at + p + j, _apply(candidate, v)))


@inner
def _gru(work: Float32s, rows: int, p: int, at: int, gate: int, candidate: int, clamps: Float32s) -> None:
    for r in range(rows):
        for j in range(0, p, FLOATS):
            reset = _clamped(clamps, j, _apply(gate, load(work, (r, j))))
            z = _clamped(clamps, p + j, _apply(gate, load(work, (r, p + j))))
            x, hidden, old = load(work, (r, 3 * p + j)), load(work, (r, 2 * p + j)), load(work, (r, at + j))
            n = _clamped(clamps, 2 * p + j, _apply(candidate, x + reset * hidden))
            store(work, (r, j), reset)
            store(work, (r, p + j), z)
            store(work, (r, 2 * p + j), n)
            store(work, (r, at + j), _clamped(clamps, at + j, n + z * (old - n)))


@inner
def _mingru(work: Float32s, rows: int, p: int, at: int, candidate: int, clamps: Float32s) -> None:
    for r in range(rows):
        for j in range(0, p, FLOATS):
            z = _clamped(clamps, j, sigmoid(load(work, (r, j))))
            n = _clamped(clamps, p + j, _apply(candidate, load(work, (r, p + j))))
            old = load(work, (r, at + j))
            store(work, (r, j), z)
            store(work, (r, p + j), n)
            store(work, (r, at + j), _clamped(clamps, at + j, old + z * (n - old)))


@inner
def _minlstm(work: Float32s, rows: int, p: int, at: int, candidate: int, clamps: Float32s) -> None:
    for r in range(rows):
        for j in range(0, p, FLOATS):
            f, i = sigmoid(load(work, (r, j))), sigmoid(load(work, (r, p + j)))
            total = f + i
            f, i = _clamped(clamps, j, f / total), _clamped(clamps, p + j, i / total)
            g = _clamped(clamps, 2 * p + j, _apply(candidate, load(work, (r, 2 * p + j))))
            store(work, (r, j), f)
            store(work, (r, p + j), i)
            store(work, (r, 2 * p + j), g)
            store(work, (r, at + j), _clamped(clamps, at + j, f * load(work, (r, at + j)) + i * g))


@inner
def _lstm(work: Float32s, rows: int, p: int, at: int, gate: int, candidate: int, output: int, clamps: Float32s) -> None:
    """Compute a step in two passes: the gates of all rows are independent, which fills the processor's pipelines."""
    for r in range(rows):
        for j in range(0, 3 * p, FLOATS):
            store(work, (r, j), _clamped(clamps, j, _apply(gate, load(work, (r, j)))))
        for j in range(3 * p, 4 * p, FLOATS):
            store(work, (r, j), _clamped(clamps, j, _apply(candidate, load(work, (r, j)))))
    for r in range(rows):
        for j in range(0, p, FLOATS):
            new = load(work, (r, j)) * load(work, (r, 3 * p + j))
            c = _clamped(clamps, at + j, load(work, (r, p + j)) * load(work, (r, at + j)) + new)
            c_out = _clamped(clamps, at + p + j, _apply(output, c))
            store(work, (r, at + j), c)
            store(work, (r, at + p + j), c_out)
            h = load(work, (r, 2 * p + j)) * c_out
            store(work, (r, at + 2 * p + j), _clamped(clamps, at + 2 * p + j, h))


# ---- the run -------------------------------------------------------------------------------------------------------


@kernel
def run(
    layer: Layer,
    vectors: Float32s,
    tokens: NDArray[np.int32],
    lengths: Indices,
    order: Indices,
    state: Float32s,
    clamps: Float32s,
    slots: Indices,
    out: Float32s,
    summed: Indices,
    totals: Float32s,
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
    clamps : (column,) array
        See `clamp`.
    slots : (signal,) array
        Index of each signal in ``out``; −1 if it is not recorded.
    out : (slot, review, time, n) array
    summed : (sum,) array
        Indices of the signals that are summed over cells, in float64.
    totals : (sum, review, time) array
        Their sums; NaN after the steps of a review.
    """
    kind, n, p, width, columns = layer.kind, layer.cells, layer.stride, layer.width, layer.columns
    gate, candidate, output, leak = layer.gate, layer.candidate, layer.output, layer.leak
    memory, hidden = width, columns[-1]
    has_memory = kind in (LSTM, RATE)
    large = out.size > _LARGE and out.ctypes.data % 64 == 0
    past_caches, staged = n % FLOATS == 0 and large, n == FLOATS and large
    count, time, flat = out.shape[0], out.shape[2], out.ravel()
    sources, targets = np.empty(count, np.intp), np.empty(count, np.intp)
    for signal in range(slots.size):
        if slots[signal] >= 0:
            sources[slots[signal]] = columns[signal]
            targets[slots[signal]] = slots[signal] * out.shape[1] * time * n
    stage = np.empty((BLOCK * count, STAGED * n if staged else 0), np.float32)
    multiplied = layer.panels.shape[1] == p
    work = np.empty((BLOCK, hidden + layer.panels.shape[1]), np.float32)
    for first in range(0, order.size, BLOCK):
        rows = min(BLOCK, order.size - first)
        work[:] = 0
        for r in range(rows):
            for j in range(n):
                work[r, hidden + j] = state[order[first + r], j]
                if has_memory:
                    work[r, memory + j] = state[order[first + r], n + j]

        for t in range(lengths[order[first]]):
            while lengths[order[first + rows - 1]] <= t:
                rows -= 1

            for r in range(rows):
                token = tokens[order[first + r], t]
                if multiplied:
                    for j in range(0, width, FLOATS):
                        store(work, (r, j), load(vectors, (token, j)))
                else:
                    for j in range(0, width, FLOATS):
                        store(work, (r, j), load(layer.bias, j))
                    for j in range(vectors.shape[1]):
                        work[r, hidden + p + j] = vectors[token, j]
            for panel in range(layer.panels.shape[0]):
                if rows > 2:
                    product_of_block(work, 0, hidden, layer.panels, panel)
                else:
                    for r in range(rows):
                        product_of_one(work, r, hidden, layer.panels, panel)

            if kind == LSTM:
                _lstm(work, rows, p, width, gate, candidate, output, clamps)
            elif kind == GRU:
                _gru(work, rows, p, width, gate, candidate, clamps)
            elif kind == RATE:
                _rate(work, rows, p, width, candidate, leak, clamps)
            elif kind == MINGRU:
                _mingru(work, rows, p, width, candidate, clamps)
            elif kind == MINLSTM:
                _minlstm(work, rows, p, width, candidate, clamps)
            else:
                _rnn(work, rows, p, width, candidate, leak, clamps)

            for r in range(rows):
                review = order[first + r]
                word = review * time + t
                if staged:
                    last = t == lengths[review] - 1
                    _write_staged(work, r, sources, stage, flat, targets, word, t, last)
                else:
                    _write(work, r, sources, flat, targets, word, n, past_caches)
                for k in range(summed.size):
                    totals[k, review, t] = sum_of_row(work, r, columns[summed[k]], n)

        for r in range(min(BLOCK, order.size - first)):
            review = order[first + r]
            for j in range(n):
                state[review, j] = work[r, hidden + j]
                if has_memory:
                    state[review, n + j] = work[r, memory + j]
            for slot in range(count):
                begin = targets[slot] + (review * time + lengths[review]) * n
                end = targets[slot] + (review + 1) * time * n
                if past_caches:
                    for at in range(begin, end, FLOATS):
                        store_past_caches(flat, at, np.float32(np.nan))
                else:
                    flat[begin:end] = np.nan
            totals[:, review, lengths[review] :] = np.nan


@inlined
def _write(
    work: Float32s, r: int, sources: Indices, flat: Float32s, targets: Indices, word: int, n: int, past_caches: bool
) -> None:
    """Copy the recorded signals of one row to their places."""
    for slot in range(sources.size):
        source, target = sources[slot], targets[slot] + word * n
        if past_caches:
            for j in range(0, n, FLOATS):
                store_past_caches(flat, target + j, load(work, (r, source + j)))
        elif n < FLOATS:
            for j in range(n):
                flat[target + j] = work[r, source + j]
        else:
            for j in range(0, n - FLOATS, FLOATS):
                store(flat, target + j, load(work, (r, source + j)))
            store(flat, target + n - FLOATS, load(work, (r, source + n - FLOATS)))


@inlined
def _write_staged(
    work: Float32s,
    r: int,
    sources: Indices,
    stage: Float32s,
    flat: Float32s,
    targets: Indices,
    word: int,
    t: int,
    last: bool,
) -> None:
    """Collect the signals of one row of eight cells; write full cache lines, and what is left after the last step."""
    place = word & (STAGED - 1)
    for slot in range(sources.size):
        store(stage, (r * sources.size + slot, place * FLOATS), load(work, (r, sources[slot])))
    if place == STAGED - 1 or last:
        begin, end = max(0, place - t) * FLOATS, (place + 1) * FLOATS
        for slot in range(sources.size):
            target = targets[slot] + (word - place) * FLOATS
            for j in range(begin, end, FLOATS):
                store_past_caches(flat, target + j, load(stage, (r * sources.size + slot, j)))

"""Recurrent steps on the CPU: the fast body behind ``engine.recording`` (numba; the truth is ``Cell.step``).

A block is a handful of sequences that take every step together.  A step is one small product, U h + W x for all gates
of all sequences of the block, summed in vector registers; then the gates' nonlinearities, on numbers that are still in
the first cache; then a copy of every kept signal to its place.

Blocks share nothing, so any threads may take them in turn.  No BLAS is called: none has to be kept from starting
threads of its own, and for these shapes the product of ``tiles`` is twice as fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import ArrayLike, NDArray

from engine.cells import Cell, GruCell
from engine.kernels.cpu.tiles import (
    BLOCK,
    LANES,
    PANEL,
    copy_eight,
    copy_past_caches,
    product_of_block,
    product_of_one,
)

Float32s = NDArray[np.float32]
Indices = NDArray[np.intp]

RNN, GRU, LSTM = 0, 1, 2
_LARGE: Final = 2**21  # numbers: 8 MB, more than stays in a cache until it is read

# Contraction alone: products and sums may fuse, while NaN and infinity keep their meaning.
_COMPILE: Final[dict[str, Any]] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
}
_INNER: Final[dict[str, Any]] = _COMPILE | {"cache": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_at = np.uintp  # an unsigned index needs no test for counting from the end, so the loop around it becomes vectors


class Layer(NamedTuple):
    """A layer's weights as the kernel wants them.

    One row of the work space holds one sequence at one step: its gates, ``stride`` columns each (n rounded up to 8)
    and ``width`` in all (rounded up to a panel), then its state, ``h`` at the end of it, then its input.
    """

    kind: int
    cells: int
    stride: int
    width: int
    panels: Float32s  # (panel, stride + inputs, PANEL): U and W transposed, one above the other, cut into panels
    bias: Float32s  # (width,)
    columns: Indices  # (signal,): the column of a row where a signal begins


class Clamp(NamedTuple):
    """Signals held at a value: entries ``start[s]`` to ``start[s + 1] − 1`` are cells and values of signal s."""

    start: Indices
    cells: Indices
    values: Float32s


# ---- arrangement ---------------------------------------------------------------------------------------------------

_KINDS: Final = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
# What stands in a row, in order.  The LSTM's sigmoids come before its candidate, so that one loop serves them all; the
# GRU's candidate keeps its input apart, in "x", since r multiplies only the rest.
_GATES: Final = {"rnn": ("h",), "gru": ("r", "z", "n", "x"), "lstm": ("i", "f", "o", "g")}
_STATES: Final = {"rnn": ("h",), "gru": ("h",), "lstm": ("c", "c_out", "h")}


def arrange(cell: Cell) -> Layer:
    """The weights of a cell, in float32 on the CPU."""
    n, stride, gates = cell.size, -(-cell.size // 8) * 8, _GATES[cell.name]
    width = -(-len(gates) * stride // PANEL) * PANEL
    torch_order = [signal.name for signal in cell.signals[: cell.gates]]
    stacked = torch.cat((cell.weight_hh, cell.weight_ih, cell.bias[:, None]), dim=1).float().cpu().numpy()
    stacked = stacked.reshape(cell.gates, n, -1)
    weights = np.zeros((stride + cell.inputs + 1, width), dtype=np.float32)  # the rows of U, of W, and the bias
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
    places |= {part: width + k * stride for k, part in enumerate(_STATES[cell.name])}
    return Layer(
        kind=_KINDS[cell.name],
        cells=n,
        stride=stride,
        width=width,
        panels=np.ascontiguousarray(weights[:-1].reshape(-1, width // PANEL, PANEL).transpose(1, 0, 2)),
        bias=weights[-1].copy(),
        columns=np.array([places[signal.name] for signal in cell.signals], dtype=np.intp),
    )


def clamp(cell: Cell, values: Mapping[str, ArrayLike]) -> Clamp:
    """Signal → (n,) values at which its cells are held, NaN where a cell is free."""
    clamps = np.full((len(cell.signals), cell.size), np.nan, dtype=np.float32)
    for row, signal in zip(clamps, cell.signals, strict=True):
        if signal.name in values:
            row[:] = values[signal.name]
    signals, cells = np.nonzero(~np.isnan(clamps))
    start = np.searchsorted(signals, np.arange(len(clamps) + 1))
    return Clamp(start.astype(np.intp), cells.astype(np.intp), clamps[signals, cells])


# ---- nonlinearities ------------------------------------------------------------------------------------------------
# exp(x) = 2^k (1 + q), q = 2^r − 1, |r| ≤ ½.  q is r times a minimax polynomial of degree 5, relative error 1.1e-8.


@njit(**_INNER)
def _split_exp(x: Any) -> tuple[Any, Any]:
    """2^k and q of exp(x), for |x| ≤ 87."""
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


@njit(**_INNER)
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(−x)) in float32: errors below 1e-7 absolute and 4e-6 relative; NaN stays NaN."""
    x = np.float32(-87.0) if x < np.float32(-87.0) else x
    x = np.float32(87.0) if x > np.float32(87.0) else x
    power, q = _split_exp(-x)
    return np.float32(1.0) / (np.float32(1.0) + (power * q + power))


@njit(**_INNER)
def tanh(x: Any) -> Any:
    """tanh x = −m / (2 + m), m = exp(−2x) − 1, in float32: errors below 2e-7 absolute, 3e-7 relative; NaN stays NaN."""
    x = np.float32(-10.0) if x < np.float32(-10.0) else x
    x = np.float32(10.0) if x > np.float32(10.0) else x
    power, q = _split_exp(np.float32(-2.0) * x)
    m = power * q + (power - np.float32(1.0))
    return -m / (np.float32(2.0) + m)


# ---- the cells -----------------------------------------------------------------------------------------------------
# Each takes rows whose gates hold U h + W x + b and leaves every signal in them.  Sigmoid gates stand side by side.
# Each stage passes over all rows before the next: the rows are independent, which keeps the processor's pipes full.


@njit(**_INNER)
def _sigmoids(work: Float32s, rows: int, count: int) -> None:
    for r in range(rows):
        for j in range(count):
            work[r, j] = sigmoid(work[r, j])


@njit(**_INNER)
def _tanhs(work: Float32s, rows: int, first: int, count: int) -> None:
    for r in range(rows):
        for j in range(count):
            work[r, _at(first + j)] = tanh(work[r, _at(first + j)])


@njit(**_INNER)
def _clamp(work: Float32s, rows: int, columns: Indices, clamp: Clamp, signals: range) -> None:
    for signal in signals:
        for entry in range(clamp.start[signal], clamp.start[signal + 1]):
            for r in range(rows):
                work[r, columns[signal] + clamp.cells[entry]] = clamp.values[entry]


@njit(**_INNER)
def _rnn(work: Float32s, rows: int, p: int, columns: Indices, clamp: Clamp) -> None:
    h = columns[0]
    for r in range(rows):
        for j in range(p):
            work[r, _at(h + j)] = work[r, j]
    _tanhs(work, rows, h, p)
    _clamp(work, rows, columns, clamp, range(1))


@njit(**_INNER)
def _gru(work: Float32s, rows: int, p: int, columns: Indices, clamp: Clamp) -> None:
    z, n, h, x = columns[1], columns[2], columns[3], 3 * p
    _sigmoids(work, rows, 2 * p)
    _clamp(work, rows, columns, clamp, range(2))
    for r in range(rows):
        for j in range(p):
            work[r, _at(n + j)] = work[r, _at(x + j)] + work[r, j] * work[r, _at(n + j)]
    _tanhs(work, rows, n, p)
    _clamp(work, rows, columns, clamp, range(2, 3))
    for r in range(rows):
        for j in range(p):
            candidate = work[r, _at(n + j)]
            work[r, _at(h + j)] = candidate + work[r, _at(z + j)] * (work[r, _at(h + j)] - candidate)
    _clamp(work, rows, columns, clamp, range(3, 4))


@njit(**_INNER)
def _lstm(work: Float32s, rows: int, p: int, columns: Indices, clamp: Clamp) -> None:
    f, g, o, c, c_out, h = columns[1], columns[2], columns[3], columns[4], columns[5], columns[6]
    _sigmoids(work, rows, 3 * p)
    _tanhs(work, rows, g, p)
    _clamp(work, rows, columns, clamp, range(4))
    for r in range(rows):
        for j in range(p):
            new = work[r, j] * work[r, _at(g + j)]
            work[r, _at(c + j)] = work[r, _at(f + j)] * work[r, _at(c + j)] + new
    _clamp(work, rows, columns, clamp, range(4, 5))
    for r in range(rows):
        for j in range(p):
            work[r, _at(c_out + j)] = work[r, _at(c + j)]
    _tanhs(work, rows, c_out, p)
    _clamp(work, rows, columns, clamp, range(5, 6))
    for r in range(rows):
        for j in range(p):
            work[r, _at(h + j)] = work[r, _at(o + j)] * work[r, _at(c_out + j)]
    _clamp(work, rows, columns, clamp, range(6, 7))


# ---- the run -------------------------------------------------------------------------------------------------------


@njit(**_COMPILE)
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
    """All steps of the sequences named in ``order``; the interpreter's lock is free meanwhile.

    Parameters
    ----------
    vectors : (token, inputs) array
    tokens : (review, time) array
        What is read: rows of ``vectors``; not checked.
    lengths : (review,) array
        Steps to take; later ones are NaN in ``out``.
    order : (k,) array
        The reviews to run, the longest first: neighbours share a block, which loses members as they end.
    state : (review, S) array
        The states to begin from; changed in place to the last ones.
    slots : (signal,) array
        Where in ``out`` a signal goes; −1 if it is not kept.
    out : (slot, review, time, n) array
    """
    n, p, width, columns = layer.cells, layer.stride, layer.width, layer.columns
    memory, hidden = width, columns[-1]
    past_caches = n % LANES == 0 and out.size > _LARGE and out.ctypes.data % (4 * LANES) == 0
    work = np.empty((BLOCK + 1, hidden + p + vectors.shape[1]), np.float32)
    work[BLOCK] = np.nan  # one row more, from which padding is copied
    for first in range(0, order.size, BLOCK):
        rows = min(BLOCK, order.size - first)
        work[:BLOCK] = 0
        for r in range(rows):
            for j in range(n):
                work[r, _at(hidden + j)] = state[order[first + r], j]
                if layer.kind == LSTM:
                    work[r, _at(memory + j)] = state[order[first + r], n + j]

        for t in range(lengths[order[first]]):
            while lengths[order[first + rows - 1]] <= t:
                rows -= 1

            for r in range(rows):
                for j in range(width):
                    work[r, j] = layer.bias[j]
                token = tokens[order[first + r], t]
                for j in range(vectors.shape[1]):
                    work[r, _at(hidden + p + j)] = vectors[token, j]
            for panel in range(layer.panels.shape[0]):
                if rows > 2:
                    product_of_block(work, 0, hidden, layer.panels, panel)
                else:
                    for r in range(rows):
                        product_of_one(work, r, hidden, layer.panels, panel)

            if layer.kind == LSTM:
                _lstm(work, rows, p, columns, clamp)
            elif layer.kind == GRU:
                _gru(work, rows, p, columns, clamp)
            else:
                _rnn(work, rows, p, columns, clamp)

            for signal in range(slots.size):
                if slots[signal] >= 0:
                    for r in range(rows):
                        slot, review, column = slots[signal], order[first + r], columns[signal]
                        if past_caches:
                            for j in range(0, n, LANES):
                                copy_past_caches(work, r, column + j, out, slot, review, t, j)
                        elif n % 8 == 0:
                            for j in range(0, n, 8):
                                copy_eight(work, r, column + j, out, slot, review, t, j)
                        else:
                            for j in range(n):
                                out[slot, review, t, j] = work[r, _at(column + j)]

        for r in range(min(BLOCK, order.size - first)):
            review = order[first + r]
            for j in range(n):
                state[review, j] = work[r, _at(hidden + j)]
                if layer.kind == LSTM:
                    state[review, n + j] = work[r, _at(memory + j)]
            for slot in range(out.shape[0]):
                for t in range(lengths[review], out.shape[2]):
                    if past_caches:
                        for j in range(0, n, LANES):
                            copy_past_caches(work, BLOCK, j, out, slot, review, t, j)
                    else:
                        for j in range(n):
                            out[slot, review, t, j] = np.nan

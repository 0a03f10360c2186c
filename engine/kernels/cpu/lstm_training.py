"""The pointwise part of an LSTM's steps in training, forward and backward, for ``engine.lstm_training``.

Arrays have a row for each step of each sequence; the rows of a step are neighbours, and the next step's follow.
Gates are in PyTorch's order, ``i f g o``.  n, the number of columns of c and of a gate, is a multiple of eight; c and h
are those before the step.  h is in the first n columns of ``inputs``, the rows that the weights multiply.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.kernels.cpu.compiler import kernel
from engine.kernels.cpu.simd import FLOATS, load, store
from engine.kernels.cpu.steps import sigmoid, tanh

Float32s = NDArray[np.float32]


@kernel
def forward_step(gates: Float32s, c: Float32s, inputs: Float32s, at: int, count: int) -> None:
    """Replace U h + W x + b in rows ``at … at + count`` by the gates, and write c and h in the ``count`` rows after."""
    n, after = c.shape[1], at + count
    for row in range(count):
        r, s = at + row, after + row
        for j in range(0, n, FLOATS):
            i, f = sigmoid(load(gates, (r, j))), sigmoid(load(gates, (r, n + j)))
            g, o = tanh(load(gates, (r, 2 * n + j))), sigmoid(load(gates, (r, 3 * n + j)))
            new = f * load(c, (r, j)) + i * g
            store(gates, (r, j), i)
            store(gates, (r, n + j), f)
            store(gates, (r, 2 * n + j), g)
            store(gates, (r, 3 * n + j), o)
            store(c, (s, j), new)
            store(inputs, (s, j), o * tanh(new))


@kernel
def backward_step(gates: Float32s, c: Float32s, by_inputs: Float32s, by_c: Float32s, at: int, count: int) -> None:
    """Replace the gates in rows ``at … at + count`` by the gradient of the loss by U h + W x + b.

    ``by_inputs`` has the gradient by this step's h in the ``count`` rows after; ``by_c`` (row, n), the gradient by this
    step's c without the part through h, becomes that by the c before.
    """
    n, after = c.shape[1], at + count
    for row in range(count):
        r, s = at + row, after + row
        for j in range(0, n, FLOATS):
            i, f = load(gates, (r, j)), load(gates, (r, n + j))
            g, o = load(gates, (r, 2 * n + j)), load(gates, (r, 3 * n + j))
            c_out, by_h = tanh(load(c, (s, j))), load(by_inputs, (s, j))
            whole = load(by_c, (row, j)) + by_h * o * (1.0 - c_out * c_out)
            store(gates, (r, j), whole * g * i * (1.0 - i))
            store(gates, (r, n + j), whole * load(c, (r, j)) * f * (1.0 - f))
            store(gates, (r, 2 * n + j), whole * i * (1.0 - g * g))
            store(gates, (r, 3 * n + j), by_h * c_out * o * (1.0 - o))
            store(by_c, (row, j), whole * f)

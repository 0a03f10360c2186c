"""Clamp signals of a network through its weights, for the search of fixed points, which takes no clamps.

`engine.recording` clamps any signal at every step, exactly.  Here the weights of a clamped gate make it constant, and a
clamped state (c, c_out, h) converges to its value, so that the fixed points are those of the clamped network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from engine.network import Network

_GATES: Final = {"rnn": (), "gru": ("r", "z", "n"), "lstm": ("i", "f", "g", "o")}
_TANH: Final = ("n", "g")
_END: Final = 16.0  # σ(±16) is 1 or 0 to 1e-7, and all weights stay finite
_CANDIDATE: Final = 0.9  # largest |g| of a clamped cell state; larger states accumulate through the forget gate


def clamped_network(network: Network, clamps: Mapping[str, ArrayLike]) -> Network:
    """Return a network whose fixed points are those of ``network`` with clamped signals.

    Parameters
    ----------
    network : Network
    clamps : mapping of str to (n,) array
        Values at which to clamp a signal's cells, NaN for a free cell; as in `engine.recording.record`.
    """
    cell = network.cell
    weights = {name: weight.clone() for name, weight in cell.weights().items()}
    n, gates = cell.size, _GATES[cell.name]

    def set_gate(gate: int, cells: Tensor, argument: Tensor) -> None:
        for weight in weights.values():
            weight[gate * n + cells] = 0
        weights["bias"][gate * n + cells] = argument.clamp(-_END, _END)

    for signal in (*gates, "c", "c_out", "h"):  # in the order of a step: later clamps override earlier ones
        values = torch.as_tensor(clamps.get(signal, []), dtype=cell.dtype, device=cell.device)
        cells = (~values.isnan()).nonzero()[:, 0]
        value = values[cells]
        if signal in gates:
            set_gate(gates.index(signal), cells, value.atanh() if signal in _TANH else value.logit())
        elif cell.name == "rnn":
            set_gate(0, cells, value.atanh())
        elif cell.name == "gru":
            set_gate(gates.index("z"), cells, torch.full_like(value, -_END))
            set_gate(gates.index("n"), cells, value.atanh())
        else:
            target = (value if signal == "c" else value.atanh().clamp(-_END, _END)).nan_to_num()
            forget = (1 - _CANDIDATE / target.abs()).clamp(min=0)  # at a fixed point c = i g / (1 − f)
            set_gate(gates.index("i"), cells, torch.full_like(value, _END))
            set_gate(gates.index("f"), cells, forget.logit())
            set_gate(gates.index("g"), cells, (target * (1 - forget)).atanh())
            if signal == "h":
                set_gate(gates.index("o"), cells, torch.full_like(value, _END))
    return Network(
        type(cell)(**weights),
        network.readout_weight,
        network.readout_bias,
        embedding=network.embedding,
        vocabulary=network.vocabulary,
        name=network.name,
        task=network.task,
        info=network.info,
    )

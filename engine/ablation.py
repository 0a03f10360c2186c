"""A network that holds some signals of its cells by its weights alone, for the searches that know nothing of holding.

`engine.recording` holds any signal at any step, exactly. Here a gate becomes a constant by its own weights, and a state
(c, c_out, h) comes to rest at its value: so the fixed points are those of the held network.
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
_END: Final = 16.0  # an argument at which σ is 0 or 1 to 1e-7, and has no infinity yet
_CANDIDATE: Final = 0.9  # at most so much of g holds a cell state: beyond, the forget gate adds it up


def clamped_network(network: Network, clamps: Mapping[str, ArrayLike]) -> Network:
    """The network whose fixed points are those under the held signals.

    Parameters
    ----------
    network : Network
    held : mapping of str to (n,) array
        Values at which a signal's cells are held, NaN where a cell is free; as in `engine.recording.record`.
    """
    cell = network.cell
    weights = {name: weight.clone() for name, weight in cell.weights().items()}
    n, gates = cell.size, _GATES[cell.name]

    def set_gate(gate: int, cells: Tensor, argument: Tensor) -> None:
        for weight in weights.values():
            weight[gate * n + cells] = 0
        weights["bias"][gate * n + cells] = argument.clamp(-_END, _END)

    for signal in (*gates, "c", "c_out", "h"):  # in the order of a step: later ones win
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
            memory = (value if signal == "c" else value.atanh().clamp(-_END, _END)).nan_to_num()
            kept = (1 - _CANDIDATE / memory.abs()).clamp(min=0)  # c rests at i g / (1 − f)
            set_gate(gates.index("i"), cells, torch.full_like(value, _END))
            set_gate(gates.index("f"), cells, kept.logit())
            set_gate(gates.index("g"), cells, (memory * (1 - kept)).atanh())
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

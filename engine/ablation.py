"""Clamp signals of a network through its weights, for the search of fixed points, which takes no clamps.

`engine.recording` clamps any signal at every step, exactly.  Here the weights of a clamped gate make it constant, and a
clamped state (c, c_out, h) converges to its value, so that the fixed points are those of the clamped network.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from numpy.typing import ArrayLike

from engine.network import Network


def clamped_network(network: Network, clamps: Mapping[str, ArrayLike]) -> Network:
    """Return a network whose fixed points are those of ``network`` with clamped signals.

    Parameters
    ----------
    network : Network
    clamps : mapping of str to (n,) array
        Values at which to clamp a signal's cells, NaN for a free cell; as in `engine.recording.record`.
    """
    cell, stack = network.cell, network.stack
    weights = {name: weight.clone() for name, weight in cell.weights().items()}
    order = [signal.name for signal in cell.signals]  # that of a step: later clamps override earlier ones
    for signal in order:
        values = torch.as_tensor(clamps.get(signal, []), dtype=cell.dtype, device=cell.device)
        cells = (~values.isnan()).nonzero()[:, 0]
        if not len(cells):
            continue
        for gate, argument in cell.constants(signal, values[cells]).items():
            for name, weight in weights.items():
                if name != "initial":
                    weight[gate * cell.size + cells] = 0
            weights["bias"][gate * cell.size + cells] = argument
    changed = cell.with_weights(weights)
    return Network(
        changed,
        network.readout_weight,
        network.readout_bias,
        embedding=network.embedding,
        vocabulary=network.vocabulary,
        name=network.name,
        task=network.task,
        info=network.info,
        stack=None if stack is None else stack.replacing(network.level, network.direction, changed),
        level=network.level,
        direction=network.direction,
    )

"""Compare an imported network with the network of its file, computed independently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.importers.parts import Parts
from engine.network import Network
from engine.stack_outputs import outputs_along


@dataclass(frozen=True)
class Differences:
    """Largest differences over ``steps`` random inputs: of the hidden states and of the outputs.

    They are absolute, or relative to the largest value where that exceeds 1, as in a layer without bounds.
    """

    steps: int
    states: float
    outputs: float


def check_import(network: Network, parts: Parts, steps: int = 40, seed: int = 0) -> Differences:
    """Run a network and the reference of its file over the same random ids, or over random vectors.

    Few steps: random words drive some networks into chaos, where rounding errors grow until nothing agrees.

    The reference uses `torch.nn` or NumPy in double precision, the weights as they lie in the file and the file's ids.
    """
    random = np.random.default_rng(seed)
    inputs: Any
    if network.text_vocabulary is not None:
        inputs = random.integers(0, len(network.text_vocabulary), steps)
    else:
        inputs = random.normal(size=(steps, network.channels))
    x = network.inputs(inputs)
    with torch.inference_mode():
        h = network.cell.run(x.flip(0) if network.backward else x)[1]["h"]
        h = h.flip(0) if network.backward else h
        outputs = network.probability(h).double().numpy()
    if network.stack is not None and network.shares_readout:
        outputs = outputs_along(network.stack, network.output, inputs)
    states = parts.reference.states(inputs)
    return Differences(
        steps,
        states=_difference(h.double().numpy(), states),
        outputs=0.0 if network.output == "none" else _difference(outputs, parts.reference.outputs(inputs)),
    )


def _difference(found: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))

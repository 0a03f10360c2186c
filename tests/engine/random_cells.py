"""Cells with random weights."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells import CELLS, Cell

INPUTS = 3


def random_cell(name: str, n: int, generator: torch.Generator) -> Cell:
    """Return a cell of a kind with n units, `INPUTS` inputs and normal weights of standard deviation 1/√n."""
    kind = CELLS[name]

    def weights(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / n**0.5

    rows = kind.gates * n
    return kind(weights(rows, INPUTS), weights(rows, n), weights(rows), weights(rows))

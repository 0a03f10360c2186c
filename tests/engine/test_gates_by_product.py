"""Signals from cuDNN's states, or those of PyTorch's layer on the CPU, against float64 steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.cells import Cell
from engine.gates_by_product import record_by_product
from engine.network import Network
from engine.recording import record_reference
from tests.engine.random_cells import INPUTS, random_cell

TOLERANCE = 2e-5
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def recorded(cell: Cell, vectors: Tensor, tokens: Tensor, lengths: list[int], names: list[str]) -> Tensor:
    there = cell.to(device=DEVICE)
    read = tokens.to(DEVICE), torch.tensor(lengths, device=DEVICE)
    return record_by_product(there, there.to_torch(), vectors.to(DEVICE), *read, names).cpu()


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("lengths", [[1], [5, 2, 7, 1]], ids=["a word", "unequal"])
def test_every_signal(name: str, lengths: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.gates_by_product._WORDS", 15)  # two reviews at once
    generator = torch.Generator().manual_seed(1)
    cell = random_cell(name, 9, generator)
    vectors, tokens = torch.randn(20, INPUTS, generator=generator), torch.randint(20, (len(lengths), max(lengths)))
    _, expected = cell.to(dtype=torch.float64).run(vectors.double()[tokens])
    names = [signal.name for signal in cell.signals][::-1]
    found = recorded(cell, vectors, tokens, lengths, names)
    read = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    for values, signal in zip(found, names, strict=True):
        assert (values - expected[signal])[read].abs().max() <= TOLERANCE
        assert values[~read].isnan().all()


@pytest.mark.parametrize("name", ["lstm-32", "gru-100-flip-flop-3", "rnn-16-flip-flop-3"])
def test_trained_weights_after_500_steps(name: str) -> None:
    network, random = Network.load(name), np.random.default_rng(0)
    if network.embedding is None:
        vectors = torch.from_numpy(random.choice([-1, 0, 0, 0, 1], (500, 3)).astype(np.float32))
        tokens, read = torch.arange(500)[None], vectors.numpy()
    else:
        vectors, read = network.embedding, random.integers(2, 500, 500)
        tokens = torch.from_numpy(read)[None]
    cell, names = network.cell, [signal.name for signal in network.cell.signals]
    expected = record_reference(network.to(dtype=torch.float64), read)
    found = recorded(cell, vectors, tokens, [500], names)
    for values, signal in zip(found, names, strict=True):
        assert np.abs(values[0].numpy() - expected[signal][0]).max() <= TOLERANCE

"""Outputs of hidden states do not depend on what else is computed with them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest
import torch

from engine.network import Network
from engine.probability import Activation, activate
from tests.engine.test_network import make

COUNT: Final = 100


def network_of(size: int, outputs: int, activation: Activation, dtype: torch.dtype) -> Network:
    torch.manual_seed(1)
    cell = make("lstm", size).cell.to(dtype=dtype)
    weight, bias = torch.randn(outputs, size, dtype=dtype), torch.randn(outputs, dtype=dtype)
    return Network(cell, weight, bias, info={"activation": activation})


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "linear"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("size", "outputs"), [(1, 1), (8, 1), (128, 1), (13, 3)])
def test_a_state_has_the_same_bits_in_any_block(
    size: int, outputs: int, activation: Activation, dtype: torch.dtype
) -> None:
    network = network_of(size, outputs, activation, dtype)
    h = torch.rand(COUNT, size, dtype=dtype) * 2 - 1
    found = network.probability(h)
    assert found.dtype == dtype
    for rows in (1, 2, 7, 16, 33):
        blocks = [network.probability(h[first : first + rows]) for first in range(0, COUNT, rows)]
        assert torch.equal(torch.cat(blocks), found)
    assert torch.equal(network.probability(h.T.contiguous().T), found)  # another order in memory
    assert torch.equal(network.probability(h.reshape(4, -1, size)), found.reshape(4, -1, outputs))
    assert torch.equal(network.probability(h[0]), found[0])
    weight, bias = network.readout_weight.double().numpy(), network.readout_bias.double().numpy()
    expected = activate(h.double().numpy() @ weight.T + bias, activation)
    np.testing.assert_allclose(found.double().numpy(), expected, rtol=0, atol=2e-6 if dtype == torch.float32 else 1e-14)


def test_the_probability_of_extreme_logits() -> None:
    network = network_of(1, 1, "sigmoid", torch.float32)
    whole = Network(network.cell, torch.ones(1, 1), torch.zeros(1))
    found = whole.probability(torch.tensor([[-1000.0], [-100.0], [0.0], [100.0], [1000.0], [torch.nan]]))[:, 0]
    expected = torch.tensor([-1000.0, -100.0, 0.0, 100.0, 1000.0]).sigmoid()
    assert found[:5].tolist() == pytest.approx(expected.tolist(), rel=1e-6, abs=1e-38)
    assert found[5].isnan()

"""P(positive): the NumPy function equals the method of the network, without overflow."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.cells import RnnCell
from engine.network import Network
from engine.probability import Activation, activate, positive_probability


def test_it_is_the_logistic_function() -> None:
    assert positive_probability(0.0) == 0.5
    assert positive_probability(np.log(3)) == pytest.approx(0.75, rel=1e-15)
    logits = np.array([[-2.0, 0.3], [7.0, -40.0]])
    np.testing.assert_allclose(positive_probability(logits), 1 / (1 + np.exp(-logits)), atol=2e-16)
    np.testing.assert_allclose(positive_probability(logits) + positive_probability(-logits), 1, rtol=1e-15)


def test_no_logit_overflows_and_nan_stays() -> None:
    np.testing.assert_array_equal(positive_probability([-np.inf, -1e4, 1e4, np.inf, np.nan]), [0, 0, 1, 1, np.nan])


def test_it_equals_the_networks_own() -> None:
    torch.manual_seed(0)
    cell = RnnCell.from_torch(torch.nn.RNN(2, 5)).to(dtype=torch.float64)
    network = Network(cell, 4 * torch.randn(3, 5, dtype=torch.float64), torch.randn(3, dtype=torch.float64))
    h = torch.randn(7, 4, 5, dtype=torch.float64)
    assert network.probability(h).shape == (7, 4, 3)
    np.testing.assert_allclose(network.probability(h), positive_probability(network.readout(h)), atol=4e-16)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "linear"])
def test_every_activation_equals_the_networks_own(activation: Activation) -> None:
    torch.manual_seed(0)
    cell = RnnCell.from_torch(torch.nn.RNN(2, 5)).to(dtype=torch.float64)
    weight, bias = 400 * torch.randn(3, 5, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    network = Network(cell, weight, bias, info={"activation": activation})
    h = torch.randn(7, 5, dtype=torch.float64)
    found = activate(network.readout(h).numpy(), activation)
    np.testing.assert_allclose(found, network.probability(h).numpy(), atol=1e-12)
    if activation == "softmax":
        np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-12)

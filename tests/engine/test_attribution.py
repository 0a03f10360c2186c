"""Attribution against finite differences, against PyTorch's own layers, and by completeness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine import attribution
from engine.attribution import gradient_times_input, integrated_gradients
from engine.cells import TRAINED, cell_from_torch
from engine.network import Network, Vocabulary

KINDS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
IDS = np.array([3, 2, 5, 1, 4, 3, 2])


def network(kind: str, outputs: int = 1, activation: str = "sigmoid") -> Network:
    torch.manual_seed(3)
    return Network(
        cell_from_torch(KINDS[kind](3, 5)),
        torch.randn(outputs, 5),
        torch.randn(outputs),
        embedding=torch.randn(6, 3),
        vocabulary=Vocabulary(["a", "b", "c", "d"]),
        info={"activation": activation},
    )


def logit_of(net: Network, output: int = 0) -> nn.Module:
    """The logit of inputs (point, time, inputs) by PyTorch's own layer, in float64."""

    class Logit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = net.to(dtype=torch.float64).cell.to_torch()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden, _ = self.layer(x.transpose(0, 1))
            return hidden[-1] @ net.readout_weight[output].double() + net.readout_bias[output].double()

    return Logit()


@pytest.mark.parametrize("kind", TRAINED)
@pytest.mark.parametrize("baseline", ["zero", "mean"])
def test_integrated_gradients_are_a_riemann_sum_of_pytorch_gradients(kind: str, baseline: str) -> None:
    net = network(kind)
    assert net.embedding is not None
    x = net.embedding[IDS].double()
    start = torch.zeros(3).double() if baseline == "zero" else net.embedding[2:].double().mean(0)
    fractions = (torch.arange(2000).double() + 0.5) / 2000
    path = (start + fractions[:, None, None] * (x - start)).requires_grad_()
    logit_of(net)(path).sum().backward()
    assert path.grad is not None
    expected = ((x - start) * path.grad.mean(0)).sum(-1)
    found = integrated_gradients(net, IDS, baseline=baseline)
    assert found is not None
    assert found.values == pytest.approx(expected.numpy(), abs=1e-5)


@pytest.mark.parametrize("kind", TRAINED)
@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "linear"])
def test_attributions_add_up_to_the_difference_of_the_logits(kind: str, activation: str) -> None:
    net = network(kind, outputs=3, activation=activation)
    for output in range(3):
        found = integrated_gradients(net, IDS, output=output, tolerance=1e-9)
        assert found is not None
        logit = logit_of(net, output)
        assert net.embedding is not None
        x = net.embedding[IDS].double()
        mean = net.embedding[2:].double().mean(0).expand_as(x)
        ends = logit(torch.stack([mean, x])).tolist()
        assert [found.baseline_logit, found.logit] == pytest.approx(ends, abs=1e-12)
        assert found.values.sum() == pytest.approx(ends[1] - ends[0], abs=1e-8)
        assert abs(found.residual) < 1e-8


@pytest.mark.parametrize("kind", TRAINED)
def test_gradient_times_input_by_finite_differences(kind: str) -> None:
    net = network(kind)
    assert net.embedding is not None
    x, logit, step = net.embedding[IDS].double(), logit_of(net), 1e-5
    found = gradient_times_input(net, IDS)
    for word in range(len(IDS)):
        moved = torch.stack([x, x])
        moved[0, word] *= 1 - step
        moved[1, word] *= 1 + step
        low, high = logit(moved).tolist()
        assert found.values[word] == pytest.approx((high - low) / (2 * step), abs=1e-8)
    assert found.logit == pytest.approx(logit(x[None]).item())


def test_clamps_and_pushes_are_part_of_the_network() -> None:
    net = network("lstm")
    clamps = {"f": np.array([np.nan, 0.2, np.nan, np.nan, 0.9]), "h": np.array([0.3, *[np.nan] * 4])}
    push = np.linspace(-0.5, 0.5, 10)
    assert net.embedding is not None
    x, cell, step = net.embedding[IDS].double(), net.cell.to(dtype=torch.float64), 1e-5

    def logit(inputs: torch.Tensor) -> float:
        tensors = {name: torch.from_numpy(values) for name, values in clamps.items()}
        state, _ = cell.run(inputs[:3], clamps=tensors)
        state, _ = cell.run(inputs[3:], state + torch.from_numpy(push), tensors)
        return float(state[:5] @ net.readout_weight[0].double() + net.readout_bias[0].double())

    found = gradient_times_input(net, IDS, clamps=clamps, pushes={2: push})
    assert found.logit == pytest.approx(logit(x))
    for word in (0, 4):
        low, high = x.clone(), x.clone()
        low[word] *= 1 - step
        high[word] *= 1 + step
        assert found.values[word] == pytest.approx((logit(high) - logit(low)) / (2 * step), abs=1e-8)
    complete = integrated_gradients(net, IDS, clamps=clamps, pushes={2: push})
    assert complete is not None
    assert complete.logit == found.logit
    assert abs(complete.residual) < 1e-3


def test_points_are_doubled_until_the_sum_is_complete() -> None:
    net = network("rnn")
    net.cell.weight_hh *= 4  # a steep path
    few = integrated_gradients(net, IDS, most=16)
    enough = integrated_gradients(net, IDS, tolerance=1e-6)
    assert few is not None
    assert enough is not None
    assert few.points == 16
    assert enough.points > 16
    assert abs(enough.residual) < abs(few.residual)


def test_a_computation_that_is_not_wanted_ends() -> None:
    assert integrated_gradients(network("gru"), IDS, progress=lambda points: False) is None


def test_what_cannot_be_attributed_is_refused() -> None:
    net = network("rnn")
    with pytest.raises(ValueError, match="at least one word"):
        integrated_gradients(net, [])
    with pytest.raises(ValueError, match="outputs 0 to 0, got 1"):
        gradient_times_input(net, IDS, output=1)
    with pytest.raises(ValueError, match="no input called 'noise'"):
        integrated_gradients(net, IDS, baseline="noise")


def test_gradients_of_a_long_review_are_computed_segment_by_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    net, pushes = network("lstm"), {1: np.ones(10), 4: -np.ones(10)}
    whole = gradient_times_input(net, IDS, pushes=pushes)
    monkeypatch.setattr(attribution, "_SEGMENT", 3)
    found = gradient_times_input(net, IDS, pushes=pushes)
    assert found.logit == whole.logit
    assert found.values == pytest.approx(whole.values, rel=1e-12)

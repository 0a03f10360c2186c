"""Linear prediction: exact for a linear network, and only local for others."""

import numpy as np
import pytest
import torch

from engine.cells import Cell, RnnCell
from engine.fixed_points import find_fixed_points
from engine.linearised import predict_linearly
from engine.network import Network
from engine.points import FixedPoints
from engine.tasks import FlipFlop


def trajectory(cell: Cell, x: torch.Tensor) -> torch.Tensor:
    _, signals = cell.run(x)
    return torch.cat([signals[part] for part in cell.state_parts], dim=-1)


def small_network(scale: float) -> tuple[RnnCell, FixedPoints, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 5, generator=random, dtype=torch.float64) * 0.3
    cell = RnnCell(
        torch.randn(5, 2, generator=random, dtype=torch.float64), weight, torch.zeros(5, dtype=torch.float64)
    )
    x = scale * torch.randn(4, 60, 2, generator=random, dtype=torch.float64)
    points = find_fixed_points(cell, [0.0, 0.0], torch.zeros(1, 5))
    return cell, points, trajectory(cell, x), x


def test_near_a_point_the_map_is_linear_in_state_and_input() -> None:
    cell, points, states, x = small_network(1e-4)
    found = predict_linearly(cell, points, states, x, steps=8)
    assert found.error.shape == found.baseline.shape == (8,)
    assert (found.explained > 1 - 1e-6).all()


def test_far_from_the_point_the_prediction_fails() -> None:
    cell, points, states, x = small_network(3.0)
    found = predict_linearly(cell, points, states, x, steps=8)
    assert (found.explained < 0.9).all()


def test_one_step_error_by_hand() -> None:
    cell, points, states, x = small_network(1.0)
    found = predict_linearly(cell, points, states, x, steps=1)
    # the point is 0 under input 0, where tanh has slope 1
    guess = states[:, :-1] @ cell.weight_hh.T + x[:, 1:] @ cell.weight_ih.T
    assert found.error[0] == pytest.approx(float((guess - states[:, 1:]).square().sum(-1).mean().sqrt()), rel=1e-9)
    moved = (states[:, 1:] - states[:, :-1]).square().sum(-1).mean().sqrt()
    assert found.baseline[0] == pytest.approx(float(moved), rel=1e-12)


def test_the_drift_of_a_slow_point_is_part_of_the_map() -> None:
    cell = RnnCell(np.zeros((1, 1)), np.array([[1.2]]), np.array([0.058]))
    found = find_fixed_points(cell, [0.0], np.linspace(-0.6, -0.3, 8)[:, None])
    slow = found[~found.fixed]
    x = torch.zeros(1, 20, 1, dtype=torch.float64)
    _, signals = cell.run(x, torch.from_numpy(slow.states))
    prediction = predict_linearly(cell, slow, signals["h"], x, steps=5)
    assert (prediction.explained > 0.99).all()


def test_every_state_is_predicted_from_its_own_nearest_point() -> None:
    network = Network.load("rnn-16-flip-flop-3").to(dtype=torch.float64)
    x = torch.zeros(64, 30, 3, dtype=torch.float64)
    pulses, _ = FlipFlop(3).sequences(64, 10, seed=9)
    x[:, :10] = torch.from_numpy(pulses)
    states = trajectory(network.cell, x)
    found = find_fixed_points(network.cell, [0.0] * 3, states.flatten(0, 1)[::4])
    at_rest = predict_linearly(network.cell, found, states[:, 12:], x[:, 12:], steps=5)
    one = predict_linearly(network.cell, found[:1], states[:, 12:], x[:, 12:], steps=5)
    assert (at_rest.error < 0.2 * one.error).all()


def test_what_cannot_be_predicted_is_refused() -> None:
    cell, points, states, x = small_network(1.0)
    with pytest.raises(ValueError, match="at least one"):
        predict_linearly(cell, points[:0], states, x)
    with pytest.raises(ValueError, match="longer than 60 steps, got 60"):
        predict_linearly(cell, points, states, x, steps=60)

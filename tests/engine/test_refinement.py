"""Hessians of the speed, and roots by damped Newton."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.cells import CELLS, RnnCell
from engine.newton import find_roots
from engine.reduced import reduced_equation
from engine.refinement import hessians_of_speed

F64 = torch.float64


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_hessians_agree_with_differences_of_the_gradient(name: str) -> None:
    rng = np.random.default_rng(0)
    kind = CELLS[name]
    shapes = [(kind.gates * 3, 2), (kind.gates * 3, 3), (kind.gates * 3,), (kind.gates * 3,)]
    cell = kind(*(torch.from_numpy(rng.normal(0, 1, shape)) for shape in shapes))
    x, states = torch.from_numpy(rng.normal(size=2)), torch.from_numpy(rng.normal(size=(2, cell.state_size)))

    def gradient(state: torch.Tensor) -> torch.Tensor:
        residual = cell.step(x, state)[0] - state
        return (cell.jacobian(x, state) - torch.eye(len(state), dtype=F64)).mT @ residual

    for state, hessian in zip(states, hessians_of_speed(cell, x, states), strict=True):
        offsets = 1e-5 * torch.eye(len(state), dtype=F64)
        columns = [(gradient(state + offset) - gradient(state - offset)) / 2e-5 for offset in offsets]
        torch.testing.assert_close(hessian, torch.stack(columns, dim=-1), rtol=1e-6, atol=1e-8)


def test_damped_newton_finds_the_root_that_full_steps_overshoot() -> None:
    """Newton's step from h near the fold of tanh(2 h) − h leads far out of (−1, 1); a fraction of it does not."""
    cell = RnnCell([[0.0]], [[2.0]], [0.0]).to(dtype=F64)
    starts = torch.tensor([[0.45], [-0.3], [0.8]], dtype=F64)
    ends = find_roots(reduced_equation(cell), torch.zeros(3, 1, dtype=F64), starts)
    assert (torch.tanh(2 * ends) - ends).abs().max() < 1e-12
    assert len(find_roots(reduced_equation(cell), torch.zeros(0, 1, dtype=F64), starts[:0])) == 0

"""Periodic orbits: found where they are known in closed form, certified, and distinguished from fixed points."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import brentq

from engine.basins import basins, uniform_states, wilson
from engine.cells import RnnCell
from engine.cycles import find_cycles, periods, settle

F64 = torch.float64
X = torch.zeros(1, dtype=F64)


def cell_of(matrix: list[list[float]]) -> RnnCell:
    n = len(matrix)
    return RnnCell(torch.zeros(n, 1, dtype=F64), torch.tensor(matrix, dtype=F64), torch.zeros(n, dtype=F64))


def test_a_unit_that_turns_its_sign_has_a_cycle_of_two() -> None:
    """h' = tanh(−2 h) alternates between ± the root of h = tanh(2 h)."""
    cell = cell_of([[-2.0]])
    root = brentq(lambda h: np.tanh(2 * h) - h, 0.5, 1.0)
    ends = settle(cell, X.expand(5, -1), torch.linspace(-0.9, 0.7, 5, dtype=F64).unsqueeze(-1))
    assert periods(cell, X.expand(5, -1), ends).tolist() == [2] * 5
    (cycle,), which = find_cycles(cell, X, ends)
    assert cycle.period == 2
    assert cycle.hits == 5
    assert which.tolist() == [0] * 5
    assert np.allclose(cycle.states[:, 0], [-root, root], atol=1e-12)
    assert np.isclose(cycle.amplitude, 2 * root)
    assert np.isclose(cycle.multipliers[0], (2 * (1 - root**2)) ** 2)  # the chain rule around the orbit
    assert cycle.stable
    assert cycle.newton_step < 1e-12


def test_a_rotation_of_a_quarter_turn_has_a_cycle_of_four() -> None:
    cell = cell_of([[0.0, -2.0], [2.0, 0.0]])
    ends = settle(cell, X.expand(1, -1), torch.tensor([[0.3, 0.1]], dtype=F64))
    (cycle,), _ = find_cycles(cell, X, ends)
    assert cycle.period == 4
    step = cell.step(X.expand(4, -1), torch.from_numpy(cycle.states))[0].numpy()
    assert np.allclose(step, np.roll(cycle.states, -1, axis=0), atol=1e-12)


def test_a_state_at_rest_is_no_cycle() -> None:
    cell = cell_of([[2.0]])
    ends = settle(cell, X.expand(3, -1), torch.tensor([[0.2], [-0.2], [0.9]], dtype=F64))
    cycles, which = find_cycles(cell, X, ends)
    assert cycles == []
    assert which.tolist() == [-1, -1, -1]
    assert periods(cell, X.expand(3, -1), ends).tolist() == [1, 1, 1]


def test_basins_of_two_symmetric_points_share_the_states_evenly() -> None:
    cell = cell_of([[2.0]])
    root = brentq(lambda h: np.tanh(2 * h) - h, 0.5, 1.0)
    states = uniform_states(cell, 400)
    found = basins(cell, X, torch.tensor([[root], [-root]], dtype=F64), states)
    assert found is not None
    positive = int((states > 0).sum())
    assert found.counts.tolist() == [positive, 400 - positive]
    assert found.elsewhere == 0
    low, high = found.interval()[0]
    assert low < 0.5 < high


def test_basins_count_cycles_and_what_ends_nowhere() -> None:
    found = basins(cell_of([[-2.0]]), X, torch.empty(0, 1, dtype=F64), torch.tensor([[0.3], [-0.8]], dtype=F64))
    assert found is not None
    assert [cycle.hits for cycle in found.cycles] == [2]
    assert found.elsewhere == 0


def test_the_computation_of_basins_can_be_stopped() -> None:
    seen: list[int] = []

    def stop(done: int, total: int) -> bool:
        seen.append(done)
        return len(seen) < 2

    start = torch.full((1, 1), 0.3, dtype=F64)
    assert basins(cell_of([[1.0]]), X, torch.empty(0, 1, dtype=F64), start, progress=stop) is None
    assert len(seen) == 2


def test_wilson_agrees_with_the_published_example() -> None:
    """Newcombe (1998), Table I: 81 of 263, 95 %: 0.2553 to 0.3662; and 0 of 20: 0 to 0.1611."""
    assert np.allclose(wilson(np.array([81]), 263), [[0.2553, 0.3662]], atol=5e-5)
    assert np.allclose(wilson(np.array([0]), 20), [[0.0, 0.1611]], atol=5e-5)
    assert wilson(np.array([0]), 0).tolist() == [[0.0, 1.0]]

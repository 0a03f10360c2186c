"""Index, midpoints and the gain homotopy: sets of fixed points become whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings, strategies as st

from engine.cells import RnnCell
from engine.completeness import add_roots, complete, index_of, partners_of
from engine.fixed_points import find_fixed_points
from engine.network import Network
from engine.reduced import reduced_equation
from engine.start_states import visited_states

F64 = torch.float64


def decoupled(gains: list[float]) -> RnnCell:
    """Units that do not see each other: h_k = tanh(w_k h_k + b_k) has three roots for w_k ≥ 1.5, else one."""
    n = len(gains)
    bias = torch.tensor([0.02, -0.03, 0.01, 0.04][:n], dtype=F64)  # no symmetry, so that curves do not meet
    return RnnCell(torch.zeros(n, 1, dtype=F64), torch.diag(torch.tensor(gains, dtype=F64)), bias)


@given(st.lists(st.sampled_from([0.5, 0.9, 1.5, 2.0, 4.0]), min_size=1, max_size=3))
@example([1.5, 1.5, 1.5])  # found by Hypothesis: needs six rounds, and there were four
@settings(max_examples=10, deadline=None)
def test_decoupled_units_have_three_to_the_k_points_and_index_one(gains: list[float]) -> None:
    cell = decoupled(gains)
    equation, x = reduced_equation(cell), torch.zeros(1, dtype=F64)
    state = torch.ones(1, len(gains), dtype=F64)
    for _ in range(500):
        state = cell.step(x, state)[0]
    roots = complete(equation, x, add_roots(equation, x, state[:0], state))
    strong = sum(gain > 1 for gain in gains)
    signs = index_of(equation, x, roots)
    assert len(roots) == 3**strong
    assert signs.sum() == 1
    # The middle root of a unit is unstable: k units at their middle roots make an index of (−1)^k.
    middle = [(root.abs() < 0.2) & (torch.tensor(gains) > 1) for root in roots]
    assert signs.tolist() == [(-1) ** int(units.sum()) for units in middle]


@pytest.mark.parametrize("seed", range(6))
def test_any_subset_is_completed_to_index_one(seed: int) -> None:
    cell = decoupled([1.5, 2.0, 4.0])
    equation, x = reduced_equation(cell), torch.zeros(1, dtype=F64)
    grid = torch.cartesian_prod(*[torch.tensor([-1.0, 0.0, 1.0], dtype=F64)] * 3)
    every = add_roots(equation, x, grid[:0], grid)
    assert len(every) == 27
    rng = np.random.default_rng(seed)
    known = every[rng.choice(27, rng.integers(1, 5), replace=False)]
    if seed % 2:  # no attractor among them
        known = known[index_of(equation, x, known) == -1]
    assert index_of(equation, x, complete(equation, x, known)).sum() == 1


def test_a_partner_has_the_opposite_index_and_the_curve_of_one_point_leads_to_the_origin() -> None:
    rng = np.random.default_rng(3)
    cell = RnnCell(
        torch.zeros(3, 1, dtype=F64),
        torch.from_numpy(rng.normal(0, 2.0, (3, 3))),
        torch.from_numpy(rng.normal(0, 0.3, 3)),
    )
    equation, x = reduced_equation(cell), torch.zeros(1, dtype=F64)
    grid = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (4000, 3)))
    # A grid this dense finds all points of three units.
    every = torch.from_numpy(find_fixed_points(cell, x, grid).states)
    sign = index_of(equation, x, every)
    assert len(every) >= 3
    assert sign.sum() == 1
    ends, to_origin = partners_of(equation, x, every)
    assert int(to_origin.sum()) == 1
    for k in np.flatnonzero(~to_origin):
        partner = int((every - ends[k]).norm(dim=-1).argmin())
        assert (every[partner] - ends[k]).norm() < 1e-8
        assert sign[partner] == -sign[k]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_flip_flop_is_a_whole_cube_whatever_the_starts(cell: str, seed: int) -> None:
    """27 points, as an independent search found: 8 stable, 12, 6 and 1 with one, two and three unstable directions."""
    network = Network.load(f"{cell}-100-flip-flop-3")
    points = find_fixed_points(network.cell, torch.zeros(3), visited_states(network, 64, seed=seed))
    assert np.bincount(points[points.fixed].unstable).tolist() == [8, 12, 6, 1]
    assert points.index_sum == {"0": 1}

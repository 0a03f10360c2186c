"""Continuation in the input: folds where theory puts them."""

from __future__ import annotations

import numpy as np
import torch

from engine.branches import branches
from engine.cells import RnnCell
from engine.completeness import add_roots
from engine.reduced import reduced_equation

F64 = torch.float64


def test_two_points_of_one_unit_meet_in_the_fold_that_calculus_gives() -> None:
    """h = tanh(2 h + u): the branches from h < 0 fold where 2 (1 − h²) = 1 and u = atanh(h) − 2 h."""
    cell = RnnCell(torch.ones(1, 1, dtype=F64), torch.full((1, 1), 2.0, dtype=F64), torch.zeros(1, dtype=F64))
    equation = reduced_equation(cell)
    x0, x1 = torch.zeros(1, dtype=F64), torch.ones(1, dtype=F64)
    nothing = torch.empty(0, 1, dtype=F64)
    start = add_roots(equation, x0, nothing, torch.tensor([[-0.9], [0.1], [0.9]], dtype=F64))
    end = add_roots(equation, x1, nothing, torch.ones(1, 1, dtype=F64))
    assert (len(start), len(end)) == (3, 1)
    found = branches(cell, x0, x1, start, end, longest=0.02)
    assert sorted(branch.ended for branch in found) == ["high", "low"]
    through = next(branch for branch in found if branch.ended == "high")
    back = next(branch for branch in found if branch.ended == "low")
    h = -np.sqrt(0.5)
    fold = np.arctanh(h) - 2 * h
    assert len(back.folds) == 1
    assert abs(back.weight.max() - fold) < 1e-3
    assert len(through.folds) == 0
    assert (through.unstable == 0).all()
    assert {int(back.unstable[0]), int(back.unstable[-1])} == {0, 1}
    for branch in found:  # every place is a fixed point under its own input
        x = torch.from_numpy(branch.weight[:, None])
        state = torch.from_numpy(branch.states)
        assert (cell.step(x, state)[0] - state).abs().max() < 1e-8


def test_a_flip_of_stability_without_a_fold_is_a_crossing() -> None:
    """h = tanh(3 u − 2 h) has one root; its slope −2 (1 − h²) rises through −1 as the input saturates the unit."""
    cell = RnnCell(torch.tensor([[3.0]], dtype=F64), torch.full((1, 1), -2.0, dtype=F64), torch.zeros(1, dtype=F64))
    x0, x1 = torch.zeros(1, dtype=F64), torch.ones(1, dtype=F64)
    root0 = torch.zeros(1, 1, dtype=F64)
    (branch,) = branches(cell, x0, x1, root0, torch.empty(0, 1, dtype=F64), longest=0.02)
    assert branch.ended == "high"
    assert (int(branch.unstable[0]), int(branch.unstable[-1])) == (1, 0)
    assert len(branch.folds) == 0
    (place,) = branch.crossings
    assert abs(2 * (1 - branch.states[place, 0] ** 2) - 1) < 0.05

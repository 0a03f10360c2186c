"""Refine the points of one input: slow points that are true minima of q, and a set that is complete by its index."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.cells import Cell
from engine.completeness import complete, index_of
from engine.newton import solve
from engine.reduced import full_equation, reduced_equation

POLISH = 300
"""Levenberg–Marquardt steps in which the slope of q at a slow point falls to its floor."""

SADDLE = -1e-7
"""A slow point is a saddle of q when an eigenvalue of the Hessian of q is below this share of the largest."""

_DESCENT, _TRIES = 1e-2, 3  # length of a step off a saddle of q; times a point is polished before it is given up


def hessians_of_speed(cell: Cell, x: Tensor, states: Tensor) -> Tensor:
    """Return the Hessian of q = ½‖F(s, x) − s‖² at every state, (P, S, S).

    Parameters
    ----------
    x : (inputs,) tensor, float64
    states : (P, S) tensor
    """

    with torch.enable_grad():
        s = states.detach().requires_grad_()
        speed = 0.5 * (cell.step(x, s)[0] - s).square().sum()
        (slope,) = torch.autograd.grad(speed, s, create_graph=True)
        columns = [torch.autograd.grad(part.sum(), s, retain_graph=True)[0] for part in slope.unbind(dim=-1)]
    return torch.stack(columns, dim=-1)


def minima(cell: Cell, x: Tensor, states: Tensor) -> tuple[Tensor, NDArray[np.int64]]:
    """Polish slow states to minima of q, and move those that are saddles of q off them.

    Returns
    -------
    states : (P', S) tensor
    rows : (P',) array
        The slow state that each comes from; one that is still a saddle of q after three attempts is left out.
    """
    equation = full_equation(cell)
    ends, minimum = states.clone(), torch.zeros(len(states), dtype=torch.bool, device=states.device)
    left = torch.arange(len(states), device=states.device)
    for _ in range(_TRIES):
        if not len(left):
            break
        ends[left] = solve(equation, x.expand(len(left), -1), ends[left], iterations=POLISH, creeping=0.0)
        values, vectors = torch.linalg.eigh(hessians_of_speed(cell, x, ends[left]))
        sound = values[:, 0] >= SADDLE * values[:, -1]
        minimum[left[sound]] = True
        left, down = left[~sound], _DESCENT * vectors[~sound, :, 0]
        # Of the two ways down, take the one that lowers q further.
        ways = torch.stack((ends[left] + down, ends[left] - down), dim=1)
        speed = (cell.step(x, ways)[0] - ways).square().sum(-1)
        ends[left] = torch.where((speed[:, 0] <= speed[:, 1]).unsqueeze(-1), ways[:, 0], ways[:, 1])
    return ends[minimum], np.flatnonzero(minimum.cpu().numpy())


def completed(cell: Cell, x: Tensor, states: Tensor) -> Tensor:
    """Return the fixed points of one input, (P', S), and behind them those that completing by index adds."""
    equation = reduced_equation(cell)
    h = equation.unknowns(states)
    stable = torch.from_numpy(index_of(equation, x, h) == 1).to(h.device)  # an attractor has index +1
    jacobian = cell.jacobian(x.expand(int(stable.sum()), -1), states[stable])
    stable[stable.clone()] = torch.linalg.eigvals(jacobian).abs().amax(-1) < 1
    new = complete(equation, x, h, stable)[len(h) :]
    return torch.cat((states, equation.state(x.expand(len(new), -1), new)))


def distinct(states: Tensor, hits: NDArray[np.int64], tolerance: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Merge states nearer than a tolerance into the first of them; return the rows of the first and the summed hits."""
    rows, total = [], []
    left = np.arange(len(states))
    while len(left):
        near = ((states[left] - states[left[0]]).norm(dim=-1) < tolerance).cpu().numpy()
        near[0] = True  # also a state that is not finite
        rows.append(left[0])
        total.append(hits[left[near]].sum())
        left = left[~near]
    return np.array(rows, dtype=np.int64), np.array(total, dtype=np.int64)

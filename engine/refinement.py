"""Refine the points of one input: slow points that are true minima of q, and a set that is complete by its index."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.cells import Cell
from engine.completeness import complete
from engine.newton import solve
from engine.reduced import full_equation, reduced_equation

POLISH = 300
"""Levenberg–Marquardt steps in which the slope of q at a slow point falls to its floor."""

SADDLE = -1e-7
"""A slow point is a saddle of q when an eigenvalue of the Hessian of q is below this share of the largest."""

_DESCENT, _TRIES = 1e-2, 3  # length of a step off a saddle of q; steps off before the point is given up
_DIFFERENCE = 1e-5


def hessian_of_speed(cell: Cell, x: Tensor, state: Tensor) -> Tensor:
    """Return the Hessian of q = ½‖F(s, x) − s‖² at one state, (S, S).

    (J − I)ᵀ(J − I) plus Σ_k r_k ∇²F_k with the residual r, the latter by central differences of Jᵀr.

    Parameters
    ----------
    x : (inputs,) tensor, float64
    state : (S,) tensor, float64
    """
    size = len(state)
    residual = cell.step(x, state)[0] - state
    matrix = cell.jacobian(x, state) - torch.eye(size, dtype=state.dtype, device=state.device)
    offsets = _DIFFERENCE * torch.eye(size, dtype=state.dtype, device=state.device)
    curvature = torch.stack(
        [
            (cell.jacobian(x, state + offset).mT @ residual - cell.jacobian(x, state - offset).mT @ residual)
            for offset in offsets
        ]
    ) / (2 * _DIFFERENCE)
    return matrix.mT @ matrix + (curvature + curvature.mT) / 2


def minima(cell: Cell, x: Tensor, states: Tensor) -> tuple[Tensor, NDArray[np.int64]]:
    """Polish slow states to minima of q, and move those that are saddles of q off them.

    Returns
    -------
    states : (P', S) tensor
    rows : (P',) array
        The slow state that each comes from; one that is a saddle of q still after three steps off it is left out.
    """
    equation = full_equation(cell)
    ends, rows = [states[:0]], []
    for row, state in enumerate(states):
        for _ in range(_TRIES):
            state = solve(equation, x.unsqueeze(0), state.unsqueeze(0), iterations=POLISH, creeping=0.0)[0]
            values, vectors = torch.linalg.eigh(hessian_of_speed(cell, x, state))
            if values[0] >= SADDLE * values[-1]:
                ends.append(state.unsqueeze(0))
                rows.append(row)
                break
            # Of the two ways down, take the one that lowers q further.
            ways = state + _DESCENT * torch.stack([vectors[:, 0], -vectors[:, 0]])
            speed = (cell.step(x.expand(2, -1), ways)[0] - ways).square().sum(-1)
            state = ways[int(speed.argmin())]
    return torch.cat(ends), np.array(rows, dtype=np.int64)


def completed(cell: Cell, x: Tensor, states: Tensor) -> Tensor:
    """Return the fixed points of one input, (P', S), and behind them those that completing by index adds."""
    equation = reduced_equation(cell)
    h = equation.unknowns(states)
    stable = torch.linalg.eigvals(cell.jacobian(x.expand(len(states), -1), states)).abs().amax(-1) < 1
    new = complete(equation, x, h, stable)[len(h) :]
    return torch.cat((states, equation.state(x.expand(len(new), -1), new)))


def distinct(states: Tensor, hits: NDArray[np.int64], tolerance: float) -> tuple[Tensor, NDArray[np.int64]]:
    """Merge states nearer than a tolerance into the first of them; their hits add up."""
    first: list[int] = []
    total: list[int] = []
    for row in range(len(states)):
        near = [k for k, other in enumerate(first) if float((states[other] - states[row]).norm()) < tolerance]
        if near:
            total[near[0]] += int(hits[row])
        else:
            first.append(row)
            total.append(int(hits[row]))
    return states[first], np.array(total, dtype=np.int64)

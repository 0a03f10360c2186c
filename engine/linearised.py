"""Does a fixed point say anything about a trajectory?  The linear map at the nearest point, put to the test.

Cheng, Schmid & Lange (2021), section 5, doubt that it does.  Here the linear map
s' ≈ F(s*, x*) + J (s − s*) + B (x − x*), with J = ∂F/∂s and B = ∂F/∂x at the point (s*, x*), runs on its own
for k steps beside the network, from every state of a trajectory, with the inputs that the trajectory had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.cells import Cell


class Expandable(Protocol):
    """Where a map can be linearised, such as fixed points: states (P, S) under inputs (P, inputs)."""

    @property
    def states(self) -> NDArray[np.float64]: ...
    @property
    def inputs(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Places:
    """Any states and inputs, for comparison."""

    states: NDArray[np.float64]
    inputs: NDArray[np.float64]


@dataclass(frozen=True)
class LinearPrediction:
    """How far the next k steps are told; index 0 is one step ahead.

    Attributes
    ----------
    error : (k,)
        Root mean square distance ‖predicted − real‖ over trajectories and times.
    standing : (k,)
        The same for the guess that the state stays where it is.
    explained : (k,)
        1 − (error / standing)²: 1 is a perfect linear map, 0 no better than standing still, negative worse.
    """

    error: NDArray[np.float64]
    standing: NDArray[np.float64]

    @property
    def explained(self) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 - (self.error / self.standing) ** 2


@torch.no_grad()
def predict_linearly(cell: Cell, points: Expandable, states: Tensor, x: Tensor, steps: int = 10) -> LinearPrediction:
    """Run the linear map at the nearest point beside the network.

    Parameters
    ----------
    cell : Cell
    points : FixedPoints or Places
        Where the map is linearised: for every starting state, at the nearest of them.
    states : (trajectory, time, S) tensor
        ``states[:, t]`` is the state after ``x[:, t]``.
    x : (trajectory, time, inputs) tensor
    steps : int
        k, how far ahead.

    Raises
    ------
    ValueError
        If there is no point, or the trajectories are not longer than ``steps``.
    """
    if not len(points.states):
        raise ValueError("a linear prediction needs at least one fixed or slow point")
    time = states.shape[1]
    if time <= steps:
        raise ValueError(f"to look {steps} steps ahead takes trajectories of over {steps} steps, got {time}")
    cell = cell.to(dtype=torch.float64)
    states, x = states.to(cell.weight_hh), x.to(cell.weight_hh)
    base, held = torch.from_numpy(points.states).to(states), torch.from_numpy(points.inputs).to(states)
    image = cell.step(held, base)[0]  # the point itself, unless it is only slow
    by_state = cell.jacobian(held, base)
    by_input = torch.stack([_input_jacobian(cell, xs, s) for xs, s in zip(held, base, strict=True)])

    begin = states[:, : time - steps].flatten(0, 1)
    nearest = torch.cdist(begin, base).argmin(dim=1)
    predicted = begin.clone()
    error, standing = np.empty(steps), np.empty(steps)
    for k in range(steps):
        pushed = x[:, k + 1 : time - steps + k + 1].flatten(0, 1)
        real = states[:, k + 1 : time - steps + k + 1].flatten(0, 1)
        for number in nearest.unique():  # one matrix product for all states nearest to one point
            near = nearest == number
            moved = (predicted[near] - base[number]) @ by_state[number].mT
            predicted[near] = image[number] + moved + (pushed[near] - held[number]) @ by_input[number].mT
        error[k] = float((predicted - real).square().sum(-1).mean().sqrt())
        standing[k] = float((begin - real).square().sum(-1).mean().sqrt())
    return LinearPrediction(error, standing)


def _input_jacobian(cell: Cell, x: Tensor, state: Tensor) -> Tensor:
    """B = ∂F/∂x, (S, inputs)."""
    with torch.enable_grad():
        jacobian = torch.autograd.functional.jacobian(lambda held: cell.step(held, state)[0], x)
    assert isinstance(jacobian, Tensor), "one input, one output"
    return jacobian

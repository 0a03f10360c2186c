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


class Linearisable(Protocol):
    """Where a map can be linearised, such as fixed points: states (P, S) under inputs (P, inputs)."""

    @property
    def states(self) -> NDArray[np.float64]: ...
    @property
    def inputs(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class StatesAndInputs:
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
    baseline : (k,)
        The same for the guess that the state stays where it is.
    explained : (k,)
        1 − (error / baseline)²: 1 is a perfect linear map, 0 no better than baseline still, negative worse.
    """

    error: NDArray[np.float64]
    baseline: NDArray[np.float64]

    @property
    def explained(self) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 - (self.error / self.baseline) ** 2


class LinearMaps:
    """The linear map at every point, made when it is first wanted.

    Parameters
    ----------
    cell : Cell
    points : FixedPoints or StatesAndInputs

    Raises
    ------
    ValueError
        If there is no point.
    """

    def __init__(self, cell: Cell, points: Linearisable) -> None:
        if not len(points.states):
            raise ValueError("a linear prediction needs at least one fixed or slow point")
        self._cell = cell.to(dtype=torch.float64)
        self._base = torch.from_numpy(points.states).to(self._cell.weight_hh)
        self._held = torch.from_numpy(points.inputs).to(self._cell.weight_hh)
        self._maps: dict[int, tuple[Tensor, Tensor, Tensor]] = {}

    @torch.no_grad()
    def run(self, begin: Tensor, x: Tensor) -> Tensor:
        """The map at the point nearest to each of some states, running on its own.

        Parameters
        ----------
        begin : (state, S) tensor
        x : (state, k, inputs) tensor
            What each gets next.

        Returns
        -------
        (state, k, S) tensor, float64
        """
        begin, x = begin.to(self._base), x.to(self._base)
        nearest = torch.cdist(begin, self._base).argmin(dim=1)
        told = begin.new_empty(*x.shape[:2], begin.shape[1])
        for number in nearest.unique().tolist():  # one matrix product for all states nearest to one point
            near = nearest == number
            image, by_state, by_input = self._at(number)
            away, pushed = begin[near] - self._base[number], (x[near] - self._held[number]) @ by_input.mT
            for k in range(x.shape[1]):
                told[near, k] = image + away @ by_state.mT + pushed[:, k]
                away = told[near, k] - self._base[number]
        return told

    def _at(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """The point's image (itself, unless it is only slow), ∂F/∂s and ∂F/∂x."""
        if number not in self._maps:
            cell, x, state = self._cell, self._held[number], self._base[number]
            with torch.enable_grad():
                by_input = torch.autograd.functional.jacobian(lambda held: cell.step(held, state)[0], x)
            self._maps[number] = cell.step(x, state)[0], cell.jacobian(x, state), by_input
        return self._maps[number]


def predict_linearly(
    cell: Cell, points: Linearisable | LinearMaps, states: Tensor, x: Tensor, steps: int = 10
) -> LinearPrediction:
    """Run the linear map at the nearest point beside the network.

    Parameters
    ----------
    cell : Cell
    points : FixedPoints, StatesAndInputs or LinearMaps
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
    maps = points if isinstance(points, LinearMaps) else LinearMaps(cell, points)
    time = states.shape[1]
    if time <= steps:
        raise ValueError(f"to look {steps} steps ahead takes trajectories of over {steps} steps, got {time}")
    states, x = states.double(), x.double()
    begin = states[:, : time - steps].flatten(0, 1)
    ahead = torch.stack([x[:, k + 1 : time - steps + k + 1] for k in range(steps)], dim=2).flatten(0, 1)
    real = torch.stack([states[:, k + 1 : time - steps + k + 1] for k in range(steps)], dim=2).flatten(0, 1)

    def distance(guess: Tensor) -> NDArray[np.float64]:
        return (guess - real).square().sum(-1).mean(0).sqrt().cpu().numpy()

    return LinearPrediction(distance(maps.run(begin, ahead)), distance(begin.unsqueeze(1)))

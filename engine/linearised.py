"""Linear prediction: how well the linear map at the nearest fixed point predicts a trajectory.

Cheng, Schmid & Lange (2021), section 5, doubt that fixed points explain trajectories.  The test: from every state of a
trajectory, iterate s' ≈ F(s*, x*) + J (s − s*) + B (x − x*), with J = ∂F/∂s and B = ∂F/∂x at the point (s*, x*), for k
steps with the inputs of the trajectory, and compare with the network.
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
    """States (P, S) and inputs (P, inputs) at which a map can be linearised, such as fixed points."""

    @property
    def states(self) -> NDArray[np.float64]: ...
    @property
    def inputs(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class StatesAndInputs:
    """Arbitrary states and inputs, for comparison with fixed points."""

    states: NDArray[np.float64]
    inputs: NDArray[np.float64]


@dataclass(frozen=True)
class LinearPrediction:
    """Error of a prediction of the next k steps; index 0 is one step ahead.

    Attributes
    ----------
    squared_error : (trajectory, k)
        Mean of ‖predicted − real‖² over the times of each trajectory.
    squared_baseline : (trajectory, k)
        The same for the prediction that the state does not change.
    """

    squared_error: NDArray[np.float64]
    squared_baseline: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """Root mean square distance ‖predicted − real‖ over trajectories and times, (k,)."""
        return np.sqrt(self.squared_error.mean(axis=0))

    @property
    def baseline(self) -> NDArray[np.float64]:
        """The same for the prediction that the state does not change, (k,)."""
        return np.sqrt(self.squared_baseline.mean(axis=0))

    @property
    def explained(self) -> NDArray[np.float64]:
        """1 − (error / baseline)², (k,): 1 for a perfect prediction, 0 for one no better than the baseline."""
        return explained_variance(self.squared_error, self.squared_baseline)


def explained_variance(
    squared_error: NDArray[np.float64], squared_baseline: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return 1 − Σ error / Σ baseline over the first axis; negative for a prediction worse than the baseline."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - squared_error.sum(axis=0) / squared_baseline.sum(axis=0)


class LinearMaps:
    """The linear maps at some points, each computed when first needed.

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
        self._inputs = torch.from_numpy(points.inputs).to(self._cell.weight_hh)
        self._maps: dict[int, tuple[Tensor, Tensor, Tensor]] = {}

    @torch.no_grad()
    def run(self, begin: Tensor, x: Tensor) -> Tensor:
        """Iterate the map at the point nearest to each of some initial states.

        Parameters
        ----------
        begin : (state, S) tensor
        x : (state, k, inputs) tensor
            Inputs of the following steps.

        Returns
        -------
        (state, k, S) tensor, float64
        """
        begin, x = begin.to(self._base), x.to(self._base)
        nearest = torch.cdist(begin, self._base).argmin(dim=1)
        predicted = begin.new_empty(*x.shape[:2], begin.shape[1])
        for number in nearest.unique().tolist():  # all states nearest to one point at once
            near = nearest == number
            image, by_state, by_input = self._at(number)
            away, pushed = begin[near] - self._base[number], (x[near] - self._inputs[number]) @ by_input.mT
            for k in range(x.shape[1]):
                predicted[near, k] = image + away @ by_state.mT + pushed[:, k]
                away = predicted[near, k] - self._base[number]
        return predicted

    def _at(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return F(s*, x*) (s* itself at a fixed point), ∂F/∂s and ∂F/∂x."""
        if number not in self._maps:
            cell, x, state = self._cell, self._inputs[number], self._base[number]
            with torch.enable_grad():
                by_input = torch.autograd.functional.jacobian(lambda inputs: cell.step(inputs, state)[0], x)
            self._maps[number] = cell.step(x, state)[0], cell.jacobian(x, state), by_input
        return self._maps[number]


def predict_linearly(
    cell: Cell, points: Linearisable | LinearMaps, states: Tensor, x: Tensor, steps: int = 10
) -> LinearPrediction:
    """Compare the linear map at the nearest point with a trajectory of the network.

    Parameters
    ----------
    cell : Cell
    points : FixedPoints, StatesAndInputs or LinearMaps
        Points of linearisation; each initial state uses the nearest.
    states : (trajectory, time, S) tensor
        ``states[:, t]`` is the state after ``x[:, t]``.
    x : (trajectory, time, inputs) tensor
    steps : int
        k, the number of steps predicted.

    Raises
    ------
    ValueError
        If there is no point, or a trajectory is not longer than ``steps``.
    """
    maps = points if isinstance(points, LinearMaps) else LinearMaps(cell, points)
    time = states.shape[1]
    if time <= steps:
        raise ValueError(f"a prediction of {steps} steps needs trajectories longer than {steps} steps, got {time}")
    states, x = states.double(), x.double()
    begin = states[:, : time - steps].flatten(0, 1)
    ahead = torch.stack([x[:, k + 1 : time - steps + k + 1] for k in range(steps)], dim=2).flatten(0, 1)
    real = torch.stack([states[:, k + 1 : time - steps + k + 1] for k in range(steps)], dim=2).flatten(0, 1)

    def distance(guess: Tensor) -> NDArray[np.float64]:
        squares = (guess - real).square().sum(-1)
        return squares.unflatten(0, (len(states), time - steps)).mean(1).cpu().numpy()

    return LinearPrediction(distance(maps.run(begin, ahead)), distance(begin.unsqueeze(1)))

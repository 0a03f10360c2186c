"""Do the points say anything about trajectories?  The doubt of the paper's section 5, put to three tests.

1. The next steps.  The linear map at the nearest point, given the inputs, against the guess that the state stays where
   it is; and against linear maps at as many visited states, which are no points of any kind.
2. The end.  A visited state is left to itself under zero input.  Does it end at a point that was found, and is it the
   stable point that was nearest to begin with?  Against the guess of the most frequent end.
3. The answer.  Does the nearest stable point's readout foretell the network's answer at that end?  Against the guess
   that it will answer what it answers now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.linearised import StatesAndInputs, predict_linearly
from engine.network import Network
from engine.points import FixedPoints
from engine.start_states import TASK_SEED, input_from_name, task_runs, visited_states
from engine.tasks import task_from_name

AHEAD = (1, 5, 10)
SEQUENCES, STEPS = 32, 60

ALONE = 256
"""States that are left to themselves."""
LAST = 2000
"""Steps of zero input that they get."""
THERE = 0.1
"""A state this near (Euclidean) to a point has reached it."""


@dataclass(frozen=True)
class Trajectories:
    """One network's answers.

    ``linear``, ``elsewhere``: variance of the next ``AHEAD`` steps that the linear map at the nearest point, and at
    the nearest of as many visited states, explains; 0 is no better than standing still.  ``reached``: fraction of
    states that end within ``THERE`` of a point.  ``foretold``, ``commonest``: fraction whose end is the stable point
    nearest to where they began, and is the most frequent end; NaN if no state ends at a stable point.  ``answer``,
    ``present``: fraction of channels that end with the answer of that point, and with the answer of the beginning.
    """

    linear: tuple[float, ...]
    elsewhere: tuple[float, ...]
    reached: float
    foretold: float
    commonest: float
    answer: float
    present: float


def trajectories(network: Network, points: FixedPoints, seed: int = 0) -> Trajectories:
    """Put the points under zero input to the three tests."""
    inputs, _ = task_from_name(network.task).sequences(SEQUENCES, STEPS, TASK_SEED + seed + 1)
    x, states = task_runs(network, inputs)
    visited = visited_states(network, len(points), seed=seed + 1).numpy()
    elsewhere = StatesAndInputs(visited, np.zeros((len(points), x.shape[-1])))
    told = [predict_linearly(network.cell, places, states, x, max(AHEAD)).explained for places in (points, elsewhere)]
    linear, other = (tuple(float(explained[k - 1]) for k in AHEAD) for explained in told)
    return Trajectories(linear, other, *_left_alone(network, points, seed))


@torch.no_grad()
def _left_alone(network: Network, points: FixedPoints, seed: int) -> tuple[float, float, float, float, float]:
    cell = network.cell.to(dtype=torch.float64)
    begin = end = visited_states(network, ALONE, seed=seed + 2)
    zero = input_from_name(network, "zero")
    for _ in range(LAST):
        end = cell.step(zero, end)[0]
    away = torch.cdist(end, torch.from_numpy(points.states))
    reached = float((away.amin(dim=1) < THERE).double().mean())
    stable = points[points.fixed & (points.unstable == 0)]
    if not len(stable):
        return reached, float("nan"), float("nan"), float("nan"), float("nan")
    places = torch.from_numpy(stable.states)
    nearest = torch.cdist(begin, places).argmin(dim=1)
    there, last = torch.cdist(end, places).min(dim=1)
    arrived = there < THERE
    foretold = commonest = float("nan")
    if arrived.any():
        foretold = float((nearest == last)[arrived].double().mean())
        commonest = float(last[arrived].bincount().max() / arrived.sum())
    told = torch.from_numpy(stable.readout)[nearest] > 0
    now, finally_ = (_answers(network, states) for states in (begin, end))
    return (
        reached,
        foretold,
        commonest,
        float((told == finally_).double().mean()),
        float((now == finally_).double().mean()),
    )


def _answers(network: Network, states: torch.Tensor) -> torch.Tensor:
    return network.to(dtype=torch.float64).readout(network.cell.split(states)["h"]) > 0


def sample_paths(network: Network, count: int, seed: int = 0) -> NDArray[np.float64]:
    """h along a few runs of the task, (run, time, n): the paper's figure 10."""
    inputs, _ = task_from_name(network.task).sequences(count, STEPS, TASK_SEED + seed + 3)
    return network.cell.split(task_runs(network, inputs)[1])["h"].numpy()

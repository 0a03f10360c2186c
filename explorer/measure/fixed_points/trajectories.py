"""Do the points predict trajectories?  The paper doubts it in section 5; here are three tests.

1. Next steps: the linear map at the nearest point, given the inputs, compared with a state that does not move, and with
   linear maps at equally many visited states.
2. End: a visited state runs under zero input.  Does it end at a point that was found, and is that the stable point that
   was nearest at the start?  The baseline is the most frequent end.
3. Answer: does the readout of the nearest stable point predict the network's answer at the end?  The baseline is the
   answer at the start.
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

AHEAD = (1, 5, 10)  # steps
SEQUENCES, STEPS = 32, 60

STATES = 256  # visited states that run under zero input
SETTLING = 2000  # steps of zero input
REACHED = 0.1  # Euclidean distance to a point that counts as reaching it


@dataclass(frozen=True)
class Trajectories:
    """Results of the three tests for a network.

    ``linear``, ``elsewhere``: variance after ``AHEAD`` steps that the linear map at the nearest point, and at the
    nearest of equally many visited states, explains; 0 is no better than no movement.  ``reached``: fraction of states
    that end within ``REACHED`` of a point.  ``predicted``, ``most_frequent``: fraction whose end is the stable point
    nearest to the start, and the most frequent end; NaN if no state ends at a stable point.  ``answer``, ``present``:
    fraction of channels whose answer at the end is that of this point, and that at the start.
    """

    linear: tuple[float, ...]
    elsewhere: tuple[float, ...]
    reached: float
    predicted: float
    most_frequent: float
    answer: float
    present: float


def trajectories(network: Network, points: FixedPoints, seed: int = 0) -> Trajectories:
    """Apply the three tests to the points under zero input."""
    inputs, _ = task_from_name(network.task).sequences(SEQUENCES, STEPS, TASK_SEED + seed + 1)
    x, states = task_runs(network, inputs)
    visited = visited_states(network, len(points), seed=seed + 1).numpy()
    elsewhere = StatesAndInputs(visited, np.zeros((len(points), x.shape[-1])))
    predictions = [
        predict_linearly(network.cell, places, states, x, max(AHEAD)).explained for places in (points, elsewhere)
    ]
    linear, other = (tuple(float(explained[k - 1]) for k in AHEAD) for explained in predictions)
    return Trajectories(linear, other, *_under_zero_input(network, points, seed))


@torch.no_grad()
def _under_zero_input(network: Network, points: FixedPoints, seed: int) -> tuple[float, float, float, float, float]:
    cell = network.cell.to(dtype=torch.float64)
    begin = end = visited_states(network, STATES, seed=seed + 2)
    zero = input_from_name(network, "zero")
    for _ in range(SETTLING):
        end = cell.step(zero, end)[0]
    away = torch.cdist(end, torch.from_numpy(points.states))
    reached = float((away.amin(dim=1) < REACHED).double().mean())
    stable = points[points.fixed & (points.unstable == 0)]
    if not len(stable):
        return reached, float("nan"), float("nan"), float("nan"), float("nan")
    places = torch.from_numpy(stable.states)
    nearest = torch.cdist(begin, places).argmin(dim=1)
    there, last = torch.cdist(end, places).min(dim=1)
    arrived = there < REACHED
    predicted = most_frequent = float("nan")
    if arrived.any():
        predicted = float((nearest == last)[arrived].double().mean())
        most_frequent = float(last[arrived].bincount().max() / arrived.sum())
    answer = torch.from_numpy(stable.readout)[nearest] > 0
    at_start, at_end = (_answers(network, states) for states in (begin, end))
    return (
        reached,
        predicted,
        most_frequent,
        float((answer == at_end).double().mean()),
        float((at_start == at_end).double().mean()),
    )


def _answers(network: Network, states: torch.Tensor) -> torch.Tensor:
    return network.to(dtype=torch.float64).readout(network.cell.split(states)["h"]) > 0


def sample_paths(network: Network, count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return h along runs of the task, (run, time, n), for Figure 10."""
    inputs, _ = task_from_name(network.task).sequences(count, STEPS, TASK_SEED + seed + 3)
    return network.cell.split(task_runs(network, inputs)[1])["h"].numpy()

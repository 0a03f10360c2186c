"""Do the points predict trajectories?  The paper doubts it in section 5; here are three tests.

1. Next steps: the linear map at the nearest point, given the inputs, compared with a state that does not move, and with
   linear maps at equally many visited states.
2. End: a visited state runs under zero input.  Does it end at a point that was found, and is that the stable point that
   was nearest at the start?  The baseline is the most frequent end.
3. Answer: does the readout of the nearest stable point predict the network's answer at the end?  The baseline is the
   answer at the start.

All three depend on the sequences and states that are drawn, so they are repeated for several draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.linearised import LinearPrediction, StatesAndInputs, predict_linearly
from engine.network import Network
from engine.points import FixedPoints
from engine.start_states import TASK_SEED, input_from_name, task_runs, visited_states
from engine.tasks import task_from_name

AHEAD = (1, 5, 10)  # steps
SEQUENCES, STEPS = 32, 60

STATES = 256  # visited states that run under zero input, each from a sequence of its own
SETTLING = 2000  # steps of zero input
REACHED = 0.1  # Euclidean distance to a point that counts as reaching it
DRAWS = 5  # times that sequences and visited states are drawn
_APART = 1000  # between the seeds of two draws

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number that depends on start states: its value in each draw, and its standard error over all draws.

    The unit of the error is the sequence: every start state is from a sequence of its own, and of an explained variance
    the error is a jackknife over sequences.
    """

    draws: tuple[float, ...]
    error: float

    @property
    def mean(self) -> float:
        """Mean over the draws; NaN where the number is undefined in one of them."""
        return float(np.mean(self.draws))

    @property
    def median(self) -> float:
        return float(np.median(self.draws))


@dataclass(frozen=True)
class Trajectories:
    """Results of the three tests for a network.

    ``linear``, ``elsewhere``: variance after ``AHEAD`` steps that the linear map at the nearest point, and at the
    nearest of equally many visited states, explains; 0 is no better than no movement.  ``reached``: fraction of states
    that end within ``REACHED`` of a point.  ``predicted``, ``most_frequent``: fraction whose end is the stable point
    nearest to the start, and the most frequent end; NaN if no state ends at a stable point.  ``answer``, ``present``:
    fraction of channels whose answer at the end is that of this point, and that at the start.
    """

    linear: tuple[Estimate, ...]
    elsewhere: tuple[Estimate, ...]
    reached: Estimate
    predicted: Estimate
    most_frequent: Estimate
    answer: Estimate
    present: Estimate


def trajectories(network: Network, points: FixedPoints, seed: int = 0, draws: int = DRAWS) -> Trajectories:
    """Apply the three tests to the points under zero input, with ``draws`` draws of sequences and visited states."""
    seeds = [seed + _APART * draw for draw in range(draws)]
    at_points, elsewhere = zip(*(_next_steps(network, points, number) for number in seeds), strict=True)
    ends = zip(*(_under_zero_input(network, points, number) for number in seeds), strict=True)
    return Trajectories(_explained(at_points), _explained(elsewhere), *map(_fraction, ends))


def _next_steps(network: Network, points: FixedPoints, seed: int) -> tuple[LinearPrediction, LinearPrediction]:
    """Predict by the linear maps at the points, and at equally many visited states."""
    inputs, _ = task_from_name(network.task).sequences(SEQUENCES, STEPS, TASK_SEED + seed + 1)
    x, states = task_runs(network, inputs)
    visited = visited_states(network, len(points), seed=seed + 1).numpy()
    elsewhere = StatesAndInputs(visited, np.zeros((len(points), x.shape[-1])))
    at_points, other = (predict_linearly(network.cell, at, states, x, max(AHEAD)) for at in (points, elsewhere))
    return at_points, other


def _explained(predictions: Sequence[LinearPrediction]) -> tuple[Estimate, ...]:
    """Return the explained variance after ``AHEAD`` steps, with a jackknife over the sequences of all draws."""
    columns = [k - 1 for k in AHEAD]
    error = np.concatenate([one.squared_error[:, columns] for one in predictions])
    baseline = np.concatenate([one.squared_baseline[:, columns] for one in predictions])
    count = len(error)
    left_out = 1 - (error.sum(axis=0) - error) / (baseline.sum(axis=0) - baseline)
    spread = np.sqrt((count - 1) / count * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    by_draw = np.array([one.explained[columns] for one in predictions])
    return tuple(Estimate(tuple(by_draw[:, k].tolist()), float(spread[k])) for k in range(len(columns)))


def _fraction(draws: Sequence[Floats]) -> Estimate:
    """Return the mean of each draw's values, one a sequence, and the standard error of the mean over all of them."""
    values = np.concatenate(draws)
    error = float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
    return Estimate(tuple(float(draw.mean()) if len(draw) else float("nan") for draw in draws), error)


@torch.no_grad()
def _under_zero_input(network: Network, points: FixedPoints, seed: int) -> tuple[Floats, ...]:
    """Return ``reached`` to ``present`` of every state, as numbers between 0 and 1; empty where undefined."""
    cell = network.cell.to(dtype=torch.float64)
    begin = end = visited_states(network, STATES, seed=seed + 2)
    zero = input_from_name(network, "zero")
    for _ in range(SETTLING):
        end = cell.step(zero, end)[0]
    reached = torch.cdist(end, torch.from_numpy(points.states)).amin(dim=1) < REACHED
    stable = points[points.fixed & (points.unstable == 0)]
    if not len(stable):
        return reached.double().numpy(), *[np.empty(0)] * 4
    places = torch.from_numpy(stable.states)
    nearest = torch.cdist(begin, places).argmin(dim=1)
    there, last = torch.cdist(end, places).min(dim=1)
    arrived = there < REACHED
    ends = last[arrived]
    most_frequent = ends == (ends.bincount().argmax() if len(ends) else 0)
    answer = torch.from_numpy(stable.readout)[nearest] > 0
    at_start, at_end = (_answers(network, states) for states in (begin, end))
    values = (
        *(reached, nearest[arrived] == ends, most_frequent),
        *((given == at_end).double().mean(dim=1) for given in (answer, at_start)),
    )
    return tuple(value.double().numpy() for value in values)


def _answers(network: Network, states: torch.Tensor) -> torch.Tensor:
    return network.to(dtype=torch.float64).readout(network.cell.split(states)["h"]) > 0


def sample_paths(network: Network, count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return h along runs of the task, (run, time, n), for Figure 10."""
    inputs, _ = task_from_name(network.task).sequences(count, STEPS, TASK_SEED + seed + 3)
    return network.cell.split(task_runs(network, inputs)[1])["h"].numpy()

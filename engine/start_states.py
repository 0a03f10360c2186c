"""Where a search for fixed points starts, and under which input: states of real runs, and inputs by name."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.network import Network, pad
from engine.tasks import task_from_name

TASK_SEED = 2**32
"""Seeds of the sequences runs are made of; training and testing stay below."""

_STEPS = 100


@torch.inference_mode()
def visited_states(
    network: Network,
    count: int,
    *,
    seed: int = 0,
    noise: float = 0.0,
    reviews: Sequence[NDArray[np.integer]] | None = None,
) -> Tensor:
    """Draw states from real runs, each from a run of its own as far as there are runs.

    States of one run depend on each other: an error of anything computed from them must treat the run as the unit.

    Parameters
    ----------
    network : Network
        A task network runs fresh sequences of its task; one that reads words runs ``reviews``.
    count : int
    seed : int
        Decides the sequences, the draw and the noise.
    noise : float
        Standard deviation of normal noise added to every number of every state.
    reviews : list of (time,) id arrays, optional
        What a network that reads words reads.

    Returns
    -------
    (count, S) float64 tensor

    Raises
    ------
    ValueError
        If a network that reads words gets no reviews, or its reviews hold no word at all.
    """
    rng = np.random.default_rng(seed)
    runs = _read(network, reviews) if network.embedding is not None else _perform(network, count, seed)
    which = rng.permutation(np.resize(np.arange(len(runs)), count))  # as even as the number of runs allows
    drawn = torch.stack([runs[run][rng.integers(len(runs[run]))] for run in which.tolist()])
    return drawn + noise * torch.from_numpy(rng.standard_normal(drawn.shape)).to(drawn)


def input_from_name(network: Network, name: str) -> Tensor:
    """The input vector a name stands for, (inputs,) float64.

    ``zero``; ``+1``, ``-1``, ``+0.5`` or any number, in every component; ``mean``, the mean embedding of all words;
    numbers separated by commas, the vector itself; or a word, if the network reads words.

    Raises
    ------
    ValueError
        If the network knows no such word, or takes vectors of another length.
    """
    n, embedding = network.cell.inputs, network.embedding
    if name == "zero":
        return torch.zeros(n, dtype=torch.float64)
    if embedding is not None and network.vocabulary is not None:
        if name == "mean":
            return embedding[2:].double().mean(dim=0)  # ids 0 and 1 are no words
        if name in network.vocabulary.words:
            return network.embed(network.vocabulary.encode([name]))[0].double()
    try:
        numbers = [float(part) for part in name.split(",")]
    except ValueError:
        known = "zero, a number, numbers separated by commas" + ("" if embedding is None else ", mean, a known word")
        raise ValueError(f"{network.name} has no input called {name!r}; expected {known}") from None
    if len(numbers) not in (1, n) or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{network.name} takes {n} finite numbers (or one for all), got {name!r}")
    return torch.tensor(numbers, dtype=torch.float64).expand(n).clone()


def task_runs(network: Network, inputs: NDArray[np.floating]) -> tuple[Tensor, Tensor]:
    """A task network over (sequence, time, channel) inputs: the inputs as float64, and the state after every step."""
    x = torch.from_numpy(inputs).to(device=network.cell.device, dtype=torch.float64)
    return x, _states(network, x)


def _perform(network: Network, count: int, seed: int) -> Sequence[Tensor]:
    inputs, _ = task_from_name(network.task).sequences(count, _STEPS, TASK_SEED + seed)
    return list(task_runs(network, inputs)[1])


def _read(network: Network, reviews: Sequence[NDArray[np.integer]] | None) -> Sequence[Tensor]:
    whole = [np.asarray(review, dtype=np.int32) for review in reviews or () if len(review)]
    if not whole:
        raise ValueError(f"{network.name} reads words: visited states need at least one review")
    states = _states(network, network.embed(pad(whole)).double())
    return [rows[: len(review)] for rows, review in zip(states, whole, strict=True)]


def _states(network: Network, x: Tensor) -> Tensor:
    """(sequence, time, inputs) → the states after every step, (sequence, time, S)."""
    _, signals = network.cell.to(dtype=torch.float64).run(x)
    return torch.cat([signals[part] for part in network.cell.state_parts], dim=-1)

"""Initial states and inputs for a search of fixed points: states that real runs visit, and inputs by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.network import Network, pad
from engine.reviews import CUT, open_reviews
from engine.sequences import encode
from engine.tasks import task_from_name

TASK_SEED = 2**32
"""First seed of the task sequences used here; training and test use smaller seeds."""

_STEPS = 100
_REVIEWS = 20  # bundled reviews over which the mean input of an upper layer is taken


@torch.inference_mode()
def visited_states(
    network: Network,
    count: int,
    *,
    seed: int = 0,
    noise: float = 0.0,
    reviews: Sequence[NDArray[Any]] | None = None,
) -> Tensor:
    """Draw states that the network visits, each from a different run as long as there are runs.

    States of one run are dependent: an error estimate must treat the run as the unit.

    Parameters
    ----------
    network : Network
        A task network runs new sequences of its task; a network that reads words runs ``reviews``.
    count : int
    seed : int
        Seed of the sequences, the draw and the noise.
    noise : float
        Standard deviation of the normal noise added to every component of every state.
    reviews : list of (time,) id arrays, or of (time, inputs) vectors, optional
        Reviews for a network that reads words; sequences for one that takes vectors, instead of those of its task.

    Returns
    -------
    (count, S) float64 tensor

    Raises
    ------
    ValueError
        If a network that reads words gets no reviews, or only reviews without words; if another one has no task.
    """
    rng = np.random.default_rng(seed)
    read = network.embedding is not None or bool(reviews)
    runs = _runs_of_reviews(network, reviews) if read else _runs_of_task(network, count, seed)
    which = rng.permutation(np.resize(np.arange(len(runs)), count))  # as even as the number of runs allows
    drawn = torch.stack([runs[run][rng.integers(len(runs[run]))] for run in which.tolist()])
    return drawn + noise * torch.from_numpy(rng.standard_normal(drawn.shape)).to(drawn)


def input_from_name(network: Network, name: str) -> Tensor:
    """Return the input vector of a name, (inputs,) float64.

    Names are ``zero``; a number such as ``+1`` or ``-0.5``, for every component; numbers separated by commas, the
    vector itself; and, for a network that reads words, ``mean``, the mean embedding of all words, or a word. Of an
    upper layer ``mean`` is the mean of what the layer below puts out over the first bundled reviews.

    Raises
    ------
    ValueError
        If the vocabulary lacks the word, or the vector has another length than the network's input.
    """
    n, embedding = network.cell.inputs, network.embedding
    if name == "zero":
        return torch.zeros(n, dtype=torch.float64)
    if name == "mean" and embedding is None and network.unit != "step":
        return _mean_input(network)
    if embedding is not None and network.vocabulary is not None:
        if name == "mean":
            return embedding[2:].double().mean(dim=0)  # ids 0 and 1 are padding and unknown
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


def _mean_input(network: Network) -> Tensor:
    texts = (network.split(review.text)[:CUT] for review in open_reviews(None)[:_REVIEWS])
    return torch.cat([torch.from_numpy(encode(network, words, "a review")) for words in texts]).double().mean(dim=0)


def task_runs(network: Network, inputs: NDArray[np.floating]) -> tuple[Tensor, Tensor]:
    """Run a task network on (sequence, time, channel) inputs; return them as float64 and the state after every step."""
    x = torch.from_numpy(inputs).to(device=network.cell.device, dtype=torch.float64)
    return x, _states(network, x)


def _runs_of_task(network: Network, count: int, seed: int) -> Sequence[Tensor]:
    try:
        task = task_from_name(network.task)
    except ValueError:
        raise ValueError(
            f"{network.name} takes vectors, and its file names no task whose sequences could give start states; import "
            "it again with --task, such as: pinkx import FILE --task flip-flop-3"
        ) from None
    inputs, _ = task.sequences(count, _STEPS, TASK_SEED + seed)
    return list(task_runs(network, inputs)[1])


def _runs_of_reviews(network: Network, reviews: Sequence[NDArray[Any]] | None) -> Sequence[Tensor]:
    whole = [np.asarray(review)[:: -1 if network.backward else 1] for review in reviews or () if len(review)]
    if not whole:
        raise ValueError(f"{network.name} reads words: expected at least one review with words, to visit states")
    if network.embedding is None:
        return [_states(network, network.embed(x.copy()).double().unsqueeze(0))[0] for x in whole]
    states = _states(network, network.embed(pad(whole)).double())
    return [rows[: len(review)] for rows, review in zip(states, whole, strict=True)]


def _states(network: Network, x: Tensor) -> Tensor:
    """Run (sequence, time, inputs) and return the state after every step, (sequence, time, S)."""
    _, signals = network.cell.to(dtype=torch.float64).run(x)
    return torch.cat([signals[part] for part in network.cell.state_parts], dim=-1)

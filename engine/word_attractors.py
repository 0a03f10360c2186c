"""Word attractors: the state that the network approaches when one word repeats without end.

Where that is a certified fixed point, its readout is the asymptotic logit of the word, and its slowest time constant
the memory of the network under that word.  Elsewhere the network runs round a cycle, drifts or moves on, and has no
time constant.  Maheswaranathan et al. (NeurIPS 2019) find these states along a line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import interruption
from engine.arrays import load_arrays, save_arrays
from engine.cells import Cell
from engine.cycles import periods
from engine.fixed_points import FIXED, certify
from engine.network import Network
from engine.newton import solve
from engine.reduced import reduced_equation

REPETITIONS = 1000
"""Repetitions of the word before Newton's method starts from the state reached."""

NEAR = 0.5
"""Largest Euclidean distance, in h, between the state reached and the root taken for its limit."""

SLOW = 1e-5
"""A state that is not a certified root counts as slow when q is below this: it moves less than 0.0045 a word."""

_BLOCK = 256
_KIND = "word attractors of pinkx, 3"
_LAYOUT = {
    "words": "U V",
    "states": "f V S",
    "fixed": "b V",
    "q": "f V",
    "logit": "f V",
    "time_constant": "f V",
    "period": "i V",
    "amplitude": "f V",
}


@dataclass(frozen=True)
class WordAttractors:
    """One row for each word, in the vocabulary's order.

    Attributes
    ----------
    words : (V,) tuple of str
    states : (V, S)
        State after the repetitions, from the zero state, or the root next to it.
    fixed : (V,) bool
        True for a certified root; otherwise the network still moves, slowly or in a cycle, after ``REPETITIONS``.
    q : (V,)
        Speed ½‖F − s‖² of the state.
    logit : (V,)
        Logit of the first output.
    time_constant : (V,)
        Slowest time constant of the root in words, 1/|ln|λ₁||; NaN without one.
    period : (V,) int
        Repetitions after which the state returns: 1 at a root or in a drift, 0 if it does not return.
    amplitude : (V,)
        Largest distance between two states of a cycle, Euclidean; 0 at a root, NaN for other words.
    """

    words: tuple[str, ...]
    states: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    q: NDArray[np.float64]
    logit: NDArray[np.float64]
    time_constant: NDArray[np.float64]
    period: NDArray[np.int64]
    amplitude: NDArray[np.float64]

    @property
    def slow(self) -> NDArray[np.bool_]:
        """True for a state that is not a certified root but hardly moves, (V,)."""
        return ~self.fixed & (self.q < SLOW)

    @property
    def kind(self) -> NDArray[np.str_]:
        """``fixed``, ``cycle``, ``drifting`` (slower than ``SLOW``) or ``moving``, (V,)."""
        drifting = self.slow | (self.period == 1)
        return np.select([self.fixed, self.period > 1, drifting], ["fixed", "cycle", "drifting"], "moving")

    def order_by_logit(self) -> NDArray[np.int64]:
        """Return the rows in order of the logit, from the most negative word to the most positive."""
        return np.argsort(self.logit, kind="stable")

    def save(self, path: str | Path) -> None:
        """Write one ``.npz`` file, without pickle."""
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        save_arrays(path, _KIND, arrays)

    @classmethod
    def load(cls, path: str | Path) -> WordAttractors:
        """Read a file written by ``save``; ValueError if it is damaged or holds something else."""
        found: dict[str, Any] = load_arrays(path, _KIND, _LAYOUT)
        return cls(**found | {"words": tuple(found["words"].tolist())})


@torch.no_grad()
def word_attractors(
    network: Network, *, progress: Callable[[int, int], bool | None] | None = None
) -> WordAttractors | None:
    """Find the attractor of each word of the vocabulary.

    Parameters
    ----------
    network : Network
        A network that reads words.
    progress : callable, optional
        Called with (words done, number of words); returning False stops the search, and the result is None.

    Raises
    ------
    ValueError
        If the network does not read words.
    """
    if network.vocabulary is None or network.embedding is None:
        raise ValueError(
            f"{network.title} takes vectors, not words, and has no word attractors; choose "
            f"{'a network of words' if network.text_vocabulary is None else 'the first layer'}"
        )
    words = network.vocabulary.words
    ids = torch.from_numpy(network.vocabulary.encode(words)).long()
    network = network.to(dtype=torch.float64)
    cell = network.cell
    states, time_constants, done = [], [], 0
    for block in ids.split(_BLOCK):
        x = network.embed(block)
        end = _repeat(cell, x)
        states.append(end)
        time_constants.append(_time_constant(cell, x, end))
        done += len(block)
        if progress is not None and progress(done, len(ids)) is False:
            return None
    state = torch.cat(states)
    q, step, _ = certify(cell, network.embed(ids), state)
    fixed = (step < FIXED).cpu().numpy()
    period, amplitude = _cycles(cell, network.embed(ids), state, ~fixed)
    logit = network.readout(cell.split(state)["h"])[:, 0]
    return WordAttractors(
        words,
        state.cpu().numpy(),
        fixed,
        q.cpu().numpy(),
        logit.cpu().numpy(),
        np.where(fixed, torch.cat(time_constants).cpu().numpy(), np.nan),
        period,
        amplitude,
    )


def _repeat(cell: Cell, x: Tensor) -> Tensor:
    state = cell.initial_state(len(x))
    for _ in range(REPETITIONS):
        interruption.allow()
        state = cell.step(x, state)[0]
    equation = reduced_equation(cell)
    h = equation.unknowns(state)
    root = solve(equation, x, h)
    near = ((root - h).norm(dim=-1) < NEAR) & (equation.residual(x, root).abs().amax(-1) < FIXED)
    return torch.where(near.unsqueeze(-1), equation.state(x, root), state)


def _cycles(
    cell: Cell, x: Tensor, state: Tensor, moving: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the periods and amplitudes of the words that are ``moving``; 1 and 0 for the others."""
    period, amplitude = np.ones(len(x), dtype=np.int64), np.zeros(len(x))
    rows = np.flatnonzero(moving)
    if not len(rows):
        return period, amplitude
    x, state = x[rows], state[rows]
    found = periods(cell, x, state)
    orbit = [state]
    while len(orbit) < found.max():
        orbit.append(cell.step(x, orbit[-1])[0])
    period[rows], amplitude[rows] = found, np.nan
    for length in np.unique(found[found > 1]).tolist():
        here = found == length
        states = torch.stack(orbit[:length])[:, here].transpose(0, 1)
        amplitude[rows[here]] = torch.cdist(states, states).amax((-2, -1)).cpu().numpy()
    return period, amplitude


def _time_constant(cell: Cell, x: Tensor, state: Tensor) -> Tensor:
    slowest = torch.linalg.eigvals(cell.jacobian(x, state)).abs().amax(-1)
    return 1 / slowest.log().abs()

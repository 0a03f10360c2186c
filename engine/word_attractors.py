"""Word attractors: where the network would end if one word were repeated for ever.

Every word has such an address.  Its readout is the word's lasting opinion, its slowest time constant the memory that
the network has while it reads it (Maheswaranathan et al., NeurIPS 2019, find them along a line).
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

from engine.arrays import load_arrays, save_arrays
from engine.cells import Cell
from engine.fixed_points import FIXED, certify
from engine.network import Network
from engine.newton import solve
from engine.reduced import reduced_equation

STEPS = 1000
"""Repetitions of the word before the root beside the state is solved for."""

SAME = 0.5
"""A root further (Euclidean, in h) than this from where the repetitions led belongs to somewhere else."""

RESTING = 1e-5
"""A state that is not certified hardly moves when q is below this: under 0.0045 a word."""

_BLOCK = 256
_KIND = "word attractors of pinkx, 1"


@dataclass(frozen=True)
class WordAttractors:
    """One row for each word, in the vocabulary's order.

    Attributes
    ----------
    words : (V,) tuple of str
    states : (V, S)
        Where the word leads from the zero state.
    fixed : (V,) bool
        The state is a certified root; elsewhere the network still moves (slowly, or around a cycle) after ``STEPS``.
    q : (V,)
        Speed there, ½‖F − s‖².
    logit : (V,)
        The first readout.
    time_constant : (V,)
        Slowest time constant in words, 1/|ln|λ₁||.
    """

    words: tuple[str, ...]
    states: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    q: NDArray[np.float64]
    logit: NDArray[np.float64]
    time_constant: NDArray[np.float64]

    @property
    def slow(self) -> NDArray[np.bool_]:
        """Not certified, but hardly moving."""
        return ~self.fixed & (self.q < RESTING)

    def order_by_logit(self) -> NDArray[np.int64]:
        """Rows from the most negative word to the most positive."""
        return np.argsort(self.logit, kind="stable")

    def save(self, path: str | Path) -> None:
        """Write one ``.npz``, without pickle."""
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        save_arrays(path, _KIND, arrays)

    @classmethod
    def load(cls, path: str | Path) -> WordAttractors:
        """Read what ``save`` wrote; ValueError if it is something else or damaged."""
        found: dict[str, Any] = load_arrays(path, _KIND, (field.name for field in fields(cls)))
        return cls(**found | {"words": tuple(found["words"].tolist())})


@torch.no_grad()
def word_attractors(
    network: Network, *, progress: Callable[[int, int], bool | None] | None = None
) -> WordAttractors | None:
    """Repeat each word of the vocabulary for ever.

    Parameters
    ----------
    network : Network
        One that reads words.
    progress : callable, optional
        Called with (words done, words); returning False stops, and the result is None.

    Raises
    ------
    ValueError
        If the network does not read words.
    """
    if network.vocabulary is None or network.embedding is None:
        raise ValueError(f"{network.name} takes vectors, not words: it has no word attractors")
    words = network.vocabulary.words
    ids = torch.from_numpy(network.vocabulary.encode(words)).long()
    network = network.to(dtype=torch.float64)
    cell = network.cell
    states, memory, done = [], [], 0
    for block in ids.split(_BLOCK):
        x = network.embed(block)
        end = _repeat(cell, x)
        states.append(end)
        memory.append(_memory(cell, x, end))
        done += len(block)
        if progress is not None and progress(done, len(ids)) is False:
            return None
    state = torch.cat(states)
    q, step, _ = certify(cell, network.embed(ids), state)
    logit = network.readout(cell.split(state)["h"])[:, 0]
    return WordAttractors(
        words,
        state.cpu().numpy(),
        (step < FIXED).cpu().numpy(),
        q.cpu().numpy(),
        logit.cpu().numpy(),
        torch.cat(memory).cpu().numpy(),
    )


def _repeat(cell: Cell, x: Tensor) -> Tensor:
    state = cell.initial_state(len(x))
    for _ in range(STEPS):
        state = cell.step(x, state)[0]
    equation = reduced_equation(cell)
    h = equation.unknowns(state)
    root = solve(equation, x, h)
    near = ((root - h).norm(dim=-1) < SAME) & (equation.residual(x, root).abs().amax(-1) < FIXED)
    return torch.where(near.unsqueeze(-1), equation.state(x, root), state)


def _memory(cell: Cell, x: Tensor, state: Tensor) -> Tensor:
    slowest = torch.linalg.eigvals(cell.jacobian(x, state)).abs().amax(-1)
    return 1 / slowest.log().abs()

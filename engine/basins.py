"""Basins of attraction: the share of states that ends at each attractor under a constant input, with its confidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.arrays import load_arrays, save_arrays
from engine.cells import Cell
from engine.cycles import LONGEST, STEPS, Cycle, find_cycles, settle

CHECK = 200
"""Steps between two tests of where the states are; one that is at the same stable point twice has ended there."""

SETTLED = 1e-9
"""A state that comes this near (Euclidean) to where it was, within ``LONGEST`` steps, is on a cycle or at rest."""

NEAR = 1e-2
"""A settled state this near (Euclidean) to a stable point has ended there."""


@dataclass(frozen=True, eq=False)
class Basins:
    """Numbers of states that end at each attractor under a constant input.

    Attributes
    ----------
    points : (A,) int array
        Rows of the stable points, as given.
    counts : (A,) int array
        Number of states that ended at each.
    cycles : list of Cycle
        Orbits at which other states ended; their ``hits`` count them.
    elsewhere : int
        States that ended at neither: they still drift, or move without a period.
    states : int
        Number of states.
    """

    points: NDArray[np.int64]
    counts: NDArray[np.int64]
    cycles: list[Cycle]
    elsewhere: int
    states: int

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the states that ended at each point, (A,)."""
        return self.counts / max(self.states, 1)

    def interval(self, level: float = 0.95) -> NDArray[np.float64]:
        """Wilson's confidence interval of each share, (A, 2), for states drawn independently."""
        return wilson(self.counts, self.states, level)

    def save(self, path: str | Path) -> None:
        """Write one ``.npz`` file, without pickle."""
        cycles = self.cycles
        arrays: dict[str, NDArray[np.generic]] = {
            "points": self.points,
            "counts": self.counts,
            "periods": np.array([cycle.period for cycle in cycles], dtype=np.int64),
            "orbits": np.concatenate([cycle.states for cycle in cycles]) if cycles else np.empty((0, 0)),
            "multipliers": np.array([cycle.multipliers for cycle in cycles], dtype=np.complex128),
            "newton_steps": np.array([cycle.newton_step for cycle in cycles]),
            "hits": np.array([cycle.hits for cycle in cycles], dtype=np.int64),
            "elsewhere": np.array(self.elsewhere),
            "states": np.array(self.states),
        }
        save_arrays(path, _KIND, arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file written by ``save``; raise ``ValueError`` if it is damaged or holds something else."""
        read: dict[str, NDArray[Any]] = load_arrays(path, _KIND, _LAYOUT)
        if read["periods"].min(initial=1) < 1 or read["periods"].sum() != len(read["orbits"]):
            raise ValueError(f"{path}: the periods of the cycles do not fit their {len(read['orbits'])} states")
        orbits = np.split(read["orbits"], np.cumsum(read["periods"])[:-1]) if len(read["periods"]) else []
        rows = zip(orbits, read["multipliers"], read["newton_steps"].tolist(), read["hits"].tolist(), strict=True)
        cycles = [Cycle(*row) for row in rows]
        return cls(read["points"], read["counts"], cycles, int(read["elsewhere"]), int(read["states"]))


class Ends(NamedTuple):
    """Attractors at which visited and uniformly drawn states end under one input."""

    visited: Basins
    uniform: Basins


_KIND = "basins of pinkx, 1"
_LAYOUT = {
    "points": "i A",
    "counts": "i A",
    "periods": "i C",
    "orbits": "f state S",
    "multipliers": "c C S",
    "newton_steps": "f C",
    "hits": "i C",
    "elsewhere": "i",
    "states": "i",
}


def wilson(counts: NDArray[np.int64], total: int, level: float = 0.95) -> NDArray[np.float64]:
    """Return Wilson's score interval of binomial shares, (..., 2); the whole of [0, 1] for no trial.

    Source: Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    from scipy.special import ndtri

    if not total:
        return np.broadcast_to([0.0, 1.0], (*np.shape(counts), 2)).copy()
    z = ndtri(0.5 + level / 2)
    share = counts / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return np.clip(np.stack([middle - half, middle + half], axis=-1), 0, 1)


@torch.no_grad()
def basins(
    cell: Cell,
    x: Tensor,
    stable: Tensor,
    starts: Tensor,
    *,
    points: NDArray[np.int64] | None = None,
    progress: Callable[[int, int], bool | None] | None = None,
) -> Basins | None:
    """Iterate every start under the constant input and count where it ends.

    Parameters
    ----------
    cell : Cell
        Computed with in float64.
    x : (inputs,) tensor
    stable : (A, S) tensor
        States of the stable fixed points under that input.
    starts : (B, S) tensor
    points : (A,) int array, optional
        Names of the stable points; 0 … A − 1 otherwise.
    progress : callable, optional
        Called with (steps done, steps at most); returning False stops the computation, and the result is None.
    """
    cell = cell.to(dtype=torch.float64)
    inputs, stable, ends = x.double().expand(len(starts), -1), stable.double(), starts.double().clone()
    at, left = torch.full((len(ends),), -1), torch.arange(len(ends))
    for done in range(0, STEPS, CHECK):
        before, ends[left] = at[left], settle(cell, inputs[left], ends[left], steps=CHECK)
        at[left] = _nearest(ends[left], stable)
        arrived = (at[left] >= 0) & (at[left] == before)
        left = left[~arrived]
        left = left[~_returns(cell, inputs[left], ends[left])]
        if progress is not None and progress(done + CHECK, STEPS) is False:
            return None
        if not len(left):
            break
    which = at.numpy()
    cycles, orbit = find_cycles(cell, x, ends[torch.from_numpy(which < 0)])
    return Basins(
        points=np.arange(len(stable)) if points is None else points,
        counts=np.bincount(which[which >= 0], minlength=len(stable)),
        cycles=cycles,
        elsewhere=int((orbit < 0).sum()),
        states=len(ends),
    )


def _nearest(states: Tensor, stable: Tensor) -> Tensor:
    """The stable point at which each state is, −1 for none, (B,)."""
    if not len(stable):
        return torch.full((len(states),), -1)
    distance, nearest = torch.cdist(states, stable).min(dim=-1)
    return torch.where(distance < NEAR, nearest, -1).cpu()


def _returns(cell: Cell, x: Tensor, states: Tensor) -> Tensor:
    """Return whether each state returns to where it is, (B,)."""
    nearest, state = torch.full((len(states),), torch.inf, dtype=states.dtype, device=states.device), states
    for _ in range(LONGEST):
        state = cell.step(x, state)[0]
        nearest = torch.minimum(nearest, (state - states).norm(dim=-1))
    return (nearest < SETTLED).cpu()


def uniform_states(cell: Cell, count: int, *, seed: int = 0) -> Tensor:
    """Draw states (count, S) uniformly: h in [−1, 1]ⁿ, and for an LSTM c in [−2, 2]ⁿ."""
    draws = np.random.default_rng(seed).uniform(-1, 1, (count, cell.state_size))
    draws[:, cell.size :] *= 2
    return torch.from_numpy(draws)

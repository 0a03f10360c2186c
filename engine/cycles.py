"""Periodic orbits of a cell under a constant input: states with F^p(s, x) = s for a period p ≥ 2.

The network itself ends at an orbit that attracts: every start is iterated, the smallest period after which the state
returns is taken, and Newton on F^p(s) − s polishes one state of the orbit.  It is certified like a fixed point,
by the Newton step ‖(J − I)⁻¹(F^p(s) − s)‖ with J = ∂F^p/∂s, the product of the Jacobians along the orbit.
The eigenvalues of J are the orbit's multipliers: |μ| < 1 for all of them where it attracts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import interruption
from engine.cells import Cell

STEPS = 4000
"""Iterations before the period is determined."""

LONGEST = 32
"""Longest period looked for."""

RETURNED = 1e-3
"""A state that comes this near (Euclidean) to where it was has returned."""

CERTIFIED = 1e-8
"""An orbit is certified when its Newton step is shorter than this."""

SAME = 1e-4
"""Orbits with a state nearer than this (Euclidean) are one orbit."""

_POLISH = 20


@dataclass(frozen=True, eq=False)
class Cycle:
    """One certified periodic orbit.

    Attributes
    ----------
    states : (p, S) array
        The states in the order in which they are visited; the first is the one with the smallest first component.
    multipliers : (S,) complex array
        Eigenvalues of ∂F^p/∂s, by falling modulus.
    newton_step : float
    hits : int
        How many starts ended here.
    """

    states: NDArray[np.float64]
    multipliers: NDArray[np.complex128]
    newton_step: float
    hits: int

    @property
    def period(self) -> int:
        return len(self.states)

    @property
    def amplitude(self) -> float:
        """Largest distance between two states of the orbit, Euclidean."""
        return float(np.linalg.norm(self.states[:, None] - self.states[None], axis=-1).max())

    @property
    def stable(self) -> bool:
        return bool((np.abs(self.multipliers) < 1).all())


@torch.no_grad()
def settle(cell: Cell, x: Tensor, starts: Tensor, *, steps: int = STEPS) -> Tensor:
    """Return the states (B, S) after ``steps`` iterations under inputs (B, inputs)."""
    state = starts
    for _ in range(steps):
        interruption.allow()
        state = cell.step(x, state)[0]
    return state


@torch.no_grad()
def periods(cell: Cell, x: Tensor, states: Tensor, *, longest: int = LONGEST) -> NDArray[np.int64]:
    """Return the smallest p for which F^p(s, x) returns to s, (B,); 1 at rest, 0 where no p ≤ ``longest`` does.

    A state that drifts slowly moves less in one step than ``RETURNED`` too; the Newton step distinguishes it
    from one at rest.
    """
    found = np.zeros(len(states), dtype=np.int64)
    distance = np.empty((longest, len(states)))
    state = states
    for p in range(longest):
        state = cell.step(x, state)[0]
        distance[p] = (state - states).norm(dim=-1).cpu().numpy()
    for p in range(longest, 0, -1):
        # A multiple of the period returns as well, and a drift returns a little worse at every step: the first counts.
        found[distance[p - 1] < RETURNED] = p
    return found


@torch.no_grad()
def find_cycles(
    cell: Cell, x: Tensor, states: Tensor, *, longest: int = LONGEST
) -> tuple[list[Cycle], NDArray[np.int64]]:
    """Find the orbits of period 2 … ``longest`` at which settled states are.

    Parameters
    ----------
    cell : Cell
        Computed with in float64.
    x : (inputs,) tensor
        The constant input.
    states : (B, S) tensor
        States that have settled, see ``settle``.

    Returns
    -------
    cycles : list of Cycle
        Certified orbits, each once, by falling hits.
    which : (B,) array
        The number of the orbit at which each state is, −1 where none is certified.
    """
    cell = cell.to(dtype=torch.float64)
    x, states = x.double(), states.double()
    which = np.full(len(states), -1, dtype=np.int64)
    orbits: list[tuple[Tensor, NDArray[np.complex128], float]] = []
    period = periods(cell, x.expand(len(states), -1), states, longest=longest)
    for row in np.flatnonzero(period > 1).tolist():
        known = next((k for k, (orbit, _, _) in enumerate(orbits) if _on(orbit, states[row])), None)
        if known is None:
            orbit, multipliers, step = _polish(cell, x, states[row], int(period[row]))
            if not step < CERTIFIED or _smaller_period(orbit):
                continue
            known = next((k for k, (other, _, _) in enumerate(orbits) if _on(other, orbit[0], SAME)), len(orbits))
            if known == len(orbits):
                orbits.append((orbit, multipliers, step))
        which[row] = known
    hits = np.bincount(which[which >= 0], minlength=len(orbits))
    order = np.argsort(-hits, kind="stable")
    rank = np.argsort(order)
    cycles = [Cycle(orbits[k][0].cpu().numpy(), orbits[k][1], orbits[k][2], int(hits[k])) for k in order]
    which[which >= 0] = rank[which[which >= 0]]
    return cycles, which


def _polish(cell: Cell, x: Tensor, state: Tensor, period: int) -> tuple[Tensor, NDArray[np.complex128], float]:
    """Newton on F^p(s) − s from a state near the orbit: the orbit, its multipliers and the last Newton step."""
    identity = torch.eye(cell.state_size, dtype=state.dtype, device=state.device)
    for _ in range(_POLISH):
        image, jacobian, _ = _around(cell, x, state, period)
        step, failed = torch.linalg.solve_ex(jacobian - identity, image - state)
        if failed or not step.isfinite().all():
            return state.unsqueeze(0), np.empty(0, dtype=np.complex128), float("inf")
        length = float(step.norm())
        if length < 1e-12:
            break
        state = state - step
    image, jacobian, orbit = _around(cell, x, state, period)
    length = float(torch.linalg.solve_ex(jacobian - identity, image - state)[0].norm())
    values = torch.linalg.eigvals(jacobian).cpu().numpy()
    first = int(orbit[:, 0].argmin())
    return orbit.roll(-first, dims=0), values[np.argsort(-np.abs(values), kind="stable")], length


def _around(cell: Cell, x: Tensor, state: Tensor, period: int) -> tuple[Tensor, Tensor, Tensor]:
    """F^p(s), ∂F^p/∂s and the p states from s on."""
    orbit, product = [], torch.eye(cell.state_size, dtype=state.dtype, device=state.device)
    for _ in range(period):
        orbit.append(state)
        product = cell.jacobian(x, state) @ product
        state = cell.step(x, state)[0]
    return state, product, torch.stack(orbit)


def _on(orbit: Tensor, state: Tensor, tolerance: float = RETURNED) -> bool:
    return bool((orbit - state).norm(dim=-1).min() < tolerance)


def _smaller_period(orbit: Tensor) -> bool:
    """Return whether a state comes back before the orbit closes: its period is smaller, or it is a fixed point."""
    return bool((orbit[1:] - orbit[0]).norm(dim=-1).min() < SAME)

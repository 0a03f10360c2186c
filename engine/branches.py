"""Branches of fixed points along a change of the input: where points appear, vanish and change stability.

The fixed points of x(p) = x₀ + p (x₁ − x₀) form curves in (h, p).  They are followed by pseudo-arclength continuation
from the points known at both ends.  A *fold* is where a curve turns back in p: two points meet and vanish.  Where the
number of unstable directions changes elsewhere, an eigenvalue crosses |λ| = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.arrays import save_arrays
from engine.cells import Cell
from engine.completeness import SAME
from engine.continuation import Ended, Linear, trace
from engine.network import Network
from engine.newton import solve
from engine.points import FixedPoints
from engine.reduced import Equation, reduced_equation
from engine.start_states import input_from_name

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Branch:
    """One curve of fixed points.

    Attributes
    ----------
    weight : (K,) array
        p at every place, 0 at x₀ and 1 at x₁.
    states : (K, S) array
    unstable : (K,) int array
        Unstable directions, |λ| > 1 of the full map.
    slowest : (K,) array
        The largest |λ|.
    readout : (K, k) array
        Logits along the curve; k = 0 where no readout was given.
    folds : int array
        Places before which p turns.
    crossings : int array
        Places before which the number of unstable directions changes, other than at a fold.
    ended : "low", "high" or "stuck"
    """

    weight: Array
    states: Array
    unstable: NDArray[np.int64]
    slowest: Array
    readout: Array
    folds: NDArray[np.int64]
    crossings: NDArray[np.int64]
    ended: Ended


class Section(NamedTuple):
    """A straight change of the input: the names of the inputs at both ends, and the weight there."""

    begin: str
    end: str
    low: float
    high: float


def sections(network: Network, target: str) -> list[Section]:
    """Return the changes of the input for a word, or for a channel by its number from 1.

    The weight of a word rises from 0 (zero input) to 1.  A channel rises from −1 to 1, in two sections that meet at
    zero input, where most points exist; the other channels are 0.

    Raises
    ------
    ValueError
        If the network has no such channel.  An unknown word fails when the input is looked up.
    """
    if network.embedding is not None:
        return [Section("zero", target, 0.0, 1.0)]
    channels = network.cell.inputs
    if not (target.isdecimal() and 1 <= int(target) <= channels):
        raise ValueError(f"{network.name} has no channel {target!r}; expected a number from 1 to {channels}")
    low, high = (",".join(str(value if k == int(target) - 1 else 0) for k in range(channels)) for value in (-1, 1))
    return [Section(low, "zero", -1.0, 0.0), Section("zero", high, 0.0, 1.0)]


def inputs_along(parts: Sequence[Section]) -> list[str]:
    """Return the names of the inputs at the ends of sections, each once."""
    return list(dict.fromkeys(name for part in parts for name in (part.begin, part.end)))


def branches_along(network: Network, parts: Sequence[Section], points: FixedPoints) -> list[Branch]:
    """Return the branches of all sections, by their smallest weight, from the points under ``inputs_along(parts)``."""
    fixed = points[points.fixed]
    inputs = {name: input_from_name(network, name) for name in inputs_along(parts)}
    states = {name: torch.from_numpy(fixed.states[fixed.input_names == name]) for name in inputs}
    followed = [
        replace(branch, weight=part.low + (part.high - part.low) * branch.weight)
        for part in parts
        for branch in branches(
            network.cell.to(dtype=torch.float64),
            *(inputs[part.begin], inputs[part.end], states[part.begin], states[part.end]),
            readout=(network.readout_weight, network.readout_bias),
        )
    ]
    return sorted(followed, key=lambda branch: (float(branch.weight.min()), -len(branch.weight)))


@torch.no_grad()
def branches(
    cell: Cell,
    x0: Tensor,
    x1: Tensor,
    start: Tensor,
    end: Tensor,
    *,
    readout: tuple[Tensor, Tensor] | None = None,
    longest: float = 0.1,
) -> list[Branch]:
    """Follow every fixed point at x₀, and those at x₁ that no curve has reached.

    Parameters
    ----------
    cell : Cell
        Computed with in float64.
    x0, x1 : (inputs,) tensors
    start : (P, S) tensor
        States of fixed points under x₀.
    end : (Q, S) tensor
        States of fixed points under x₁.
    readout : ((k, n), (k,)) tensors, optional
    longest : float
        Longest step, Euclidean in (h / √n, p).
    """
    cell = cell.to(dtype=torch.float64)
    equation = reduced_equation(cell)
    x0, x1 = x0.double(), x1.double()
    found: list[Branch] = []
    seen: dict[int, list[Tensor]] = {0: [], 1: []}  # h at which curves have begun or ended, by p
    for side, states in ((0, start), (1, end)):
        h = equation.unknowns(states.double())
        h = h[[not _among(row, seen[side]) for row in h]] if len(h) else h
        starts = torch.cat((h / _scale(cell), h.new_full((len(h), 1), float(side))), dim=-1)
        direction = h.new_full((len(h),), 1.0 - 2 * side)
        for curve in trace(_linear(cell, equation, x0, x1), starts, direction, longest=longest):
            places = curve.places
            if _among(places[0, :-1] * _scale(cell), seen[side]):
                continue  # the same curve, followed from its other end
            seen[side].append(places[0, :-1] * _scale(cell))
            if curve.ended != "stuck":
                bound = 1 if curve.ended == "high" else 0
                last = _at_bound(equation, x1 if bound else x0, places, float(bound), _scale(cell))
                places = torch.cat((places[:-1], last.unsqueeze(0)))
                seen[bound].append(last[:-1] * _scale(cell))
            found.append(_describe(cell, equation, x0, x1, places, curve.ended, readout))
    return found


def _at_bound(equation: Equation, x: Tensor, places: Tensor, bound: float, scale: float) -> Tensor:
    """The place where the last step crosses the bound: by a straight line, then polished."""
    before, after = places[-2], places[-1]
    guess = before + (bound - before[-1]) / (after[-1] - before[-1]) * (after - before)
    h = solve(equation, x.unsqueeze(0), guess[:-1].unsqueeze(0) * scale, creeping=0.0)[0]
    return torch.cat((h / scale, guess.new_tensor([bound])))


def _scale(cell: Cell) -> float:
    return float(cell.size**0.5)


def _linear(cell: Cell, equation: Equation, x0: Tensor, x1: Tensor) -> Linear:
    scale, change = _scale(cell), x1 - x0

    def linear(place: Tensor) -> tuple[Tensor, Tensor]:
        h, x = place[:, :-1] * scale, x0 + place[:, -1:] * change
        residual, jacobian = equation.linear(x, h)
        with torch.enable_grad():
            _, by_weight = torch.autograd.functional.jvp(
                lambda inputs: equation.residual(inputs, h), x, change.expand_as(x)
            )
        return residual / scale, torch.cat((jacobian, by_weight.unsqueeze(-1) / scale), dim=-1)

    return linear


def _among(h: Tensor, others: list[Tensor]) -> bool:
    return any(float((h - other).norm()) < SAME for other in others)


def _describe(
    cell: Cell,
    equation: Equation,
    x0: Tensor,
    x1: Tensor,
    places: Tensor,
    ended: Ended,
    readout: tuple[Tensor, Tensor] | None,
) -> Branch:
    weight = places[:, -1]
    x = x0 + weight.unsqueeze(-1) * (x1 - x0)
    states = equation.state(x, places[:, :-1] * _scale(cell))
    moduli = torch.linalg.eigvals(cell.jacobian(x, states)).abs()
    unstable = (moduli > 1).sum(dim=-1).cpu().numpy()
    p = weight.cpu().numpy()
    turns = np.flatnonzero(np.diff(np.sign(np.diff(p))) != 0) + 1
    changes = np.flatnonzero(np.diff(unstable) != 0) + 1
    at_fold = np.array([bool(len(turns)) and np.abs(turns - k).min() <= 1 for k in changes], dtype=bool)
    logits = np.zeros((len(p), 0))
    if readout is not None:
        kernel, bias = (part.double() for part in readout)
        logits = (cell.split(states)["h"] @ kernel.mT + bias).cpu().numpy()
    return Branch(
        p, states.cpu().numpy(), unstable, moduli.amax(-1).cpu().numpy(), logits, turns, changes[~at_fold], ended
    )


def save_branches(path: str | Path, found: Sequence[Branch]) -> None:
    """Write one ``.npz`` file, without pickle: a row for each place, ``branch`` (row,) its branch, from 0."""
    rows = {name: np.concatenate([getattr(branch, name) for branch in found]) for name in _ROWS}
    rows["branch"] = np.repeat(np.arange(len(found)), [len(branch.weight) for branch in found])
    for name in ("fold", "crossing"):  # whether a row is the first after one
        rows[name] = np.zeros(len(rows["branch"]), dtype=bool)
        first = 0
        for branch in found:
            rows[name][first + getattr(branch, f"{name}s")] = True
            first += len(branch.weight)
    save_arrays(path, "branches of pinkx, 1", rows | {"ended": np.array([branch.ended for branch in found])})


_ROWS = ("weight", "states", "unstable", "slowest", "readout")

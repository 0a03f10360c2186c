"""Pseudo-arclength continuation of many curves side by side: roots of G(u, p) = 0 followed through folds in p.

Each curve is followed with a predictor along its tangent and a Newton corrector in the hyperplane normal to it.  A step
is accepted when the corrector converges close to the prediction and the tangent turns little; else it is halved.

Source: Allgower & Georg, *Numerical Continuation Methods* (1990), chapters 2 and 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine import interruption

LONGEST, SHORTEST = 0.4, 1e-4
"""Longest and shortest step along a curve, Euclidean in (u, p)."""

STEPS = 1500
"""Steps along one curve before it is given up."""

CONVERGED = 1e-5
"""A correction shorter than this is the last; it leaves an error of about its square."""

_CORRECTIONS = 3
_STRAIGHT, _NEAR = 0.9, 0.3  # cosine between tangents; correction over step length

Linear = Callable[[Tensor], tuple[Tensor, Tensor]]
"""places (B, m + 1) → G (B, m) and its Jacobian with respect to (u, p), (B, m, m + 1)"""

Ended = Literal["low", "high", "stuck", "left"]


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve that was followed.

    Attributes
    ----------
    places : (K, m + 1) tensor
        (u, p) at every accepted step, the start first.  The last place lies at or just beyond the bound that ended it.
    ended : "low", "high", "stuck" or "left"
        Which bound of p was crossed, that no step was accepted any more, or that the others had all ended.
    """

    places: Tensor
    ended: Ended


def trace(
    linear: Linear,
    starts: Tensor,
    direction: Tensor,
    *,
    low: float = 0.0,
    high: float = 1.0,
    longest: float = LONGEST,
    steps: int = STEPS,
    converged: float = CONVERGED,
    leave: int = 0,
) -> list[Curve]:
    """Follow the curve through every start until p leaves [low, high].

    Parameters
    ----------
    linear : callable
        See ``Linear``.  The rows it gets belong to curves that are still followed, in changing numbers.
    starts : (B, m + 1) tensor, float64
        Places (u, p) on the curves.
    direction : (B,) tensor
        +1 or −1: whether p rises or falls at the start.
    low, high : float
        Bounds of p.
    longest : float
        Longest step; a shorter one makes jumps between curves less likely.
    steps : int
        Steps tried along one curve.
    converged : float
        See ``CONVERGED``.
    leave : int
        Stop when no more than this many curves are still followed; these end as "left".

    Returns
    -------
    B curves, in the order of the starts
    """
    count = len(starts)
    paths: list[list[Tensor]] = [[place] for place in starts]
    ended: list[Ended] = ["stuck"] * count
    if not count:
        return []
    towards = torch.zeros_like(starts)
    towards[:, -1] = direction
    place, active = starts, torch.arange(count, device=starts.device)
    tangent = _tangent(linear(place)[1], towards)
    length = starts.new_full((count,), longest / 8)
    for _ in range(steps):
        interruption.allow()
        guess = place + length.unsqueeze(-1) * tangent
        moved, turned, on_curve = _correct(linear, guess, tangent, converged)
        straight = (turned * tangent).sum(-1) > _STRAIGHT
        good = on_curve & straight & ((moved - guess).norm(dim=-1) < _NEAR * length)
        for row in good.nonzero().squeeze(-1).tolist():
            paths[int(active[row])].append(moved[row])
        above, below = good & (moved[:, -1] >= high), good & (moved[:, -1] <= low)
        for row in above.nonzero().squeeze(-1).tolist():
            ended[int(active[row])] = "high"
        for row in below.nonzero().squeeze(-1).tolist():
            ended[int(active[row])] = "low"
        place = torch.where(good.unsqueeze(-1), moved, place)
        tangent = torch.where(good.unsqueeze(-1), turned, tangent)
        going = ~(above | below | (~good & (length < SHORTEST)))
        length = torch.where(good, (length * 1.5).clamp_max(longest), length / 2)
        active, place, tangent, length = active[going], place[going], tangent[going], length[going]
        if len(active) <= leave:
            for row in active.tolist():
                ended[row] = "left"
            break
    return [Curve(torch.stack(path), reason) for path, reason in zip(paths, ended, strict=True)]


def _correct(linear: Linear, guess: Tensor, tangent: Tensor, shortest: float) -> tuple[Tensor, Tensor, Tensor]:
    """Newton from the predictions, normal to the tangents: places, new tangents there, and which converged.

    The new tangent is solved for with the matrix of the last correction, which is shorter than ``shortest``.
    """
    moved, turned = guess.clone(), tangent.clone()
    converged = torch.zeros(len(guess), dtype=torch.bool, device=guess.device)
    left = torch.arange(len(guess), device=guess.device)
    for _ in range(_CORRECTIONS):
        value, matrix = linear(moved[left])
        right = torch.zeros(len(left), guess.shape[1], 2, dtype=guess.dtype, device=guess.device)
        right[:, :-1, 0] = value
        right[:, -1, 0] = ((moved[left] - guess[left]) * tangent[left]).sum(-1)
        right[:, -1, 1] = 1
        both, failed = torch.linalg.solve_ex(_bordered(matrix, tangent[left]), right)
        sound = (failed == 0) & both.isfinite().all(-1).all(-1)
        left, both = left[sound], both[sound]
        step = both[..., 0]
        moved[left] -= step
        turned[left] = torch.nn.functional.normalize(both[..., 1], dim=-1)
        near = step.norm(dim=-1) < shortest
        converged[left[near]] = True
        left = left[~near]
        if not len(left):
            break
    return moved, turned, converged


def _bordered(matrix: Tensor, row: Tensor) -> Tensor:
    return torch.cat((matrix, row.unsqueeze(-2)), dim=-2)


def _tangent(matrix: Tensor, towards: Tensor) -> Tensor:
    """Unit vectors in the kernels of (B, m, m + 1) matrices, on the side of ``towards`` (B, m + 1)."""
    right = torch.zeros_like(towards)
    right[:, -1] = 1
    vector, _ = torch.linalg.solve_ex(_bordered(matrix, towards), right.unsqueeze(-1))
    return torch.nn.functional.normalize(vector.squeeze(-1), dim=-1)

"""Batched Levenberg–Marquardt: many small nonlinear systems side by side, in float64.

Every problem carries its own damping μ and stops on its own; a singular or failed factorisation raises that problem's
damping and is never an exception for the batch.  Source: Marquardt, J. SIAM 11 (1963) 431; damping after Nielsen
(1999, IMM-REP-1999-05).
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.reduced import Equation

FLOOR = 1e-14
"""A residual whose largest component is below this is zero to rounding; iterating further would be noise."""

STALLED = 1e-12
"""A step shorter than this moves nothing any more: rounding is all that is left."""

FLAT = 1e-7
"""A residual this nearly orthogonal to every column of its Jacobian (cosine) is at a minimum that is no root."""

CREEPING = 1e-3
"""A step that lowers the squared residual by less than this fraction, and promised no more, ends the search: it follows
a valley floor too slowly to reach anything in the steps that are left."""


def solve(equation: Equation, x: Tensor, u: Tensor, *, iterations: int = 50, creeping: float = CREEPING) -> Tensor:
    """Minimise ½‖residual(x, u)‖² from every start.

    Parameters
    ----------
    equation : Equation
        Its residual and Jacobian.
    x : (problem, inputs) tensor, float64
    u : (problem, m) tensor, float64
        Starts.
    iterations : int
        The most steps any problem takes.
    creeping : float
        When to give a problem up, see ``CREEPING``; 0 follows every valley to its lowest place.

    Returns
    -------
    (problem, m) tensor
        Where each problem ended: a root, a local minimum, or where it ran out of iterations.  A start that is not
        finite stays as it is.
    """
    result = u.clone()
    active = torch.isfinite(u).all(-1).nonzero().squeeze(-1)
    x, u = x[active], u[active]
    damping = torch.full((len(u),), 1e-3, dtype=u.dtype, device=u.device)
    growth = torch.full_like(damping, 2.0)
    for _ in range(iterations):
        if not len(active):
            break
        residual, jacobian = equation.linear(x, u)
        gradient = (jacobian.mT @ residual.unsqueeze(-1)).squeeze(-1)
        normal = jacobian.mT @ jacobian
        lengths = normal.diagonal(dim1=-2, dim2=-1).sqrt()
        normal.diagonal(dim1=-2, dim2=-1).add_(damping.unsqueeze(-1))
        factor, failed = torch.linalg.cholesky_ex(normal)
        step = -torch.cholesky_solve(gradient.unsqueeze(-1), factor).squeeze(-1)
        sound = (failed == 0) & step.isfinite().all(-1)
        step = torch.where(sound.unsqueeze(-1), step, 0.0)
        moved = equation.residual(x, u + step)

        before, after = residual.square().sum(-1), moved.square().sum(-1)
        promised = (step * (damping.unsqueeze(-1) * step - gradient)).sum(-1)
        gain = (before - after) / promised.clamp_min(torch.finfo(u.dtype).tiny)
        better = sound & (after < before)
        u = torch.where(better.unsqueeze(-1), u + step, u)
        # A good step earns less damping, a bad one more and more of it.
        eased = damping * (1 - (2 * gain - 1) ** 3).clamp(0.1, 1.0)
        damping = torch.where(better, eased, damping * growth).clamp(1e-16, 1e16)
        growth = torch.where(better, 2.0, growth * 2)

        root = torch.where(better, moved.abs().amax(-1), residual.abs().amax(-1)) < FLOOR
        stalled = sound & (step.norm(dim=-1) < STALLED)
        slope = (gradient.abs() / lengths.clamp_min(torch.finfo(u.dtype).tiny)).amax(-1)
        slow = better & (torch.maximum(before - after, promised) < creeping * before)
        done = root | stalled | slow | (slope < FLAT * before.sqrt())
        if done.any():
            result[active[done]] = u[done]
            kept = ~done
            active, x, u, damping, growth = active[kept], x[kept], u[kept], damping[kept], growth[kept]
    result[active] = u
    return result

"""Batched Levenberg–Marquardt: many small nonlinear systems side by side, in float64.

Every problem carries its own damping μ and stops on its own; a singular or failed factorisation raises that problem's
damping and is never an exception for the batch.  Source: Marquardt, J. SIAM 11 (1963) 431; damping after Nielsen
(1999, IMM-REP-1999-05).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.reduced import Equation

BLOCK = 256
"""Problems solved side by side: enough to fill the machine, few enough for their matrices to stay small."""

FLOOR = 1e-14
"""A residual whose largest component is below this is zero to rounding; iterating further would be noise."""

STALLED = 1e-12
"""A step shorter than this moves nothing any more: a root, or a local minimum that is none."""


def solve(
    equation: Equation,
    x: Tensor,
    u: Tensor,
    *,
    iterations: int = 100,
    progress: Callable[[int, int], bool | None] | None = None,
) -> tuple[Tensor, Tensor]:
    """Minimise ½‖residual(x, u)‖² from every start.

    Parameters
    ----------
    equation : Equation
        Its residual and Jacobian.
    x : (problem, inputs) tensor
    u : (problem, m) tensor, float64
        Starts.
    iterations : int
        The most steps any problem takes.
    progress : callable, optional
        Called with (problems finished, problems) as work goes on; returning False stops the search.

    Returns
    -------
    u : (problem, m) tensor
        Where each problem ended: a root, a local minimum, or where it ran out of iterations.
    seen : (problem,) bool tensor
        False for the problems an interrupted search did not come to.
    """
    u = u.clone()
    seen = torch.zeros(len(u), dtype=torch.bool, device=u.device)
    for start in range(0, len(u), BLOCK):
        block = slice(start, start + BLOCK)
        u[block] = _solve_block(equation, x[block], u[block], iterations)
        seen[block] = True
        if progress is not None and progress(int(seen.sum()), len(u)) is False:
            break
    return u, seen


def _solve_block(equation: Equation, x: Tensor, u: Tensor, iterations: int) -> Tensor:
    result = u.clone()
    # A start that is not finite has nowhere to go: leave it as it is.
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
        normal.diagonal(dim1=-2, dim2=-1).add_(damping.unsqueeze(-1))
        factor, failed = torch.linalg.cholesky_ex(normal)
        step = -torch.cholesky_solve(gradient.unsqueeze(-1), factor).squeeze(-1)
        step = torch.where((failed == 0).unsqueeze(-1) & step.isfinite(), step, 0.0)
        moved = equation.residual(x, u + step)

        before, after = residual.square().sum(-1), moved.square().sum(-1)
        predicted = (step * (damping.unsqueeze(-1) * step - gradient)).sum(-1)
        gain = (before - after) / predicted.clamp_min(torch.finfo(u.dtype).tiny)
        better = (after < before) & (failed == 0)
        u = torch.where(better.unsqueeze(-1), u + step, u)
        # A good step earns less damping, a bad one more and more of it.
        eased = damping * (1 - (2 * gain - 1) ** 3).clamp(0.1, 1.0)
        damping = torch.where(better, eased, damping * growth).clamp(1e-16, 1e16)
        growth = torch.where(better, torch.full_like(growth, 2.0), growth * 2)

        size = torch.where(better, moved.abs().amax(-1), residual.abs().amax(-1))
        done = (size < FLOOR) | ((failed == 0) & (step.norm(dim=-1) < STALLED))
        if done.any():
            result[active[done]] = u[done]
            kept = ~done
            active, x, u, damping, growth = active[kept], x[kept], u[kept], damping[kept], growth[kept]
    result[active] = u
    return result

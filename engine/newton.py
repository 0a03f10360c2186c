"""Batched Levenberg–Marquardt: many small nonlinear systems at once, in float64.

Every problem has its own damping μ and stopping time.  A singular or failed factorisation increases the damping of that
problem and never raises an error for the batch.  Sources: Marquardt, J. SIAM 11 (1963) 431; damping after Nielsen
(1999, IMM-REP-1999-05).
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine import interruption
from engine.reduced import Equation

FLOOR = 1e-14
"""A residual whose largest component is below this is zero up to rounding."""

STALLED = 1e-12
"""A step shorter than this is rounding, and ends the search."""

FLAT = 1e-7
"""A residual with smaller |cosines| than this to all columns of its Jacobian is at a minimum that is not a root."""

ENTRIES = 2_000_000
"""Entries of all Jacobians that are worked on at once, 16 MB: larger batches are slower, as they leave the cache."""

GPU_ENTRIES = 2**26
"""The same on a GPU, 512 MB: the Jacobians of a thousand states of 256 numbers, which fewer do not fill."""

CREEPING = 1e-3
"""A step that reduces the squared residual by less than this fraction, and was predicted to, ends the search: in a flat
valley it would not reach a minimum within the remaining iterations."""

_LENGTHS = (1, 1 / 2, 1 / 4, 1 / 8, 1 / 32, 1 / 128)


def solve(equation: Equation, x: Tensor, u: Tensor, *, iterations: int = 50, creeping: float = CREEPING) -> Tensor:
    """Minimise ½‖residual(x, u)‖² from every start.

    Parameters
    ----------
    equation : Equation
        Residual and Jacobian.
    x : (problem, inputs) tensor, float64
    u : (problem, m) tensor, float64
        Starts.
    iterations : int
        Largest number of steps of a problem.
    creeping : float
        See ``CREEPING``; 0 follows every valley to its minimum.

    Returns
    -------
    (problem, m) tensor
        The end of each problem: a root, a local minimum, or the state after the last iteration.  A start that is not
        finite is returned unchanged.
    """
    size = batch_size(u)
    blocks = zip(x.split(size), u.split(size), strict=True)
    return torch.cat([_solve(equation, *block, iterations, creeping) for block in blocks]) if len(u) else u.clone()


def batch_size(u: Tensor) -> int:
    """Return how many problems with unknowns (problem, m) to work on at once, see ``ENTRIES``."""
    return max(1, (GPU_ENTRIES if u.is_cuda else ENTRIES) // u.shape[-1] ** 2)


def _solve(equation: Equation, x: Tensor, u: Tensor, iterations: int, creeping: float) -> Tensor:
    result = u.clone()
    active = torch.isfinite(u).all(-1).nonzero().squeeze(-1)
    x, u = x[active], u[active]
    damping = torch.full((len(u),), 1e-3, dtype=u.dtype, device=u.device)
    growth = torch.full_like(damping, 2.0)
    for _ in range(iterations):
        interruption.allow()
        if not len(active):
            break
        residual, jacobian = equation.linear(x, u)
        gradient = (jacobian.mT @ residual.unsqueeze(-1)).squeeze(-1)
        step, lengths = _damped_step(jacobian, gradient, damping, equation.diagonal)
        sound = step.isfinite().all(-1)
        step = torch.where(sound.unsqueeze(-1), step, 0.0)
        moved = equation.residual(x, u + step)

        before, after = residual.square().sum(-1), moved.square().sum(-1)
        predicted = (step * (damping.unsqueeze(-1) * step - gradient)).sum(-1)
        gain = (before - after) / predicted.clamp_min(torch.finfo(u.dtype).tiny)
        better = sound & (after < before)
        u = torch.where(better.unsqueeze(-1), u + step, u)
        # A good step lowers the damping, successive bad ones raise it faster and faster.
        eased = damping * (1 - (2 * gain - 1) ** 3).clamp(0.1, 1.0)
        damping = torch.where(better, eased, damping * growth).clamp(1e-16, 1e16)
        growth = torch.where(better, 2.0, growth * 2)

        root = torch.where(better, moved.abs().amax(-1), residual.abs().amax(-1)) < FLOOR
        stalled = sound & (step.norm(dim=-1) < STALLED)
        slope = (gradient.abs() / lengths.clamp_min(torch.finfo(u.dtype).tiny)).amax(-1)
        slow = better & (torch.maximum(before - after, predicted) < creeping * before)
        done = root | stalled | slow | (slope < FLAT * before.sqrt())
        if done.any():
            result[active[done]] = u[done]
            active, x, u, damping, growth = (each[~done] for each in (active, x, u, damping, growth))
    result[active] = u
    return result


def _damped_step(jacobian: Tensor, gradient: Tensor, damping: Tensor, diagonal: int) -> tuple[Tensor, Tensor]:
    """Return −(JᵀJ + μ)⁻¹ gradient, NaN where it fails, and the lengths of the columns of J, both (problem, m).

    The last ``diagonal`` unknowns, see ``Equation``, are eliminated first, which leaves a system of half the size.
    """
    if not diagonal:
        normal = jacobian.mT @ jacobian
        lengths = normal.diagonal(dim1=-2, dim2=-1).sqrt()
        normal.diagonal(dim1=-2, dim2=-1).add_(damping.unsqueeze(-1))
        return -_cholesky_solve(normal, gradient), lengths
    n = jacobian.shape[-1] - diagonal
    columns, (upper, lower) = (
        jacobian[..., :n],
        (jacobian[..., rows, n:].diagonal(dim1=-2, dim2=-1) for rows in (slice(n), slice(n, None))),
    )
    squares = upper * upper + lower * lower
    normal = columns.mT @ columns
    lengths = torch.cat((normal.diagonal(dim1=-2, dim2=-1), squares), dim=-1).sqrt()
    pivots = squares + damping.unsqueeze(-1)
    mixed = (upper.unsqueeze(-1) * columns[..., :n, :]).addcmul_(lower.unsqueeze(-1), columns[..., n:, :])
    scaled = mixed / pivots.unsqueeze(-1)
    normal -= mixed.mT @ scaled
    normal.diagonal(dim1=-2, dim2=-1).add_(damping.unsqueeze(-1))
    first, last = gradient.split((n, diagonal), dim=-1)
    head = _cholesky_solve(normal, first - (scaled.mT @ last.unsqueeze(-1)).squeeze(-1))
    tail = (last - (mixed @ head.unsqueeze(-1)).squeeze(-1)) / pivots
    return -torch.cat((head, tail), dim=-1), lengths


def _cholesky_solve(matrix: Tensor, right: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(matrix)
    found = torch.cholesky_solve(right.unsqueeze(-1), factor).squeeze(-1)
    return torch.where((failed == 0).unsqueeze(-1), found, torch.nan)


def find_roots(equation: Equation, x: Tensor, u: Tensor, *, iterations: int = 30) -> Tensor:
    """Damped Newton from every start; half as expensive as ``solve``, but without a minimum where there is no root.

    Each step takes the fraction of Newton's step, among ``_LENGTHS``, that leaves the smallest residual.

    Parameters
    ----------
    equation, x, u
        See ``solve``.
    iterations : int
        Largest number of steps of a problem.

    Returns
    -------
    (problem, m) tensor
        A root, or the state where no step reduced the residual.
    """
    size = batch_size(u)
    blocks = zip(x.split(size), u.split(size), strict=True)
    return torch.cat([_roots(equation, *block, iterations) for block in blocks]) if len(u) else u.clone()


def _roots(equation: Equation, x: Tensor, u: Tensor, iterations: int) -> Tensor:
    result, active = u.clone(), torch.arange(len(u), device=u.device)
    lengths = torch.tensor(_LENGTHS, dtype=u.dtype, device=u.device)
    for _ in range(iterations):
        residual, jacobian = equation.linear(x, u)
        step, failed = torch.linalg.solve_ex(jacobian, residual.unsqueeze(-1))
        tried = u.unsqueeze(1) - lengths[:, None] * step.mT
        left, best = equation.residual(x.unsqueeze(1), tried).norm(dim=-1).nan_to_num(torch.inf).min(dim=1)
        before = residual.norm(dim=-1)
        better = (failed == 0) & (left < before)
        u = torch.where(better.unsqueeze(-1), tried[torch.arange(len(u)), best], u)
        going = better & (left > FLOOR) & (step.squeeze(-1).norm(dim=-1) > STALLED)
        result[active] = u
        active, x, u = active[going], x[going], u[going]
        if not len(active):
            break
    return result

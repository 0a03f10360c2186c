"""Find the fixed and slow points of a cell, certify, classify and linearise them.

A state s is *fixed* under a constant input x when F(s, x) = s, and *slow* where the speed q = ½‖F(s, x) − s‖² has a
small minimum that is not a root.  q alone certifies neither: a state with small q may be far from any root, or in a
long valley of q.  So every point has two certificates: the Newton step ‖(J − I)⁻¹(F − s)‖, which is the distance to the
root to first order, and the slope of q, which vanishes at a minimum.  At a slow point (J − I)ᵀ(F − s) = 0, so λ = 1 is
an eigenvalue for every network, and the longest time constant is uninformative; 1/√(2q), the steps for a unit of
distance, is informative.

Method ``newton`` makes up to five attempts from each start, until one ends at a point:

1. Levenberg–Marquardt on the reduced equation (see ``engine.reduced``);
2. Levenberg–Marquardt on F(s, x) − s, which minimises q and so finds slow points where there is no root;
3. to 5. the first again, from the states that the network reaches after 200, 1,000 and 4,000 steps of the input.

Then the index completes the set of points of each input (see ``engine.completeness``); points found in this way have
no hits.  Every fixed point has the radius of a ball that provably contains it and no other root (see
``engine.certificates``).

Method ``adam`` is Algorithm 1 of Cheng, Schmid & Lange (2021), after Sussillo & Barak (2013): it minimises q by Adam
from visited states.  It exists for comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.cells import Cell
from engine.certificates import certified_radius
from engine.completeness import index_of
from engine.eigensystems import eigensystems
from engine.newton import CREEPING, batch_size, solve
from engine.points import FixedPoints
from engine.reduced import full_equation, minus_identity, reduced_equation
from engine.refinement import completed, distinct, minima

Method = Literal["newton", "adam"]

FIXED = 1e-8
"""A point is fixed when its Newton step is shorter than this."""

SLOW = 1e-3
"""A point is slow when q is below this, a tenth of the paper's 0.01, at a minimum: it moves less than 0.045 a step."""

LEVEL = 1e-4
"""q has a minimum where no |cosine| between F − s and a column of J − I is larger than this."""

MERGE = {"fixed": 1e-5, "slow": 1e-2}
"""Largest Euclidean distance between states of one kind and input that count as one point.  Minima of q are flatter."""

RELAX = (200, 1000, 4000)
"""Steps of the network before each of the last attempts."""

MODES = 10
"""Number of eigenvectors stored for each point, by falling |λ|."""

BLOCK = 128
"""Starts searched together; between blocks the search reports its progress and can be stopped."""

GPU_BLOCK = 1024
"""The same on a GPU, which fewer starts do not fill."""

_ADAM_STEPS, _ADAM_RATE = 2000, 0.01
_STEPS, _VALLEY = 50, 100  # iterations to a root, and to a minimum of q
_NONE = np.empty(0, dtype=np.int64)
_ROUNDING = 1e-13  # a shorter residual is rounding and has no direction


def find_fixed_points(
    cell: Cell,
    x: ArrayLike | Tensor,
    starts: ArrayLike | Tensor,
    *,
    method: Method = "newton",
    readout: tuple[Tensor, Tensor] | None = None,
    input_names: Sequence[str] | None = None,
    modes: int = MODES,
    complete: bool = True,
    device: str | torch.device | None = None,
    progress: Callable[[int, int], bool | None] | None = None,
) -> FixedPoints:
    """Search from every start under every input.

    Parameters
    ----------
    cell : Cell
        The computation is in float64.
    x : (inputs,) or (I, inputs) array
        One or several constant inputs.
    starts : (N, S) or (I, N, S) array
        Initial states, the same for every input or one set for each.  A state that is not finite counts as lost.
    method : "newton" or "adam"
    readout : ((k, n), (k,)) tensors, optional
        Weight and bias of the readout, for ``FixedPoints.readout``.
    input_names : I strings, optional
        Names of the inputs; "0", "1", … by default.
    modes : int
        Number of eigenvectors to store for each point.
    complete : bool
        Search for missing fixed points by their index afterwards; for method ``newton`` only.
    device : str or torch.device, optional
        Where to compute; by default where the cell is.
    progress : callable, optional
        Called with (starts done, number of starts); returning False ends the search with the points found so far.

    Returns
    -------
    FixedPoints
        Ordered by input, then fixed before slow, then by hits.  A root reached from many starts is one point.

    Raises
    ------
    ValueError
        If a shape or the method is wrong.  No start raises an error.
    """
    if method not in ("newton", "adam"):
        raise ValueError(f"unknown method {method!r}, expected 'newton' or 'adam'")
    cell = cell.to(dtype=torch.float64, device=device)
    device = cell.device
    inputs = torch.atleast_2d(torch.as_tensor(x, dtype=torch.float64, device=device))
    begin = torch.as_tensor(starts, dtype=torch.float64, device=device)
    if inputs.ndim != 2 or inputs.shape[1] != cell.inputs:
        raise ValueError(f"x must be ({cell.inputs},) or (inputs, {cell.inputs}), got {tuple(inputs.shape)}")
    if begin.ndim not in (2, 3) or begin.shape[-1] != cell.state_size:
        raise ValueError(
            f"starts must be (start, {cell.state_size}) or (input, start, {cell.state_size}), got {tuple(begin.shape)}"
        )
    if begin.ndim == 3 and len(begin) != len(inputs):
        raise ValueError(
            f"{len(begin)} sets of starts for {len(inputs)} inputs: expected one set, or one for each input"
        )
    names = [str(k) for k in range(len(inputs))] if input_names is None else list(input_names)
    if len(names) != len(inputs):
        raise ValueError(f"{len(names)} names for {len(inputs)} inputs: expected one name for each input")
    begin = begin.expand(len(inputs), -1, -1).reshape(-1, cell.state_size)
    which = torch.arange(len(inputs), device=device).repeat_interleave(len(begin) // max(len(inputs), 1))

    search = _newton if method == "newton" else _adam
    ends, certificates, done = begin.clone(), torch.empty(3, len(begin), dtype=begin.dtype, device=device), 0
    with torch.no_grad():
        for block in torch.arange(len(begin), device=device).split(BLOCK if device.type == "cpu" else GPU_BLOCK):
            ends[block], certificates[:, block] = search(cell, inputs[which[block]], begin[block])
            done += len(block)
            if progress is not None and progress(done, len(begin)) is False:
                break
        ends, which = ends[:done], which[:done]
        q, step, slope = certificates[:, :done]
        fixed = step < FIXED
        slow = ~fixed & (q < SLOW)
        if method == "newton":  # Adam never reaches a minimum exactly; the paper uses q alone
            slow &= slope < LEVEL
        rows, hits = _distinct(ends, which, {"fixed": fixed, "slow": slow}, q)
        states, which, certificates = ends[rows], which[rows], certificates[:, rows]
        if method == "newton" and done and done == len(begin):
            states, which, hits, certificates = _refine(cell, inputs, states, which, hits, certificates, complete)
        return _describe(cell, inputs, names, states, which, certificates, hits, readout, modes, done)


def certify(cell: Cell, x: Tensor, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return q, the Newton step and the slope of every state, each (problem,); ∞ where they cannot be computed."""
    q, step, slope = [torch.empty(0, dtype=states.dtype, device=states.device)] * 3
    size = batch_size(states)
    for xs, s in zip(x.split(size), states.split(size), strict=True):
        residual = cell.step(xs, s)[0] - s
        matrix = minus_identity(cell.jacobian(xs, s))
        delta, failed = torch.linalg.solve_ex(matrix, residual.unsqueeze(-1))
        length = torch.where(failed == 0, delta.squeeze(-1).norm(dim=-1), torch.inf)
        size = residual.norm(dim=-1, keepdim=True).clamp_min(_ROUNDING)
        # A column may vanish at a minimum, so its length counts as at least that of the residual.
        cosines = (matrix.mT @ residual.unsqueeze(-1)).squeeze(-1).abs() / matrix.norm(dim=-2).maximum(size) / size
        q = torch.cat((q, (0.5 * residual.square().sum(-1)).nan_to_num(torch.inf, torch.inf)))
        step = torch.cat((step, length.nan_to_num(torch.inf, torch.inf)))
        slope = torch.cat((slope, cosines.amax(-1).nan_to_num(torch.inf, torch.inf)))
    return q, step, slope


def _newton(cell: Cell, x: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
    """Return the end of every start and its certificates, (3, start), see `certify`."""
    reduced, full = reduced_equation(cell), full_equation(cell)
    ends, certificates = (
        starts.clone(),
        torch.full((3, len(starts)), torch.inf, dtype=starts.dtype, device=starts.device),
    )
    left = starts.isfinite().all(-1).nonzero().squeeze(-1)
    state, relaxed = starts[left], 0
    for steps, equation in ((0, reduced), (0, full), *((steps, reduced) for steps in RELAX)):
        x_left = x[left]
        for _ in range(steps - relaxed):
            state = cell.step(x_left, state)[0]
        relaxed = steps
        iterations, creeping = (_VALLEY, 0.0) if equation is full else (_STEPS, CREEPING)
        end = solve(equation, x_left, equation.unknowns(state), iterations=iterations, creeping=creeping)
        end = equation.state(x_left, end)
        q, step, slope = found = certify(cell, x_left, end)
        ends[left], certificates[:, left] = end, torch.stack(found)
        nowhere = (step >= FIXED) & ((q >= SLOW) | (slope >= LEVEL))
        left, state = left[nowhere], state[nowhere]
        if not len(left):
            break
    return ends, certificates


def _adam(cell: Cell, x: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
    states = starts.clone().requires_grad_()
    optimiser = torch.optim.Adam([states], lr=_ADAM_RATE)
    for _ in range(_ADAM_STEPS):
        with torch.enable_grad():
            speed = 0.5 * (cell.step(x, states)[0] - states).square().sum()
        (states.grad,) = torch.autograd.grad(speed, [states])
        optimiser.step()
    ends = states.detach()
    return ends, torch.stack(certify(cell, x, ends))


def _distinct(
    ends: Tensor, which: Tensor, kinds: dict[str, Tensor], q: Tensor
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each point the row of its best state, by q, and the number of states merged into it."""
    rows, hits = [], []
    for number in which.unique():
        for kind, is_kind in kinds.items():
            members = ((which == number) & is_kind).nonzero().squeeze(-1)
            members = members[q[members].argsort()].cpu().numpy()
            first, count = distinct(ends[members], np.ones(len(members), dtype=np.int64), MERGE[kind])
            order = np.argsort(-count, kind="stable")
            rows.append(members[first[order]])
            hits.append(count[order])
    return np.concatenate(rows or [_NONE]), np.concatenate(hits or [_NONE])


def _refine(
    cell: Cell,
    inputs: Tensor,
    states: Tensor,
    which: Tensor,
    hits: NDArray[np.int64],
    certificates: Tensor,
    complete: bool,
) -> tuple[Tensor, Tensor, NDArray[np.int64], Tensor]:
    """Replace slow states by minima of q and complete the set of fixed ones, input by input.

    ``certificates`` (3, P) are those of `certify`; only new states are certified.
    """
    parts, numbers, counts, proofs = [states[:0]], [which[:0]], [hits[:0]], [certificates[:, :0]]
    for number, x in enumerate(inputs):
        mine = (which == number).nonzero().squeeze(-1).cpu().numpy()
        is_fixed = (certificates[1, mine] < FIXED).cpu().numpy()
        fixed, moving = mine[is_fixed], mine[~is_fixed]
        slow, rows = minima(cell, x, states[moving])
        slow_hits, slow_proofs = hits[moving][rows], _certificates(cell, x, slow)
        at_root = (slow_proofs[1] < FIXED).cpu().numpy()  # polished all the way
        roots = torch.cat((states[fixed], slow[at_root]))
        root_proofs = torch.cat((certificates[:, fixed], slow_proofs[:, at_root]), dim=1)
        rows, root_hits = distinct(roots, np.concatenate((hits[fixed], slow_hits[at_root])), MERGE["fixed"])
        roots, root_proofs = roots[rows], root_proofs[:, rows]
        if complete and cell.bounded:
            roots = completed(cell, x, roots)
            root_proofs = torch.cat((root_proofs, _certificates(cell, x, roots[len(rows) :])), dim=1)
            root_hits = np.concatenate((root_hits, np.zeros(len(roots) - len(rows), dtype=np.int64)))
        slow, slow_proofs = slow[~at_root], slow_proofs[:, ~at_root]
        rows, slow_hits = distinct(slow, slow_hits[~at_root], MERGE["slow"])
        for found, count, proof in ((roots, root_hits, root_proofs), (slow[rows], slow_hits, slow_proofs[:, rows])):
            order = np.argsort(-count, kind="stable")
            parts.append(found[order])
            numbers.append(torch.full((len(found),), number, dtype=which.dtype, device=which.device))
            counts.append(count[order])
            proofs.append(proof[:, order])
    return torch.cat(parts), torch.cat(numbers), np.concatenate(counts), torch.cat(proofs, dim=1)


def _certificates(cell: Cell, x: Tensor, states: Tensor) -> Tensor:
    return torch.stack(certify(cell, x.expand(len(states), -1), states))


def _describe(
    cell: Cell,
    inputs: Tensor,
    names: Sequence[str],
    states: Tensor,
    which: Tensor,
    certificates: Tensor,
    hits: NDArray[np.int64],
    readout: tuple[Tensor, Tensor] | None,
    modes: int,
    starts: int,
) -> FixedPoints:
    x = inputs[which]
    q, step, slope = (part.cpu().numpy() for part in certificates)
    fixed = step < FIXED
    values, right, left, error = eigensystem(cell, x, states, modes, np.where(fixed, step, 0.0))
    logits = torch.zeros(len(states), 0, dtype=states.dtype, device=states.device)
    if readout is not None:
        weight, bias = (part.to(states) for part in readout)
        logits = cell.split(states)["h"] @ weight.mT + bias
    index = np.zeros(len(states), dtype=np.int64)
    exists, unique = np.full(len(states), np.nan), np.full(len(states), np.nan)
    if fixed.any():
        roots = torch.from_numpy(fixed).to(states.device)
        equation = reduced_equation(cell)
        h = equation.unknowns(states[roots])
        if cell.bounded:
            index[fixed] = index_of(equation, x[roots], h)
        exists[fixed], unique[fixed] = certified_radius(cell, x[roots], h)
    return FixedPoints(
        states=states.cpu().numpy(),
        inputs=x.cpu().numpy(),
        input_names=np.array(names, dtype=np.str_)[which.cpu().numpy()],
        q=q,
        newton_step=step,
        slope=slope,
        fixed=fixed,
        hits=hits,
        eigenvalues=values,
        right=right,
        left=left,
        readout=logits.cpu().numpy(),
        index=index,
        exists_within=exists,
        unique_within=unique,
        eigenvalue_error=error,
        starts=starts,
    )


def eigensystem(
    cell: Cell, x: Tensor, states: Tensor, modes: int, distance: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.complex128], NDArray[np.complex128], NDArray[np.complex128], NDArray[np.float64]]:
    """Return the eigenvalues of the full map's Jacobian with their eigenvectors and errors.

    Parameters
    ----------
    x : (P, inputs) tensor
    states : (P, S) tensor
    modes : int
        K, the number of eigenvectors.
    distance : (P,) array, optional
        Upper bound of the distance between each state and its point; 0 by default.

    Returns
    -------
    values : (P, S)
        Eigenvalues by falling modulus.
    right, left : (P, S, K), (P, K, S)
    error : (P, S)
        Condition number of each eigenvalue times the error of the Jacobian: rounding, and its change over ``distance``.
    """
    size = states.shape[1]
    wanted = min(modes, size)
    jacobians = cell.jacobian(x, states)
    moved = torch.zeros(len(states), dtype=states.dtype, device=states.device)
    if distance is not None and (distance > 0).any():
        shift = torch.as_tensor(distance / size**0.5).to(states)[:, None]
        moved = (cell.jacobian(x, states + shift) - jacobians).norm(dim=(1, 2))
        moved = torch.where(moved > 0, moved, 0)  # NaN where the shifted state has no Jacobian
    inexact = size * np.finfo(np.float64).eps * jacobians.norm(dim=(1, 2)) + moved
    found = eigensystems(jacobians)
    overlap = found.overlap
    error = inexact.cpu().numpy()[:, None] / np.maximum(np.abs(overlap), np.finfo(np.float64).tiny)
    # Scale to left · right = 1, except a defective pair (left · right = 0), which keeps its length.
    scale = np.where(np.abs(overlap) > 1e-12, overlap, 1)[:, :wanted, None]
    return found.values, found.right[:, :, :wanted].copy(), found.left[:, :wanted] / scale, error

"""Find the fixed and slow points of a cell, certify, classify and linearise them.

A state s is *fixed* under a held input x when F(s, x) = s, and *slow* where the speed q = ½‖F(s, x) − s‖² has a small
minimum that is no root.  q alone certifies neither: a state may be slow and far from any root, or on its way through a
long valley.  So every point carries two certificates, the Newton step ‖(J − I)⁻¹(F − s)‖, which is the distance to the
root to first order, and the slope of q, which vanishes at a minimum.  A slow point has (J − I)ᵀ(F − s) = 0, so that
λ = 1 is an eigenvalue there whatever the network: its longest time constant says nothing, 1/√(2q) steps for a unit of
distance says more.

Method ``newton`` makes five attempts from each start, until one ends at a point:

1. Levenberg–Marquardt on the reduced equation (see ``engine.reduced``);
2. Levenberg–Marquardt on F(s, x) − s, which minimises q and so finds slow points where there is no root;
3. to 5. the first again, from where the network itself has gone after 200, 1,000 and 4,000 steps of the held input.

Then the set of each input is completed by its index: see ``engine.completeness``.  Points found in this way have no
hits.  Every fixed point gets the radius of a ball that is proved to hold it and no other root, see
``engine.certificates``.

Method ``adam`` is Algorithm 1 of Cheng, Schmid & Lange (2021), after Sussillo & Barak (2013): q minimised by Adam from
visited states.  It is kept for comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import scipy.linalg
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.cells import Cell
from engine.certificates import certified_radius
from engine.completeness import index_of
from engine.newton import CREEPING, solve
from engine.points import FixedPoints
from engine.reduced import full_equation, minus_identity, reduced_equation
from engine.refinement import completed, distinct, minima

Method = Literal["newton", "adam"]

FIXED = 1e-8
"""A point is fixed when its Newton step is shorter than this."""

SLOW = 1e-3
"""A point is slow when q is below this, a tenth of the paper's 0.01, and at a minimum: it moves under 0.045 a step."""

LEVEL = 1e-4
"""A minimum of q is one where F − s and no column of J − I have a larger cosine than this."""

MERGE = {"fixed": 1e-5, "slow": 1e-2}
"""States of one kind and input nearer than this (Euclidean) are one point: roots are sharp, valley floors are not."""

RELAX = (200, 1000, 4000)
"""Steps of the network itself before the last attempts."""

MODES = 10
"""Eigenvectors kept of each point, by falling |λ|."""

BLOCK = 128
"""Starts searched side by side: progress is reported, and a search can be stopped, between blocks."""

_ADAM_STEPS, _ADAM_RATE = 2000, 0.01
_STEPS, _VALLEY = 50, 100  # to a root, and down to a minimum of q
_ROUNDING = 1e-13  # a residual shorter than this has no direction to speak of


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
    progress: Callable[[int, int], bool | None] | None = None,
) -> FixedPoints:
    """Search from every start, under every input.

    Parameters
    ----------
    cell : Cell
        Computed with in float64, on its own device.
    x : (inputs,) or (I, inputs) array
        The held input, or several.
    starts : (N, S) or (I, N, S) array
        States to start from, for every input alike or for each its own.  One that is not finite is counted as lost.
    method : "newton" or "adam"
    readout : ((k, n), (k,)) tensors, optional
        Weight and bias; gives the points' ``readout``.
    input_names : I strings, optional
        What the inputs are called; their numbers otherwise.
    modes : int
        How many eigenvectors to keep of each point.
    complete : bool
        Look for missing fixed points by their index after the search; method ``newton`` alone.
    progress : callable, optional
        Called with (starts done, starts in all); returning False ends the search with what was found so far.

    Returns
    -------
    FixedPoints
        By input, then fixed before slow, then by hits.  One root reached from many starts is one point.

    Raises
    ------
    ValueError
        If shapes or the method are wrong.  No start, however bad, raises.
    """
    if method not in ("newton", "adam"):
        raise ValueError(f"unknown method {method!r}, expected 'newton' or 'adam'")
    device = cell.device
    cell = cell.to(dtype=torch.float64)
    inputs = torch.atleast_2d(torch.as_tensor(x, dtype=torch.float64, device=device))
    begin = torch.as_tensor(starts, dtype=torch.float64, device=device)
    if inputs.ndim != 2 or inputs.shape[1] != cell.inputs:
        raise ValueError(f"x must be ({cell.inputs},) or (inputs, {cell.inputs}), got {tuple(inputs.shape)}")
    if begin.ndim not in (2, 3) or begin.shape[-1] != cell.state_size:
        raise ValueError(f"starts must be (start, {cell.state_size}), got {tuple(begin.shape)}")
    if begin.ndim == 3 and len(begin) != len(inputs):
        raise ValueError(f"{len(begin)} sets of starts for {len(inputs)} inputs: expected one set, or one for each")
    names = [str(k) for k in range(len(inputs))] if input_names is None else list(input_names)
    if len(names) != len(inputs):
        raise ValueError(f"{len(names)} names for {len(inputs)} inputs")
    begin = begin.expand(len(inputs), -1, -1).reshape(-1, cell.state_size)
    which = torch.arange(len(inputs), device=device).repeat_interleave(len(begin) // max(len(inputs), 1))

    search = _newton if method == "newton" else _adam
    ends, done = begin.clone(), 0
    with torch.no_grad():
        for block in torch.arange(len(begin), device=device).split(BLOCK):
            ends[block] = search(cell, inputs[which[block]], begin[block])
            done += len(block)
            if progress is not None and progress(done, len(begin)) is False:
                break
        ends, which = ends[:done], which[:done]
        q, step, slope = certify(cell, inputs[which], ends)
        fixed = step < FIXED
        slow = ~fixed & (q < SLOW)
        if method == "newton":  # Adam comes near to minima, never to one; the paper goes by q alone
            slow &= slope < LEVEL
        rows, hits = _distinct(ends, which, {"fixed": fixed, "slow": slow}, q)
        states, which = ends[rows], which[rows]
        if method == "newton" and done and done == len(begin):
            states, which, hits = _refine(cell, inputs, states, which, hits, complete)
        certificates = certify(cell, inputs[which], states)
        return _describe(cell, inputs, names, states, which, certificates, hits, readout, modes, done)


def certify(cell: Cell, x: Tensor, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """q, the Newton step and the slope of every state, each (problem,); ∞ where they cannot be computed."""
    q, step, slope = [torch.empty(0, dtype=states.dtype, device=states.device)] * 3
    for xs, s in zip(x.split(BLOCK), states.split(BLOCK), strict=True):
        residual = cell.step(xs, s)[0] - s
        matrix = minus_identity(cell.jacobian(xs, s))
        delta, failed = torch.linalg.solve_ex(matrix, residual.unsqueeze(-1))
        length = torch.where(failed == 0, delta.squeeze(-1).norm(dim=-1), torch.inf)
        size = residual.norm(dim=-1, keepdim=True).clamp_min(_ROUNDING)
        # A column may vanish at a minimum: one shorter than the residual counts as long as it.
        cosines = (matrix.mT @ residual.unsqueeze(-1)).squeeze(-1).abs() / matrix.norm(dim=-2).maximum(size) / size
        q = torch.cat((q, (0.5 * residual.square().sum(-1)).nan_to_num(torch.inf, torch.inf)))
        step = torch.cat((step, length.nan_to_num(torch.inf, torch.inf)))
        slope = torch.cat((slope, cosines.amax(-1).nan_to_num(torch.inf, torch.inf)))
    return q, step, slope


def _newton(cell: Cell, x: Tensor, starts: Tensor) -> Tensor:
    reduced, full = reduced_equation(cell), full_equation(cell)
    ends = starts.clone()
    left = starts.isfinite().all(-1).nonzero().squeeze(-1)
    state, relaxed = starts[left], 0
    for steps, equation in ((0, reduced), (0, full), *((steps, reduced) for steps in RELAX)):
        clamps = x[left]
        for _ in range(steps - relaxed):
            state = cell.step(clamps, state)[0]
        relaxed = steps
        iterations, creeping = (_VALLEY, 0.0) if equation is full else (_STEPS, CREEPING)
        end = solve(equation, clamps, equation.unknowns(state), iterations=iterations, creeping=creeping)
        end = equation.state(clamps, end)
        q, step, slope = certify(cell, clamps, end)
        ends[left] = end
        nowhere = (step >= FIXED) & ((q >= SLOW) | (slope >= LEVEL))
        left, state = left[nowhere], state[nowhere]
        if not len(left):
            break
    return ends


def _adam(cell: Cell, x: Tensor, starts: Tensor) -> Tensor:
    states = starts.clone().requires_grad_()
    optimiser = torch.optim.Adam([states], lr=_ADAM_RATE)
    for _ in range(_ADAM_STEPS):
        with torch.enable_grad():
            speed = 0.5 * (cell.step(x, states)[0] - states).square().sum()
        (states.grad,) = torch.autograd.grad(speed, [states])
        optimiser.step()
    return states.detach()


def _distinct(
    ends: Tensor, which: Tensor, kinds: dict[str, Tensor], q: Tensor
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One row for each point, the best of those that are one, and how many there were of each."""
    rows, hits = [], []
    for number in which.unique():
        for kind, is_kind in kinds.items():
            members = ((which == number) & is_kind).nonzero().squeeze(-1)
            members = members[q[members].argsort()]
            found = []
            while len(members):
                near = (ends[members] - ends[members[0]]).norm(dim=-1) < MERGE[kind]
                near[0] = True
                found.append((int(near.sum()), int(members[0])))
                members = members[~near]
            found.sort(key=lambda entry: -entry[0])
            hits += [count for count, _ in found]
            rows += [row for _, row in found]
    return np.array(rows, dtype=np.int64), np.array(hits, dtype=np.int64)


def _refine(
    cell: Cell, inputs: Tensor, states: Tensor, which: Tensor, hits: NDArray[np.int64], complete: bool
) -> tuple[Tensor, Tensor, NDArray[np.int64]]:
    """Replace slow states by minima of q and complete the set of fixed ones, input by input."""
    parts, numbers, counts = [states[:0]], [which[:0]], [hits[:0]]
    for number, x in enumerate(inputs):
        mine = (which == number).nonzero().squeeze(-1)
        is_fixed = _is_fixed(cell, x, states[mine])
        fixed, moving = mine[is_fixed], mine[~is_fixed]
        slow, rows = minima(cell, x, states[moving])
        slow_hits = hits[moving.cpu().numpy()][rows]
        at_root = _is_fixed(cell, x, slow)  # polished all the way
        roots, root_hits = distinct(
            torch.cat((states[fixed], slow[at_root])),
            np.concatenate((hits[fixed.cpu().numpy()], slow_hits[at_root.cpu().numpy()])),
            MERGE["fixed"],
        )
        if complete:
            roots = completed(cell, x, roots)
        slow, slow_hits = distinct(slow[~at_root], slow_hits[(~at_root).cpu().numpy()], MERGE["slow"])
        root_hits = np.concatenate((root_hits, np.zeros(len(roots) - len(root_hits), dtype=np.int64)))
        for found, count in ((roots, root_hits), (slow, slow_hits)):
            order = np.argsort(-count, kind="stable")
            parts.append(found[torch.from_numpy(order).to(found.device)])
            numbers.append(torch.full((len(found),), number, dtype=which.dtype, device=which.device))
            counts.append(count[order])
    return torch.cat(parts), torch.cat(numbers), np.concatenate(counts)


def _is_fixed(cell: Cell, x: Tensor, states: Tensor) -> Tensor:
    return certify(cell, x.expand(len(states), -1), states)[1] < FIXED


def _describe(
    cell: Cell,
    inputs: Tensor,
    names: Sequence[str],
    states: Tensor,
    which: Tensor,
    certificates: tuple[Tensor, Tensor, Tensor],
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
    """Return the eigenvalues of the full map's Jacobian with their vectors and errors.

    Parameters
    ----------
    x : (P, inputs) tensor
    states : (P, S) tensor
    modes : int
        Eigenvectors kept, K.
    distance : (P,) array, optional
        How far each state may be from the point that is meant; 0 by default.

    Returns
    -------
    values : (P, S)
        By falling modulus.
    right, left : (P, S, K), (P, K, S)
    error : (P, S)
        Condition number of each eigenvalue times the error of the Jacobian: rounding, and its change over ``distance``.
    """
    count, size = states.shape
    kept = min(modes, size)
    values, error = np.empty((count, size), dtype=np.complex128), np.empty((count, size))
    right, left = np.empty((count, size, kept), dtype=np.complex128), np.empty((count, kept, size), dtype=np.complex128)
    for k in range(count):
        jacobian = cell.jacobian(x[k], states[k]).cpu().numpy()
        value, lefts, rights = scipy.linalg.eig(jacobian, left=True, right=True)
        order = np.argsort(-np.abs(value), kind="stable")
        values[k], lefts, rights = value[order], lefts[:, order].conj().T, rights[:, order]
        overlap = np.einsum("ks,sk->k", lefts, rights)  # both have length 1
        inexact = size * np.finfo(np.float64).eps * np.linalg.norm(jacobian)
        if distance is not None and distance[k] > 0:
            beside = cell.jacobian(x[k], states[k] + distance[k] / size**0.5).cpu().numpy()
            inexact += float(np.linalg.norm(beside - jacobian))
        error[k] = inexact / np.maximum(np.abs(overlap), np.finfo(np.float64).tiny)
        # Scale to left · right = 1; a defective pair (left · right = 0) cannot be and keeps its length.
        scale = np.where(np.abs(overlap) > 1e-12, overlap, 1)[:kept, None]
        right[k], left[k] = rights[:, :kept], lefts[:kept] / scale
    return values, right, left, error

"""Complete a set of fixed points by its topological index.

The reduced map R of a cell (see ``engine.reduced``) is continuous and maps a ball into itself, so the indices
sign det(I − J_R) of all its non-degenerate fixed points add up to Σ = +1 (Brouwer degree, Lefschetz–Hopf).  Σ ≠ 1
proves that points are missing.  Σ = 1 does not prove that none are: they may be missing in pairs.

Missing points are found from known ones, in this order, until a round adds none:

1. *Midpoints of attractors*: damped Newton from the middle of every pair of stable points, where saddles lie.
2. *Gain homotopy*: the roots of h = λ R(h) form curves in (h, λ).  At λ = 0 there is one root, h = 0.  So from every
   fixed point (λ = 1) but one, the curve towards λ < 1 turns round and returns to λ = 1 at a point of the opposite
   index.  Each point is followed to this partner; a partner that was not known is a new point.  A partner of the same
   index, or a second curve that ends at λ = 0, shows that a step has jumped to another curve: it is halved.
3. *Midpoints of neighbours*: damped Newton from the middle of every point and its nearest neighbours.

Where Σ ≠ 1 after that, the root at the end of the curve from h = 0 is added too. Before step 2 the mirror image −h of
every point is tried too: tanh is odd, and networks trained on ±1 are nearly so.

Sources: Milnor, *Topology from the Differentiable Viewpoint* (1965); Allgower & Georg, *Numerical Continuation Methods*
(1990).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.continuation import LONGEST, Curve, Linear, trace
from engine.newton import find_roots, solve
from engine.reduced import Equation

ROOT = 1e-10
"""A state is a root when no component of its residual exceeds this."""

SAME = 1e-5
"""Roots nearer than this (Euclidean, in h) are one point."""

NEIGHBOURS = 10
"""Nearest neighbours of each known point that pairs are made of; doubled in a round after which Σ ≠ 1."""

ROUNDS = 12
"""Rounds of steps 1 to 3 at most: a search that starts from a single attractor can need six."""

_HALVINGS = 3
_ORIGIN = -1  # the partner of the point whose curve leads to λ = 0
_ON_CURVE = 3e-4  # see engine.continuation.CONVERGED; the ends of the curves are polished


def index_of(equation: Equation, x: Tensor, h: Tensor) -> NDArray[np.int64]:
    """Return the index sign det(I − J_R) of every root, (P,): +1, −1, or 0 where the determinant vanishes.

    Parameters
    ----------
    equation : Equation
        A reduced equation R(h) − h = 0.
    x : (inputs,) or (P, inputs) tensor
    h : (P, n) tensor
    """
    if not len(h):
        return np.zeros(0, dtype=np.int64)
    _, jacobian = equation.linear(x.expand(len(h), -1), h)
    sign, _ = torch.linalg.slogdet(-jacobian)
    return sign.sign().to(torch.int64).cpu().numpy()


def complete(equation: Equation, x: Tensor, h: Tensor, stable: Tensor | None = None) -> Tensor:
    """Return the known roots, and behind them the new ones found from them.

    Parameters
    ----------
    equation : Equation
        A reduced equation R(h) − h = 0.
    x : (inputs,) tensor, float64
        The constant input, the same for all points.
    h : (P, n) tensor, float64
        Known roots, all different; without any, the root that the gain homotopy from h = 0 leads to is taken.
    stable : (P,) bool tensor, optional
        Which of them attract; all are tried in step 1 if it is not given.
    """
    if not len(h):
        h, stable = root_from_origin(equation, x, h.shape[1]), None
    attractors = h if stable is None else h[stable]
    first, second = torch.triu_indices(len(attractors), len(attractors), 1, device=h.device)
    h = add_roots(equation, x, h, (attractors[first] + attractors[second]) / 2)
    tried: set[tuple[int, int]] = set()
    paired: set[int] = set()
    mirrored, neighbours = 0, NEIGHBOURS
    for _ in range(ROUNDS):
        known = len(h)
        h = add_roots(equation, x, h, -h[mirrored:])
        mirrored = len(h)
        h = _pair(equation, x, h, paired)
        h = _neighbours(equation, x, h, tried, neighbours)
        if len(h) > known:
            continue
        if neighbours > NEIGHBOURS or index_of(equation, x, h).sum() == 1:
            break
        neighbours *= 2
        h = _merge(h, root_from_origin(equation, x, h.shape[1]))[0]
    return h


def add_roots(equation: Equation, x: Tensor, h: Tensor, starts: Tensor) -> Tensor:
    """Solve from every start and append the roots that are not in ``h`` yet."""
    if not len(starts):
        return h
    clamps = x.expand(len(starts), -1)
    ends = find_roots(equation, clamps, starts)
    return _merge(h, ends[equation.residual(clamps, ends).abs().amax(-1) < ROOT])[0]


def _neighbours(equation: Equation, x: Tensor, h: Tensor, tried: set[tuple[int, int]], count: int) -> Tensor:
    """Solve from the midpoints of the nearest pairs that were not tried before."""
    nearest = torch.cdist(h, h).argsort(dim=-1, stable=True)[:, 1 : count + 1].tolist()
    pairs = sorted({(min(k, other), max(k, other)) for k, row in enumerate(nearest) for other in row} - tried)
    tried.update(pairs)
    if not pairs:
        return h
    left, right = torch.tensor(pairs, device=h.device).T
    return add_roots(equation, x, h, (h[left] + h[right]) / 2)


def _pair(equation: Equation, x: Tensor, h: Tensor, paired: set[int]) -> Tensor:
    """Follow points to their partners, negative indices first: a positive partner need not be followed back.

    Rows in ``paired`` have a known partner, or lead to λ = 0, and are skipped; new ones are added, and ``_ORIGIN`` once
    the one that leads to λ = 0 is known.
    """
    for index in (-1, 1):
        sign = index_of(equation, x, h)
        rows = [k for k in range(len(h)) if sign[k] == index and k not in paired]
        longest = LONGEST
        for _ in range(1 + _HALVINGS):
            # The curve of one positive point leads to λ = 0: the last one left need not be followed that far.
            spare = int(index == 1 and _ORIGIN not in paired)
            if len(rows) <= spare:
                break
            leave = spare if longest == LONGEST else 0
            ends, to_origin = partners_of(equation, x, h[rows], longest=longest, leave=leave)
            returned = ~ends.isnan().any(-1)
            opposite = np.zeros(len(rows), dtype=bool)
            opposite[returned.cpu().numpy()] = index_of(equation, x, ends[returned]) == -index
            h, numbers = _merge(h, ends[torch.from_numpy(opposite).to(h.device)])
            one_origin = bool(spare) and int(to_origin.sum()) == 1
            if one_origin:
                paired.add(_ORIGIN)
            done = [
                k for k, found, home in zip(rows, opposite, to_origin, strict=True) if found or (home and one_origin)
            ]
            paired.update(numbers, done)
            rows = [k for k in rows if k not in paired]
            longest /= 4
    return h


def root_from_origin(equation: Equation, x: Tensor, n: int) -> Tensor:
    """Return the root at λ = 1 of the curve h = λ R(h) from h = 0, λ = 0: (1, n), or (0, n) where it was lost."""
    nothing, scale = x.new_empty(0, n), n**0.5
    for halvings in range(1 + _HALVINGS):
        start, up = x.new_zeros(1, n + 1), x.new_ones(1)
        (curve,) = trace(_gain_curve(equation, x, scale), start, up, longest=LONGEST / 4**halvings)
        if curve.ended == "high":
            return add_roots(equation, x, nothing, _crossing(curve)[:-1].unsqueeze(0) * scale)
    return nothing


def partners_of(
    equation: Equation, x: Tensor, h: Tensor, *, longest: float = LONGEST, leave: int = 0
) -> tuple[Tensor, NDArray[np.bool_]]:
    """Follow h = λ R(h) from roots at λ = 1 towards λ < 1, until no more than ``leave`` curves are left.

    Returns
    -------
    ends : (P, n) tensor
        The root at λ = 1 to which the curve returns; NaN where it does not.
    to_origin : (P,) bool
        The curve reaches λ = 0, or is one of those left.
    """
    scale = h.shape[1] ** 0.5  # so that a step weighs the whole state about as much as λ

    curves = trace(
        _gain_curve(equation, x, scale),
        torch.cat((h / scale, torch.ones_like(h[:, :1])), dim=-1),
        -h.new_ones(len(h)),
        longest=longest,
        converged=_ON_CURVE,
        leave=leave,
    )
    to_origin = np.array([curve.ended in ("low", "left") for curve in curves], dtype=bool)
    ends = torch.full_like(h, torch.nan)
    back = [k for k, curve in enumerate(curves) if curve.ended == "high"]
    if back:
        starts = torch.stack([_crossing(curves[k])[:-1] * scale for k in back])
        clamps = x.expand(len(starts), -1)
        roots = solve(equation, clamps, starts, creeping=0.0)
        roots[equation.residual(clamps, roots).abs().amax(-1) > ROOT] = torch.nan
        ends[back] = roots
    return ends, to_origin


def _gain_curve(equation: Equation, x: Tensor, scale: float) -> Linear:
    """G(u, λ) = (λ R(h) − h) / scale with h = scale u, and its Jacobian."""

    def linear(place: Tensor) -> tuple[Tensor, Tensor]:
        state, gain = place[:, :-1] * scale, place[:, -1:]
        residual, jacobian = equation.linear(x.expand(len(place), -1), state)
        image = residual + state  # R(h)
        jacobian.diagonal(dim1=-2, dim2=-1).add_(1)
        by_state = gain.unsqueeze(-1) * jacobian
        by_state.diagonal(dim1=-2, dim2=-1).sub_(1)
        return (gain * image - state) / scale, torch.cat((by_state, image.unsqueeze(-1) / scale), dim=-1)

    return linear


def _crossing(curve: Curve) -> Tensor:
    """The place where the last step of a curve crosses λ = 1, by a straight line."""
    before, after = curve.places[-2], curve.places[-1]
    return before + (1 - before[-1]) / (after[-1] - before[-1]) * (after - before)


def _merge(h: Tensor, roots: Tensor) -> tuple[Tensor, list[int]]:
    """Append roots that are not in ``h`` yet; all of them, and the row of each root."""
    rows = []
    for root in roots:
        same = ((h - root).norm(dim=-1) < SAME).nonzero()
        if not len(same):
            h = torch.cat((h, root.unsqueeze(0)))
        rows.append(int(same[0]) if len(same) else len(h) - 1)
    return h, rows

"""Fixed-point equations in h alone, with the roots of F(s, x) = s and better conditioned.

===============  ==================================  ======================================================
cell             equation                            reason for equal roots
===============  ==================================  ======================================================
RNN, LRU         φ(W x + U h + b) − h = 0            F(s, x) − s is α times it
rate network     φ(W x + U h + b) − h = 0            a root has v = W x + U h + b
GRU              n(h) − h = 0                        F − h = (1 − z)(n − h), and 1 − z is never 0
LSTM             o(h) ψ(i g / (1 − f)) − h = 0       a root has c = i g / (1 − f)
minGRU, minLSTM  n(x) − h = 0                        the only root, because no gate reads the state
===============  ==================================  ======================================================

A hard sigmoid can be exactly 0 or 1.  A GRU unit with z = 1 or an LSTM unit with f = 1 then keeps its state whatever it
is: such states are no isolated roots, and the reduced equation has none of them.

Every function is batched: x (..., inputs), h (..., n) → residual (..., n), Jacobian ∂residual/∂h (..., n, n).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from engine.cells import Cell, GruCell, LstmCell, MinGruCell, MinLstmCell, RateCell, RnnCell
from engine.nonlinearities import complement, relative_slope

_LEAST = 1e-9  # smallest 1 − f of a hard sigmoid; a root there fails the certificate of the full map


class Equation(NamedTuple):
    """A vector equation in u, residual(x, u) = 0, and the conversion between u and states."""

    residual: Callable[[Tensor, Tensor], Tensor]
    """(x, u) → (..., m)"""
    linear: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    """(x, u) → residual (..., m) and Jacobian (..., m, m)"""
    unknowns: Callable[[Tensor], Tensor]
    """state (..., S) → u"""
    state: Callable[[Tensor, Tensor], Tensor]
    """(x, u) → state (..., S)"""
    diagonal: int = 0
    """Number d of last unknowns, half of all, by which both halves of the residual are differentiated diagonally."""


def reduced_equation(cell: Cell) -> Equation:
    """Return the well-conditioned equation of a cell.

    Raises
    ------
    ValueError
        For a type of cell without such an equation.
    """
    match cell:
        case GruCell():
            return _gru(cell)
        case LstmCell():
            return _lstm(cell)
        case RateCell():
            return _rate(cell)
        case MinGruCell() | MinLstmCell():
            return _minimal(cell)
        case RnnCell():
            return full_equation(_without_leak(cell))
    raise ValueError(f"no reduced equation is known for a {type(cell).__name__}; expected a layer of engine.cells")


def full_equation(cell: Cell) -> Equation:
    """Return F(s, x) − s = 0 in the full state; the squared norm of its residual is 2q."""

    def residual(x: Tensor, s: Tensor) -> Tensor:
        return cell.step(x, s)[0] - s

    def linear(x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        return residual(x, s), minus_identity(cell.jacobian(x, s))

    diagonal = cell.size if isinstance(cell, LstmCell | RateCell) else 0  # a unit depends on its own c or v alone
    return Equation(residual, linear, lambda s: s, lambda x, s: s, diagonal)


def minus_identity(matrices: Tensor) -> Tensor:
    """Subtract the identity from a batch of square matrices, in place."""
    matrices.diagonal(dim1=-2, dim2=-1).sub_(1)
    return matrices


def _gru(cell: GruCell) -> Equation:
    def residual(x: Tensor, h: Tensor) -> Tensor:
        return cell.candidate(x, h)[1] - h

    def linear(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        r, n, hidden = cell.candidate(x, h)
        return n - h, minus_identity(cell.candidate_jacobian(r, n, hidden, h))

    return Equation(residual, linear, lambda s: s, lambda x, h: h)


def _lstm(cell: LstmCell) -> Equation:
    wi, wf, wg, wo = cell.weight_hh.chunk(4, dim=0)
    gate, candidate, output = (cell.function(key) for key in ("gate", "activation", "output"))

    def parts(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = (x @ cell.weight_ih.mT + h @ cell.weight_hh.mT + cell.bias).chunk(4, dim=-1)
        forget_rate = complement(gate, f)
        if gate.name != "sigmoid":
            forget_rate = forget_rate.clamp(min=_LEAST)
        i, f, g, o = gate.value(i), gate.value(f), candidate.value(g), gate.value(o)
        return i, f, g, o, i * g / forget_rate, forget_rate

    def residual(x: Tensor, h: Tensor) -> Tensor:
        _, _, _, o, c, _ = parts(x, h)
        return o * output.value(c) - h

    def linear(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o, c, forget_rate = parts(x, h)
        out = output.value(c)
        slope = o * output.slope(out)  # ∂h/∂c
        jacobian = (slope * gate.slope(i) * g / forget_rate).unsqueeze(-1) * wi
        jacobian.addcmul_((slope * c * relative_slope(gate, f, forget_rate)).unsqueeze(-1), wf)
        jacobian.addcmul_((slope * i * candidate.slope(g) / forget_rate).unsqueeze(-1), wg)
        jacobian.addcmul_((gate.slope(o) * out).unsqueeze(-1), wo)
        return o * out - h, minus_identity(jacobian)

    def state(x: Tensor, h: Tensor) -> Tensor:
        return torch.cat((h, parts(x, h)[4]), dim=-1)

    return Equation(residual, linear, lambda s: s[..., : cell.size], state)


def _rate(cell: RateCell) -> Equation:
    function = cell.function("activation")

    def current(x: Tensor, h: Tensor) -> Tensor:
        return x @ cell.weight_ih.mT + h @ cell.weight_hh.mT + cell.bias

    def residual(x: Tensor, h: Tensor) -> Tensor:
        return function.value(current(x, h)) - h

    def linear(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        rate = function.value(current(x, h))
        return rate - h, minus_identity(function.slope(rate).unsqueeze(-1) * cell.weight_hh)

    return Equation(residual, linear, lambda s: s[..., : cell.size], lambda x, h: torch.cat((h, current(x, h)), dim=-1))


def _without_leak(cell: RnnCell) -> RnnCell:
    return type(cell)(**cell.weights(), **{**cell.settings, "leak": 1.0})  # type: ignore[arg-type]


def _minimal(cell: MinGruCell | MinLstmCell) -> Equation:
    def residual(x: Tensor, h: Tensor) -> Tensor:
        return cell.kept(x)[1] - h

    def linear(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return residual(x, h), torch.diag_embed(-torch.ones_like(h))

    return Equation(residual, linear, lambda s: s, lambda x, h: h)

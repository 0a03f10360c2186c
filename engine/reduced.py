"""Fixed-point equations in h alone, with the roots of F(s, x) = s and better conditioned.

=====  ==================================  ================================================
cell   equation                            reason for equal roots
=====  ==================================  ================================================
RNN    tanh(W x + U h + b) − h = 0         it is F(s, x) − s
GRU    n(h) − h = 0                        F − h = (1 − z)(n − h), and 1 − z is never 0
LSTM   o(h) tanh(i g / (1 − f)) − h = 0    a root has c = i g / (1 − f)
=====  ==================================  ================================================

Every function is batched: x (..., inputs), h (..., n) → residual (..., n), Jacobian ∂residual/∂h (..., n, n).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from engine.cells import Cell, GruCell, LstmCell, RnnCell


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
        case RnnCell():
            return full_equation(cell)
    raise ValueError(f"no reduced equation is known for a {type(cell).__name__}; expected an RNN, GRU or LSTM cell")


def full_equation(cell: Cell) -> Equation:
    """Return F(s, x) − s = 0 in the full state; the squared norm of its residual is 2q."""

    def residual(x: Tensor, s: Tensor) -> Tensor:
        return cell.step(x, s)[0] - s

    def linear(x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        return residual(x, s), minus_identity(cell.jacobian(x, s))

    diagonal = cell.size if isinstance(cell, LstmCell) else 0  # h' and c' of a unit depend on its own c alone
    return Equation(residual, linear, lambda s: s, lambda x, s: s, diagonal)


def minus_identity(matrices: Tensor) -> Tensor:
    """Subtract the identity from a batch of square matrices, in place."""
    matrices.diagonal(dim1=-2, dim2=-1).sub_(1)
    return matrices


def _gru(cell: GruCell) -> Equation:
    wr, _, wn = cell.weight_hh.chunk(3, dim=0)
    ir, _, in_ = cell.weight_ih.chunk(3, dim=0)
    br, _, bn = cell.bias.chunk(3)

    def parts(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        r = torch.sigmoid(x @ ir.mT + h @ wr.mT + br)
        hidden = h @ wn.mT + cell.bias_hn
        return r, hidden, torch.tanh(x @ in_.mT + bn + r * hidden)

    def residual(x: Tensor, h: Tensor) -> Tensor:
        return parts(x, h)[2] - h

    def linear(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        r, hidden, n = parts(x, h)
        slope = 1 - n * n
        jacobian = (slope * r).unsqueeze(-1) * wn
        jacobian.addcmul_((slope * hidden * r * (1 - r)).unsqueeze(-1), wr)
        return n - h, minus_identity(jacobian)

    return Equation(residual, linear, lambda s: s, lambda x, h: h)


def _lstm(cell: LstmCell) -> Equation:
    wi, wf, wg, wo = cell.weight_hh.chunk(4, dim=0)

    def parts(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = (x @ cell.weight_ih.mT + h @ cell.weight_hh.mT + cell.bias).chunk(4, dim=-1)
        forget_rate = torch.sigmoid(-f)  # 1 − f, without cancellation for a gate close to 1
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        return i, f, g, o, i * g / forget_rate, forget_rate

    def residual(x: Tensor, h: Tensor) -> Tensor:
        _, _, _, o, c, _ = parts(x, h)
        return o * torch.tanh(c) - h

    def linear(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o, c, forget_rate = parts(x, h)
        out = torch.tanh(c)
        slope = o * (1 - out * out)  # ∂h/∂c
        jacobian = (slope * c * (1 - i)).unsqueeze(-1) * wi
        jacobian.addcmul_((slope * c * f).unsqueeze(-1), wf)
        jacobian.addcmul_((slope * i * (1 - g * g) / forget_rate).unsqueeze(-1), wg)
        jacobian.addcmul_((o * (1 - o) * out).unsqueeze(-1), wo)
        return o * out - h, minus_identity(jacobian)

    def state(x: Tensor, h: Tensor) -> Tensor:
        return torch.cat((h, parts(x, h)[4]), dim=-1)

    return Equation(residual, linear, lambda s: s[..., : cell.size], state)

"""One recurrence over many networks of one shape: RNN, GRU and LSTM layers with a leading network dimension.

PyTorch's fused layers run one network; on small layers the time of a step is that of starting its operations, which is
the same for one network as for twenty.  Forward and backward pass are written by hand: a step of backpropagation
through time is a batched matrix product and a few operations in place, and the gradients of the recurrent weights are
one product over all steps.

K networks, T steps, B sequences, n cells, g gates; time is the first dimension, so that a step is contiguous.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def recurrence(cell: str, projected: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return h (T, K, B, n) of layers that start at the zero state.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
        The variants of PyTorch, with its order of gates.
    projected : (T, K, B, g n) tensor
        The input times the input weights, plus the bias of the input.
    weight : (K, g n, n) tensor
        Recurrent weights.
    bias : (K, g n) tensor, optional
        Recurrent bias, for the GRU only: in the others it adds to the bias of the input.
    """
    if cell == "rnn":
        return _apply(_Rnn, projected, weight)
    if cell == "lstm":
        return _apply(_Lstm, projected, weight)
    assert bias is not None, "a GRU has a recurrent bias"
    return _apply(_Gru, projected, weight, bias)


def _apply(function: type[torch.autograd.Function], *inputs: Tensor) -> Tensor:
    return function.apply(*inputs)


def _over_time(tensor: Tensor) -> Tensor:
    """Return (T, K, B, n) as (K, T B, n)."""
    return tensor.transpose(0, 1).flatten(1, 2)


def _weight_gradient(gates: Tensor, h: Tensor) -> Tensor:
    """Return Σ over steps and sequences of gates ⊗ h before the step, (K, g n, n)."""
    return torch.bmm(_over_time(gates[1:]).mT, _over_time(h[:-1]))


class _Rnn(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, projected: Tensor, weight: Tensor) -> Tensor:
        h, transposed = torch.empty_like(projected), weight.mT.contiguous()
        torch.tanh(projected[0], out=h[0])
        for t in range(1, len(h)):
            torch.baddbmm(projected[t], h[t - 1], transposed, out=h[t])
            h[t].tanh_()
        context.save_for_backward(h, weight)
        return h

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        h, weight = context.saved_tensors
        gates = 1 - h.square()
        into = gradient[-1]
        for t in range(len(h) - 1, -1, -1):
            gates[t].mul_(into)
            if t:
                into = torch.baddbmm(gradient[t - 1], gates[t], weight)
        return gates, _weight_gradient(gates, h)


class _Lstm(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, projected: Tensor, weight: Tensor) -> Tensor:
        steps, networks, sequences, width = projected.shape
        n = width // 4
        transposed = weight.mT.contiguous()
        gates = projected.clone()
        h, c, bounded = (projected.new_empty(steps, networks, sequences, n) for _ in range(3))
        for t in range(steps):
            now = gates[t]
            if t:
                torch.baddbmm(now, h[t - 1], transposed, out=now)
            now[..., : 2 * n].sigmoid_()
            now[..., 2 * n : 3 * n].tanh_()
            now[..., 3 * n :].sigmoid_()
            i, f, g, o = now.split(n, dim=-1)
            torch.mul(i, g, out=c[t])
            if t:
                c[t].addcmul_(f, c[t - 1])
            torch.tanh(c[t], out=bounded[t])
            torch.mul(o, bounded[t], out=h[t])
        context.save_for_backward(gates, h, c, bounded, weight)
        return h

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        gates, h, c, bounded, weight = context.saved_tensors
        steps, networks, sequences, n = h.shape
        i, f, g, o = gates.split(n, dim=-1)
        # All that does not depend on later steps at once: the derivative of c by each gate, and of h by c.
        slopes = torch.empty_like(gates)
        of_i, of_f, of_g, of_o = slopes.split(n, dim=-1)
        torch.mul(g, i - i.square(), out=of_i)
        of_f[0] = 0  # the state before the first step is zero
        torch.mul(c[:-1], (f - f.square())[1:], out=of_f[1:])
        torch.mul(i, 1 - g.square(), out=of_g)
        torch.mul(bounded, o - o.square(), out=of_o)
        of_c = o * (1 - bounded.square())
        dc = torch.zeros_like(h[0])
        into = gradient[-1]
        for t in range(steps - 1, -1, -1):
            dc.addcmul_(into, of_c[t])
            now = slopes[t].view(networks, sequences, 4, n)
            now[:, :, :3].mul_(dc.unsqueeze(2))
            now[:, :, 3].mul_(into)
            if t:
                dc.mul_(f[t])
                into = torch.baddbmm(gradient[t - 1], slopes[t], weight)
        return slopes, _weight_gradient(slopes, h)


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, projected: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        steps, networks, sequences, width = projected.shape
        n = width // 3
        transposed = weight.mT.contiguous()
        row = bias.unsqueeze(1).expand(networks, sequences, width)
        gates = projected.clone()
        h, recurrent = (projected.new_empty(steps, networks, sequences, n) for _ in range(2))
        for t in range(steps):
            now = gates[t]
            product = torch.baddbmm(row, h[t - 1], transposed) if t else row
            now[..., : 2 * n].add_(product[..., : 2 * n]).sigmoid_()
            r, z, candidate = now.split(n, dim=-1)
            recurrent[t] = product[..., 2 * n :]
            candidate.addcmul_(r, recurrent[t]).tanh_()
            if t:
                torch.lerp(candidate, h[t - 1], z, out=h[t])
            else:
                torch.mul(candidate, 1 - z, out=h[t])
        context.save_for_backward(gates, h, recurrent, weight)
        return h

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gates, h, recurrent, weight = context.saved_tensors
        steps, n = len(h), h.shape[-1]
        r, z, candidate = gates.split(n, dim=-1)
        before = torch.cat((torch.zeros_like(h[:1]), h[:-1]))
        of_r = recurrent * (r - r.square())  # of the candidate's argument by the argument of r
        of_z = (before - candidate) * (z - z.square())
        of_candidate = (1 - z) * (1 - candidate.square())
        outer = torch.empty_like(gates)  # gradients of the arguments
        inner = torch.empty_like(gates)  # gradients of U h + b, which r multiplies in the candidate
        into = gradient[-1]
        for t in range(steps - 1, -1, -1):
            dr, dz, dn = outer[t].split(n, dim=-1)
            torch.mul(into, of_candidate[t], out=dn)
            torch.mul(into, of_z[t], out=dz)
            torch.mul(dn, of_r[t], out=dr)
            inner[t, ..., : 2 * n] = outer[t, ..., : 2 * n]
            torch.mul(dn, r[t], out=inner[t, ..., 2 * n :])
            if t:
                into = torch.baddbmm(torch.addcmul(gradient[t - 1], into, z[t]), inner[t], weight)
        return outer, _weight_gradient(inner, h), inner.sum(dim=(0, 2))

"""Weights of several networks stacked along a leading dimension, and Adam and clipping for each network of a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class Stack:
    """Named tensors of K networks, each stacked to (K, …); the given tensors become views of its rows.

    Parameters
    ----------
    networks : sequence of mappings
        The tensors of each network, of the same names and shapes.  The data of a parameter becomes a row of the stack,
        so that every later step changes the parameter.
    """

    def __init__(self, networks: Sequence[Mapping[str, Tensor]]) -> None:
        self._stacked: dict[str, Tensor] = {}
        self._learned: list[str] = []
        for name, one in networks[0].items():
            stacked = torch.stack([network[name].detach() for network in networks])
            for network, row in zip(networks, stacked, strict=True):
                network[name].data = row
            if one.requires_grad:
                stacked.requires_grad_()
                self._learned.append(name)
            self._stacked[name] = stacked

    def __getitem__(self, name: str) -> Tensor:
        return self._stacked[name]

    def learned(self) -> list[Tensor]:
        """Return the stacked tensors that require gradients."""
        return [self._stacked[name] for name in self._learned]

    def tensors(self) -> dict[str, Tensor]:
        """Return the stacked tensors themselves, by name."""
        return dict(self._stacked)

    def rows(self) -> list[dict[str, Tensor]]:
        """Return the tensors of each network, as views."""
        count = len(next(iter(self._stacked.values())))
        return [{name: stacked[k] for name, stacked in self._stacked.items()} for k in range(count)]

    def move_towards(self, other: Stack, weight: Tensor) -> None:
        """Move every tensor towards that of another stack, by ``weight`` (K,) of the way."""
        for name, stacked in self._stacked.items():
            stacked.lerp_(other[name], _column(weight, stacked))


class Adam:
    """`torch.optim.Adam` for stacked parameters, with a learning rate for each network."""

    def __init__(
        self, parameters: Sequence[Tensor], betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self._parameters, self._betas, self._eps = parameters, betas, eps
        self.steps = 0
        self._mean, self._square = ([torch.zeros_like(one) for one in parameters] for _ in range(2))

    def moments(self) -> dict[str, Tensor]:
        """Return the running means of the gradients and of their squares themselves, by name."""
        kinds = {"mean": self._mean, "square": self._square}
        return {f"{kind}.{k}": one for kind, values in kinds.items() for k, one in enumerate(values)}

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: Tensor) -> None:
        """Take a step with the gradients of the parameters and the learning rates (K,)."""
        self.steps += 1
        first, second = self._betas
        scale = (1 - second**self.steps) ** 0.5
        rate = rate / (1 - first**self.steps)
        for one, gradient, mean, square in zip(self._parameters, gradients, self._mean, self._square, strict=True):
            mean.lerp_(gradient, 1 - first)
            square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
            one.sub_(mean / (square.sqrt() / scale).add_(self._eps) * _column(rate, one))


def clip(gradients: tuple[Tensor, ...], norms: Sequence[float]) -> tuple[Tensor, ...]:
    """Return the gradients (K, …), those of each network scaled to at most its norm; a norm of 0 leaves them alone.

    Not in place: two biases that are added have one gradient, the same tensor.
    """
    if not any(norms):
        return gradients
    found = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients]).norm(dim=0)
    limit = per_network([norm or float("inf") for norm in norms], found.dtype, found.device)
    factor = (limit / (found + 1e-6)).clamp(max=1.0)
    return tuple(gradient * _column(factor, gradient) for gradient in gradients)


def per_network(values: Sequence[float], dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """Return one number a network, (K,)."""
    return torch.tensor(values, dtype=dtype, device=device)


def _column(values: Tensor, like: Tensor) -> Tensor:
    """Return (K,) values in a shape that multiplies (K, …)."""
    return values.reshape(-1, *(1,) * (like.ndim - 1))

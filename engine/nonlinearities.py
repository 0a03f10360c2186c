"""Elementwise nonlinearities of cells, by name, each with its slope, its inverse and its bounds.

Sources: hard sigmoid of Courbariaux et al. (2015) as Keras computes it, 0.2 x + 0.5 before version 3 and x/6 + 0.5
since; ``shifted`` is g of Feng et al. (2024), appendix B.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import softplus

_INFINITE: Final = float("inf")
_END: Final = 16.0  # σ(±16) is 1 or 0 to 1e-7


@dataclass(frozen=True)
class Nonlinearity:
    """A nondecreasing function y = f(a) of each component.

    Attributes
    ----------
    name : str
    low, high : float
        Bounds of its values.
    value : a → y
    slope : y → f'(a)
        Written in y, which determines it for every function here; 0 at a kink.
    inverse : y → an a with f(a) = y, the nearest end for a y outside the range.
    """

    name: str
    low: float
    high: float
    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    inverse: Callable[[Tensor], Tensor]

    @property
    def is_gate(self) -> bool:
        """Whether the values lie in [0, 1] and f(−a) = 1 − f(a)."""
        return self.name in GATES


def _hard_sigmoid(name: str, slope: float) -> Nonlinearity:
    return Nonlinearity(
        name,
        0.0,
        1.0,
        lambda a: (slope * a + 0.5).clamp(0, 1),
        lambda y: slope * ((y > 0) & (y < 1)).to(y),
        lambda y: (y.clamp(0, 1) - 0.5) / slope,
    )


def _shifted_inverse(y: Tensor) -> Tensor:
    return torch.where(y >= 0.5, y - 0.5, y.clamp(0, 0.5).logit().clamp(-_END, 0))


NONLINEARITIES: Final[Mapping[str, Nonlinearity]] = {
    one.name: one
    for one in (
        Nonlinearity(
            "sigmoid",
            0.0,
            1.0,
            torch.sigmoid,
            lambda y: y * (1 - y),
            lambda y: y.clamp(0, 1).logit().clamp(-_END, _END),
        ),
        _hard_sigmoid("hard_sigmoid_5", 1 / 5),
        _hard_sigmoid("hard_sigmoid_6", 1 / 6),
        Nonlinearity(
            "tanh", -1.0, 1.0, torch.tanh, lambda y: 1 - y * y, lambda y: y.clamp(-1, 1).atanh().clamp(-_END, _END)
        ),
        Nonlinearity("relu", 0.0, _INFINITE, torch.relu, lambda y: (y > 0).to(y), lambda y: y.clamp(min=0)),
        Nonlinearity("linear", -_INFINITE, _INFINITE, lambda a: a, torch.ones_like, lambda y: y),
        Nonlinearity(
            "softplus",
            0.0,
            _INFINITE,
            lambda a: softplus(a, threshold=40),
            lambda y: -torch.expm1(-y),
            lambda y: y.clamp(min=1e-7).expm1().log(),
        ),
        Nonlinearity(
            "shifted",
            0.0,
            _INFINITE,
            lambda a: torch.where(a >= 0, a + 0.5, torch.sigmoid(a)),
            lambda y: torch.where(y >= 0.5, 1.0, y * (1 - y)),
            _shifted_inverse,
        ),
    )
}
"""Every nonlinearity by its name; the number of a hard sigmoid is 1/slope: x/5 + ½ or x/6 + ½."""

GATES: Final = ("sigmoid", "hard_sigmoid_5", "hard_sigmoid_6")
DESCRIPTIONS: Final[Mapping[str, str]] = {
    "hard_sigmoid_5": "hard sigmoid 0.2 x + 0.5",
    "hard_sigmoid_6": "hard sigmoid x/6 + 0.5",
    "shifted": "x + 0.5 above 0, sigmoid below",
}


def nonlinearity(name: object) -> Nonlinearity:
    """Return the nonlinearity of a name.

    Raises
    ------
    ValueError
        For an unknown name; lists the known ones.
    """
    if not isinstance(name, str) or name not in NONLINEARITIES:
        raise ValueError(f"unknown nonlinearity {name!r}, expected one of {', '.join(NONLINEARITIES)}")
    return NONLINEARITIES[name]


def complement(one: Nonlinearity, a: Tensor) -> Tensor:
    """Return 1 − f(a) of a gate without cancellation where f(a) is close to 1."""
    return one.value(-a)


def relative_slope(one: Nonlinearity, y: Tensor, rest: Tensor) -> Tensor:
    """Return f'(a) / (1 − f(a)) of a gate, given y = f(a) and ``rest`` = 1 − f(a) > 0; 0 where it is flat."""
    return y if one.name == "sigmoid" else one.slope(y) / rest

"""The Adam optimiser. It takes the steps of `torch.optim.Adam`, whose first use loads PyTorch's compiler for seconds.

Kingma, D. P. & Ba, J. (2015). Adam: A method for stochastic optimization. ICLR.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import torch
from torch import Tensor

_DECAYS: Final = (0.9, 0.999)  # of the means of the gradient and of its square


class Adam:
    """Adam for some tensors, whose ``grad`` it reads.

    Attributes
    ----------
    rate : float
        Learning rate of the next step.
    state : list of dict
        For each tensor: ``step``, the number of steps, and the running means ``exp_avg`` and ``exp_avg_sq``.
    """

    def __init__(self, learned: Sequence[Tensor], rate: float, epsilon: float = 1e-8) -> None:
        self.learned, self.rate, self._epsilon = learned, rate, epsilon
        self.state = [
            {"step": torch.zeros(()), "exp_avg": torch.zeros_like(each), "exp_avg_sq": torch.zeros_like(each)}
            for each in (tensor.detach() for tensor in learned)
        ]

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for tensor in self.learned:
            tensor.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take a step; a tensor without a gradient stays as it is."""
        for tensor, state in zip(self.learned, self.state, strict=True):
            gradient = tensor.grad
            if gradient is None:
                continue
            state["step"] += 1
            corrections = [1 - decay ** state["step"].item() for decay in _DECAYS]
            mean = state["exp_avg"].lerp_(gradient, 1 - _DECAYS[0])
            square = state["exp_avg_sq"].mul_(_DECAYS[1]).addcmul_(gradient, gradient, value=1 - _DECAYS[1])
            size = (square.sqrt() / sqrt(corrections[1])).add_(self._epsilon)
            tensor.addcdiv_(mean, size, value=-self.rate / corrections[0])

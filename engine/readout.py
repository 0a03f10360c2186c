"""Outputs of hidden states, each computed by itself: the same bits whichever states are computed together.

A matrix product rounds differently for few rows than for many, and `torch.sigmoid` for the last elements of an array:
with them P(positive) of a review would depend on the reviews in its batch.
"""

from __future__ import annotations

import torch
from torch import Tensor


def logits_of(h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``h`` Wᵀ + b, (..., k), of states (..., n), a weight (k, n) and a bias (k,)."""
    return torch.stack([_sum(h * row) for row in weight], dim=-1) + bias


def sigmoid(logits: Tensor) -> Tensor:
    """Return 1 / (1 + e^−logit), elementwise."""
    return 1 / (1 + torch.exp(-logits))


def _sum(values: Tensor) -> Tensor:
    """Sum over the last dimension by adding its halves, which fixes the order of the additions."""
    while (count := values.shape[-1]) > 1:
        half = count // 2
        added = values[..., :half] + values[..., half : 2 * half]
        values = torch.cat((added, values[..., 2 * half :]), dim=-1) if count % 2 else added
    return values[..., 0]

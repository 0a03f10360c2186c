"""Train networks of one shape on synthetic tasks side by side, see `engine.sweeps.side_by_side`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network import Network
from engine.sweeps.recurrence import recurrence
from engine.sweeps.stacked import Adam, Stack, clip, per_network
from engine.task_training import TaskRecipe, initial_layers, task_network

TASK_SHARED: Final = ("task", "cell", "size", "steps", "batch", "batches")
"""The fields of a recipe that networks trained side by side share; they decide the shapes."""


def train_tasks_side_by_side(
    recipes: Sequence[TaskRecipe],
    *,
    device: str = "cpu",
    progress: Callable[[int, Sequence[float]], None] = lambda batch, losses: None,
) -> list[Network]:
    """Train networks as `engine.task_training.train_task` trains each of them, and measure their accuracy.

    ``progress`` is called after every batch with (its number, from 1; the loss of each network).

    Raises
    ------
    ValueError
        If the recipes differ in a field of `TASK_SHARED`.
    """
    first = recipes[0]
    if differing := [
        name for name in TASK_SHARED if any(getattr(one, name) != getattr(first, name) for one in recipes)
    ]:
        raise ValueError(f"networks trained side by side need the same {', '.join(differing)}")
    tasks = [recipe.sequences() for recipe in recipes]
    layers = [initial_layers(recipe, device) for recipe in recipes]
    stack = Stack([_parameters(*pair) for pair in layers])
    dtype = stack["readout.weight"].dtype
    optimiser = Adam(stack.learned())
    rate = per_network([recipe.learning_rate for recipe in recipes], dtype, device)
    for batch in range(first.batches):
        drawn = [
            task.sequences(recipe.batch, recipe.steps, recipe.seed * recipe.batches + batch)
            for task, recipe in zip(tasks, recipes, strict=True)
        ]
        inputs, targets = (
            torch.from_numpy(np.stack([one[k] for one in drawn])).to(device).permute(2, 0, 1, 3) for k in (0, 1)
        )
        losses = _losses(_logits(first.cell, stack, inputs.to(dtype)), targets.to(dtype))
        gradients = torch.autograd.grad(losses.sum(), stack.learned())
        gradients = clip(gradients, [recipe.clip for recipe in recipes])
        optimiser.step(gradients, rate)
        progress(batch + 1, losses.tolist())
    return [task_network(recipe, *pair) for recipe, pair in zip(recipes, layers, strict=True)]


def _parameters(layer: nn.Module, readout: nn.Module) -> dict[str, Tensor]:
    parts = {"layer": layer, "readout": readout}
    return {f"{part}.{name}": value for part, module in parts.items() for name, value in module.named_parameters()}


def _logits(cell: str, stack: Stack, x: Tensor) -> Tensor:
    """Return the logits (time, network, sequence, channel)."""
    bias = stack["layer.bias_ih_l0"]
    if cell != "gru":
        bias = bias + stack["layer.bias_hh_l0"]
    projected = torch.matmul(x, stack["layer.weight_ih_l0"].mT) + bias[:, None]
    inner = stack["layer.bias_hh_l0"] if cell == "gru" else None
    h = recurrence(cell, projected, stack["layer.weight_hh_l0"], inner)
    return torch.matmul(h, stack["readout.weight"].mT) + stack["readout.bias"][:, None]


def _losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross entropy of each network over the defined targets."""
    defined = ~targets.isnan()
    each = functional.binary_cross_entropy_with_logits(
        logits, targets.nan_to_num(), reduction="none"
    ) * defined  # fmt: skip
    return each.sum(dim=(0, 2, 3)) / defined.sum(dim=(0, 2, 3))

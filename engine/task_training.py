"""Train a network on a synthetic task with the recipe of the fixed-point paper.

Cheng, Schmid & Lange (2021), section 4.2: 100 units, binary cross entropy in every channel, Adam with its default
rate, Glorot initial weights, the same duration for every architecture, accuracy above 95 %.  The paper does not specify
the following, chosen here: sequences of 50 steps, 4,000 batches of 64 new sequences, zero initial biases, and gradients
clipped at norm 1 (otherwise the loss of the tanh RNN jumps).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.cells import TRAINED, cell_from_torch
from engine.network import Network
from engine.seeding import seeded
from engine.tasks import Task, task_from_name

_TEST_SEED = 2**31
"""First seed of the test sequences; training uses smaller seeds."""


@dataclass(frozen=True)
class TaskRecipe:
    """Parameters of a training run.  ``gamma`` is the discount of integration, ``p`` the pulse rate of flip-flop."""

    task: str = "flip-flop-3"
    cell: str = "gru"
    size: int = 100
    seed: int = 0
    steps: int = 50
    batch: int = 64
    batches: int = 4000
    learning_rate: float = 0.001
    clip: float = 1.0
    gamma: float = 1.0
    p: float = 0.1

    def __post_init__(self) -> None:
        if self.cell not in TRAINED:
            raise ValueError(f"unknown cell {self.cell!r}, expected one of {', '.join(TRAINED)}")
        for field in ("size", "steps", "batch", "batches"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        self.sequences()

    def sequences(self) -> Task:
        """Return the task, which generates the sequences."""
        return task_from_name(self.task, gamma=self.gamma, p=self.p)


def train_task(
    recipe: TaskRecipe, *, device: str = "cpu", progress: Callable[[int, float], None] = lambda batch, loss: None
) -> Network:
    """Train a network on new sequences in every batch, and measure its accuracy on 2,000 test sequences.

    Parameters
    ----------
    recipe : TaskRecipe
    device : str
        Device of the training; the returned network is on the CPU.
    progress : callable
        Called after every batch with (its number, from 1; its loss).

    Returns
    -------
    Network
        ``info`` holds its seed, recipe, γ and accuracy.
    """
    task = recipe.sequences()
    layer, readout = initial_layers(recipe, device)
    learned = [*layer.parameters(), *readout.parameters()]
    optimiser = torch.optim.Adam(learned, lr=recipe.learning_rate)
    for batch in range(recipe.batches):
        # Each run has its own range of seeds, so that no two runs share sequences.
        inputs, targets = task.sequences(recipe.batch, recipe.steps, recipe.seed * recipe.batches + batch)
        logits = readout(layer(torch.from_numpy(inputs).to(readout.weight))[0])
        loss = _cross_entropy(logits, torch.from_numpy(targets).to(logits))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learned, recipe.clip)
        optimiser.step()
        progress(batch + 1, loss.item())
    return task_network(recipe, layer, readout)


def task_network(recipe: TaskRecipe, layer: nn.RNNBase, readout: nn.Linear) -> Network:
    """Return trained layers as a network on the CPU, with its provenance and its accuracy on test sequences."""
    info = {
        "seed": str(recipe.seed),
        "date": date.today().isoformat(),
        "recipe": json.dumps(asdict(recipe)),
        "gamma": str(recipe.gamma),
    }
    network = Network(
        cell_from_torch(layer),
        readout.weight.detach(),
        readout.bias.detach(),
        name=f"{recipe.cell}-{recipe.size}-{recipe.task}",
        task=recipe.task,
        info=info,
    ).to(device="cpu")
    network.info["accuracy"] = f"{task_accuracy(network, recipe.sequences(), recipe.steps):.5f}"
    return network


@torch.inference_mode()
def task_accuracy(network: Network, task: Task, steps: int, *, count: int = 2000, seed: int = 0) -> float:
    """Return the fraction of correct answers over all channels and steps of ``count`` test sequences."""
    inputs, targets = task.sequences(count, steps, _TEST_SEED + seed)
    hidden = network.hidden(torch.from_numpy(inputs).to(network.cell.dtype))
    right = (network.readout(hidden) > 0).numpy() == (targets > 0.5)
    return float(np.mean(right[~np.isnan(targets)]))


def initial_layers(recipe: TaskRecipe, device: str = "cpu") -> tuple[nn.RNNBase, nn.Linear]:
    """Return a recurrent layer and a readout with the initial weights of the recipe's seed."""
    channels = recipe.sequences().channels
    with seeded(recipe.seed):
        kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[recipe.cell]
        layer, readout = kind(channels, recipe.size, batch_first=True), nn.Linear(recipe.size, channels)
        for parameter in (*layer.parameters(), *readout.parameters()):
            if parameter.ndim == 2:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
    return layer.to(device), readout.to(device)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    defined = ~targets.isnan()
    return functional.binary_cross_entropy_with_logits(logits[defined], targets[defined])

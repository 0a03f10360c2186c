"""Train sentiment networks of one shape side by side: every batch of all of them is one step of stacked weights.

Each network draws its own initial weights, batches and dropout masks, and has its own clipping, learning rate, running
mean and selected epoch, exactly as `engine.training.train_sentiment` gives them to it alone.  Only the order of sums
differs: in float64 the weights agree to about 1e-12, in float32 to about 1e-6 after the first batches; training
amplifies rounding, so that they may drift further apart in a long run.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engine.checkpoints import (
    checked_epoch,
    checked_measures,
    layout,
    opened_checkpoint,
    other_recipe,
    part,
    write_checkpoint,
)
from engine.network import Network, pad
from engine.recipes import Recipe
from engine.subnormals import subnormals_as_zeros
from engine.sweeps.recurrence import recurrence
from engine.sweeps.stacked import Adam, Stack, clip, per_network
from engine.training import EncodedReviews, SentimentRun, train_sentiment, untrained_network

SHARED: Final = (
    "cell", "size", "embedding", "vocabulary", "cut", "batch", "epochs", "validation", "padding", "batching", "split",
)  # fmt: skip
"""The fields of a recipe that networks trained side by side share; they decide the shapes, and what is read."""

PAUSE = 5.0
"""Seconds between two checkpoints of a group: epochs of small corpora take less than writing one."""

EveryEpoch = Callable[[int, int, Network], None]


@dataclass(frozen=True)
class GroupProgress:
    """State of the training of a group after ``epoch`` of ``epochs``: mean training loss of each network."""

    epoch: int
    epochs: int
    losses: tuple[float, ...]


def train_side_by_side(
    encoded: EncodedReviews,
    recipes: Sequence[Recipe],
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
    progress: Callable[[GroupProgress], None] = lambda now: None,
    every_epoch: EveryEpoch | None = None,
) -> list[Network]:
    """Train networks and return the weights of the selected epoch of each; a single one is trained alone.

    Parameters
    ----------
    encoded : EncodedReviews
        The training reviews, as for `train_sentiment`.
    recipes : sequence of Recipe
        Equal in the fields of `SHARED`.
    checkpoint : path, optional
        Written after an epoch; training continues from an existing one of the same recipes, with the same numbers.
    progress : callable
        Called after every epoch.
    every_epoch : callable, optional
        Called with (number of the network, epoch, network), as that of `train_sentiment`.

    Raises
    ------
    ValueError
        If the recipes differ in a shared field, there are too few reviews, or the checkpoint is damaged or of other
        recipes (`engine.checkpoints.CheckpointError`).
    """
    first = recipes[0]
    if differing := [name for name in SHARED if any(getattr(one, name) != getattr(first, name) for one in recipes)]:
        raise ValueError(f"networks trained side by side need the same {', '.join(differing)}")
    if len(recipes) == 1:
        each = None if every_epoch is None else (lambda epoch, network: every_epoch(0, epoch, network))
        return [train_sentiment(encoded, first, device=device, checkpoint=checkpoint, every_epoch=each)]
    if len(encoded) <= first.validation:
        raise ValueError(f"{len(encoded)} reviews are too few to hold out {first.validation} for validation")
    group = _Group(encoded, recipes, device)
    if checkpoint is not None and checkpoint.exists():
        group.resume(checkpoint)
    elif every_epoch is not None:
        for k, recipe in enumerate(recipes):
            every_epoch(k, 0, untrained_network(recipe, encoded.vocabulary))
    written = time.monotonic()
    for epoch in range(group.runs[0].epoch, first.epochs):
        group.train_epoch()
        losses = tuple(run.measures["training_loss"] for run in group.runs)
        progress(GroupProgress(epoch + 1, first.epochs, losses))
        if every_epoch is not None:
            for k, run in enumerate(group.runs):
                every_epoch(k, run.epoch, run.network(run.averaged, {"measured": json.dumps(run.measures)}))
        if checkpoint is not None and time.monotonic() - written >= PAUSE:
            group.save(checkpoint)
            written = time.monotonic()
    return [run.network(run.best, {"measured": json.dumps(run.best_measures)}) for run in group.runs]


class _Group:
    """Runs whose weights and running means are rows of stacked tensors."""

    def __init__(self, encoded: EncodedReviews, recipes: Sequence[Recipe], device: str) -> None:
        self.runs = [SentimentRun(encoded, recipe, device) for recipe in recipes]
        self.recipes, self.device = recipes, device
        self.cell, self.epochs = recipes[0].cell, recipes[0].epochs
        self.weights = Stack([dict(run.module.named_parameters()) for run in self.runs])
        self.averaged = Stack([run.averaged for run in self.runs])
        for run, averaged in zip(self.runs, self.averaged.rows(), strict=True):
            run.averaged = averaged
        dtype = self.weights["readout.weight"].dtype
        self.rate = per_network([recipe.learning_rate for recipe in recipes], dtype, device)
        self.l2 = per_network([recipe.l2 for recipe in recipes], dtype, device)
        self.optimiser = Adam(self.weights.learned(), eps=1e-7)

    def save(self, path: Path) -> None:
        tensors = self._tensors() | {
            f"best.{k}.{name}": value for k, run in enumerate(self.runs) for name, value in run.best.items()
        }
        header = {"recipe": self._described(), "epoch": str(self.runs[0].epoch)}
        write_checkpoint(path, header | {"best": json.dumps([run.best_measures for run in self.runs])}, tensors)

    def resume(self, path: Path) -> None:
        with opened_checkpoint(path, self.device) as (header, tensors):
            if header["recipe"] != self._described():
                raise other_recipe(path)
            epoch = checked_epoch(header, self.epochs)
            measures = [checked_measures(one) for one in json.loads(header["best"])]
            bests = [part(tensors, f"best.{k}.") for k in range(len(self.runs))]
            own, stored = self._tensors(), {name: one for name, one in tensors.items() if not name.startswith("best.")}
            expected = [layout(run.best) for run in self.runs]
            if layout(stored) != layout(own) or [layout(best) for best in bests] != expected:
                raise ValueError("its tensors do not fit the recipes")
            with torch.no_grad():
                for name, value in own.items():
                    value.copy_(stored[name])
            self.optimiser.steps = epoch * math.ceil(len(self.runs[0].training) / self.recipes[0].batch)
            for run, best, one in zip(self.runs, bests, measures, strict=True):
                run.epoch, run.best_measures = epoch, one
                if one:  # else it has no best epoch yet, and its weights stand in
                    run.best = best

    def _tensors(self) -> dict[str, Tensor]:
        """Return the tensors that training changes in place, by name."""
        kinds = {
            "weights": self.weights.tensors(),
            "averaged": self.averaged.tensors(),
            "adam": self.optimiser.moments(),
        }
        return {f"{kind}.{name}": value for kind, named in kinds.items() for name, value in named.items()}

    def _described(self) -> str:
        return json.dumps([asdict(recipe) for recipe in self.recipes])

    def train_epoch(self) -> None:
        number = len(self.runs)
        epoch = self.runs[0].epoch
        randoms = [torch.Generator(self.device).manual_seed(1000 * one.seed + epoch) for one in self.recipes]
        batches = [
            run.batches(np.random.default_rng((recipe.seed, epoch)))
            for run, recipe in zip(self.runs, self.recipes, strict=True)
        ]
        total = torch.zeros(number, dtype=torch.float64, device=self.device)
        count = len(batches[0])
        for step, batch in enumerate(zip(*batches, strict=True)):
            total += self._train_batch(batch, randoms, (epoch + step / count) / self.epochs).double()
            self._average(epoch * count + step + 1)
        validation = self._validate()
        for run, loss, measures in zip(self.runs, (total / count).tolist(), validation, strict=True):
            run.end_epoch(loss, measures)

    @subnormals_as_zeros()
    def _train_batch(self, batch: Sequence[NDArray[np.int64]], randoms: list[torch.Generator], done: float) -> Tensor:
        """Take one step of every network; returns their losses with the L2 penalty, (network,)."""
        given = self._read(batch)
        logits = self._logits(given, self._masks(given, randoms))
        each = functional.binary_cross_entropy_with_logits(logits, given.labels, reduction="none")
        input_weights = self.weights["layer.weight_ih_l0"]
        loss = (each * given.share).sum(dim=1) + self.l2 * input_weights.square().sum(dim=(1, 2))
        gradients = torch.autograd.grad(loss.sum(), self.weights.learned())
        gradients = clip(gradients, [recipe.clip for recipe in self.recipes])
        cosine = 0.5 * (1 + math.cos(math.pi * done))
        schedule = [1.0 if recipe.schedule == "constant" else cosine for recipe in self.recipes]
        self.optimiser.step(gradients, self.rate * per_network(schedule, self.rate.dtype, self.device))
        return loss.detach()

    def _read(self, batch: Sequence[NDArray[np.int64]]) -> _Batch:
        encoded, lengths = self.runs[0].encoded, self.runs[0].lengths
        blocks = [pad([encoded.ids[k] for k in one]) for one in batch]
        reviews = max(len(one) for one in batch)
        ids = np.zeros((max(block.shape[1] for block in blocks), len(batch), reviews), dtype=np.int64)
        last = np.zeros((len(batch), reviews), dtype=np.int64)
        labels, share = (np.zeros((len(batch), reviews), dtype=np.float32) for _ in range(2))
        for k, (one, block) in enumerate(zip(batch, blocks, strict=True)):
            ids[: block.shape[1], k, : len(one)] = block.T
            last[k, : len(one)] = lengths[one] - 1
            labels[k, : len(one)] = encoded.labels[one]
            share[k, : len(one)] = 1
        weights = torch.from_numpy(share).to(self.rate) / torch.tensor([[len(one)] for one in batch]).to(self.rate)
        shapes = tuple((block.shape[1], len(block)) for block in blocks)
        return _Batch(
            torch.from_numpy(ids).to(self.device),
            torch.from_numpy(last).to(self.device),
            torch.from_numpy(labels).to(self.rate),
            weights,
            shapes,
        )

    def _masks(self, given: _Batch, randoms: list[torch.Generator]) -> Tensor | None:
        """Draw the dropout of every network with its own generator and in its own shape, as it does alone."""
        if not any(recipe.dropout or recipe.word_dropout for recipe in self.recipes):
            return None
        width = self.recipes[0].embedding
        masks = torch.ones((*given.ids.shape, width), dtype=self.rate.dtype, device=self.device)
        for k, (recipe, random, (words, reviews)) in enumerate(zip(self.recipes, randoms, given.shapes, strict=True)):
            steps = 1 if recipe.dropout_mask == "sequence" else words
            part = masks[:words, k, :reviews]
            for shape, rate in (((steps, reviews, width), recipe.dropout), ((words, reviews, 1), recipe.word_dropout)):
                if rate:
                    part.mul_(torch.rand(shape, generator=random, device=self.device) >= rate).div_(1 - rate)
        return masks

    def _logits(self, given: _Batch, masks: Tensor | None = None) -> Tensor:
        """Return the logits (network, review) at the last words."""
        weights = self.weights
        embedding = weights["embedding.weight"]
        networks, reviews = given.last.shape
        row = torch.arange(networks, device=self.device)[:, None]
        x = functional.embedding(given.ids + row * embedding.shape[1], embedding.flatten(0, 1))
        if masks is not None:
            x = x * masks
        projected = torch.matmul(x, weights["layer.weight_ih_l0"].mT) + weights["layer.bias_ih_l0"][:, None]
        bias = weights["layer.bias_hh_l0"] if self.cell == "gru" else None
        h = recurrence(self.cell, projected, weights["layer.weight_hh_l0"], bias)
        read = h[given.last, row, torch.arange(reviews, device=self.device)]
        return torch.baddbmm(weights["readout.bias"][:, None], read, weights["readout.weight"].mT)[..., 0]

    @torch.no_grad()
    def _average(self, step: int) -> None:
        decay = [1 - min(recipe.averaging, (1 + step) / (10 + step)) for recipe in self.recipes]
        self.averaged.move_towards(self.weights, per_network(decay, self.rate.dtype, self.device))

    @torch.no_grad()
    def _validate(self) -> list[dict[str, float]]:
        """Return validation loss and accuracy of the averaged weights of each network."""
        held_out, lengths = self.runs[0].held_out, self.runs[0].lengths
        if not len(held_out):
            return [{} for _ in self.runs]
        current, self.weights = self.weights, self.averaged
        loss, right = (torch.zeros(len(self.runs), dtype=torch.float64) for _ in range(2))
        order = held_out[np.argsort(lengths[held_out])]
        for start in range(0, len(order), 256):
            given = self._read([order[start : start + 256]] * len(self.runs))
            logits = self._logits(given)
            each = functional.binary_cross_entropy_with_logits(logits, given.labels, reduction="none")
            loss += each.double().sum(dim=1).cpu()
            right += ((logits >= 0) == (given.labels > 0.5)).sum(dim=1).cpu()
        self.weights = current
        return [
            {"validation_loss": one / len(held_out), "validation_accuracy": correct / len(held_out)}
            for one, correct in zip(loss.tolist(), right.tolist(), strict=True)
        ]


@dataclass(frozen=True, eq=False)
class _Batch:
    """A batch of every network, padded to the longest review and the largest batch.

    ``ids`` (time, network, review); ``last``, ``labels``, ``share`` (network, review): the index of the last word, and
    the share in the mean loss, 0 for a review that only fills up.  ``shapes``: (words, reviews) of each network.
    """

    ids: Tensor
    last: Tensor
    labels: Tensor
    share: Tensor
    shapes: tuple[tuple[int, int], ...]

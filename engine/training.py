"""Train a sentiment network by a recipe (``engine.recipes``).

Table I of Chong & Ling (2024): embedding 8, batch 128, dropout 0.1, L2 0.001 (on the input kernel), Adam at 0.005; the
epoch of lowest loss.  Orthogonal recurrent kernel, Glorot input kernel, forget bias 1, embedding uniform in ±0.05 and
Adam's ε of 1e-7 are Keras' defaults, which the paper used.  What the paper leaves open is a choice of the recipe:

* `PUBLISHED` does as the authors' public code.
* `PINKX`, the default, makes better classifiers: without its word dropout, the accuracy of 8 and 16 cells is half a
  point lower; without clipping, averaging and the cosine schedule the loss jumps, and 8 cells reach at most 86–87 %.
  No test review is used before the network is final.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from engine.cells import cell_from_torch
from engine.checkpoints import (
    checked_epoch,
    checked_measures,
    layout,
    opened_checkpoint,
    other_recipe,
    part,
    write_checkpoint,
)
from engine.lstm_training import Workspace, last_states, schedule
from engine.network import PADDING, Network, Vocabulary, pad
from engine.recipes import INGREDIENTS, Recipe
from engine.reviews import CUT, Review, count_words
from engine.seeding import seeded
from engine.state_runs import last_probability
from engine.subnormals import subnormals_as_zeros

TEXT_RULES: Final = {
    "case": "lower",
    "spaces": ["<br />", "-", "/"],
    "kept": "a-z0-9",
    "split": "white space",
    "cut": CUT,
    "ids": "0 padding, 1 unknown, then words by falling frequency",
}


@dataclass(frozen=True)
class EncodedReviews:
    """Labelled reviews, cut and encoded with the vocabulary of the training reviews."""

    ids: tuple[NDArray[np.int32], ...]
    labels: NDArray[np.float32]
    vocabulary: Vocabulary

    @classmethod
    def from_reviews(cls, reviews: Sequence[Review], vocabulary: Vocabulary | int, cut: int = CUT) -> EncodedReviews:
        """Encode reviews with a vocabulary, or with the given number of their own most frequent words.

        Raises
        ------
        ValueError
            If a review has no label.
        """
        unlabelled = sum(review.label is None for review in reviews)
        if unlabelled:
            raise ValueError(f"{unlabelled} of {len(reviews)} reviews have no label; expected labelled reviews")
        if isinstance(vocabulary, int):
            # equally frequent words alphabetically, so that the vocabulary is reproducible
            counts = sorted(count_words(reviews).items(), key=lambda item: (-item[1], item[0]))
            vocabulary = Vocabulary([word for word, _ in counts[:vocabulary]])
        ids = tuple(vocabulary.encode(review.words[:cut]) for review in reviews)
        return cls(ids, np.array([review.label for review in reviews], dtype=np.float32), vocabulary)

    def __len__(self) -> int:
        return len(self.ids)

    def padded(self, recipe: Recipe) -> EncodedReviews:
        """Return the reviews as a network of this recipe reads them in training and in tests."""
        if recipe.padding == "none":
            return self
        rows = np.full((len(self), recipe.cut), PADDING, dtype=np.int32)
        for row, ids in zip(rows, self.ids, strict=True):
            row[slice(recipe.cut - len(ids), None) if recipe.padding == "before" else slice(len(ids))] = ids
        return replace(self, ids=tuple(rows))


def split_reviews(
    train: Sequence[Review], test: Sequence[Review], recipe: Recipe
) -> tuple[Sequence[Review], Sequence[Review]]:
    """Return the reviews to train and to test on, from the official splits; ``joined`` has one order for all seeds."""
    if recipe.split == "official":
        return train, test
    every = [*train, *test]
    order = np.random.default_rng(0).permutation(len(every))
    bound = len(every) * 4 // 5
    return [every[k] for k in order[:bound]], [every[k] for k in order[bound:]]


@dataclass(frozen=True)
class Progress:
    """State of a training run after ``batch`` of ``batches`` of an epoch.

    Validation loss and accuracy are those of the averaged weights, and None until the end of an epoch, or without
    validation reviews.  ``seconds`` is the duration of the epoch, and 0 until its end.
    """

    epoch: int
    batch: int
    batches: int
    loss: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    seconds: float = 0.0

    @property
    def ends_epoch(self) -> bool:
        """Whether this is the last report of an epoch."""
        return self.seconds > 0


def train_sentiment(
    encoded: EncodedReviews,
    recipe: Recipe,
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    every_epoch: Callable[[int, Network], None] | None = None,
) -> Network:
    """Train a network and return the weights of the epoch with the lowest loss, see ``recipe.selection``.

    Parameters
    ----------
    encoded : EncodedReviews
        The training reviews; ``recipe.validation`` of them, the same for every seed, are held out for validation.
    checkpoint : path, optional
        Written after every epoch; training continues from an existing checkpoint of the same recipe.
    progress : callable
        Called after every batch.
    every_epoch : callable, optional
        Called before the first epoch with 0 and the untrained network, and after each epoch with its number and the
        current network.

    Raises
    ------
    ValueError
        If there are too few reviews, or the checkpoint is damaged or of another recipe.
    """
    if len(encoded) <= recipe.validation:
        raise ValueError(f"{len(encoded)} reviews are too few to hold out {recipe.validation} for validation")
    run = SentimentRun(encoded, recipe, device)
    if checkpoint is not None and checkpoint.exists():
        run.resume(checkpoint)
    elif every_epoch is not None:
        every_epoch(0, untrained_network(recipe, encoded.vocabulary))
    while run.epoch < recipe.epochs:
        run.train_epoch(progress)
        if every_epoch is not None:
            every_epoch(run.epoch, run.network(run.averaged, {"measured": json.dumps(run.measures)}))
        if checkpoint is not None:
            run.save(checkpoint)
    return run.network(run.best, {"measured": json.dumps(run.best_measures)})


def untrained_network(recipe: Recipe, vocabulary: Vocabulary) -> Network:
    """Return the network with the initial weights of a recipe's seed."""
    return _network(recipe, vocabulary, _initial(recipe, len(vocabulary)), {})


def accuracy(network: Network, encoded: EncodedReviews) -> float:
    """Return the fraction of reviews whose P(positive) is on the correct side of 1/2.

    A network that was trained with padding reads the reviews with the same padding.
    """
    ids = encoded.padded(network_recipe(network) or Recipe()).ids
    return float(np.mean((last_probability(network, ids) >= 0.5) == (encoded.labels > 0.5)))


def network_recipe(network: Network) -> Recipe | None:
    """Return the recipe in the header of a network's file; None if there is no complete one."""
    stored = json.loads(network.info.get("recipe", "{}"))
    return Recipe.stored(stored) if stored.keys() >= {"cell", "size", "seed", "embedding", "vocabulary"} else None


def complete_recipe(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a recipe the ingredients that an older file does not name; they had today's defaults."""
    if "learning_rate" not in stored:  # not a recipe of this module
        return dict(stored)
    return {**{key: value for key, value in asdict(Recipe()).items() if key in INGREDIENTS}, **stored}


class _Module(nn.Module):
    """The network during training: a fused PyTorch layer with Keras' initial weights."""

    def __init__(self, recipe: Recipe, words: int) -> None:
        super().__init__()
        self.recipe = recipe
        n = recipe.size
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[recipe.cell]
        self.embedding = nn.Embedding(words, recipe.embedding)
        self.layer = layer(recipe.embedding, n)
        self.readout = nn.Linear(n, 1)
        self.workspace = Workspace()
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        nn.init.xavier_uniform_(self.layer.weight_ih_l0)
        nn.init.orthogonal_(self.layer.weight_hh_l0)
        nn.init.xavier_uniform_(self.readout.weight)
        for bias in (self.layer.bias_ih_l0, self.layer.bias_hh_l0, self.readout.bias):
            nn.init.zeros_(bias)
        if recipe.cell == "lstm":
            nn.init.ones_(self.layer.bias_ih_l0[n : 2 * n])  # open forget gates (Jozefowicz et al. 2015)
        if recipe.cell != "gru":  # in RNN and LSTM only the sum of the two biases matters
            self.layer.bias_hh_l0.requires_grad_(False)

    def forward(self, ids: Tensor, last: Tensor, random: torch.Generator | None = None) -> Tensor:
        """Return the logits (review,) of ids (time, review) at the last indices; with ``random``, apply dropout."""
        masks = self._masks(ids, random)
        if isinstance(self.layer, nn.LSTM) and ids.device.type == "cpu" and self.readout.weight.dtype == torch.float32:
            return self._scheduled(ids, last, masks)
        x = self.embedding(ids)
        for mask in masks:
            x = x * mask
        hidden, _ = self.layer(x)
        return self.readout(hidden[last, torch.arange(len(last), device=x.device)])[:, 0]

    def _masks(self, ids: Tensor, random: torch.Generator | None) -> list[Tensor]:
        """Draw factors of the embedded words (time or 1, review, component or 1); none without ``random``."""
        if random is None:
            return []
        steps = 1 if self.recipe.dropout_mask == "sequence" else len(ids)
        return [
            (torch.rand(shape, generator=random, device=ids.device) >= rate) / (1 - rate)
            for shape, rate in (
                ((steps, ids.shape[1], self.recipe.embedding), self.recipe.dropout),
                ((*ids.shape, 1), self.recipe.word_dropout),
            )
            if rate
        ]

    def _scheduled(self, ids: Tensor, last: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """Return the logits of `forward`, with the steps of ``engine.lstm_training`` instead of the layer's."""
        lengths, shared = last.numpy() + 1, np.zeros(len(last), dtype=np.intp)
        groups = shared
        if all(len(mask) == 1 for mask in masks):  # reviews with the same mask share the padding in front of them
            shared = np.argmax(ids.numpy() != PADDING, axis=0)
            if masks:
                groups = np.unique(masks[0][0].numpy(), axis=0, return_inverse=True)[1]
        plan = schedule(lengths, shared, groups)
        reviews = torch.from_numpy(plan.order[plan.places])
        words = torch.from_numpy(plan.steps) - (len(ids) - last[reviews] - 1)
        x = self.embedding(ids[words, reviews])
        for mask in masks:
            x = x * mask[words if len(mask) > 1 else 0, reviews]
        states = last_states(self.layer, x, plan, self.workspace)
        return self.readout(states)[np.argsort(plan.order), 0]


def _initial(recipe: Recipe, words: int) -> _Module:
    with seeded(recipe.seed):
        return _Module(recipe, words)


def _network(recipe: Recipe, vocabulary: Vocabulary, module: _Module, measured: dict[str, str]) -> Network:
    """Return a module as a network with its provenance."""
    info = {
        "seed": str(recipe.seed),
        "date": date.today().isoformat(),
        "recipe": json.dumps(asdict(recipe)),
        "text_rules": json.dumps(TEXT_RULES | {"cut": recipe.cut}),
    }
    return Network(
        cell_from_torch(module.layer),
        module.readout.weight.detach(),
        module.readout.bias.detach(),
        embedding=module.embedding.weight.detach(),
        vocabulary=vocabulary,
        name=f"{recipe.cell}-{recipe.size}",
        info=info | measured,
    )


class SentimentRun:
    """State of a training run between two epochs, as in a checkpoint."""

    def __init__(self, encoded: EncodedReviews, recipe: Recipe, device: str) -> None:
        self.encoded, self.recipe, self.device = encoded.padded(recipe), recipe, device
        self.module = _initial(recipe, len(encoded.vocabulary)).to(device)
        self.learned = [p for p in self.module.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(self.learned, lr=recipe.learning_rate, eps=1e-7)
        self.averaged = {key: value.clone() for key, value in self.module.state_dict().items()}
        self.best = self.averaged
        self.best_measures: dict[str, float] = {}
        self.measures: dict[str, float] = {}  # of the last epoch
        self.epoch = 0
        self.lengths = np.array([len(review) for review in self.encoded.ids])
        # The same reviews for every seed, so that losses are comparable between seeds.
        order = np.random.default_rng(0).permutation(len(encoded))
        self.held_out, self.training = order[: recipe.validation], order[recipe.validation :]

    def train_epoch(self, progress: Callable[[Progress], None]) -> None:
        start = time.perf_counter()
        # One generator an epoch, so that a resumed run draws the same numbers as an uninterrupted one.
        random = torch.Generator(self.device).manual_seed(1000 * self.recipe.seed + self.epoch)
        batches = self.batches(np.random.default_rng((self.recipe.seed, self.epoch)))
        total = penalties = 0.0
        for number, batch in enumerate(batches):
            self._set_rate((self.epoch + number / len(batches)) / self.recipe.epochs)
            loss, penalty = self._train_batch(batch, random)
            total += loss
            penalties += penalty
            self._average(self.epoch * len(batches) + number + 1)
            progress(Progress(self.epoch, number + 1, len(batches), total / (number + 1)))
        self.end_epoch((total + penalties) / len(batches), self._validate())
        seconds = time.perf_counter() - start
        right, held_out = (self.measures.get(f"validation_{name}") for name in ("accuracy", "loss"))
        progress(Progress(self.epoch - 1, len(batches), len(batches), total / len(batches), held_out, right, seconds))

    def end_epoch(self, training_loss: float, validation: Mapping[str, float]) -> None:
        """Count an epoch, and note its averaged weights if their loss is the lowest so far."""
        self.epoch += 1
        measures = {"training_loss": training_loss, **validation, "epoch": float(self.epoch)}
        self.measures = measures
        criterion = f"{self.recipe.selection}_loss"
        if measures[criterion] < self.best_measures.get(criterion, math.inf):
            self.best = {key: value.clone() for key, value in self.averaged.items()}
            self.best_measures = measures

    def batches(self, random: np.random.Generator) -> list[NDArray[np.int64]]:
        """Return shuffled batches; those of similar length are sorted only within pools of fifty batches."""
        order = random.permutation(self.training)
        size = self.recipe.batch
        if self.recipe.batching == "random":
            return list(_chunks(order, size))
        pools = [order[k : k + 50 * size] for k in range(0, len(order), 50 * size)]
        batches = [batch for pool in pools for batch in _chunks(pool[np.argsort(self.lengths[pool])], size)]
        return [batches[k] for k in random.permutation(len(batches))]

    def _logits(self, batch: NDArray[np.int64], random: torch.Generator | None = None) -> Tensor:
        ids = torch.from_numpy(pad([self.encoded.ids[k] for k in batch]).T.astype(np.int64)).to(self.device)
        return self.module(ids, torch.from_numpy(self.lengths[batch] - 1).to(self.device), random)

    def _labels(self, batch: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self.encoded.labels[batch]).to(self.device)

    def _set_rate(self, done: float) -> None:
        if self.recipe.schedule == "constant":
            return
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    @subnormals_as_zeros()
    def _train_batch(self, batch: NDArray[np.int64], random: torch.Generator) -> tuple[float, float]:
        """Take one step; returns the cross entropy and the L2 penalty."""
        logits = self._logits(batch, random)
        loss = functional.binary_cross_entropy_with_logits(logits, self._labels(batch))
        penalty = self.recipe.l2 * self.module.layer.weight_ih_l0.square().sum()
        self.optimiser.zero_grad()
        (loss + penalty).backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.learned, self.recipe.clip)
        self.optimiser.step()
        return loss.item(), penalty.item()

    @torch.no_grad()
    def _average(self, step: int) -> None:
        # The time constant of the mean grows with the run, to a ninth of it, so that it forgets the start.
        weight = 1 - min(self.recipe.averaging, (1 + step) / (10 + step))
        for key, value in self.module.state_dict().items():
            self.averaged[key].lerp_(value, weight)

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        if not len(self.held_out):
            return {}
        current = {key: value.clone() for key, value in self.module.state_dict().items()}
        self.module.load_state_dict(self.averaged)
        loss, right = 0.0, 0
        for batch in _chunks(self.held_out[np.argsort(self.lengths[self.held_out])], 256):
            logits, labels = self._logits(batch), self._labels(batch)
            loss += functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum").item()
            right += int(((logits >= 0) == (labels > 0.5)).sum())
        self.module.load_state_dict(current)
        count = len(self.held_out)
        return {"validation_loss": loss / count, "validation_accuracy": right / count}

    def network(self, weights: dict[str, Tensor], measured: dict[str, str] | None = None) -> Network:
        module = _Module(self.recipe, len(self.encoded.vocabulary))
        module.load_state_dict(weights)
        return _network(self.recipe, self.encoded.vocabulary, module, measured or {})

    # ---- checkpoints -----------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        tensors = {f"module.{key}": value for key, value in self.module.state_dict().items()}
        tensors |= {f"averaged.{key}": value for key, value in self.averaged.items()}
        tensors |= {f"best.{key}": value for key, value in self.best.items()}
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{key}": value for key, value in state.items()}
        header = {"recipe": json.dumps(asdict(self.recipe)), "epoch": str(self.epoch)}
        write_checkpoint(path, header | {"best": json.dumps(self.best_measures)}, tensors)

    def resume(self, path: Path) -> None:
        with opened_checkpoint(path, self.device) as (header, tensors):
            if Recipe.stored(json.loads(header["recipe"])) != self.recipe:
                raise other_recipe(path)
            self._take(header, tensors)

    def _take(self, header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
        """Continue from a checkpoint; raise ValueError or KeyError if it does not fit."""
        moments = [part(tensors, f"adam.{number}.") for number in range(len(self.learned))]
        for name in ("module.", "averaged.", "best."):
            if layout(part(tensors, name)) != layout(self.module.state_dict()):
                raise ValueError(f"the tensors {name}* do not fit the recipe")
        fitting = [{"step": torch.zeros(()), "exp_avg": tensor, "exp_avg_sq": tensor} for tensor in self.learned]
        if [layout(found) for found in moments] != [layout(state) for state in fitting]:
            raise ValueError("the tensors adam.* do not fit the recipe")
        epoch, best = checked_epoch(header, self.recipe.epochs), checked_measures(json.loads(header["best"]))
        self.epoch, self.best_measures = epoch, best
        self.module.load_state_dict(part(tensors, "module."))
        self.averaged, self.best = part(tensors, "averaged."), part(tensors, "best.")
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": dict(enumerate(moments))})


def _chunks(items: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]

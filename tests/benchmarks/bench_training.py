"""Speed of training an LSTM on the CPU: ``python -m tests.benchmarks.bench_training``.

Compares the layer of ``engine.lstm_training`` with `torch.nn.LSTM`: logits of a batch of reviews with the same dropout,
and the gradients of their loss. Both alternate in one process on one thread, and are timed in processor seconds.
A second table compares whole training steps at the start of a run with those that compute with subnormal numbers.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from engine.network import pad
from engine.recipes import PUBLISHED, RECIPES, Recipe
from engine.reviews import CUT, open_reviews
from engine.training import EncodedReviews, SentimentRun
from tests.benchmarks.timing import measure

SIZES = (8, 32, 128)
BATCH, VOCABULARY, REVIEWS = 128, 4000, 6400
WARM = 20  # steps: the first gradients are subnormal numbers, which take longer
FIRST, SEEDS = 8, 3  # steps and runs with and without subnormal numbers; how many there are depends on the seed
MEDIAN, SPREAD = 174, 0.6  # words, and the standard deviation of their logarithm; about those of IMDb's reviews


def sides(run: SentimentRun, batch: np.ndarray) -> dict[str, Callable[[], None]]:
    """Return one step of each layer without the optimiser."""
    module, labels = run.module, run._labels(batch)
    reviews = torch.arange(len(batch))

    def step(logits: Callable[[torch.Generator], Tensor]) -> None:
        loss = functional.binary_cross_entropy_with_logits(logits(torch.Generator().manual_seed(0)), labels)
        torch.autograd.grad(loss, run.learned)

    ids = torch.from_numpy(pad([run.encoded.ids[k] for k in batch]).T.astype(np.int64))
    last = torch.from_numpy(run.lengths[batch] - 1)

    def of_pytorch(random: torch.Generator) -> Tensor:
        x = module.embedding(ids)
        for mask in module._masks(ids, random):
            x = x * mask
        return module.readout(module.layer(x)[0][last, reviews])[:, 0]

    return {"torch": lambda: step(of_pytorch), "pinkx": lambda: step(lambda random: run._logits(batch, random))}


def first_steps(encoded: EncodedReviews, recipe: Recipe) -> dict[str, list[float]]:
    """Return the processor seconds of the first steps of a run, with subnormal numbers and with zeros instead."""
    runs = {side: SentimentRun(encoded, recipe, "cpu") for side in ("subnormals", "zeros")}
    seconds: dict[str, list[float]] = {side: [] for side in runs}
    for batch in runs["zeros"].batches(np.random.default_rng(0))[:FIRST]:
        for side, run in runs.items():
            step = SentimentRun._train_batch
            start = time.process_time()
            (step if side == "zeros" else inspect.unwrap(step))(run, batch, torch.Generator().manual_seed(0))
            seconds[side].append(time.process_time() - start)
    assert all(torch.equal(a, b) for a, b in zip(*(run.learned for run in runs.values()), strict=True))
    return seconds


def main(console: Console) -> list[float]:
    """Return the ratios."""
    torch.set_num_threads(1)
    encoded = EncodedReviews.from_reviews(open_reviews("bundled"), VOCABULARY, CUT)
    random = np.random.default_rng(0)
    picked = random.integers(0, len(encoded), REVIEWS)
    lengths = np.exp(random.normal(np.log(MEDIAN), SPREAD, REVIEWS)).astype(int) + 1
    ids = tuple(encoded.ids[k][:length] for k, length in zip(picked, lengths, strict=True))
    encoded = EncodedReviews(ids, encoded.labels[picked], encoded.vocabulary)
    table = Table(title=f"one step on {BATCH} reviews, forward and backward, processor time, medians")
    for heading in ("recipe", "cells", "nn.LSTM, ms", "pinkx, ms", "times as fast"):
        table.add_column(heading, justify="right")
    ratios = []
    for name, recipe in RECIPES.items():
        for size in SIZES:
            run = SentimentRun(encoded, replace(recipe, size=size, validation=0, selection="training"), "cpu")
            batches = run.batches(np.random.default_rng(0))
            for batch in batches[:WARM]:
                run._train_batch(batch, torch.Generator())
            seconds = measure(sides(run, batches[len(batches) // 2]))
            theirs, ours = (float(np.median(seconds[side])) for side in ("torch", "pinkx"))
            ratios.append(float(np.median(seconds["torch"] / seconds["pinkx"])))
            table.add_row(name, str(size), f"{1e3 * theirs:.1f}", f"{1e3 * ours:.1f}", f"{ratios[-1]:.2f}")
    console.print(table)
    table = Table(title=f"the first {FIRST} training steps of the published recipe, processor time, medians")
    for heading in ("cells", "seed", "with subnormal numbers, ms", "zeros instead, ms", "times as fast"):
        table.add_column(heading, justify="right")
    for size, seed in product(SIZES, range(SEEDS)):
        both = first_steps(encoded, replace(PUBLISHED, size=size, seed=seed))
        slow, fast = (float(np.median(both[side])) for side in ("subnormals", "zeros"))
        ratios.append(slow / fast)
        table.add_row(str(size), str(seed), f"{1e3 * slow:.1f}", f"{1e3 * fast:.1f}", f"{ratios[-1]:.2f}")
    console.print(table)
    return ratios


@pytest.mark.benchmark
def test_bench_training() -> None:
    assert min(main(Console(width=100))) > 0


if __name__ == "__main__":
    main(Console())

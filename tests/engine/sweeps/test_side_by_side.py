"""Networks trained side by side are those trained alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.network import Network
from engine.recipes import PUBLISHED, Recipe
from engine.reviews import Review
from engine.sweeps.recurrence import recurrence
from engine.sweeps.side_by_side import train_side_by_side
from engine.sweeps.tasks_side_by_side import train_tasks_side_by_side
from engine.task_training import TaskRecipe, train_task
from engine.training import EncodedReviews, train_sentiment

SMALL: dict[str, Any] = {"size": 4, "epochs": 2, "validation": 20, "batch": 16, "vocabulary": 30, "embedding": 5}


@pytest.fixture(scope="module")
def corpus() -> EncodedReviews:
    """Reviews of unequal length of which one word decides."""
    random = np.random.default_rng(0)
    reviews = []
    for number in range(130):
        words = ["good" if number % 2 else "bad", *(f"w{k}" for k in random.integers(0, 20, random.integers(0, 9)))]
        reviews.append(Review(str(number), " ".join(random.permutation(words)), bool(number % 2)))
    return EncodedReviews.from_reviews(reviews, 30)


@pytest.fixture
def float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def largest_difference(networks: list[Network], alone: list[Network]) -> float:
    return max(
        float((tensor.double() - one.tensors()[name].double()).abs().max())
        for network, one in zip(networks, alone, strict=True)
        for name, tensor in network.tensors().items()
    )


RECIPES = {
    "pinkx": [Recipe(**SMALL), Recipe(**SMALL, seed=3), Recipe(**SMALL, seed=4, dropout=0.3, learning_rate=0.01)],
    "published": [
        replace(PUBLISHED, **{**SMALL, "cut": 12}),
        replace(PUBLISHED, **{**SMALL, "cut": 12}, seed=1, clip=0.05, averaging=0.9, schedule="cosine"),
        replace(PUBLISHED, **{**SMALL, "cut": 12}, seed=2, dropout=0.0, dropout_mask="step", word_dropout=0.2, l2=0.0),
    ],
}


@pytest.mark.parametrize("kind", RECIPES)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.usefixtures("float64")
def test_the_weights_are_those_of_training_alone(cell: str, kind: str, corpus: EncodedReviews) -> None:
    recipes = [replace(recipe, cell=cell) for recipe in RECIPES[kind]]
    together = train_side_by_side(corpus, recipes)
    alone = [train_sentiment(corpus, recipe) for recipe in recipes]
    assert largest_difference(together, alone) < 1e-12
    for one, other in zip(together, alone, strict=True):
        measured, expected = (json.loads(network.info["measured"]) for network in (one, other))
        assert measured == pytest.approx(expected, rel=1e-6)  # losses are in float32
        assert one.info["recipe"] == other.info["recipe"]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_float32_differs_by_rounding_alone(cell: str, corpus: EncodedReviews) -> None:
    recipes = [Recipe(**SMALL, cell=cell, seed=seed) for seed in range(3)]
    together = train_side_by_side(corpus, recipes)
    difference = largest_difference(together, [train_sentiment(corpus, recipe) for recipe in recipes])
    assert difference < 1e-5
    assert largest_difference(together, together[1:] + together[:1]) > 0.01  # seeds differ


def test_every_epoch_is_reported_as_alone(corpus: EncodedReviews) -> None:
    recipes = [Recipe(**SMALL, seed=seed) for seed in (0, 1)]
    saved: dict[tuple[int, int], Network] = {}
    losses: list[tuple[float, ...]] = []
    train_side_by_side(
        corpus,
        recipes,
        every_epoch=lambda k, epoch, network: saved.update({(k, epoch): network}),
        progress=lambda now: losses.append(now.losses),
    )
    alone: dict[int, Network] = {}
    train_sentiment(corpus, recipes[1], every_epoch=alone.__setitem__)
    assert sorted(saved) == [(k, epoch) for k in (0, 1) for epoch in range(3)]
    assert largest_difference([saved[1, epoch] for epoch in range(3)], [alone[epoch] for epoch in range(3)]) < 1e-5
    assert [len(one) for one in losses] == [2, 2]


def test_networks_of_different_shapes_are_refused(corpus: EncodedReviews) -> None:
    with pytest.raises(ValueError, match="need the same size, epochs"):
        train_side_by_side(corpus, [Recipe(**SMALL), replace(Recipe(**SMALL), size=5, epochs=9)])
    with pytest.raises(ValueError, match="130 reviews are too few to hold out 1250"):
        train_side_by_side(corpus, [Recipe(), Recipe(seed=1)])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_recurrence_is_that_of_pytorch(cell: str) -> None:
    torch.manual_seed(0)
    kind: Any = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
    layers = [kind(4, 6, dtype=torch.float64) for _ in range(3)]
    x = torch.randn(7, 3, 5, 4, dtype=torch.float64)
    expected = torch.stack([layer(x[:, k])[0] for k, layer in enumerate(layers)], dim=1)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    stacked = {
        name: torch.stack([getattr(layer, name).detach() for layer in layers]).requires_grad_() for name in names
    }
    projected = torch.matmul(x, stacked["weight_ih_l0"].mT) + stacked["bias_ih_l0"][:, None]
    bias = stacked["bias_hh_l0"] if cell == "gru" else None
    found = recurrence(cell, projected if cell == "gru" else projected + stacked["bias_hh_l0"][:, None],
                       stacked["weight_hh_l0"], bias)  # fmt: skip
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)
    into = torch.randn_like(expected)
    (expected * into).sum().backward()
    (found * into).sum().backward()
    for name in names:
        wanted = torch.stack([getattr(layer, name).grad for layer in layers])
        torch.testing.assert_close(stacked[name].grad, wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.usefixtures("float64")
def test_tasks_are_trained_as_alone(cell: str) -> None:
    base = TaskRecipe(task="integration-2", cell=cell, size=5, batches=4, batch=8, steps=12)
    recipes = [base, replace(base, seed=2, learning_rate=0.01), replace(base, seed=1, gamma=0.8, clip=0.01)]
    together = train_tasks_side_by_side(recipes)
    assert largest_difference(together, [train_task(recipe) for recipe in recipes]) < 1e-12
    assert [network.info["gamma"] for network in together] == ["1.0", "1.0", "0.8"]
    with pytest.raises(ValueError, match="need the same size"):
        train_tasks_side_by_side([base, replace(base, size=6)])

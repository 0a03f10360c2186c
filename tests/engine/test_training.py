"""Training learns, resumes exactly, and stores the provenance of a network."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.network import Network
from engine.reviews import Review
from engine.training import EncodedReviews, Progress, Recipe, accuracy, train_sentiment, untrained_network

SMALL: dict[str, Any] = {"size": 4, "epochs": 3, "validation": 40, "batch": 16, "vocabulary": 30}


@pytest.fixture(scope="module")
def corpus() -> EncodedReviews:
    """Made-up reviews of which the commoner of two words decides, of unequal length."""
    random = np.random.default_rng(0)
    reviews = []
    for number in range(440):
        label = bool(number % 2)
        words = ["good" if (random.random() < 0.8) == label else "bad" for _ in range(random.integers(1, 4))]
        words += [f"w{k}" for k in random.integers(0, 20, random.integers(0, 9))]
        reviews.append(Review(str(number), " ".join(random.permutation(words)), label))
    return EncodedReviews.from_reviews(reviews, 30)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_training_reaches_the_accuracy(cell: str, corpus: EncodedReviews) -> None:
    reports: list[Progress] = []
    recipe = Recipe(cell=cell, **{**SMALL, "epochs": 14})
    network = train_sentiment(corpus, recipe, progress=reports.append)
    assert accuracy(network, corpus) > 0.78  # a fifth of single words lie: no reader gets all
    epochs = [report for report in reports if report.validation_loss is not None]
    assert [report.epoch for report in epochs] == list(range(14))
    measured = json.loads(network.info["measured"])
    assert measured["validation_loss"] == min(report.validation_loss or 0 for report in epochs)
    assert json.loads(network.info["recipe"]) == {**json.loads(json.dumps(vars(recipe)))}


def test_every_epoch_and_the_untrained_network_are_reported(corpus: EncodedReviews) -> None:
    recipe = Recipe(**SMALL)
    saved: dict[int, Network] = {}
    losses: list[float] = []
    network = train_sentiment(
        corpus,
        recipe,
        progress=lambda report: losses.append(report.validation_loss or np.inf),
        every_epoch=saved.__setitem__,
    )
    assert list(saved) == [0, 1, 2, 3]
    best = 1 + int(np.argmin([loss for loss in losses if loss < np.inf]))
    for key, tensor in network.tensors().items():
        assert torch.equal(saved[best].tensors()[key], tensor)
    begun = untrained_network(recipe, corpus.vocabulary).tensors()
    for key, tensor in saved[0].tensors().items():
        assert torch.equal(begun[key], tensor)
    assert (begun["embedding"].abs() <= 0.05).all()
    other = untrained_network(Recipe(**SMALL, seed=1), corpus.vocabulary)
    assert not torch.equal(other.tensors()["embedding"], begun["embedding"])
    assert accuracy(saved[0], corpus) < accuracy(saved[3], corpus)


def test_training_continues_from_a_checkpoint(corpus: EncodedReviews, tmp_path: Path) -> None:
    recipe = Recipe(**SMALL)
    whole = train_sentiment(corpus, recipe)
    checkpoint = tmp_path / "run.checkpoint"

    def stop(report: Progress) -> None:
        if report.epoch == 1 and report.batch == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_sentiment(corpus, recipe, checkpoint=checkpoint, progress=stop)
    seen: list[int] = []
    resumed = train_sentiment(corpus, recipe, checkpoint=checkpoint, progress=lambda report: seen.append(report.epoch))
    assert min(seen) == 1
    for key, tensor in whole.tensors().items():
        torch.testing.assert_close(resumed.tensors()[key], tensor, rtol=0, atol=0)
    with pytest.raises(ValueError, match="the checkpoint has another recipe"):
        train_sentiment(corpus, Recipe(**{**SMALL, "seed": 9}), checkpoint=checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(ValueError, match="the checkpoint is damaged"):
        train_sentiment(corpus, recipe, checkpoint=checkpoint)


def test_the_seed_decides(corpus: EncodedReviews) -> None:
    first, same, other = (train_sentiment(corpus, Recipe(**{**SMALL, "seed": seed})) for seed in (1, 1, 2))
    assert torch.equal(first.cell.weight_hh, same.cell.weight_hh)
    assert not torch.equal(first.cell.weight_hh, other.cell.weight_hh)


def test_words_are_cut_and_ranked(corpus: EncodedReviews) -> None:
    reviews = [Review("a", "b b a a c", True), Review("b", "a b c d", False)]
    made = EncodedReviews.from_reviews(reviews, 3, cut=2)
    assert made.vocabulary.words == ("a", "b", "c")  # equally frequent: by alphabet
    assert [ids.tolist() for ids in made.ids] == [[3, 3], [2, 3]]
    with pytest.raises(ValueError, match="1 of 2 reviews have no label"):
        EncodedReviews.from_reviews([Review("a", "x"), reviews[0]], 3)
    with pytest.raises(ValueError, match="too few to hold out"):
        train_sentiment(made, Recipe())


@pytest.mark.parametrize("bad", [{"cell": "mlp"}, {"size": 0}, {"epochs": 0}])
def test_impossible_recipes_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected one of|at least 1"):
        Recipe(**bad)


def test_a_trained_network_is_saved_whole(corpus: EncodedReviews, tmp_path: Path) -> None:
    network = train_sentiment(corpus, Recipe(**SMALL))
    network.save(tmp_path / "n.safetensors")
    vocabulary = Network.load(tmp_path / "n.safetensors").vocabulary
    assert vocabulary is not None
    assert vocabulary.words == corpus.vocabulary.words

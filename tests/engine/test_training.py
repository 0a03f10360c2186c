"""Training learns, resumes exactly, and stores the provenance of a network."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine import training
from engine.checkpoints import CheckpointError, opened_checkpoint, write_checkpoint
from engine.network import Network
from engine.recipes import INGREDIENTS, PINKX, PUBLISHED, Recipe
from engine.reviews import Review
from engine.training import EncodedReviews, Progress, accuracy, split_reviews, train_sentiment, untrained_network
from tests.engine.simulated_gpu import simulated_gpu

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
    measured = [json.loads(saved[epoch].info["measured"])["validation_loss"] for epoch in (1, 2, 3)]
    assert measured == [loss for loss in losses if loss < np.inf]
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


@pytest.mark.parametrize(
    "bad",
    [
        *({"cell": "mlp"}, {"size": 0}, {"epochs": 0}, {"padding": "left"}, {"clip": -1.0}, {"dropout": 1.0}),
        *({"clip": float("nan")}, {"l2": float("inf")}, {"learning_rate": -1.0}),
        {"validation": 0, "selection": "validation"},
    ],
)
def test_impossible_recipes_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected one of|at least [01]|in \[0, 1\)|needs validation reviews"):
        Recipe(**bad)


def test_a_trained_network_is_saved_whole(corpus: EncodedReviews, tmp_path: Path) -> None:
    network = train_sentiment(corpus, Recipe(**SMALL))
    network.save(tmp_path / "n.safetensors")
    vocabulary = Network.load(tmp_path / "n.safetensors").vocabulary
    assert vocabulary is not None
    assert vocabulary.words == corpus.vocabulary.words


# ---- ingredients, each against an independent definition ------------------------------------------------------------


def run(corpus: EncodedReviews, **changes: Any) -> training.SentimentRun:
    return training.SentimentRun(corpus, replace(PUBLISHED, **{**SMALL, "cut": 13, **changes}), "cpu")


@pytest.mark.parametrize("padding", ["before", "behind"])
def test_padding_is_read_with_its_own_trained_embedding(padding: Any, corpus: EncodedReviews) -> None:
    made = run(corpus, padding=padding)
    one = int(np.argmin([len(ids) for ids in corpus.ids]))
    words = corpus.ids[one].tolist()
    zeros = [0] * (13 - len(words))
    expected = zeros + words if padding == "before" else words + zeros
    assert made.encoded.ids[one].tolist() == expected
    state = torch.zeros(1, 1, 4), torch.zeros(1, 1, 4)
    for word in expected:  # the state after the last step, padding included, is read out
        hidden, state = made.module.layer(made.module.embedding(torch.tensor([[word]])), state)
    logits = made._logits(np.array([one]))
    torch.testing.assert_close(logits, made.module.readout(hidden[0])[:, 0])
    made._train_batch(np.arange(16), torch.Generator())
    gradient = made.module.embedding.weight.grad
    assert gradient is not None
    assert gradient[0].abs().sum() > 0


def test_no_padding_equals_masked_padding(corpus: EncodedReviews) -> None:
    made = run(corpus, padding="none")
    some = np.arange(9)
    for which, logit in zip(some, made._logits(some), strict=True):
        state = torch.zeros(1, 1, 4), torch.zeros(1, 1, 4)
        for word in [0] * 3 + corpus.ids[which].tolist() + [0] * 2:
            if word != 0:  # a masked step leaves the state as it is
                _, state = made.module.layer(made.module.embedding(torch.tensor([[word]])), state)
        torch.testing.assert_close(logit, made.module.readout(state[0][0])[0, 0])


@pytest.mark.parametrize("mask", ["sequence", "step"])
def test_dropout_draws_one_mask_a_sequence_as_keras_or_one_a_step(mask: Any, corpus: EncodedReviews) -> None:
    module = run(corpus, dropout_mask=mask, dropout=0.4, embedding=50).module.double()
    seen: list[torch.Tensor] = []
    module.layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    ids = torch.randint(1, 20, (7, 5), generator=torch.Generator().manual_seed(1))
    last = torch.full((5,), 6)
    module(ids, last)
    module(ids, last, torch.Generator().manual_seed(0))
    plain, dropped = seen
    ratio = dropped / plain  # (time, review, component)
    torch.testing.assert_close(ratio, torch.where(ratio > 0.5, 1 / 0.6, 0.0).to(ratio))
    gone = ratio == 0
    assert abs(float(gone.float().mean()) - 0.4) < 0.08
    assert bool((gone == gone[:1]).all()) == (mask == "sequence")
    assert not torch.equal(gone[:, 0], gone[:, 1])


def test_word_dropout_drops_all_components_of_a_word(corpus: EncodedReviews) -> None:
    module = run(corpus, dropout=0.0, word_dropout=0.3).module.double()
    seen: list[torch.Tensor] = []
    module.layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    module(torch.ones(200, 3, dtype=torch.long), torch.full((3,), 199), torch.Generator().manual_seed(0))
    gone = seen[0] == 0
    assert torch.equal(gone.any(-1), gone.all(-1))
    assert abs(float(gone.float().mean()) - 0.3) < 0.06


MASKED: dict[str, dict[str, Any]] = {
    "published": {},
    "no dropout": {"dropout": 0.0},
    "a mask a step": {"dropout_mask": "step", "dropout": 0.4},
    "words dropped": {"word_dropout": 0.4},
    "padded behind": {"padding": "behind"},
    "not padded": {"padding": "none"},
    "many cells": {"size": 21, "embedding": 3},
}


@pytest.mark.parametrize("changes", MASKED.values(), ids=MASKED)
@pytest.mark.parametrize("drawn", [True, False], ids=["training", "test"])
def test_lstm_networks_train_as_those_of_pytorch(changes: dict[str, Any], drawn: bool, corpus: EncodedReviews) -> None:
    made = run(corpus, **changes)
    exact = copy.deepcopy(made.module).double()  # takes the steps of torch.nn.LSTM
    calls: list[object] = []
    made.module.layer.register_forward_pre_hook(lambda *_: calls.append(made))
    exact.layer.register_forward_pre_hook(lambda *_: calls.append(exact))
    found = []
    for module in (made.module, exact):
        made.module = module
        logits = made._logits(np.arange(3, 60), torch.Generator().manual_seed(5) if drawn else None)
        weights = torch.linspace(-1, 1, len(logits)).to(logits)
        learned = [values for values in module.parameters() if values.requires_grad]
        found.append([logits, *torch.autograd.grad((logits * weights).sum(), learned)])
    assert calls == [exact]
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=2e-6)


def test_without_clipping_averaging_and_schedule_a_step_is_plain_adam(corpus: EncodedReviews) -> None:
    made = run(corpus, dropout=0.0, l2=0.01)
    twin = run(corpus, dropout=0.0, l2=0.01).module
    plain = torch.optim.Adam([p for p in twin.parameters() if p.requires_grad], lr=0.005, eps=1e-7)
    for first in (0, 16, 32):
        batch = np.arange(first, first + 16)
        made._set_rate(0.9)
        made._train_batch(batch, torch.Generator())
        made._average(first + 1)
        logits = twin(torch.from_numpy(np.stack([made.encoded.ids[k] for k in batch]).T).long(), torch.full((16,), 12))
        p, label = torch.sigmoid(logits), torch.from_numpy(corpus.labels[batch])
        loss = -(label * p.log() + (1 - label) * (1 - p).log()).mean() + 0.01 * (twin.layer.weight_ih_l0**2).sum()
        plain.zero_grad()
        loss.backward()
        plain.step()
    for key, value in twin.state_dict().items():
        torch.testing.assert_close(made.module.state_dict()[key], value, rtol=1e-3, atol=1e-5)
        assert torch.equal(made.averaged[key], made.module.state_dict()[key])


def test_clipping_averaging_and_schedule_can_be_switched_on(corpus: EncodedReviews) -> None:
    made = run(corpus, clip=1e-3, averaging=0.5, schedule="cosine")
    before = {key: value.clone() for key, value in made.averaged.items()}
    made._set_rate(0.5)
    assert made.optimiser.param_groups[0]["lr"] == pytest.approx(0.0025)
    made._train_batch(np.arange(16), torch.Generator())
    gradients = [p.grad for p in made.learned if p.grad is not None]
    assert float(torch.stack([g.square().sum() for g in gradients]).sum().sqrt()) == pytest.approx(1e-3, rel=1e-2)
    made._average(10**6)
    for key, value in made.averaged.items():
        torch.testing.assert_close(value, (before[key] + made.module.state_dict()[key]) / 2)


def test_the_lowest_training_loss_selects_the_epoch(corpus: EncodedReviews) -> None:
    reports: list[Progress] = []
    saved: dict[int, Network] = {}
    recipe = replace(PUBLISHED, **{**SMALL, "validation": 0, "cut": 13, "l2": 0.0, "learning_rate": 0.1})
    network = train_sentiment(corpus, recipe, progress=reports.append, every_epoch=saved.__setitem__)
    losses = [report.loss for report in reports if report.ends_epoch]
    assert len(losses) == 3
    assert all(report.validation_loss is None for report in reports)
    best = 1 + int(np.argmin(losses))
    assert json.loads(network.info["measured"]) == {"training_loss": pytest.approx(min(losses)), "epoch": best}
    assert torch.equal(network.cell.weight_hh, saved[best].cell.weight_hh)


def test_random_batches_do_not_depend_on_length(corpus: EncodedReviews) -> None:
    spread = {
        batching: np.mean([np.ptp(made.lengths[batch]) for batch in made.batches(np.random.default_rng(0))])
        for batching in ("length", "random")
        for made in [run(corpus, padding="none", batching=batching)]
    }
    assert spread["length"] < 2 < 6 < spread["random"]


def test_the_joined_split_has_one_order_for_all_seeds() -> None:
    train, test = ([Review(f"{name}{k}", "a", True) for k in range(50)] for name in ("train", "test"))
    assert split_reviews(train, test, PUBLISHED) == (train, test)
    first, second = (split_reviews(train, test, replace(PUBLISHED, split="joined", seed=seed)) for seed in (1, 2))
    assert first == second
    assert [len(part) for part in first] == [80, 20]
    assert len({review.name for part in first for review in part}) == 100
    assert {review.name[:4] for review in first[1]} == {"trai", "test"}


def test_accuracy_pads_as_the_recipe(corpus: EncodedReviews) -> None:
    for padding in ("none", "before"):
        network = train_sentiment(corpus, replace(PUBLISHED, **{**SMALL, "padding": padding, "cut": 13}))
        ids = [np.pad(ids, (13 - len(ids), 0)) if padding == "before" else ids for ids in corpus.ids]
        right = (network.classify(ids) >= 0.5) == (corpus.labels > 0.5)
        assert accuracy(network, corpus) == right.mean()


def test_the_recipes_differ_in_the_listed_ingredients() -> None:
    assert set(INGREDIENTS) == {
        *("epochs", "word_dropout", "validation", "clip", "averaging"),
        *("padding", "batching", "dropout_mask", "schedule", "selection"),
    }
    assert Recipe() == PINKX


def test_a_card_that_fails_leaves_the_checkpoint_sound(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_checkpoint(path, {"recipe": "{}", "epoch": "1", "best": "{}"}, {"weight": torch.ones(2)})

    def resume(device: str, error: Exception) -> None:
        with simulated_gpu(), opened_checkpoint(path, device) as (_, tensors):
            assert tensors["weight"].device.type == device
            raise error

    with pytest.raises(torch.OutOfMemoryError):
        resume("cuda", torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(CheckpointError, match="the checkpoint is damaged"):
        resume("cuda", KeyError("weight"))
    with pytest.raises(CheckpointError, match="the checkpoint is damaged"):
        resume("cpu", RuntimeError("size mismatch"))

"""A sweep trains and measures what its folder does not have yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.network import Network
from engine.recipes import PINKX, PUBLISHED, Recipe
from engine.reviews import Review
from engine.sweeps.grid import grid_of, sentiment_grid
from engine.sweeps.measuring import MeasureOptions, measure_sweep
from engine.sweeps.shards import Progress
from engine.sweeps.sweep import Corpus, Splits, _shards, group_size, train_sweep
from engine.sweeps.table import read_table
from engine.task_training import TaskRecipe
from engine.training import EncodedReviews, SentimentRun, accuracy, train_sentiment

BASE = replace(PINKX, size=3, epochs=1, validation=0, selection="training", batch=8, vocabulary=20, cut=30)
GRID = "cell=gru,rnn seed=0..1 lr=0.01"


@pytest.fixture(scope="module")
def splits() -> Splits:
    random = np.random.default_rng(0)
    reviews = [
        Review(
            str(k), " ".join(["good" if k % 2 else "bad", *(f"w{n}" for n in random.integers(0, 9, 100))]), k % 2 == 1
        )
        for k in range(12)
    ]
    return reviews[:8], reviews[8:]


def test_a_sweep_is_trained_resumed_and_measured(tmp_path: Path, splits: Splits) -> None:
    grid = sentiment_grid(GRID, BASE, PUBLISHED)

    def stop(now: Progress) -> None:
        if now.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_sweep(tmp_path, grid, splits, progress=stop)
    assert sorted(path.stem for path in (tmp_path / "networks").iterdir()) == ["gru-3-s0", "gru-3-s1"]
    seen: list[Progress] = []
    rows = train_sweep(tmp_path, grid, splits, progress=seen.append)
    assert [now.resumed for now in seen] == [1, 1]
    assert [row["name"] for row in rows] == ["gru-3-s0", "gru-3-s1", "rnn-3-s0", "rnn-3-s1"]
    assert "learning_rate" not in rows[0]  # it does not vary
    described = json.loads((tmp_path / "sweep.json").read_text())
    assert described["grid"] == GRID
    assert Recipe(**described["networks"]["rnn-3-s1"]) == grid.recipes["rnn-3-s1"]
    assert set(described["versions"]) == {"python", "pinkx", "numpy", "torch", "numba"}

    corpus = Corpus.encode(splits, BASE)
    alone = train_sentiment(corpus.train, grid.recipes["rnn-3-s1"])
    network = Network.load(tmp_path / "networks/rnn-3-s1.safetensors")
    for name, tensor in alone.tensors().items():
        np.testing.assert_allclose(network.tensors()[name].numpy(), tensor.numpy(), rtol=0, atol=1e-6)
    assert rows[-1]["accuracy"] == accuracy(network, corpus.test)

    options = MeasureOptions(words=80, starts=16)
    measured = measure_sweep(tmp_path, splits[1], options)
    stored = read_table(tmp_path)
    for row, found in zip(stored, measured, strict=True):
        assert {name: value for name, value in row.items() if value is not None} == pytest.approx(
            {name: value for name, value in found.items() if value is not None}
        )
        low, beta, high = (found[f"beta_h{end}"] for end in ("_low", "", "_high"))
        assert low < beta < high
        assert found["index_sum"] == 1
        assert found["stable"] <= found["points"]
        assert 0 <= found["dead"] <= 1
    encoded = EncodedReviews.from_reviews(splits[1], corpus.train.vocabulary)
    assert measured[-1]["measured_accuracy"] == accuracy(network, encoded)
    again: list[Progress] = []
    assert measure_sweep(tmp_path, splits[1], options, progress=again.append)[0] == measured[0]
    assert again[0].resumed == 4
    measure_sweep(tmp_path, splits[1], replace(options, starts=17), progress=again.append)
    assert again[1].resumed == 0

    other = sentiment_grid(GRID, replace(BASE, clip=1.0), PUBLISHED)
    with pytest.raises(ValueError, match=r"has a network gru-3-s0 of another recipe \(clip\)"):
        train_sweep(tmp_path, other, splits)


def test_the_shards_depend_on_recipes_reviews_and_options(splits: Splits) -> None:
    def digests(
        text: str = GRID,
        base: Recipe = BASE,
        splits: Splits = splits,
        every: bool = False,
        device: str = "cpu",
        folder: str = "a",
    ) -> list[str]:
        grid = sentiment_grid(text, base, PUBLISHED)
        return [shard.digest for shard in _shards(grid, splits, every, device, Path(folder))[0]]

    usual = digests()
    assert len(set(usual)) == 2
    train, test = splits
    changed: list[list[str]] = [
        digests(base=replace(BASE, dropout=0.2)),
        digests(splits=(train[1:], test)),
        digests(splits=(train, test[1:])),
        digests(every=True),
        digests(device="cuda"),
        digests("cell=gru,rnn seed=0..2 lr=0.01"),
    ]
    assert all(not set(usual) & set(one) for one in changed)
    assert digests(folder="b") == usual


@pytest.mark.parametrize(
    ("shape", "expected"),
    [(("gru", 8, 128), 8), (("lstm", 8, 128), 1), (("lstm", 8, 32), 16), (("rnn", 10, 11), 16), (("gru", 512, 64), 1)],
)
def test_the_number_side_by_side_depends_on_the_shape(shape: tuple[Any, ...], expected: int) -> None:
    assert group_size(*shape) == expected


@pytest.mark.parametrize("name", ["gru-3-s0", "gru-3-s1"])
def test_an_interrupted_group_resumes_with_the_same_numbers(
    name: str, tmp_path: Path, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both side by side, or the second alone."""
    monkeypatch.setattr("engine.sweeps.side_by_side.PAUSE", 0.0)
    monkeypatch.setattr("engine.sweeps.sweep.MOST", 2 if name == "gru-3-s0" else 1)
    grid = sentiment_grid("cell=gru seed=0..1", replace(BASE, epochs=4, dropout=0.2), PUBLISHED)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    rows = train_sweep(whole, grid, splits, every_epoch=True)
    assert list((whole / "shards").glob("*.checkpoint")) == []
    ended = SentimentRun.end_epoch
    epochs: list[tuple[int, int]] = []

    def stop(run: SentimentRun, loss: float, validation: Mapping[str, float]) -> None:
        if f"gru-3-s{run.recipe.seed}" == name and run.epoch == 2:
            raise KeyboardInterrupt
        ended(run, loss, validation)

    def count(run: SentimentRun, loss: float, validation: Mapping[str, float]) -> None:
        epochs.append((run.recipe.seed, run.epoch))
        ended(run, loss, validation)

    monkeypatch.setattr(SentimentRun, "end_epoch", stop)
    with pytest.raises(KeyboardInterrupt):
        train_sweep(stopped, grid, splits, every_epoch=True)
    (unfinished,) = (stopped / "shards").glob("*.checkpoint")
    assert len(list(unfinished.iterdir())) == 1 + 3 * (2 if name == "gru-3-s0" else 1)
    monkeypatch.setattr(SentimentRun, "end_epoch", count)
    again = train_sweep(stopped, grid, splits, every_epoch=True)
    assert sorted(epochs) == [(seed, epoch) for seed in ((0, 1) if name == "gru-3-s0" else (1,)) for epoch in (2, 3)]
    assert not unfinished.exists()
    assert [_untimed(row) for row in again] == [_untimed(row) for row in rows]
    files = sorted(path.name for path in (whole / "networks").iterdir())
    assert len(files) == 2 * 6
    assert files == sorted(path.name for path in (stopped / "networks").iterdir())
    for file in files:
        one, other = (Network.load(folder / "networks" / file) for folder in (whole, stopped))
        assert one.info == other.info
        assert all(torch.equal(values, other.tensors()[key]) for key, values in one.tensors().items())


def test_a_damaged_checkpoint_of_a_group_is_trained_again(tmp_path: Path, splits: Splits) -> None:
    grid = sentiment_grid("cell=gru seed=0..1", BASE, PUBLISHED)
    rows = train_sweep(tmp_path / "whole", grid, splits)
    (shard,) = (tmp_path / "whole" / "shards").glob("*.json")
    unfinished = tmp_path / "damaged" / "shards" / f"{shard.stem}.checkpoint"
    unfinished.mkdir(parents=True)
    (unfinished / "state").write_bytes(b"damaged")
    assert [_untimed(row) for row in train_sweep(tmp_path / "damaged", grid, splits)] == [_untimed(row) for row in rows]


def _untimed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "seconds"}


def test_tasks_are_swept_too(tmp_path: Path) -> None:
    base = TaskRecipe(task="integration-1", cell="rnn", size=4, batches=3, steps=10, batch=4)
    rows = train_sweep(tmp_path, grid_of("seed=0..1 lr=0.01,0.02", base, {}))
    assert [row["learning_rate"] for row in rows] == [0.01, 0.02, 0.01, 0.02]
    (row, *_) = measure_sweep(tmp_path, [], MeasureOptions(starts=8))
    assert row["index_sum"] == 1
    assert "beta_h" not in row

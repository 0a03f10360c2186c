"""Task networks: training follows the recipe, and the accuracy is that of the file."""

from pathlib import Path
from typing import Any

import pytest
import torch

from engine.catalogue import shipped_networks
from engine.network import Network
from engine.task_training import TaskRecipe, task_accuracy, train_task
from engine.tasks import task_from_name

NINE = [
    f"{cell}-100-{task}"
    for task in ("flip-flop-3", "integration-1", "integration-3")
    for cell in ("gru", "lstm", "rnn")
]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_training_learns(cell: str, tmp_path: Path) -> None:
    losses: list[float] = []
    recipe = TaskRecipe(task="flip-flop-1", cell=cell, size=16, steps=20, batches=150, learning_rate=0.01)
    network = train_task(recipe, progress=lambda _, loss: losses.append(loss))
    assert len(losses) == 150
    assert float(network.info["accuracy"]) > 0.95
    assert network.info["gamma"] == "1.0"
    assert network.task == "flip-flop-1"
    path = tmp_path / "small.safetensors"
    network.save(path)
    again = Network.load(path)
    assert task_accuracy(again, task_from_name(again.task), 20) == pytest.approx(
        float(network.info["accuracy"]), abs=1e-5
    )


def test_a_seed_determines_the_network() -> None:
    recipe = TaskRecipe(task="integration-1", cell="rnn", size=4, steps=5, batches=3)
    one, two = train_task(recipe), train_task(recipe)
    torch.testing.assert_close(one.tensors(), two.tensors(), rtol=0, atol=0)
    other = train_task(TaskRecipe(task="integration-1", cell="rnn", size=4, steps=5, batches=3, seed=1))
    assert not torch.equal(one.cell.weight_hh, other.cell.weight_hh)


def test_nine_task_networks_ship() -> None:
    assert set(NINE) <= {info.name for info in shipped_networks()}


@pytest.mark.parametrize("name", NINE)
def test_a_shipped_network_does_its_task(name: str) -> None:
    network = Network.load(name)
    assert network.cell.size == 100
    accuracy = task_accuracy(network, task_from_name(network.task), 50, count=500, seed=77)
    assert accuracy > 0.95
    assert accuracy == pytest.approx(float(network.info["accuracy"]), abs=0.005)


@pytest.mark.parametrize(("field", "value"), [("cell", "transformer"), ("task", "chess"), ("steps", 0), ("size", -1)])
def test_an_impossible_recipe_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=str(value) if isinstance(value, str) else field):
        TaskRecipe(**{field: value})

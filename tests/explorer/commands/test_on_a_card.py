"""Verbs on a simulated card print what the CPU computes, also if the card fails in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from click.testing import CliRunner, Result

from engine import points_cache, task_training, training
from engine.device_stepper import DeviceStepper
from engine.network import Network
from engine.sweeps import tasks_side_by_side
from explorer.cli import pinkx
from tests.engine.simulated_gpu import simulated_gpu
from tests.engine.test_simulated_gpu import task_network
from tests.explorer.small import deep_network, small_network

LOST = "CUDA error: device lost"
SAID = f"the GPU failed ({LOST}); the CPU computes instead"
TEXT = "The film starts slowly, but then it becomes a wonderful, warm and very human story about a town. " * 2


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: tmp_path / name)
    monkeypatch.setattr("engine.completeness.ROUNDS", 0)  # the search itself is not what is tested here
    with simulated_gpu():
        # Plain PyTorch steps on the card: tests/engine/test_simulated_gpu.py runs the kernels.
        monkeypatch.setattr("engine.recording.kernel_problem", lambda: "no kernels")
        yield


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    def watch(owner: Any, name: str, fails: Callable[[int], bool] = lambda call: False) -> list[str]:
        """Note the device of every call; the calls on the card for whose number ``fails`` is true raise an error."""
        inner, devices = getattr(owner, name), list[str]()

        def call(*given: Any, **options: Any) -> Any:
            first = given[0].network.cell if isinstance(given[0], DeviceStepper) else given[0]
            devices.append(str(options.get("device") or first.device).partition(":")[0])
            if devices[-1] == "cuda" and fails(len(devices)):
                raise RuntimeError(f"{LOST}\nmore about it")
            return inner(*given, **options)

        monkeypatch.setattr(owner, name, call)
        return devices

    return watch


def run(*arguments: object) -> Result:
    done = CliRunner().invoke(pinkx, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done


def close(found: Any, expected: Any) -> None:
    """Compare documents of JSON, numbers to rounding."""
    if isinstance(expected, dict):
        assert [*found] == [*expected]
        found, expected = [*found.values()], [*expected.values()]
    if isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            close(one, other)
    else:
        assert found == (pytest.approx(expected, rel=1e-3, abs=1e-4) if isinstance(expected, float) else expected)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    for name in ("first", "second"):
        (tmp_path / f"{name}.txt").write_text(f"{name} {TEXT}")
    return tmp_path


NETWORKS = {"one layer": small_network, "two directions": lambda: deep_network(bidirectional=True)}


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("lost", [False, True], ids=["works", "lost"])
def test_read(kind: str, lost: bool, reviews: Path, spy: Callable[..., list[str]]) -> None:
    network: Network = NETWORKS[kind]()
    network.save(reviews / "network.safetensors")
    given = ["read", reviews, "--format", "text", "--network", reviews / "network.safetensors", "--window", 32]
    given += ["--no-points", "--json", *(["--direction", "backward"] if network.stack else [])]
    expected = run(*given, "--device", "cpu")
    calls = spy(DeviceStepper, "advance", lambda call: lost and call == 2)
    found = run(*given, "--device", "cuda")
    assert calls == ["cuda", "cuda"]
    assert found.stderr.splitlines() == expected.stderr.splitlines() + [SAID] * lost
    close(*([json.loads(line) for line in one.stdout.splitlines()] for one in (found, expected)))


@pytest.mark.usefixtures("card")
def test_basins(tmp_path: Path, spy: Callable[..., list[str]]) -> None:
    task_network().save(file := tmp_path / "small.safetensors")
    given = ["points", file, "--input", "zero", "--input", "1,0,0", "--starts", 9, "--basins", 6, "--json"]
    expected = json.loads(run(*given, "--device", "cpu").stdout)
    for path in tmp_path.rglob("basins-*.npz"):  # the points stay cached
        path.unlink()
    calls = spy(points_cache, "basins", lambda call: call == 2)
    with pytest.warns(RuntimeWarning) as said:
        found = run(*given, "--device", "cuda")
    assert [str(one.message) for one in said] == [SAID]
    assert calls == ["cuda", "cuda", "cpu", "cuda", "cuda"]  # the CPU computes what the card could not
    assert json.loads(found.stdout)["ends"] == expected["ends"]


@pytest.mark.usefixtures("card")
def test_the_points_of_read(tmp_path: Path, spy: Callable[..., list[str]]) -> None:
    task_network().save(file := tmp_path / "small.safetensors")
    calls = spy(points_cache, "find_fixed_points", lambda call: call == 1)
    with pytest.warns(RuntimeWarning) as said:
        done = run("read", "--network", file, "--window", 32, "--json", "--device", "cuda")
    assert [str(one.message) for one in said] == [SAID]
    assert calls == ["cuda", "cpu"]
    assert json.loads(done.stdout.splitlines()[-1])["nearest_point"]["number"] in range(3)


@pytest.mark.usefixtures("card")
def test_training_goes_on_after_the_last_epoch(tmp_path: Path, spy: Callable[..., list[str]]) -> None:
    table = tmp_path / "reviews.csv"
    rows = [f"{'good' if k % 2 else 'bad'} film,{k % 2}" for k in range(60)]
    table.write_text("\n".join(["text,label", *rows]))
    given = ["train", "--size", 2, "--epochs", 3, "--reviews", table, "--validation", 10, "--json", "--device", "cuda"]
    whole = run(*given, "--out", tmp_path / "whole.safetensors")
    calls = spy(training.SentimentRun, "train_epoch", lambda call: call == 2)
    done = run(*given, "--out", tmp_path / "lost.safetensors")
    assert calls == ["cuda", "cuda", "cpu", "cpu"]
    assert SAID in done.stderr.replace("\n", " ")
    close([one | {"seconds": 0, "file": ""} for one in json.loads(done.stdout)["epochs"]],
          [one | {"seconds": 0, "file": ""} for one in json.loads(whole.stdout)["epochs"]])  # fmt: skip


@pytest.mark.usefixtures("card")
def test_a_task_begins_again(tmp_path: Path, spy: Callable[..., list[str]]) -> None:
    given = ["train", "--task", "integration-1", "--size", 2, "--batches", 3, "--json", "--out", tmp_path / "a"]
    expected = json.loads(run(*given, "--device", "cpu").stdout)
    calls = spy(task_training, "_cross_entropy", lambda call: call == 3)
    done = run(*given, "--device", "cuda")
    assert calls == ["cuda"] * 3 + ["cpu"] * 3
    assert SAID in done.stderr.replace("\n", " ")
    close(json.loads(done.stdout), expected)


@pytest.mark.usefixtures("card")
def test_a_grid_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spy: Callable[..., list[str]]) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    given = ["train", "--task", "integration-1", "--size", 2, "--batches", 2, "--grid", "seed=0,1", "--json"]
    expected = json.loads(run(*given, "--device", "cpu", "--out", tmp_path / "cpu").stdout)
    calls = spy(tasks_side_by_side, "_losses", lambda call: call == 2)
    with pytest.warns(RuntimeWarning) as said:
        found = json.loads(run(*given, "--device", "cuda", "--out", tmp_path / "cuda").stdout)
    assert [str(one.message) for one in said] == [SAID]
    assert calls == ["cuda"] * 2 + ["cpu"] * 2
    close([one | {"seconds": 0} for one in found], [one | {"seconds": 0} for one in expected])

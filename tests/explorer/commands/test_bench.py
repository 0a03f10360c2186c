"""`pinkx bench`: the timings and their table."""

from __future__ import annotations

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner

from engine import benchmark, device_stepper
from engine.benchmark import Timing
from engine.corpus_statistics import corpus_statistics
from engine.ragged import StoredReviews
from explorer.cli import pinkx
from tests.engine.simulated_gpu import enter_card, simulated_gpu


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure little."""
    monkeypatch.setattr(benchmark, "BATCHES", 1)
    monkeypatch.setattr(benchmark, "LENGTH", 45)
    monkeypatch.setattr(benchmark, "LAUNCHES", 1)
    monkeypatch.setattr(device_stepper, "BLOCK", 3)
    monkeypatch.setattr(benchmark, "_nine", lambda device: [benchmark.random_network(3).to(device=device)])


def test_every_speed_is_measured() -> None:
    found = list(benchmark.timings("cpu", 2, sizes=(4,), starts=8, turns=1))
    assert [timing.unit for timing in found] == [
        *("GB/s", "M words/s", "GB/s", "µs per series", "s", "ms per matrix", "words/s", "s", "batches/s")
    ]
    assert all(timing.value > 0 for timing in found)
    assert [timing.reference for timing in found if not math.isnan(timing.compared)] == [
        "nn.LSTM forward alone",
        "filling that memory",
    ]


class OneThread(ThreadPoolExecutor):
    """A thread that sees the simulated card; Triton's interpreter runs in one thread at a time."""

    def __init__(self, _: int) -> None:
        super().__init__(1, initializer=enter_card)


def test_the_rows_of_a_card_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton", reason="Triton, which compiles the GPU kernels, is not installed")
    if os.environ["TRITON_INTERPRET"] == "0":
        pytest.skip("the kernels are compiled for the card that is here")
    monkeypatch.setattr(benchmark, "ThreadPoolExecutor", OneThread)
    monkeypatch.setattr(benchmark, "own_stream", lambda device: nullcontext())
    monkeypatch.setattr(benchmark, "seconds", lambda compute, *_: 1.0 if compute() is None else 2.0)
    monkeypatch.setattr(benchmark, "corpus_statistics", partial(corpus_statistics, scales=(4, 5, 6)))
    random = np.random.default_rng(0)
    reviews = StoredReviews([random.integers(2, 99, length).astype(np.int32) for length in (40, 3)])
    ids = random.integers(2, 99, (2, 8))
    with simulated_gpu():
        found = [
            *benchmark._large(5, ids, "cuda", 1),
            *benchmark._training(3, "cuda"),
            *benchmark._live(3, "cuda", 1),
            *benchmark._study(reviews, "cuda", 1),
            *benchmark._paper(ids, "cuda", 1),
        ]
    assert [(one.work, one.way, one.size, one.rate) for one in found[:3]] == [
        *(("large layers", way, 5, ids.size / 2.0) for way in ("kernels", "product")),
        ("training", "", 3, 1.0),
    ]
    assert [one.what for one in found[-2:]] == [
        "2 reviews, 1 networks, all signals",
        "measure one-over-f, 1 networks, without controls",
    ]


def test_the_table_and_json(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Timing("fill memory", "cpu", 12.34, "GB/s"), Timing("record", "cpu", 1.5, "M words/s", 0.71, "nn.LSTM")]
    monkeypatch.setattr(benchmark, "timings", lambda device, reviews, turns, corpus: iter(rows))
    table = CliRunner().invoke(pinkx, ["bench", "--device", "cpu", "--no-start"])
    assert not table.exit_code, table.output
    assert table.stdout.splitlines()[-1].split() == ["record", "cpu", "1.5", "M", "words/s", "0.71", "nn.LSTM"]
    found = json.loads(CliRunner().invoke(pinkx, ["bench", "--device", "cpu", "--no-start", "--json"]).stdout)
    assert found["timings"][0] == {
        "what": "fill memory", "device": "cpu", "value": 12.34, "unit": "GB/s", "compared": None, "reference": "",
        "work": "", "rate": None, "size": 0, "way": "",
    }  # fmt: skip
    assert found["gpu"]


def test_a_speed_that_cannot_be_measured_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of resource: shared memory\nmore")

    monkeypatch.setattr(benchmark, "find_fixed_points", fail)
    found = list(benchmark.timings("cpu", 2, sizes=(4,), starts=8, turns=1))
    (failed,) = (timing for timing in found if math.isnan(timing.value))
    assert (failed.what, failed.unit) == ("failed: out of resource: shared memory", "fixed_points")
    assert len(found) == 9
    monkeypatch.setattr(benchmark, "timings", lambda *_, **__: iter(found))
    done = CliRunner().invoke(pinkx, ["bench", "--device", "cpu", "--no-start"])
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 6 + 2 + 9  # about the machine, headings, speeds
    assert "1 of 9 speeds could not be measured" in done.stderr


def test_a_gpu_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.devices.kernel_problem", lambda: "PyTorch finds no CUDA device")
    found = CliRunner().invoke(pinkx, ["bench", "--device", "cuda"])
    assert found.exit_code
    assert "--device cuda: PyTorch finds no CUDA device; use --device cpu" in found.output

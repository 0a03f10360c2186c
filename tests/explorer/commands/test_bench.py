"""`pinkx bench`: the timings and their table."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner

from engine import benchmark
from engine.benchmark import Timing
from explorer.cli import pinkx


def test_every_speed_is_measured() -> None:
    found = list(benchmark.timings("cpu", 2, sizes=(4,), starts=8, turns=1))
    assert [timing.unit for timing in found] == [
        *("GB/s", "M words/s", "GB/s", "µs per series", "s", "ms per matrix", "words/s", "s")
    ]
    assert all(timing.value > 0 for timing in found)
    assert [timing.reference for timing in found if not math.isnan(timing.compared)] == [
        "nn.LSTM forward alone",
        "filling that memory",
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
        "work": "", "rate": None, "size": 0,
    }  # fmt: skip
    assert found["gpu"]


def test_a_speed_that_cannot_be_measured_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of resource: shared memory\nmore")

    monkeypatch.setattr(benchmark, "find_fixed_points", fail)
    found = list(benchmark.timings("cpu", 2, sizes=(4,), starts=8, turns=1))
    (failed,) = (timing for timing in found if math.isnan(timing.value))
    assert (failed.what, failed.unit) == ("failed: out of resource: shared memory", "fixed_points")
    assert len(found) == 8
    monkeypatch.setattr(benchmark, "timings", lambda *_, **__: iter(found))
    done = CliRunner().invoke(pinkx, ["bench", "--device", "cpu", "--no-start"])
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 6 + 2 + 8  # about the machine, headings, speeds
    assert "1 of 8 speeds could not be measured" in done.stderr


def test_a_gpu_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.devices.kernel_problem", lambda: "PyTorch finds no CUDA device")
    found = CliRunner().invoke(pinkx, ["bench", "--device", "cuda"])
    assert found.exit_code
    assert "--device cuda: PyTorch finds no CUDA device; use --device cpu" in found.output

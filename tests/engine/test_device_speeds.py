"""Speeds that `pinkx bench` stores, and the rule of ``--device auto`` that follows from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine import device_speeds, devices, eigensystems as eigensystems_module
from engine.benchmark import Timing, rates
from engine.device_speeds import Rate, speeds_file, store_speeds, stored_speeds
from engine.devices import choose
from engine.gates_by_product import WAYS, product_is_faster


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(device_speeds, "machine", lambda: {"gpu": "a card", "torch": "2"})
    monkeypatch.setattr(device_speeds, "user_folder", lambda kind: tmp_path)
    monkeypatch.setattr(devices, "cuda_problem", lambda: "")
    monkeypatch.setattr(devices, "kernel_problem", lambda: "")


def live(cpu: float, cuda: float, size: int = 8) -> list[Timing]:
    found = {"cpu": cpu, "cuda": cuda}
    return [Timing("live", on, rate, "words/s", work="live", rate=rate, size=size) for on, rate in found.items()]


def test_a_live_run_takes_the_gpu_where_it_was_faster_at_every_size() -> None:
    assert choose("auto", "live").device == "cpu"
    assert store_speeds(rates([*live(70_000, 90_000), *live(30_000, 40_000, 32)])) == speeds_file()
    choice = choose("auto", "live")
    assert choice.device == "cuda"
    assert choice.reason.startswith(
        "90,000 words/s on the GPU, 70,000 on the CPU at 8 cells, measured by pinkx bench on"
    )
    store_speeds(rates([*live(70_000, 90_000), *live(30_000, 20_000, 32)]))
    assert choose("auto", "live").device == "cpu"
    assert choose("auto", "live").reason.startswith("20,000 words/s on the GPU, 30,000 on the CPU at 32 cells")
    assert choose("cuda", "live").device == "cuda"
    assert choose("auto", "points").device == "cuda"  # not measured


def test_a_gpu_that_was_slower_leaves_reviews_and_points_to_the_cpu() -> None:
    store_speeds(
        Rate(work, 8, on, rate, "") for work in ("reviews", "points") for on, rate in (("cpu", 2), ("cuda", 1))
    )
    assert (choose("auto", "reviews").device, choose("auto", "points").device) == ("cpu", "cpu")


def test_one_device_alone_is_not_stored() -> None:
    assert store_speeds([Rate("live", 8, "cpu", 1.0, "words/s")]) is None
    assert not speeds_file().exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda values: values | {"machine": {"gpu": "another card"}},
        lambda values: values | {"rates": [{"work": "live"}]},
        lambda values: values | {"rates": [row | {"rate": -1} for row in values["rates"]]},
        lambda values: [],
    ],
    ids=["another card", "a field is missing", "a rate below 0", "a list"],
)
def test_a_file_of_another_machine_or_a_damaged_one_counts_as_none(damage: object) -> None:
    store_speeds(rates(live(1, 2)))
    assert stored_speeds() is not None
    values = json.loads(speeds_file().read_text(encoding="utf-8"))
    speeds_file().write_text(json.dumps(damage(values)), encoding="utf-8")  # type: ignore[operator]
    assert stored_speeds() is None
    assert choose("auto", "live").device == "cpu"


def test_eigensystems_are_computed_in_one_call_where_that_was_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not eigensystems_module._faster_in_one_call()
    store_speeds(Rate("eigensystems", 100, on, rate, "matrices/s") for on, rate in (("cpu", 1.0), ("cuda", 2.0)))
    assert eigensystems_module._faster_in_one_call()
    found = eigensystems_module.eigensystems(torch.eye(3, dtype=torch.float64)[None])  # on the CPU: LAPACK
    assert found.values.tolist() == [[1, 1, 1]]


def test_large_layers_are_recorded_by_one_product_where_that_was_faster() -> None:
    assert not product_is_faster(512)

    def measured(*figures: tuple[int, float, float]) -> None:
        both = [(size, way, rate) for size, *pair in figures for way, rate in zip(WAYS, pair, strict=True)]
        store_speeds(
            [
                *rates(Timing("", "cuda", 1, "", work="large layers", rate=r, size=n, way=w) for n, w, r in both),
                *rates(live(1, 2)),
            ]
        )

    measured((320, 1.0, 2.0), (512, 1.0, 3.0))
    assert product_is_faster(512)
    assert not product_is_faster(256)
    assert choose("auto", "live").device == "cuda"
    measured((320, 2.0, 1.0), (512, 1.0, 3.0))
    assert not product_is_faster(512)


def test_training_takes_the_gpu_where_it_was_faster() -> None:
    assert choose("auto", "training").device == "cpu"
    store_speeds(Rate("training", 8, on, rate, "batches/s") for on, rate in (("cpu", 1.0), ("cuda", 2.0)))
    assert choose("auto", "training").device == "cuda"

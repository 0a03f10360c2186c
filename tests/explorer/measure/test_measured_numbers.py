"""The shipped results: they are of the shipped networks, and the documents quote them correctly."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.catalogue import shipped_networks
from explorer.measure.one_over_f.numbers import FORMAT
from explorer.measure.one_over_f.selection import TrainedNetwork

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return json.loads((ROOT / "assets/measured/one_over_f.json").read_text(encoding="utf-8"))


def cells(row: str) -> list[str]:
    return [cell.strip().strip("*").replace("−", "-") for cell in row.strip("|\n").split("|")]


def table(heading: str) -> list[list[str]]:
    """The rows of the table with that first heading."""
    text = (ROOT / "docs/one_over_f.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found is not None
    return [cells(row) for row in found[1].splitlines()]


def test_five_seeds_of_every_size(told: dict[str, Any]) -> None:
    assert told["format"] == FORMAT
    seeds = {(one["size"], one["seed"]) for one in told["networks"] if one["cell"] == "lstm"}
    assert seeds == {(size, seed) for size in (8, 16, 32, 48, 64, 80, 96, 112, 128) for seed in range(5)}
    assert told["reviews"] == 1871


def test_the_shipped_networks_are_among_the_measured(told: dict[str, Any]) -> None:
    measured = {one["digest"]: one for one in told["networks"]}
    for info in shipped_networks():
        if info.task == "sentiment":
            one = measured[TrainedNetwork.load(info.path).digest]
            assert (one["cell"], one["size"], one["accuracy"]) == (info.cell, info.size, info.accuracy)


def test_the_documents_tell_these_numbers(told: dict[str, Any]) -> None:
    sizes = [one for one in told["sizes"] if one["cell"] == "lstm"]
    for row, one in zip(table("n"), sizes, strict=True):
        spreads = (one["beta"]["h"], one["internal"], one["external"], one["beta"]["x"])
        mean, sd = one["accuracy"]
        assert row == [
            *(str(one["size"]), f"{told['published']['accuracy'][str(one['size'])]:.2f}"),
            f"{100 * mean:.2f} ± {100 * sd:.2f}",
            *(f"{spread['mean']:.2f} ± {spread['seeds']:.2f}" for spread in spreads),
            f"{one['dead'][0]:.0%}",
        ]
    claims = [[one["claim"], one["published"], one["measured"], one["verdict"]] for one in told["claims"]]
    assert table("claim") == claims

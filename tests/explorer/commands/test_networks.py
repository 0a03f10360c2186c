"""`pinkx networks`: a table, or JSON for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine import catalogue
from explorer.cli import pinkx


def test_json_describes_every_shipped_network() -> None:
    done = CliRunner().invoke(pinkx, ["networks", "--json"])
    networks = json.loads(done.stdout)
    assert [network["name"] for network in networks] == [info.name for info in catalogue.shipped_networks()]
    for network in networks:
        assert {"name", "cell", "size", "task", "accuracy", "seed", "date"} <= network.keys()
        assert 0.5 < network["accuracy"] <= 1
    sizes = [network["size"] for network in networks if (network["cell"], network["task"]) == ("lstm", "sentiment")]
    assert sizes == [8, 16, 32, 48, 64, 80, 96, 112, 128]


def test_table_has_a_row_for_every_network() -> None:
    done = CliRunner().invoke(pinkx, ["networks"])
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["NAME", "CELL", "CELLS", "TASK", "ACCURACY", "SEED", "DATE"]
    assert [row.split()[0] for row in rows] == [info.name for info in catalogue.shipped_networks()]


def test_without_networks_it_names_the_verb_that_trains_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "SHIPPED", tmp_path)
    done = CliRunner().invoke(pinkx, ["networks"])
    assert done.exit_code == 0
    assert "pinkx train" in done.stdout
    assert CliRunner().invoke(pinkx, ["networks", "--json"]).stdout == "[]\n"


def test_a_damaged_network_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "SHIPPED", tmp_path)
    (tmp_path / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    done = CliRunner().invoke(pinkx, ["networks"])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert "broken.safetensors" in done.stderr

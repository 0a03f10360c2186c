"""`pinkx train --task`: from a task's name to a network file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.catalogue import describe
from explorer.cli import pinkx


def test_a_task_network_is_trained_and_measured(tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    options = ["--task", "integration-2", "--gamma", "0.9", "--cell", "gru", "--size", "6", "--batches", "20"]
    done = CliRunner().invoke(pinkx, ["train", *options, "--seed", "3", "--out", str(out)])
    assert done.exit_code == 0, done.output
    info = describe(out)
    assert (info.task, info.cell, info.size, info.seed) == ("integration-2", "gru", 6, 3)
    recipe = json.loads(info.metadata["recipe"])
    assert (recipe["gamma"], recipe["batches"]) == (0.9, 20)
    assert f"{info.accuracy:.2%} of the answers to new sequences correct" in done.output


def test_results_are_printed_as_json(tmp_path: Path) -> None:
    options = ["--task", "integration-1", "--size", "4", "--batches", "3", "--out", str(tmp_path / "small.safetensors")]
    done = CliRunner().invoke(pinkx, ["train", *options, "--json"])
    result = json.loads(done.stdout)  # progress goes to stderr
    assert result["file"].endswith("small.safetensors")
    assert len(result["losses"]) == 3
    assert 0 <= result["accuracy"] <= 1


@pytest.mark.parametrize("name", ["chess", "integration", "flip-flop-0"])
def test_an_unknown_task_is_an_error(name: str) -> None:
    done = CliRunner().invoke(pinkx, ["train", "--task", name, "--out", os.devnull])
    assert done.exit_code == 1
    assert "task" in done.output
    assert "Traceback" not in done.output

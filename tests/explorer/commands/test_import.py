"""``pinkx import`` writes a network of ours, says how far it agrees, and asks for what the file leaves open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.network import Network
from explorer.cli import pinkx

CASE = ["the", "film", "good", "bad"]


@pytest.fixture
def tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    layers = {"emb": nn.Embedding(6, 3), "rnn": nn.GRU(3, 4), "out": nn.Linear(4, 1)}
    return {
        f"{name}.{key}": tensor.contiguous()
        for name, layer in layers.items()
        for key, tensor in layer.state_dict().items()
    }


def test_writes_what_every_verb_opens(
    tensors: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_file(tensors, "theirs.safetensors")
    Path("words.txt").write_text("\n".join(CASE))
    asked = CliRunner().invoke(pinkx, ["import", "theirs.safetensors", "--out", "ours.safetensors"])
    assert asked.exit_code == 1
    assert "embedding of 6 words; give --vocabulary FILE" in asked.output
    assert not Path("ours.safetensors").exists()
    done = CliRunner().invoke(
        pinkx, ["import", "theirs.safetensors", "--vocabulary", "words.txt", "--out", "ours.safetensors"]
    )
    assert done.exit_code == 0, done.output
    assert "4 GRU cells, reads 6 words, 1 sigmoid output\n" in done.output
    assert "largest difference from the original" in done.output
    network = Network.load("ours.safetensors")
    assert network.vocabulary is not None
    assert network.vocabulary.words == tuple(CASE)
    options = ["--vocabulary", "words.txt", "--out", "json.safetensors", "--json"]
    result = json.loads(CliRunner().invoke(pinkx, ["import", "theirs.safetensors", *options]).stdout)
    assert (result["file"], result["cells"], result["words"]) == ("json.safetensors", 4, 6)
    assert result["difference"]["states"] < 1e-5
    again = CliRunner().invoke(pinkx, ["import", "ours.safetensors", "--out", "again.safetensors"])
    assert "a network of pinkx already" in again.output


def test_never_replaces_the_file_that_it_reads(
    tensors: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_file(tensors, "theirs.safetensors")
    before = Path("theirs.safetensors").read_bytes()
    done = CliRunner().invoke(pinkx, ["import", "theirs.safetensors", "--embedding", "none"])
    assert done.exit_code == 1
    assert "would replace the file that is imported" in done.output
    assert Path("theirs.safetensors").read_bytes() == before


def test_a_task_gives_start_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    torch.manual_seed(0)
    layers = {"rnn": nn.GRU(3, 4), "out": nn.Linear(4, 3)}
    save_file(
        {f"{name}.{key}": tensor for name, layer in layers.items() for key, tensor in layer.state_dict().items()},
        "theirs.safetensors",
    )
    options = ["theirs.safetensors", "--output", "linear", "--out", "ours.safetensors"]
    wrong = CliRunner().invoke(pinkx, ["import", *options, "--task", "flip-flop-2"])
    assert "--task flip-flop-2: has 2 inputs, the network takes 3" in wrong.output
    done = CliRunner().invoke(pinkx, ["import", *options, "--task", "flip-flop-3"])
    assert done.exit_code == 0, done.output
    found = CliRunner().invoke(pinkx, ["points", "ours.safetensors", "--input", "zero", "--starts", "8", "--json"])
    assert found.exit_code == 0, found.output
    for point in json.loads(found.output)["points"]:
        assert len(point["readout"]) == 3
        assert point["probability"] is None  # linear outputs are not probabilities

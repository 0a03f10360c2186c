"""Stacks of layers, against `torch.nn` itself."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine.catalogue import NetworkError
from engine.importers.parts import ImportOptions
from engine.importers.read import import_module
from engine.network import Network
from engine.recording import Stepper
from engine.sequences import encoded
from engine.text import Review

WORDS = ["<pad>", "<unk>", "the", "film", "good", "bad"]
REVIEW = Review("one", "the film good bad film the nonsense good")
IDS = torch.tensor([2, 3, 4, 5, 3, 2, 1, 4])


def module(bidirectional: bool = False) -> nn.ModuleDict:
    torch.manual_seed(0)
    kind = nn.GRU if bidirectional else nn.LSTM
    layers = kind(5, 4, num_layers=2, bidirectional=bidirectional)
    return nn.ModuleDict(
        {"embedding": nn.Embedding(6, 5), "rnn": layers, "out": nn.Linear(8 if bidirectional else 4, 1)}
    )


def states(network: Network) -> np.ndarray:
    return Stepper(network).advance(encoded(network, REVIEW))["h"]


@torch.no_grad()
def test_the_top_layer_has_the_states_and_the_outputs_of_torch() -> None:
    original = module()
    network = Network.from_torch(original, vocabulary=WORDS, name="deep")
    h = original["rnn"](original["embedding"](IDS))[0]
    found = states(network)
    assert (network.title, network.unit) == ("deep · layer 2 of 2", "word")
    np.testing.assert_allclose(found, h.numpy(), atol=1e-6)
    expected = original["out"](h).sigmoid().numpy()
    np.testing.assert_allclose(network.probability(torch.from_numpy(found)).numpy(), expected, atol=1e-6)


@torch.no_grad()
def test_a_lower_layer_has_its_states_and_no_output() -> None:
    original = module()
    network = Network.from_torch(original, vocabulary=WORDS, layer="rnn.0")
    first = nn.LSTM(5, 4)
    first.load_state_dict({key: value for key, value in original["rnn"].state_dict().items() if key.endswith("l0")})
    found = states(network)
    np.testing.assert_allclose(found, first(original["embedding"](IDS))[0].numpy(), atol=1e-6)
    assert network.probability(torch.from_numpy(found)).isnan().all()
    np.testing.assert_array_equal(network.watching(1).watching(0).embed(IDS), network.embed(IDS))
    with pytest.raises(ValueError, match="no layer 2"):
        network.watching(2)


@torch.no_grad()
def test_both_directions_of_the_layers_below_are_run() -> None:
    original = module(bidirectional=True)
    options = ImportOptions(layer="rnn.1", readout="none", direction="forward")
    network = Network.from_parts(import_module(original, "both", WORDS, options))
    h = original["rnn"](original["embedding"](IDS))[0]
    assert network.title == "both · layer 2 of 2, forward"
    np.testing.assert_allclose(states(network), h[:, :4].numpy(), atol=1e-6)


def test_files_and_processes_have_all_layers(tmp_path: Path) -> None:
    network = Network.from_torch(module(), vocabulary=WORDS)
    expected = states(network)
    for watched in (network, network.watching(0)):
        watched.save(tmp_path / "deep.safetensors")
        stored = Network.load(tmp_path / "deep.safetensors")
        assert stored.level == watched.level
        for found in (stored, copy.deepcopy(stored), stored.to(dtype=torch.float32)):
            top = found.watching(1)
            np.testing.assert_array_equal(states(top), expected)
            assert (found.activation, top.activation) == (watched.activation, "sigmoid")


def test_a_layer_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    path = tmp_path / "deep.safetensors"
    Network.from_torch(module(), vocabulary=WORDS).save(path)
    tensors = load_file(path)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    wrong = {
        "layer 2 takes 3 numbers": ("1.forward.weight_ih", torch.zeros(16, 3)),
        "1.forward.weight_hh holds values": ("1.forward.weight_hh", torch.full((16, 4), torch.nan)),
    }
    for says, (name, tensor) in wrong.items():
        save_file({**tensors, name: tensor}, path, header)
        with pytest.raises(NetworkError, match=says):
            Network.load(path)

"""Stacks of layers, against `torch.nn` itself."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution import integrated_gradients
from engine.beta import measure_reviews, read_batches
from engine.catalogue import NetworkError
from engine.corpus_statistics import corpus_statistics
from engine.importers.parts import ImportOptions
from engine.importers.read import import_module
from engine.network import Network
from engine.recording import Stepper, record
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
    assert (network.activation, network.output) == ("none", "sigmoid")
    np.testing.assert_array_equal(network.watching(1).watching(0).embed(IDS), network.embed(IDS))
    with pytest.raises(ValueError, match="no layer 2"):
        network.watching(2)


@torch.no_grad()
def test_both_directions_of_the_layers_below_are_run() -> None:
    original = module(bidirectional=True)
    options = ImportOptions(layer="rnn.1", readout="none", direction="forward")
    network = Network.from_parts(import_module(original, "both", WORDS, options))
    h = original["rnn"](original["embedding"](IDS))[0]
    assert network.title == "both · layer 2 of 2 →"
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


def both_ways(reads: str, layers: int = 2) -> tuple[nn.ModuleDict, Network]:
    torch.manual_seed(1)
    rnn = nn.LSTM(5, 4, num_layers=layers, bidirectional=True)
    original = nn.ModuleDict({"embedding": nn.Embedding(6, 5), "rnn": rnn, "out": nn.Linear(8, 1)})
    return original, Network.from_torch(original, vocabulary=WORDS, name="both", reads=reads)


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("reads", ["final", "last", "each"])
def test_readouts_of_both_directions_are_those_of_torch(reads: str, layers: int) -> None:
    original, network = both_ways(reads, layers)
    states, (final, _) = original["rnn"](original["embedding"](IDS))
    read = torch.cat((final[-2], final[-1])) if reads == "final" else states[-1]
    expected = original["out"](read).sigmoid().item()
    ids = IDS.numpy()
    assert network.classify(ids) == pytest.approx(expected, abs=1e-6)
    assert network.stack is not None
    for position in network.stack.positions:
        watched = network.watching(*position)
        recording = record(watched, [ids[:3], ids], ["h"])
        assert recording.probability[1, -1] == pytest.approx(expected, abs=1e-6)
        if reads != "each":
            assert recording.probability[1, 2] == pytest.approx(network.classify(ids[:3]), abs=1e-6)
        batch = next(read_batches(watched, [ids], ["h"]))
        assert batch.probability[0] == pytest.approx(expected, abs=1e-6)
        if position[0] == layers - 1:
            part = states[:, 4:] if position[1] == "backward" else states[:, :4]
            np.testing.assert_allclose(recording["h"][1], part, atol=1e-6)


def test_attributions_go_through_all_layers() -> None:
    original, network = both_ways("final")
    found = integrated_gradients(network.watching(0, "backward"), IDS.numpy(), baseline="zero")
    assert found is not None
    with torch.no_grad():
        _, (final, _) = original["rnn"](original["embedding"](IDS))
        logit = original["out"](torch.cat((final[-2], final[-1]))).item()
    assert found.logit == pytest.approx(logit, abs=1e-5)
    assert abs(found.residual) < 1e-3
    held = integrated_gradients(network, IDS.numpy(), baseline="zero", clamps={"h": np.zeros(4)})
    assert held is not None
    assert held.logit != pytest.approx(logit, abs=1e-4)


def test_a_file_keeps_the_direction_and_what_the_readout_reads(tmp_path: Path) -> None:
    _, network = both_ways("last")
    network.watching(1, "backward").save(tmp_path / "both.safetensors")
    stored = Network.load(tmp_path / "both.safetensors")
    assert stored.title == "both · layer 2 of 2 ←"
    assert stored.classify(IDS.numpy()) == pytest.approx(network.classify(IDS.numpy()), abs=1e-7)
    assert copy.deepcopy(stored).backward
    with pytest.raises(ValueError, match="no layer 2"):
        stored.watching(2, "backward")


def test_corpus_statistics_of_an_upper_layer() -> None:
    network = Network.from_torch(module(), vocabulary=WORDS)
    ids = np.random.default_rng(0).integers(2, 6, (3, 40))
    found = corpus_statistics(network, ids, ["h"], (4, 8, 16))
    np.testing.assert_allclose(found.probability, network.classify(list(ids)), atol=1e-6)
    assert network.text_vocabulary is not None
    (rows,) = measure_reviews(network, [REVIEW])
    assert rows["probability"][0] == pytest.approx(
        network.classify(network.text_vocabulary.encode(REVIEW.words)), abs=1e-6
    )

"""Published network files, in the folder PINKX_CASES: each is imported correctly, or refused for the right reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.catalogue import NetworkError
from engine.importers.keras import KerasBody, kernels
from engine.importers.keras_file import read_keras
from engine.network import Network
from tests.engine.importers.checked import checked_import

SYNTHETIC = {  # file: the network of right_answers.json, and the difference allowed
    "k-lstm-8.h5": ("lstm-8", 1e-6),
    "k-lstm-8.keras": ("lstm-8", 1e-6),
    "k-rnn-64.h5": ("rnn-64", 1e-6),
    "k-rnn-64.keras": ("rnn-64", 1e-6),
    "s1-plain_state_dict.pt": ("lstm-8", 1e-6),
    "s2-dataparallel.pt": ("lstm-8", 1e-6),
    "s3-compiled.pt": ("lstm-8", 1e-6),
    "s6-nested.tar": ("lstm-8", 1e-6),
    "s7-half.pt": ("lstm-8", 1e-4),  # the weights themselves are rounded
    "s9-whole_module.pth": ("lstm-8", 1e-6),
    "s10-legacy_format.pt": ("lstm-8", 1e-6),
    "s11-plain.safetensors": ("lstm-8", 1e-6),
    "s13-with_vocab.pt": ("lstm-8", 1e-6),
    "s14-torchscript.pt": ("lstm-8", 1e-6),
}
REFUSED = {
    "synthetic/s16-nan_weight.pt": "lstm.weight_hh_l0 holds values that are not finite",
    "real/hmmrnn-lfs-pointer.pth": "Git LFS pointer",
    "real/hmmrnn-2HMM.pth": "does not say whether its nonlinearity is tanh or relu",
    "real/psychrnn-saved_weights.npz": "describe it in psychrnn-saved_weights.toml",
    "real/silero_vad_16k.safetensors": "no linear readout of 128 cells",
    "real/textgenrnn_weights.hdf5": "besides rnn_2 the model has attention",
    "real/ethnicolr-wiki_ln_lstm.h5": "--vocabulary FILE",
    "real/fpf-flip_flop_net_6.pt": "--output linear",
}
OPTIONS = {
    "real/ethnicolr-wiki_ln_lstm.h5": {"vocabulary": "real/ethnicolr-wiki_ln_vocab.csv"},
    "real/textgenrnn_weights.hdf5": {
        "vocabulary": "real/textgenrnn_vocab.json", "layer": "rnn_1", "readout": "none",
    },
    "real/fpf-flip_flop_net_6.pt": {"output": "linear"},
    "real/silero_vad_16k.safetensors": {"readout": "none"},
    "real/hmmrnn-2HMM.pth": {"nonlinearity": "relu", "output": "linear"},
}  # fmt: skip


@pytest.fixture(scope="module")
def networks() -> Path:
    """Return the folder of networks; skip the test without one."""
    path = Path(os.environ.get("PINKX_CASES", "")) / "networks"
    if not (path / "synthetic").is_dir():
        pytest.skip("no case files: PINKX_CASES names no folder of them")
    return path


def imported(path: Path, **options: str) -> Network:
    return checked_import(path, 2e-5, **options)


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_sentence_gets_its_probability(name: str, networks: Path) -> None:
    folder = networks / "synthetic"
    network = imported(folder / name, vocabulary=str(folder / "lstm-8-vocab.txt"))
    answers = json.loads((folder / "right_answers.json").read_text())
    original, tolerance = SYNTHETIC[name]
    assert network.vocabulary is not None
    found = network.classify(network.vocabulary.encode(answers["words"]))
    assert found == pytest.approx(answers[original], abs=tolerance)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_open_is_refused_for_its_reason(name: str, networks: Path) -> None:
    with pytest.raises(NetworkError, match=REFUSED[name]):
        Network.load(networks / name)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_named_option_opens_it(name: str, networks: Path) -> None:
    options = {key: str(networks / value) if key == "vocabulary" else value for key, value in OPTIONS[name].items()}
    imported(networks / name, **options)


def test_states_and_classes_of_a_keras_model(networks: Path, tmp_path: Path) -> None:
    """The file has no vocabulary; its ids serve as words."""
    (tmp_path / "ids.txt").write_text("\n".join(f"id{number}" for number in range(956)))
    file = networks / "real" / "ethnicolr-census2000_ln_lstm.h5"
    network = imported(file, vocabulary=str(tmp_path / "ids.txt"))
    expected = np.load(networks / "reference" / "ethnicolr-census2000_ln_lstm.npz")
    assert network.vocabulary is not None
    ids = network.vocabulary.encode([f"id{number}" for number in expected["ids"]])
    _, signals = network.cell.run(network.embed(ids))
    np.testing.assert_allclose(signals["h"].numpy(), expected["h"], atol=5e-6)
    np.testing.assert_allclose(network.probability(signals["h"]).numpy()[-1], expected["p"][-1], atol=1e-6)


def test_the_transposed_kernels_of_cudnn_predict_text(networks: Path) -> None:
    """All of textgenrnn in NumPy: with any other order of the kernels its loss is above 7 nats a character."""
    folder = networks / "real"
    model = read_keras(folder / "textgenrnn_weights.hdf5")
    one = {layer.name: layer for layer in model.layers}
    first, second = (KerasBody(4, *kernels(one[name], 4)) for name in ("rnn_1", "rnn_2"))
    characters = json.loads((folder / "textgenrnn_vocab.json").read_text())
    ids = [characters[c] for c in "The president said that the new movie is the best of the year"]
    (embedding,), (attention,), (weight, bias) = (one[name].weights for name in ("embedding", "attention", "output"))
    losses = []
    for t in range(20, len(ids)):
        x = embedding[[0] * max(0, 40 - t) + ids[max(0, t - 40) : t]].astype(np.float64)
        h = first.states(x)
        everything = np.hstack((x, h, second.states(h)))
        score = np.exp(everything @ attention)
        logits = (score / score.sum() * everything).sum(axis=0) @ weight + bias
        losses.append(np.log(np.exp(logits - logits[ids[t]]).sum()))
    assert np.mean(losses) < 1.5


def test_states_and_outputs_of_a_relu_network(networks: Path) -> None:
    network = imported(networks / "real" / "hmmrnn-2HMM.pth", nonlinearity="relu", output="linear")
    expected = np.load(networks / "reference" / "hmmrnn-2HMM.npz")
    _, signals = network.cell.run(torch.from_numpy(expected["x"]))
    np.testing.assert_allclose(signals["h"].numpy(), expected["h"], atol=1e-4)
    np.testing.assert_allclose(network.readout(signals["h"]).numpy(), expected["logits"], atol=1e-4)

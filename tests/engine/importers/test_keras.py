"""Networks in files of Keras: every layer and layout agrees, and what pinkx cannot run is named."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.catalogue import NetworkError
from engine.importers.keras import find_keras_network
from engine.importers.keras_file import Layer, read_keras
from engine.importers.parts import ImportOptions
from engine.importers.time_limit import VARIABLE
from engine.network import Network
from tests.engine.importers.checked import checked_import
from tests.engine.importers.keras_files import KerasLayer, h5py, keras_layers, write_hdf5, write_keras

WORDS = ["a", "wonderful", "film", "about", "nothing", "at", "all"]


@pytest.fixture(autouse=True)
def without_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")


def vocabulary(network: Network, folder: Path) -> str:
    assert network.vocabulary is not None
    (folder / "words.txt").write_text("\n".join(["<pad>", "<unk>", *network.vocabulary.words]), encoding="utf-8")
    return str(folder / "words.txt")


def answer(network: Network) -> float:
    assert network.vocabulary is not None
    return float(network.classify(network.vocabulary.encode(WORDS)))


def opened(path: Path, **options: str) -> Network:
    """Import a file, and check it against NumPy."""
    return checked_import(path, 1e-5, **options)


@pytest.mark.parametrize("name", ["lstm-8", "gru-64", "rnn-64"])
@pytest.mark.parametrize("layout", ["h5", "keras", "weights", "cudnn"])
def test_every_layer_agrees_in_every_layout(name: str, layout: str, tmp_path: Path) -> None:
    original = Network.load(name)
    if layout == "cudnn" and name == "rnn-64":
        pytest.skip("cuDNN has no SimpleRNN in Keras")
    layers = keras_layers(original, cudnn=layout == "cudnn")
    options = {"vocabulary": vocabulary(original, tmp_path)}
    if layout == "keras":
        file = write_keras(layers, tmp_path / "network.keras")
    else:
        file = write_hdf5(layers, tmp_path / "network.h5", weights_only=layout == "weights")
    if layout == "weights":
        with pytest.raises(NetworkError, match="--nonlinearity tanh"):
            opened(file, **options)
        options["nonlinearity"] = "tanh"
    assert answer(opened(file, **options)) == pytest.approx(answer(original), abs=1e-6)
    assert answer(Network.from_keras(file, **options)) == pytest.approx(answer(original), abs=1e-6)


def test_softmax_of_two_and_of_three_classes(tmp_path: Path) -> None:
    original = Network.load("lstm-8")
    words = vocabulary(original, tmp_path)
    layers = keras_layers(original, dense="softmax")
    weight, bias = layers[-1].weights["kernel"], layers[-1].weights["bias"]
    layers[-1].weights = {"kernel": np.hstack((0 * weight, weight)), "bias": np.append(0 * bias, bias)}
    two = opened(write_hdf5(layers, tmp_path / "two.h5"), vocabulary=words)
    assert two.outputs == 1
    assert answer(two) == pytest.approx(answer(original), abs=1e-6)
    layers[-1].weights = {"kernel": np.hstack((weight, -weight, weight)), "bias": np.array([0.1, 0.2, 0.3])}
    three = opened(write_hdf5(layers, tmp_path / "three.h5"), vocabulary=words)
    assert (three.outputs, three.activation) == (3, "softmax")


def test_keras_imdb_ids_are_ranks_plus_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Network.load("lstm-8")
    assert original.vocabulary is not None
    layers = keras_layers(original)
    rows = layers[1].weights["embeddings"]
    start = np.full((1, rows.shape[1]), 9, dtype=rows.dtype)
    layers[1].weights = {"embeddings": np.vstack((rows[:1], start, rows[1:]))}  # padding, start, unknown, words
    file = write_hdf5(layers, tmp_path / "network.h5")
    ranks = ", ".join(f'"{word}": {rank}' for rank, word in enumerate([*original.vocabulary.words, "rare"]))
    (tmp_path / "index.json").write_text("{" + ranks + "}")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with pytest.raises(NetworkError, match="give keras-imdb:imdb_word_index.json"):
        opened(file, vocabulary="keras-imdb")
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    (tmp_path / "keras" / "datasets" / "imdb_word_index.json").write_text("{" + ranks + "}")
    for option in ("keras-imdb", f"keras-imdb:{tmp_path / 'index.json'}"):
        network = opened(file, vocabulary=option)
        assert answer(network) == pytest.approx(answer(original), abs=1e-6)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"activation": "swish"}, "activation 'swish' is not supported, only hard_sigmoid, linear, relu"),
        (
            {"recurrent_activation": {"class_name": "function", "config": "relu"}},
            "recurrent_activation 'relu' is no gate",
        ),
        ({"go_backwards": True}, "reads backwards"),
    ],
)
def test_settings_that_pinkx_cannot_run_are_named(setting: dict[str, object], says: str, tmp_path: Path) -> None:
    original = Network.load("lstm-8")
    layers = keras_layers(original)
    layers[3].settings = {**layers[3].settings, **setting}
    for file in (write_hdf5(layers, tmp_path / "a.h5"), write_keras(layers, tmp_path / "a.keras")):
        with pytest.raises(NetworkError, match=says):
            opened(file, vocabulary=vocabulary(original, tmp_path))


@pytest.mark.parametrize(
    ("name", "setting", "label"),
    [
        ("lstm-8", {"recurrent_activation": "hard_sigmoid"}, "LSTM (hard sigmoid {})"),
        ("lstm-8", {"activation": "relu"}, "LSTM (relu)"),
        ("gru-64", {"recurrent_activation": "hard_sigmoid", "activation": "linear"}, "GRU (hard sigmoid {}, linear)"),
        ("rnn-64", {"activation": "relu"}, "RNN (relu)"),
        ("rnn-64", {"activation": {"class_name": "function", "config": "hard_sigmoid"}}, "RNN (hard sigmoid {})"),
    ],
)
def test_activations_of_both_versions_open(name: str, setting: dict[str, object], label: str, tmp_path: Path) -> None:
    original = Network.load(name)
    layers = keras_layers(original)
    layers[3].settings = {**layers[3].settings, **setting}
    options = {"vocabulary": vocabulary(original, tmp_path)}
    old = opened(write_hdf5(layers, tmp_path / "a.h5"), **options)
    new = opened(write_keras(layers, tmp_path / "a.keras"), **options)
    assert old.cell.label == label.format("0.2 x + 0.5")
    assert new.cell.label == label.format("x/6 + 0.5")


@pytest.mark.parametrize("layout", ["h5", "keras", "weights"])
def test_a_gru_that_resets_before_the_product_opens(layout: str, tmp_path: Path) -> None:
    original = Network.load("gru-64")
    layers = keras_layers(original)
    layers[3].weights = {**layers[3].weights, "bias": layers[3].weights["bias"][0]}
    layers[3].settings = {**layers[3].settings, "reset_after": False}
    if layout == "keras":
        file = write_keras(layers, tmp_path / "a.keras")
    else:
        file = write_hdf5(layers, tmp_path / "a.h5", weights_only=layout == "weights")
    given = {"nonlinearity": "tanh"} if layout == "weights" else {}
    network = opened(file, vocabulary=vocabulary(original, tmp_path), **given)
    assert network.cell.label == "GRU (reset before)"
    del layers[3].weights["bias"]
    bare = write_hdf5(layers, tmp_path / "bare.h5", weights_only=True)
    words = vocabulary(original, tmp_path)
    with pytest.raises(NetworkError, match="does not say where its reset gate acts; give --reset after"):
        opened(bare, vocabulary=words, nonlinearity="tanh")
    for reset, label in (("before", "GRU (reset before)"), ("after", "GRU")):
        assert opened(bare, vocabulary=words, nonlinearity="tanh", reset=reset).cell.label == label


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (KerasLayer("Lambda", "custom", {}, {"function": "os.system"}), "Lambda layer .custom., whose code is never"),
        (KerasLayer("GlobalMaxPooling1D", "pool", {}), "pool .GlobalMaxPooling1D., which pinkx would leave out"),
        (KerasLayer("Dense", "second", {"kernel": np.zeros((1, 1))}), r"several Dense layers \(dense .*, second"),
    ],
)  # fmt: skip
def test_layers_that_pinkx_cannot_run_are_named(extra: KerasLayer, says: str, tmp_path: Path) -> None:
    layers = [*keras_layers(Network.load("lstm-8")), extra]
    for file in (write_hdf5(layers, tmp_path / "a.h5"), write_keras(layers, tmp_path / "a.keras")):
        with pytest.raises(NetworkError, match=says):
            opened(file)


def test_every_layer_of_a_stack_can_be_watched(tmp_path: Path) -> None:
    original = Network.load("lstm-8")
    layers = keras_layers(original)
    weights = layers[3].weights
    upper = {key: value[:8] if value.shape == weights["kernel"].shape else value for key, value in weights.items()}
    layers.insert(4, KerasLayer("LSTM", "second", upper, layers[3].settings))
    words = vocabulary(original, tmp_path)
    for file in (write_hdf5(layers, tmp_path / "a.h5"), write_keras(layers, tmp_path / "a.keras")):
        top = opened(file, vocabulary=words)
        assert (top.title, top.activation) == ("a · layer 2 of 2", "sigmoid")
        assert opened(file, vocabulary=words, layer="layer").title == "a · layer 1 of 2"
        assert opened(file, vocabulary=words, layer="second", readout="none").title == "a · layer 2 of 2"


def test_layers_that_do_not_feed_each_other_are_no_stack(tmp_path: Path) -> None:
    original = Network.load("lstm-8")
    layers = keras_layers(original)
    wide = {**layers[3].weights, "kernel": np.vstack((layers[3].weights["kernel"],) * 2)}  # takes 16 numbers, not 8
    layers.insert(4, KerasLayer("LSTM", "second", wide, layers[3].settings))
    file = write_hdf5(layers, tmp_path / "a.h5")
    words = vocabulary(original, tmp_path)
    with pytest.raises(NetworkError, match="recurrent layers are no stack.*layer .LSTM., second .LSTM.; choose one"):
        opened(file, vocabulary=words)
    assert opened(file, vocabulary=words, layer="layer", readout="none").cell.size == 8
    model = read_keras(write_hdf5(keras_layers(original), tmp_path / "b.h5"))
    dense, lstm = model.layers[-1], next(layer for layer in model.layers if layer.kind == "LSTM")
    parallel = [replace(lstm, name=name, sources=frozenset({"x"})) for name in ("a", "b")]
    model = replace(model, layers=(Layer("InputLayer", "x", {}, ()), *parallel, dense))
    with pytest.raises(NetworkError, match="a .LSTM., b .LSTM.; choose one with --layer"):
        find_keras_network(model, ImportOptions())
    beside = find_keras_network(model, ImportOptions(layer="b", readout="none"))
    assert (beside.layer, beside.layers) == ("b", ())
    chain = replace(parallel[1], sources=frozenset({"drop"}))
    drop = Layer("Dropout", "drop", {}, (), frozenset({"a"}))
    model = replace(model, layers=(model.layers[0], parallel[0], drop, chain, dense))
    assert len(find_keras_network(model, ImportOptions()).layers) == 2


def test_weights_alone_do_not_say_how_directions_that_are_not_next_to_each_other_were_merged(tmp_path: Path) -> None:
    original = Network.load("lstm-8")
    layers = keras_layers(original)
    weights = layers[3].weights
    both = {f"{direction}/{key}": value for direction in ("forward", "backward") for key, value in weights.items()}
    layers[3] = KerasLayer("Bidirectional", "both", both)
    words, given = vocabulary(original, tmp_path), {"nonlinearity": "tanh"}
    file = write_hdf5(layers, tmp_path / "a.h5", weights_only=True)
    says = "how the two directions of both are merged: dense reads 8 numbers, so it is not concat .16.; give the whole "
    with pytest.raises(NetworkError, match=says):
        opened(file, vocabulary=words, reads="final", **given)
    assert opened(file, vocabulary=words, readout="none", **given).title == "a · direction →"
    upper = {key: value[:8] if key == "kernel" else value for key, value in weights.items()}
    layers.insert(4, KerasLayer("LSTM", "second", upper))
    file = write_hdf5(layers, tmp_path / "b.h5", weights_only=True)
    for options in ({}, {"layer": "second", "readout": "none"}):
        with pytest.raises(NetworkError, match=r"second reads 8 numbers.*or --layer both --readout none"):
            opened(file, vocabulary=words, **options, **given)
    assert opened(file, vocabulary=words, layer="both", readout="none", **given).title == "b · direction →"


def test_old_weights_may_have_hard_sigmoid_gates(tmp_path: Path) -> None:
    original = Network.load("lstm-8")
    file = write_hdf5(keras_layers(original), tmp_path / "a.h5", weights_only=True, version="2.1.5")
    words = vocabulary(original, tmp_path)
    with pytest.raises(NetworkError, match="hard_sigmoid .those gates, the default before."):
        opened(file, vocabulary=words)
    assert opened(file, vocabulary=words, nonlinearity="tanh").cell.label == "LSTM"
    hard = opened(file, vocabulary=words, nonlinearity="hard_sigmoid")
    assert hard.cell.label == "LSTM (hard sigmoid 0.2 x + 0.5)"
    other = opened(file, vocabulary=words, nonlinearity="relu,hard_sigmoid")
    assert other.cell.settings == {"gate": "hard_sigmoid_5", "activation": "relu", "output": "relu"}
    whole = write_hdf5(keras_layers(original), tmp_path / "b.h5", version="2.1.5")
    assert opened(whole, vocabulary=words, nonlinearity="tanh").cell.label == "LSTM"
    with pytest.raises(NetworkError, match="--nonlinearity relu: the file says tanh, sigmoid of layer"):
        opened(whole, vocabulary=words, nonlinearity="relu")


def test_links_to_other_files_and_damage_are_refused(tmp_path: Path) -> None:
    file = write_hdf5(keras_layers(Network.load("lstm-8")), tmp_path / "a.h5")
    with h5py.File(file, "a") as opened_file:
        del opened_file["model_weights/dense/dense/bias:0"]
        opened_file["model_weights/dense/dense/bias:0"] = h5py.ExternalLink("other.h5", "/x")
    with pytest.raises(NetworkError, match="links dense/bias:0 to another place"):
        opened(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NetworkError, match="damaged Keras file"):
        opened(file)


def test_only_a_keras_file_is_one(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="not a file of Keras"):
        Network.from_keras("lstm-8")


def test_a_file_that_cannot_be_read_in_time_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_hdf5(keras_layers(Network.load("rnn-64")), tmp_path / "a.h5")
    monkeypatch.setenv(VARIABLE, "0.001")  # less than a process takes to start
    with pytest.raises(NetworkError, match=r"refused after 0.001 s, in which it could not be read"):
        opened(file)
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(NetworkError, match="holds no vocabulary"):  # read, in time
        opened(file)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_a_file_that_claims_gigabytes_takes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The HDF5 library takes the memory that a text claims before it looks for the text in the file."""
    import resource

    file = write_hdf5(keras_layers(Network.load("rnn-64")), tmp_path / "a.h5")
    with h5py.File(file) as opened_file:
        length = len(opened_file.attrs["model_config"].encode())
    # The length and the address of the text; in the heap the length is followed by zeros.
    found, count = re.subn(
        re.escape(length.to_bytes(4, "little")) + rb"(?!\0{4})", (3 << 29).to_bytes(4, "little"), file.read_bytes()
    )
    assert count == 1
    file.write_bytes(found)
    monkeypatch.delenv(VARIABLE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NetworkError, match="damaged Keras file"):
        opened(file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 19  # KiB

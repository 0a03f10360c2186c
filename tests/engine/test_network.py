"""Networks are saved and loaded unchanged; a damaged file is refused with the reason."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.catalogue import NetworkError, describe, find, shipped_networks
from engine.cells import TRAINED, cell_from_torch
from engine.network import Network, Vocabulary, pad
from engine.reviews import CUT, open_reviews

WORDS = ["the", "film", "good", "bad"]


def make(kind: str = "lstm", size: int = 5) -> Network:
    torch.manual_seed(3)
    layer = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](3, size)
    vocabulary = Vocabulary(WORDS)
    return Network(
        cell_from_torch(layer),
        torch.randn(1, size),
        torch.randn(1),
        embedding=torch.randn(len(vocabulary), 3),
        vocabulary=vocabulary,
        info={"seed": "3", "accuracy": "0.875", "recipe": json.dumps({"batch": 128})},
    )


@pytest.mark.parametrize("kind", TRAINED)
def test_a_saved_network_loads_unchanged(kind: str, tmp_path: Path) -> None:
    network = make(kind)
    network.save(tmp_path / "one.safetensors")
    again = Network.load(tmp_path / "one.safetensors")
    for key, tensor in network.tensors().items():
        torch.testing.assert_close(again.tensors()[key], tensor, rtol=0, atol=0)
    assert again.vocabulary is not None
    ids = again.vocabulary.encode(["good", "film", "nonsense"])
    assert ids.tolist() == [4, 3, 1]
    assert again.classify(ids) == network.classify(ids)
    info = describe(tmp_path / "one.safetensors")
    assert (info.name, info.cell, info.size, info.accuracy, info.seed) == ("one", kind, 5, 0.875, 3)
    assert info.json()["recipe"] == {"batch": 128}
    assert [p.name for p in tmp_path.iterdir()] == ["one.safetensors"]  # and no temporary file


@pytest.mark.parametrize("kind", TRAINED)
def test_classifies_as_one_step_after_another(kind: str) -> None:
    network = make(kind)
    random = np.random.default_rng(1)
    reviews = [random.integers(1, 6, size) for size in (1, 7, 3, 12)]
    expected = []
    for ids in reviews:
        state, _ = network.cell.run(network.embed(ids))
        expected.append(network.readout(network.cell.split(state)["h"]).sigmoid().item())
    np.testing.assert_allclose(network.classify(reviews), expected, atol=1e-6)
    assert network.classify(reviews[1]).shape == ()


def test_words_have_ids_and_ids_words() -> None:
    vocabulary = Vocabulary(WORDS)
    assert len(vocabulary) == 6
    assert [vocabulary.word(k) for k in vocabulary.encode(["bad", "unheard", "the"])] == ["bad", "[unk]", "the"]
    assert vocabulary.word(0) == "[pad]"
    assert pad([np.array([2, 3]), np.array([4])]).tolist() == [[2, 3], [4, 0]]


@pytest.mark.parametrize("ids", [[], [np.array([], dtype=int)], [2, 99], [2, -1], [np.array([[2, 3]])]])
def test_what_is_not_a_review_is_refused(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="review 0"):
        make().classify(ids)


def test_vectors_are_not_words() -> None:
    network = make()
    raw = Network(network.cell, network.readout_weight, network.readout_bias, name="integrator")
    with pytest.raises(ValueError, match="integrator takes vectors of 3 numbers"):
        raw.embed(np.array([1]))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda t: t.pop("bias"), "'bias' is missing"),
        (lambda t: t.update(bias=t["bias"][:-1]), r"expected bias of shape \(20,\)"),
        (lambda t: t.update(readout_weight=t["readout_weight"][:, :4].contiguous()), r"expected a readout \(k, 5\)"),
        (lambda t: t.update(embedding=t["embedding"][:-1]), r"expected an embedding \(6, 3\)"),
        (
            lambda t: t["weight_hh"].__setitem__((0, 0), float("nan")),
            "the tensor weight_hh holds values that are not finite",
        ),
    ],
)
def test_refuses_damaged_weights(
    damage: Callable[[dict[str, torch.Tensor]], object], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "one.safetensors"
    make().save(path)
    header = dict(describe(path).metadata)
    tensors = load_file(path)
    damage(tensors)
    save_file(tensors, path, header)
    with pytest.raises(NetworkError, match=says):
        Network.load(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_converts_short_floats_exactly(dtype: torch.dtype, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    make().save(path)
    header = dict(describe(path).metadata)
    short = {key: tensor.to(dtype) for key, tensor in load_file(path).items()}
    save_file(short, path, header)
    network = Network.load(path)
    for key, tensor in network.tensors().items():
        torch.testing.assert_close(tensor, short[key].float(), rtol=0, atol=0)
    assert 0 < network.classify([2, 3]) < 1


@pytest.mark.parametrize("key", ["embedding", "readout_weight", "weight_hh"])
def test_one_tensor_in_double_precision_makes_all_double(key: str, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    make().save(path)
    header, tensors = dict(describe(path).metadata), load_file(path)
    save_file(tensors | {key: tensors[key].double()}, path, header)
    network = Network.load(path)
    assert {tensor.dtype for tensor in network.tensors().values()} == {torch.float64}
    assert network.classify([2, 3]) == pytest.approx(make().classify([2, 3]), abs=1e-6)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (torch.full((20, 5), 2**30 + 1), "weight_hh of type torch.int64 cannot be converted to float32 exactly"),
        (torch.ones(20, 5, dtype=torch.bool), "weight_hh has type torch.bool"),
    ],
)
def test_refuses_numbers_that_are_no_weights(bad: torch.Tensor, says: str, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    make().save(path)
    header, tensors = dict(describe(path).metadata), load_file(path)
    save_file(tensors | {"weight_hh": bad}, path, header)
    with pytest.raises(NetworkError, match=says):
        Network.load(path)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"inputs": "7"}, "the header has 7 inputs but the weights 3"),
        ({"outputs": "2"}, "the header has 2 outputs but the weights 1"),
        ({"vocabulary": "the\nfilm"}, r"expected an embedding \(4, 3\), got \(6, 3\)"),
        ({"activation": "relu"}, "unknown activation 'relu', expected one of sigmoid, softmax, linear"),
    ],
)
def test_refuses_a_header_that_does_not_fit_the_weights(wrong: dict[str, str], says: str, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    make().save(path)
    header, tensors = dict(describe(path).metadata), load_file(path)
    save_file(tensors, path, header | wrong)
    with pytest.raises(NetworkError, match=says):
        Network.load(path)


def test_refuses_a_network_without_outputs() -> None:
    network = make()
    with pytest.raises(NetworkError, match="0 outputs; expected at least one"):
        Network(network.cell, torch.zeros(0, 5), torch.zeros(0))


def test_refuses_other_files(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    make().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NetworkError, match=r"damaged or not a \.safetensors file"):
        Network.load(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(NetworkError, match="not a network of pinkx"):
        Network.load(path)
    save_file({"a": torch.zeros(2)}, path, {"format": "pinkx network 1", "cell": "lstm", "size": "many", "task": "x"})
    with pytest.raises(NetworkError, match="header is damaged"):
        Network.load(path)
    with pytest.raises(NetworkError, match="no network 'lstm-9': expected a .safetensors file or a shipped network"):
        find("lstm-9")


def test_the_catalogue_needs_no_torch() -> None:
    code = (
        "import sys; from engine.catalogue import shipped_networks; shipped_networks(); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_ships_the_nine_sizes_of_the_paper() -> None:
    sentiment = [info for info in shipped_networks() if info.task == "sentiment" and info.cell == "lstm"]
    assert [info.size for info in sentiment] == [8, 16, 32, 48, 64, 80, 96, 112, 128]
    assert all(info.accuracy and 0.85 < info.accuracy < 0.95 for info in sentiment)
    assert sum(info.path.stat().st_size for info in sentiment) < 6_000_000


@pytest.mark.timeout(300)
def test_the_accuracy_on_file_is_the_accuracy_measured(imdb: Path) -> None:
    network = Network.load("lstm-8")
    assert network.vocabulary is not None
    reviews = open_reviews("imdb", split="test", imdb=imdb)
    ids = [network.vocabulary.encode(review.words[:CUT]) for review in reviews]
    right = (network.classify(ids) >= 0.5) == np.array([review.label for review in reviews])
    assert len(right) == 25_000
    assert right.mean() == pytest.approx(float(network.info["accuracy"]), abs=2e-4)  # a few reviews sit on the fence

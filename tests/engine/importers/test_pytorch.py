"""Networks in files of PyTorch and safetensors: each variant opens, agrees, and runs nothing."""

from __future__ import annotations

import io
import json
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from engine.catalogue import NetworkError
from engine.file_formats import file_format
from engine.importers.pickles import Inert, read_pickle
from engine.network import Network
from engine.recording import record
from tests.engine.importers.checked import checked_import
from tests.engine.importers.torch_files import Classifier, prefixed, save

WORDS = ["a", "wonderful", "film", "about", "nothing", "at", "all"]


@pytest.fixture(scope="module")
def original() -> Network:
    return Network.load("lstm-8")


@pytest.fixture(scope="module")
def vocabulary(original: Network, tmp_path_factory: pytest.TempPathFactory) -> str:
    assert original.vocabulary is not None
    file = tmp_path_factory.mktemp("vocabulary") / "words.txt"
    file.write_text("\n".join(["<pad>", "<unk>", *original.vocabulary.words]), encoding="utf-8")
    return str(file)


def opened(path: Path, **options: str) -> Network:
    """Import a file and check it against its independent body."""
    return checked_import(path, 1e-5, **options)


def answer(network: Network) -> float:
    assert network.vocabulary is not None
    return float(network.classify(network.vocabulary.encode(WORDS)))


def variants(network: Network) -> dict[str, tuple[Any, bool]]:
    """Objects to save, and whether in the old format."""
    module = Classifier(network)
    state = dict(module.state_dict())
    lightning = {"pytorch-lightning_version": "2.0", "epoch": 3, "state_dict": prefixed(state, "model.")}
    optimizer = torch.optim.Adam(module.parameters()).state_dict()
    return {
        "state dict": (OrderedDict(state), False),
        "DataParallel": (prefixed(state, "module."), False),
        "compiled": (prefixed(state, "_orig_mod."), False),
        "both": (prefixed(state, "module._orig_mod."), False),
        "Opacus": (prefixed(state, "_module."), False),
        "nested": ({"epoch": 7, "model_state_dict": state, "optimizer_state_dict": optimizer, "loss": 0.3}, False),
        "Lightning": (lightning, False),
        "old format": (OrderedDict(state), True),
        "whole module": (module, False),
        "whole module, old format": (module, True),
        "double": ({name: tensor.double() for name, tensor in state.items()}, False),
    }


NAMES = ["state dict", "DataParallel", "compiled", "both", "Opacus", "nested", "Lightning", "old format", "double"]
NAMES += ["whole module", "whole module, old format"]


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_of_a_pytorch_file_agrees(name: str, original: Network, vocabulary: str, tmp_path: Path) -> None:
    value, old = variants(original)[name]
    network = opened(save(value, tmp_path / "network.pt", old=old), vocabulary=vocabulary)
    assert answer(network) == pytest.approx(answer(original), abs=1e-7)
    assert network.vocabulary is not None
    assert original.vocabulary is not None
    assert network.vocabulary.words == original.vocabulary.words


@pytest.mark.parametrize("kind", ["gru-64", "rnn-64"])
def test_other_cells_open_too(kind: str, vocabulary: str, tmp_path: Path) -> None:
    shipped = Network.load(kind)
    network = opened(save(Classifier(shipped), tmp_path / "network.pt"), vocabulary=vocabulary)
    assert network.cell.name == shipped.cell.name
    assert answer(network) == pytest.approx(answer(shipped), abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e5m2])
def test_short_floats_are_converted_exactly(
    dtype: torch.dtype, original: Network, vocabulary: str, tmp_path: Path
) -> None:
    state = {name: tensor.to(dtype) for name, tensor in Classifier(original).state_dict().items()}
    network = opened(save(state, tmp_path / "network.pt"), vocabulary=vocabulary)
    assert network.cell.dtype == torch.float32
    torch.testing.assert_close(network.cell.weight_hh, state["lstm.weight_hh_l0"].float(), rtol=0, atol=0)
    save_file(state, tmp_path / "network.safetensors")
    assert answer(opened(tmp_path / "network.safetensors", vocabulary=vocabulary)) == answer(network)


def test_torchscript_archive(original: Network, vocabulary: str, tmp_path: Path) -> None:
    """The layout of torch.jit.save: modules hold their tensors as attributes, next to their code."""
    module = Classifier(Network.load("rnn-64"))
    saved = zipfile.ZipFile(save(dict(module.state_dict()), tmp_path / "plain.pt"))
    root = saved.namelist()[0].partition("/")[0]
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        for name in saved.namelist():
            archive.writestr(name, saved.read(name))
        code = 'class RNN(Module):\n  mode : Final[str] = "RNN_TANH"\n'
        archive.writestr(f"{root}/code/__torch__/torch/nn/modules/rnn.py", code)
    assert opened(tmp_path / "script.pt", vocabulary=vocabulary).cell.name == "rnn"
    with pytest.raises(NetworkError, match="--nonlinearity tanh"):
        opened(tmp_path / "plain.pt", vocabulary=vocabulary)
    assert opened(tmp_path / "plain.pt", vocabulary=vocabulary, nonlinearity="tanh").cell.size == 64


def test_a_vocabulary_inside_needs_no_option(original: Network, tmp_path: Path) -> None:
    assert original.vocabulary is not None
    words = {"<pad>": 0, "<unk>": 1} | {word: number for number, word in enumerate(original.vocabulary.words, 2)}
    file = save({"vocab": words, "state": Classifier(original).state_dict()}, tmp_path / "network.pt")
    assert answer(Network.load(file)) == pytest.approx(answer(original), abs=1e-7)


def test_safetensors_in_hub_layout(original: Network, tmp_path: Path) -> None:
    assert original.vocabulary is not None
    words = ["<pad>", "<unk>", *original.vocabulary.words]
    state = {name: tensor.contiguous() for name, tensor in Classifier(original).state_dict().items()}
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(NetworkError, match="--vocabulary FILE"):
        Network.load(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"vocab": {word: k for k, word in enumerate(words)}}))
    assert answer(Network.load(tmp_path / "model.safetensors")) == pytest.approx(answer(original), abs=1e-7)


def test_a_module_in_memory(original: Network) -> None:
    assert original.vocabulary is not None
    module = Classifier(original)
    network = Network.from_torch(module, vocabulary=original.vocabulary, name="mine")
    assert answer(network) == pytest.approx(answer(original), abs=1e-7)
    assert network.name == "mine"
    module.fc = nn.Linear(8, 3)
    with pytest.raises(NetworkError, match="3 outputs.*--output softmax"):
        Network.from_torch(module, vocabulary=original.vocabulary)
    classes = Network.from_torch(module, vocabulary=original.vocabulary, output="softmax")
    np.testing.assert_allclose(classes.probability(torch.randn(5, 8)).detach().sum(-1), 1, rtol=1e-6)


def test_two_classes_become_one_probability(original: Network, vocabulary: str, tmp_path: Path) -> None:
    module = Classifier(original)
    module.fc = nn.Linear(8, 2)
    network = opened(save(module.state_dict(), tmp_path / "network.pt"), vocabulary=vocabulary, output="softmax")
    h = torch.randn(4, 8)
    expected = module.fc(h).softmax(-1)[:, 1:].detach()
    torch.testing.assert_close(network.probability(h), expected)
    network.save(tmp_path / "again.safetensors")
    assert answer(Network.load(tmp_path / "again.safetensors")) == answer(network)


def test_embedding_rows_follow_the_words(original: Network, tmp_path: Path) -> None:
    """Another order of ids, with the special words elsewhere: the same words give the same answer."""
    assert original.vocabulary is not None
    assert original.embedding is not None
    order = torch.randperm(len(original.vocabulary), generator=torch.Generator().manual_seed(1))
    names = ["<PAD>", "[UNK]", *original.vocabulary.words]
    module = Classifier(original)
    module.embedding.weight.data = original.embedding[order]
    words = [names[number] for number in order.tolist()]
    network = opened(save({"itos": words, "net": module.state_dict()}, tmp_path / "network.pt"))
    assert answer(network) == pytest.approx(answer(original), abs=1e-7)
    assert network.embedding is not None
    torch.testing.assert_close(network.embedding[:2], original.embedding[:2], rtol=0, atol=0)


def test_layers_that_pinkx_cannot_run_are_refused_with_what_it_can(tmp_path: Path) -> None:
    class Deep(nn.Module):
        def __init__(self, **settings: Any) -> None:
            super().__init__()
            self.rnn = nn.GRU(3, 4, **settings)
            self.out = nn.Linear(4 * (2 if settings.get("bidirectional") else 1), 1)

    deep = save(Deep(num_layers=2).state_dict(), tmp_path / "deep.pt")
    both = save(Deep(bidirectional=True).state_dict(), tmp_path / "both.pt")
    with pytest.raises(NetworkError, match="reads both directions of rnn.*--reads final"):
        opened(both)
    with pytest.raises(NetworkError, match="forward direction alone"):
        opened(deep, direction="backward")
    with pytest.raises(NetworkError, match=r"rnn has 2 layers, counted from 0; there is no 2"):
        opened(deep, layer="rnn.2")
    gap = save({k: v for k, v in Deep(num_layers=3).state_dict().items() if "_l1" not in k}, tmp_path / "gap.pt")
    with pytest.raises(NetworkError, match="the tensor weight_hh_l1 is missing"):
        opened(gap)
    assert opened(deep).title == "deep · layer 2 of 2"
    assert opened(deep, layer="rnn.0").activation == "none"
    assert opened(both, reads="final", direction="backward").title == "both · direction ←"
    assert opened(deep, readout="none").title == "deep · layer 1 of 2"
    assert opened(both, readout="none", direction="forward").title == "both · direction →"


Change = Callable[[dict[str, torch.Tensor]], object]
"""Changes a state dict that was right."""


def put(**tensors: torch.Tensor) -> Change:
    """Return a change that adds tensors; ``__`` in a name stands for a dot."""
    return lambda state: state.update({name.replace("__", "."): tensor for name, tensor in tensors.items()})


WRONG: list[tuple[Change, str]] = [
    (
        put(second__weight_ih_l0=torch.zeros(12, 3), second__weight_hh_l0=torch.zeros(12, 3)),
        "several recurrent layers: lstm, second; choose one with --layer",
    ),
    (
        put(aux__weight=torch.zeros(2, 8), aux__bias=torch.zeros(2)),
        "may be the readout: aux.weight, fc.weight; choose one with --readout",
    ),
    (lambda state: state.pop("fc.weight"), "no linear readout of 8 cells"),
    (put(norm__weight=torch.zeros(8)), "norm.weight; to import the layer without them.*--readout fc"),
    (lambda state: state.pop("lstm.weight_ih_l0"), "lstm.weight_ih_l0 is missing"),
    (put(lstm__weight_hh_l0=torch.zeros(16, 8)), r"weight_hh has shape \(16, 8\)"),
    (put(lstm__weight_hh_l0=torch.full((32, 8), torch.nan)), "lstm.weight_hh_l0 holds values that are not finite"),
    (put(fc__weight=torch.full((1, 8), 2**30 + 1)), "fc.weight of type torch.int64 cannot be converted"),
]


@pytest.mark.parametrize(("change", "says"), WRONG)
def test_what_is_open_or_wrong_is_named(
    change: Change, says: str, original: Network, vocabulary: str, tmp_path: Path
) -> None:
    state = {name: tensor.clone() for name, tensor in Classifier(original).state_dict().items()}
    change(state)
    with pytest.raises(NetworkError, match=says):
        opened(save(state, tmp_path / "network.pt"), vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n", "Git LFS pointer.*git lfs pull"),
        (b"PK\x03\x04 not an archive", "damaged archive"),
        (b"\x80\x04\x95", "a Python pickle that torch.save did not write"),
        (b"hello, I am a text", "not a network file that pinkx knows"),
    ],
)
def test_other_files_are_refused_in_one_sentence(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "network.pt").write_bytes(content)
    with pytest.raises(NetworkError, match=says):
        Network.load(tmp_path / "network.pt")


def test_a_header_whose_length_begins_as_a_pickle_is_none(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    for blanks in range(0, 256, 8):
        save_file({"a": torch.zeros(1)}, path, {"format": "pinkx network 1", "x": " " * (512 + blanks)})
        assert file_format(path) == "pinkx"


def test_a_truncated_file_is_refused(original: Network, tmp_path: Path) -> None:
    for old in (False, True):
        whole = save(Classifier(original).state_dict(), tmp_path / "whole.pt", old=old).read_bytes()
        for size in range(600, len(whole) - 1, len(whole) // 7):
            (tmp_path / "cut.pt").write_bytes(whole[:size])
            with pytest.raises(NetworkError):
                Network.load(tmp_path / "cut.pt")


def test_a_flipped_byte_is_an_error_in_words(original: Network, vocabulary: str, tmp_path: Path) -> None:
    whole = save(Classifier(original).state_dict(), tmp_path / "whole.pt").read_bytes()
    for at in (len(whole) // 3, len(whole) // 2, len(whole) - 3000):  # in the storages
        (tmp_path / "bad.pt").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(NetworkError, match="damaged"):
            opened(tmp_path / "bad.pt", vocabulary=vocabulary)


def test_one_bias_alone_is_enough(original: Network, vocabulary: str, tmp_path: Path) -> None:
    state = Classifier(original).state_dict()
    both = state.pop("lstm.bias_ih_l0") + state.pop("lstm.bias_hh_l0")
    network = opened(save({**state, "lstm.bias_ih_l0": both}, tmp_path / "network.pt"), vocabulary=vocabulary)
    assert answer(network) == pytest.approx(answer(original), abs=1e-6)


def test_a_file_that_claims_more_than_it_has_is_refused(original: Network, vocabulary: str, tmp_path: Path) -> None:
    state: dict[str, Any] = dict(Classifier(original).state_dict())
    state["lstm.weight_ih_l0"] = torch.zeros(1).expand(10**6, 10**6)
    with pytest.raises(NetworkError, match="larger than its storage of 4 bytes"):
        opened(save(state, tmp_path / "network.pt"), vocabulary=vocabulary)


MALICIOUS = [
    b"cos\nsystem\n(S'touch {marker}'\ntR.",
    b'c__builtin__\neval\n(S\'open("{marker}", "w")\'\ntR.',
    b"(S'touch {marker}'\nios\nsystem\n.",
    b"(cos\nsystem\nS'touch {marker}'\no.",
]


@pytest.mark.parametrize("code", MALICIOUS, ids=["reduce", "eval", "inst", "obj"])
@pytest.mark.parametrize("place", ["zip", "old", "between"])
def test_a_malicious_pickle_does_nothing_and_is_refused(
    code: bytes, place: str, original: Network, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    code = code.replace(b"{marker}", str(marker).encode())
    file = tmp_path / "network.pt"
    if place == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("network/data.pkl", code)
    else:
        whole = save({"a": 1}, file, old=True).read_bytes()
        start = whole.index(b"\x80\x02}q\x00X\x01\x00\x00\x00a")
        file.write_bytes(whole[:start] + code + (whole[start:] if place == "between" else b""))
    with pytest.raises(NetworkError):
        Network.load(file)
    assert not marker.exists()


def test_a_call_becomes_a_record() -> None:
    value = read_pickle(io.BytesIO(b"cos\nsystem\n(S'true'\ntR."), {})
    assert isinstance(value, Inert)
    assert (value.kind, value.args) == ("os.system", ("true",))


def test_unknown_opcodes_and_damage_are_refused() -> None:
    with pytest.raises(NetworkError, match="opcode EXT1"):
        read_pickle(io.BytesIO(b"\x82\x01."), {})
    with pytest.raises(NetworkError, match="damaged pickle"):
        read_pickle(io.BytesIO(b"R."), {})


def test_a_document_that_nests_itself_is_walked_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "network.pt", "w") as archive:
        bomb = b"(lp0\n" + b"".join(b"(lp%d\ng%d\nag%d\na" % (k + 1, k, k) for k in range(200)) + b"."
        archive.writestr("network/data.pkl", bomb)
    with pytest.raises(NetworkError, match="none of its 0 tensors"):
        Network.load(tmp_path / "network.pt")


def test_a_layer_without_a_readout_has_no_output() -> None:
    network = Network.from_torch(nn.ModuleDict({"rnn": nn.LSTM(4, 6)}), readout="none")
    assert network.output == "none"
    assert np.isnan(record(network, np.zeros((1, 5, 4), dtype=np.float32)).probability).all()

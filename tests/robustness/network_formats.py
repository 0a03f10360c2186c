"""Network files: those of pinkx with every kind of cell, those of other programs, vocabularies and descriptions."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from engine.catalogue import NetworkError, describe
from engine.cells import Cell, GruCell, LruCell, LstmCell, MinGruCell, MinLstmCell, RateCell, RnnCell
from engine.epochs import measure_epoch
from engine.importers.keras_file import try_reading
from engine.importers.parts import ImportOptions
from engine.importers.read import import_network
from engine.importers.time_limit import VARIABLE
from engine.network import Network, Vocabulary
from engine.recording import record
from engine.reviews import Review
from engine.sequences import InputSequence, as_read
from tests.engine.importers.torch_files import Classifier, prefixed, save
from tests.explorer.small import REVIEWS, small_network
from tests.robustness import mutations
from tests.robustness.kinds import Format, read_live, text

N, INPUTS = 4, 2

# ---- networks of pinkx ---------------------------------------------------------------------------------------------


def _random(*shape: int) -> torch.Tensor:
    return 0.5 * torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def _lru() -> LruCell:
    values = torch.polar(torch.tensor([0.9, 0.5]), torch.tensor([0.1, 2.0]))
    return LruCell.from_modes(values, torch.complex(_random(2, INPUTS), _random(2, INPUTS)))


CELLS: Final[Mapping[str, Callable[[], Cell]]] = {
    "rate": lambda: RateCell(_random(N, INPUTS), _random(N, N), _random(N), None, _random(2 * N), leak=0.2),
    "lru": _lru,
    "mingru": lambda: MinGruCell(_random(2 * N, INPUTS), _random(2 * N)),
    "minlstm": lambda: MinLstmCell(_random(3 * N, INPUTS), _random(3 * N), activation="shifted"),
    "relu": lambda: RnnCell.from_torch(nn.RNN(INPUTS, N, nonlinearity="relu")),
    "leaky": lambda: RnnCell(_random(N, INPUTS), _random(N, N), _random(N), leak=0.1),
    "hard": lambda: GruCell(
        _random(3 * N, INPUTS), _random(3 * N, N), _random(3 * N), _random(3 * N), gate="hard_sigmoid_6"
    ),
    "odd": lambda: LstmCell(_random(4 * N, INPUTS), _random(4 * N, N), _random(4 * N), activation="relu"),
}  # fmt: skip
"""Cells with settings, and without a matrix of the state."""
OF_VECTORS: Final = ("rate", "lru")
OF_CHARACTERS: Final = ("odd",)


def make_cells(path: Path, kind: str) -> None:
    torch.manual_seed(0)
    cell, info = CELLS[kind](), {"activation": "linear"} if kind in OF_VECTORS else {}
    words = sorted(set("abcdefghijklm ")) if kind in OF_CHARACTERS else small_words()[2:]
    if kind in OF_CHARACTERS:
        info["unit"] = "character"
    readout = _random(1, cell.size), _random(1)
    if kind in OF_VECTORS:
        network = Network(cell, *readout, name=kind, info=info)
    else:
        rows, vocabulary = _random(len(words) + 2, INPUTS), Vocabulary(words)
        network = Network(cell, *readout, embedding=rows, vocabulary=vocabulary, name=kind, info=info)
    network.save(path)


def make_network(path: Path) -> None:
    network = small_network(4)
    network.info |= {
        "accuracy": "0.8",
        "seed": "1",
        "recipe": json.dumps({"cell": "lstm", "size": 4}),
        "measured": "{}",
    }
    network.save(path)


def use_network(path: Path) -> None:
    describe(path).json()
    network = Network.load(path)
    network.save(path.with_name("again.safetensors"))
    read_live(network, _reviews(network))
    if network.vocabulary is None:
        record(network, np.zeros((3, network.cell.inputs), dtype=np.float32))
        return
    network.classify(network.vocabulary.encode(REVIEWS[1].words))
    [network.vocabulary.word(number) for number in range(min(len(network.vocabulary), 40))]
    if network.cell.size <= 12:
        measure_epoch(0, path, [REVIEWS[1].words], [True])


def _reviews(network: Network) -> list[Review]:
    """Return what a network reads: words, characters or vectors."""
    if network.vocabulary is not None:
        return list(as_read(network, REVIEWS))
    inputs = np.zeros((30, network.cell.inputs), dtype=np.float32)
    inputs[::7] = 1
    channels = tuple(f"channel {channel}" for channel in range(network.cell.inputs))
    return [InputSequence("pulses", "", inputs=inputs, channels=channels)] * 2


# ---- networks of other programs --------------------------------------------------------------------------------------


def small_words() -> list[str]:
    network = small_network(4)
    assert network.vocabulary is not None
    return ["<pad>", "<unk>", *network.vocabulary.words]


def make_foreign(path: Path) -> None:
    network = small_network(4)
    state = Classifier(network).state_dict()
    save_file(prefixed({name: tensor.contiguous() for name, tensor in state.items()}, "model."), path)


def make_torch(path: Path, old: bool) -> None:
    value = {"state_dict": Classifier(small_network(4)).state_dict(), "epoch": 3, "vocab": small_words()}
    save(value, path, old=old)


def make_onnx(path: Path) -> None:
    from tests.engine.importers import test_onnx

    made = test_onnx.model("LSTM", test_onnx.nodes("LSTM"), test_onnx.constants("LSTM"))
    test_onnx.written(made, path.parent).rename(path)


def make_keras(path: Path) -> None:
    from tests.engine.importers import keras_files

    layers = keras_files.keras_layers(small_network(4))
    (keras_files.write_keras if path.suffix == ".keras" else keras_files.write_hdf5)(layers, path)


DESCRIPTION: Final = """weights = "w.npz"
cell = "rate"
output = "linear"
dt = 10
tau = 50.0
noise = 0.15
activation = "relu"
[tensors]
input = "W_in"
recurrent = "W"
bias = "b"
readout = "W_out"
initial = "v0"
recurrent_mask = "mask"
"""


def make_sidecar(path: Path) -> None:
    shapes = {"W_in": (N, INPUTS), "W": (N, N), "b": (N,), "W_out": (1, N), "v0": (N,), "mask": (N, N)}
    arrays = {name: _random(*shape).numpy() for name, shape in shapes.items()}
    np.savez(path.with_name("w.npz"), **arrays)  # type: ignore[arg-type]
    path.with_name("w.toml").write_text(DESCRIPTION)


def use_imported(path: Path) -> None:
    words = path.with_name("words.txt")
    if not words.exists():
        words.write_text("\n".join(small_words()))
    of_words = path.suffix not in (".toml", ".npz")
    network = Network.from_parts(import_network(path, ImportOptions(vocabulary=str(words) if of_words else None)))
    read_live(network, _reviews(network))


class _Reader:
    """A copy of this process that reads files first: the HDF5 library may hang with Python's lock, or crash.

    A new one is started after a hundred files, and after each at which it ended.
    """

    def __init__(self) -> None:
        self._left = 0

    def refusal(self, path: Path) -> str | None:
        """Return why a file is refused, or "" if it is read; None if neither happens within five seconds."""
        if not self._left:
            self._start()
        self._left -= 1
        os.write(self._ask, f"{path}\n".encode())
        answer = os.read(self._answer, 1 << 16) if select.select([self._answer], [], [], 5.0)[0] else b""
        if not (answer and self._left):
            self._end()
        return answer.decode().removesuffix("\n") if answer else None

    def _start(self) -> None:
        (asked, self._ask), (self._answer, answer) = os.pipe(), os.pipe()
        self._left = 100
        self._child = os.fork()
        if self._child:
            os.close(asked)
            os.close(answer)
            return
        os.close(self._ask)
        with os.fdopen(asked) as paths:
            for path in paths:
                refusal = ""
                with suppress(Exception):
                    refusal = try_reading(path[:-1])
                os.write(answer, f"{refusal}\n".encode())
        os._exit(0)

    def _end(self) -> None:
        self._left = 0
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        os.close(self._ask)
        os.close(self._answer)


_reader: Final = _Reader()


def use_keras(path: Path) -> None:
    """Read with the check of `engine.importers.time_limit`, in a copy of this process instead of a new one."""
    os.environ[VARIABLE] = "0"
    refusal = _reader.refusal(path)
    if refusal is None:
        raise NetworkError("damaged: it could not be read in time, or ended the process")
    if refusal:
        raise NetworkError(refusal)
    use_imported(path)


def use_vocabulary(path: Path) -> None:
    model = path.with_name("model.safetensors")
    if not model.exists():
        make_foreign(model)
    Network.from_parts(import_network(model, ImportOptions(vocabulary=str(path))))


NETWORK_FORMATS: dict[str, Format] = {
    "network": Format("n.safetensors", make_network, mutations.damage_safetensors, use_network),
    **{
        f"network-{kind}": Format(
            "n.safetensors", partial(make_cells, kind=kind), mutations.damage_safetensors, use_network
        )
        for kind in CELLS
    },
    "torch-zip": Format("m.pt", partial(make_torch, old=False), mutations.damage_zip, use_imported),
    "torch-old": Format("m.pt", partial(make_torch, old=True), mutations.damage_bytes, use_imported),
    "safetensors": Format("m.safetensors", make_foreign, mutations.damage_safetensors, use_imported),
    "sidecar": Format("w.toml", make_sidecar, mutations.damage_lines, use_imported),
    "sidecar-npz": Format("w.npz", make_sidecar, mutations.damage_arrays, use_imported),
    "vocabulary-txt": Format("v.txt", text("\n".join(small_words())), mutations.damage_lines, use_vocabulary),
    "vocabulary-json": Format(
        "v.json", text(json.dumps({w: k for k, w in enumerate(small_words())})), mutations.damage_json, use_vocabulary
    ),
}
if find_spec("onnx"):
    NETWORK_FORMATS["onnx"] = Format("n.onnx", make_onnx, mutations.damage_onnx, use_imported)
if find_spec("h5py"):
    NETWORK_FORMATS["keras"] = Format("m.keras", make_keras, mutations.damage_zip, use_keras, sample=4)
    NETWORK_FORMATS["hdf5"] = Format("m.h5", make_keras, mutations.damage_bytes, use_keras, sample=4)

"""Format × architecture × (opens, agreement, fixed points, live) of every network file in the folder PINKX_CASES.

PyTorch writes stacks and layers of two directions here, because the folder has few. Every layer of a stack is compared
in every direction.

Run ``PINKX_CASES=FOLDER python -m tests.benchmarks.import_matrix``; it prints the table of docs/your_own_network.md.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.catalogue import NetworkError
from engine.file_formats import file_format
from engine.fixed_points import find_fixed_points
from engine.importers.check import check_import
from engine.importers.parts import ImportOptions, StackBody
from engine.importers.read import import_network
from engine.network import Network
from engine.recording import Stepper

WORDS: Final = "vocabulary"
OPTIONS: Final[dict[str, dict[str, str]]] = {
    "ethnicolr-census2000_ln_lstm.h5": {WORDS: "ids:956"},
    "ethnicolr-wiki_ln_lstm.h5": {WORDS: "real/ethnicolr-wiki_ln_vocab.csv"},
    "textgenrnn_weights.hdf5": {WORDS: "real/textgenrnn_vocab.json", "layer": "rnn_1", "readout": "none"},
    "fpf-flip_flop_net_6.pt": {"output": "linear", "task": "flip-flop-3"},
    "silero_vad_16k.safetensors": {"readout": "none"},
    "hmmrnn-2HMM.pth": {"nonlinearity": "relu", "output": "linear"},
}
"""Options that each file needs; the synthetic ones have the vocabulary of lstm-8."""
DESCRIBED: Final = {"psychrnn-saved_weights.npz": "psychrnn.toml"}
"""Descriptions of weights in docs/examples."""
EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples"
FORMATS: Final = {
    "torch-zip": "PyTorch", "torch-old": "PyTorch, old", "safetensors": "safetensors", "keras": "Keras 3",
    "hdf5": "Keras HDF5", "onnx": "ONNX", "sidecar": "NumPy archive", "pinkx": "pinkx",
}  # fmt: skip
NOT_NETWORKS: Final = {".csv", ".json", ".txt", ".toml"}
STEPS: Final = 2000


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    file: str
    format: str
    architecture: str
    opens: str
    agreement: str
    points: str
    live: str

    def markdown(self) -> str:
        cells = (self.file, self.format, self.architecture, self.opens, self.agreement, self.points, self.live)
        return f"| {' | '.join(cells)} |"


def network_files(folder: Path) -> list[Path]:
    """Return the network files of the two folders of cases."""
    files = [*(folder / "synthetic").iterdir(), *(folder / "real").iterdir()]
    return sorted(
        (file for file in files if file.suffix not in NOT_NETWORKS), key=lambda file: (file.parent, file.name)
    )


def options_of(file: Path) -> dict[str, str]:
    """Return the options that open a file, with paths."""
    folder = file.parent.parent
    options = OPTIONS.get(file.name, {})
    if file.parent.name == "synthetic" and file.name not in ("s13-with_vocab.pt",):
        options = {WORDS: "synthetic/lstm-8-vocab.txt"}
    return {key: _words(value, folder) if key == WORDS else value for key, value in options.items()}


def _words(value: str, folder: Path) -> str:
    """Return a file of words; ``ids:N`` makes one of the ids 0 to N − 1, for an embedding without any."""
    if not value.startswith("ids:"):
        return str(folder / value)
    file = Path(tempfile.gettempdir()) / f"pinkx-{value.replace(':', '-')}.txt"
    file.write_text("\n".join(f"id{number}" for number in range(int(value.removeprefix("ids:")))))
    return str(file)


def row_of(file: Path) -> Row:
    """Import one file, search its fixed points under the input zero, and run it step by step."""
    options, described = options_of(file), DESCRIBED.get(file.name)
    with tempfile.TemporaryDirectory() as folder:
        if described is not None:  # next to a copy: the folder of cases may be read-only
            copy = Path(shutil.copy(file, folder))
            copy.with_suffix(".toml").write_bytes((EXAMPLES / described).read_bytes())
            file = copy
        return _row(file, options, described)


def _row(file: Path, options: dict[str, str], described: str | None) -> Row:
    try:
        kind = FORMATS[file_format(file)]
    except NetworkError as error:
        return Row(file.name, "–", "–", f"no: {_reason(error, file)}", "–", "–", "–")
    try:
        parts = import_network(file, ImportOptions(**options))
    except NetworkError as error:
        return Row(file.name, kind, "–", f"no: {_reason(error, file)}", "–", "–", "–")
    network = Network.from_parts(parts)
    found = check_import(network, parts)
    for level, direction in () if network.stack is None else network.stack.positions:
        watched = replace(parts, level=level, direction=direction)
        body = parts.reference.body
        assert isinstance(body, StackBody)
        own = replace(parts.reference, body=StackBody(body.levels, level, direction, body.reads))
        other = check_import(Network.from_parts(watched), replace(watched, reference=own))
        found = replace(found, states=max(found.states, other.states), outputs=max(found.outputs, other.outputs))
    silent = any(note.startswith("no readout") for note in parts.notes)
    outputs = "no readout" if silent else f"{network.outputs} {network.output}"
    needed = ", ".join(f"`--{key}`" for key in options) or (f"`{described}`" if described else "")
    return Row(
        file.name,
        kind,
        f"{network.cell.label}, {_layers(network)}{network.cell.size} cells, {outputs}",
        f"with {needed}" if needed else "directly",
        f"{found.states:.0e} / {'–' if silent else f'{found.outputs:.0e}'}",
        _points(network),
        _live(network),
    )


def _layers(network: Network) -> str:
    if network.stack is None:
        return ""
    layers, both = len(network.stack.layers), ", two directions" if network.stack.bidirectional else ""
    return f"{layers} layer{'s' * (layers > 1)}{both}, "


class Made(nn.Module):
    """Embedding → stacked layers → readout, as people write it."""

    def __init__(self, kind: Any, layers: int, both: bool, **settings: str) -> None:
        super().__init__()
        self.embedding = nn.Embedding(40, 8)
        self.rnn = kind(8, 16, num_layers=layers, bidirectional=both, batch_first=True, **settings)
        self.readout = nn.Linear(32 if both else 16, 1)

    def forward(self, ids: Tensor) -> Tensor:
        _, final = self.rnn(self.embedding(ids))
        h = final[0] if isinstance(final, tuple) else final
        read = torch.cat((h[-2], h[-1]), 1) if self.rnn.bidirectional else h[-1]
        return torch.sigmoid(self.readout(read))


MADE: Final[dict[str, tuple[Any, int, bool, dict[str, str]]]] = {
    "lstm-2-layers": (nn.LSTM, 2, False, {}),
    "gru-3-layers": (nn.GRU, 3, False, {}),
    "relu-2-layers": (nn.RNN, 2, False, {"nonlinearity": "relu"}),
    "lstm-both": (nn.LSTM, 1, True, {}),
    "gru-both-2-layers": (nn.GRU, 2, True, {}),
    "lstm-both-3-layers": (nn.LSTM, 3, True, {}),
}


def made_files(folder: Path) -> list[tuple[Path, dict[str, str]]]:
    """Write stacks and two directions as safetensors files and ONNX graphs; return them with their options."""
    torch.manual_seed(0)
    words = folder / "words.txt"
    words.write_text("\n".join(["<pad>", "<unk>", *(f"w{k}" for k in range(38))]))
    found = []
    for name, (kind, layers, both, settings) in MADE.items():
        module = Made(kind, layers, both, **settings).eval()
        save_file(module.state_dict(), folder / f"{name}.safetensors")
        known = {WORDS: str(words)}
        found.append((folder / f"{name}.safetensors", known | ({"reads": "final"} if both else {}) | settings))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (torch.arange(2, 9)[None],), folder / f"{name}.onnx", dynamo=False,
                input_names=["ids"], output_names=["p"], dynamic_axes={"ids": {1: "time"}},
            )  # fmt: skip
        found.append((folder / f"{name}.onnx", known))
    return found


def _reason(error: NetworkError, file: Path) -> str:
    return str(error).removeprefix(f"{file}: ").split(";")[0].split(". ")[0]


def _points(network: Network) -> str:
    cell, random = network.cell, np.random.default_rng(0)
    x = random.normal(size=(8, 20, cell.inputs))
    runs = cell.to(dtype=torch.float64).run(torch.from_numpy(x))[1]
    starts = np.concatenate([runs[part].numpy() for part in cell.state_parts], axis=-1)[:, 5::5].reshape(24, -1)
    points = find_fixed_points(cell, np.zeros(cell.inputs), starts, modes=1, complete=cell.size <= 64)
    return f"{int(points.fixed.sum())} fixed, {int((~points.fixed).sum())} slow"


def _live(network: Network) -> str:
    """Run a network step by step over random input, as the front ends do."""
    stepper, random = Stepper(network), np.random.default_rng(0)
    if network.vocabulary is not None:
        signals = stepper.advance(random.integers(0, len(network.vocabulary), STEPS))
    else:
        signals = stepper.advance_inputs(random.normal(size=(STEPS, network.cell.inputs)))
    return "yes" if all(np.isfinite(values).all() for values in signals.values()) else "diverges"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    folder = Path(os.environ["PINKX_CASES"]) / "networks"
    print("| file | format | architecture | opens | states / outputs differ by | fixed points at zero input | live |")
    print("|---|---|---|---|---|---|---|")
    for file in network_files(folder):
        print(row_of(file).markdown(), flush=True)
    with tempfile.TemporaryDirectory() as made:
        for file, options in made_files(Path(made)):
            print(_row(file, options, None).markdown(), flush=True)


if __name__ == "__main__":
    main()

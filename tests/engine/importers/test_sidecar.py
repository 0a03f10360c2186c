"""Weights that a TOML file describes: each cell agrees with its formula, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from engine.catalogue import NetworkError
from engine.network import Network
from tests.engine.importers.checked import checked_import

N, INPUTS = 5, 2
RATE = 'weights = "w.npz"\ncell = "rate"\noutput = "linear"\n'
TENSORS = '[tensors]\ninput = "W_in"\nrecurrent = "W"\nbias = "b"\nreadout = "W_out"\n'


def arrays(**more: NDArray[Any]) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(0)
    shapes = {"W_in": (N, INPUTS), "W": (N, N), "b": (N,), "W_out": (3, N), "mask": (N, N), "m": (N, 2), "n": (N, 2)}
    found = {key: 0.5 * random.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}
    return found | {"mask": (found["mask"] > 0).astype(np.float32)} | more


def opened(text: str, folder: Path, bound: float = 1e-6, **more: NDArray[Any]) -> Network:
    np.savez(folder / "w.npz", **arrays(**more))  # type: ignore[arg-type]
    (folder / "w.toml").write_text(text)
    return checked_import(folder / "w.npz", bound)


def test_a_rate_network_is_that_of_its_paper(tmp_path: Path) -> None:
    start = np.linspace(0, 0.3, N, dtype=np.float32)[None]
    text = RATE + "dt = 10\ntau = 50\nnoise = 0.15\n" + TENSORS + 'initial = "v0"\nrecurrent_mask = "mask"\n'
    network = opened(text, tmp_path, v0=start)
    w, v = {key: array.astype(np.float64) for key, array in arrays().items()}, start[0].astype(np.float64)
    x, rates = np.random.default_rng(1).normal(size=(20, INPUTS)), []
    for u in x:
        v = 0.8 * v + 0.2 * ((w["W"] * w["mask"]) @ np.maximum(v, 0) + w["W_in"] @ u + w["b"])
        rates.append(np.maximum(v, 0))
    _, signals = network.cell.run(torch.from_numpy(x).float())
    np.testing.assert_allclose(signals["h"], rates, atol=1e-6)
    assert (network.cell.label, network.activation, network.outputs) == ("rate (leak 0.2, initial state)", "linear", 3)
    assert "noise" in network.info["import_notes"]


def test_a_low_rank_matrix_is_a_product(tmp_path: Path) -> None:
    low = TENSORS.replace('recurrent = "W"', 'm = "m"\nn = "n"')
    text = f'weights = "w.npz"\ncell = "rnn"\nleak = 0.5\nscale = 0.2\noutput = "linear"\n{low}'
    network = opened(text, tmp_path)
    w = arrays()
    np.testing.assert_allclose(network.cell.weight_hh, 0.2 * w["m"] @ w["n"].T, atol=1e-6)
    assert network.cell.label == "RNN (leak 0.5)"


def test_transposed_matrices_and_signs_of_columns(tmp_path: Path) -> None:
    w = arrays()
    signs = np.array([1, 1, -1, 1, -1], dtype=np.float32)
    turned = {key: w[key].T.copy() for key in ("W_in", "W", "W_out")}
    text = RATE + "transposed = true\n" + TENSORS + 'recurrent_signs = "s"\n'
    network = opened(text, tmp_path, 1e-6, s=signs, **turned)
    np.testing.assert_allclose(network.cell.weight_hh, np.abs(w["W"]) * signs, atol=1e-6)
    np.testing.assert_allclose(network.cell.weight_ih, w["W_in"], atol=1e-6)


@pytest.mark.parametrize(("cell", "order"), [("mingru", ["n", "z"]), ("minlstm", ["g", "f", "i"])])
def test_minimal_cells_take_their_gates_in_any_order(cell: str, order: list[str], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    parts = {gate: random.normal(size=(N, INPUTS)).astype(np.float32) for gate in order}
    names = ", ".join(f'"to_{gate}"' for gate in order)
    text = f'weights = "w.safetensors"\ncell = "{cell}"\norder = {order}\n[tensors]\ninput = [{names}]\nreadout = "V"\n'
    save_file({f"to_{gate}": part for gate, part in parts.items()} | {"V": np.ones((1, N), np.float32)},
              tmp_path / "w.safetensors")  # fmt: skip
    (tmp_path / "w.toml").write_text(text)
    network = checked_import(tmp_path / "w.toml", 1e-6)
    ours = [signal.name for signal in network.cell.signals[:-1]]
    np.testing.assert_allclose(network.cell.weight_ih, np.concatenate([parts[gate] for gate in ours]))


def test_an_lru_agrees_with_complex_numbers(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    stored = {"nu": random.normal(size=4) - 2, "theta": random.normal(size=4)}
    stored |= {key: random.normal(size=(4, INPUTS)) for key in ("b_real", "b_imaginary")}
    stored |= {key: random.normal(size=(1, 4)) for key in ("c_real", "c_imaginary")} | {"d": np.ones((1, INPUTS))}
    names = "\n".join(f'{key} = "{key}"' for key in stored)
    network = opened(
        f'weights = "w.npz"\ncell = "lru"\noutput = "linear"\n[tensors]\n{names}\n', tmp_path, 1e-5, **stored
    )
    assert (network.cell.label, network.cell.size) == ("LRU", 8)
    assert "left out: D x" in network.info["import_notes"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cell = ", "not a TOML file"),
        (RATE, "the key tensors is missing"),
        (RATE + "colour = 1\n" + TENSORS, "unknown key colour; known: weights, cell"),
        (RATE + TENSORS + 'gate = "W"\n', "unknown key tensors.gate"),
        (RATE.replace("rate", "lstm") + TENSORS, "unknown cell 'lstm', expected one of rnn, rate"),
        (RATE + "leak = 0.1\ndt = 1\n" + TENSORS, "give either leak, or both dt and tau"),
        (RATE + "dt = -1\ntau = 3\n" + TENSORS, "dt must be a positive number"),
        (RATE + "leak = 2\n" + TENSORS, "leak must be above 0 and at most 1, got 2"),
        (RATE + 'activation = "swish"\n' + TENSORS, "unknown nonlinearity 'swish'"),
        (RATE.replace("w.npz", "../w.npz") + TENSORS, "must be the name of a file in the same folder"),
        (RATE.replace("w.npz", "other.npz") + TENSORS, "other.npz are not in the folder"),
        (RATE + TENSORS.replace('"W"', '"U"'), "tensors.recurrent: no tensor 'U' in the weights; they have"),
        (RATE + TENSORS.replace('recurrent = "W"', ""), "give tensors.recurrent, or both"),
        (RATE + TENSORS.replace('"W_out"', '"m"'), r"tensors.readout: expected shape \(k, 5\), got \(5, 2\)"),
        (RATE + TENSORS + 'recurrent_mask = "b"\n', r"tensors.recurrent_mask: expected the shape \(5, 5\)"),
        (RATE + TENSORS.replace('"b"', '"ids"'), "tensors.bias: ids holds no finite floating-point numbers"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=says):
        opened(text, tmp_path, ids=np.arange(N))


def test_an_archive_without_a_description_asks_for_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", W=np.ones(3))
    with pytest.raises(NetworkError, match="describe it in w.toml next to it"):
        Network.load(tmp_path / "w.npz")
    (tmp_path / "w.toml").write_text(RATE + TENSORS)
    whole = (tmp_path / "w.npz").read_bytes()
    (tmp_path / "w.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NetworkError, match="damaged archive"):
        Network.load(tmp_path / "w.npz")

"""Networks whose weights do not say what they are, described by a small TOML file next to them.

For rate networks of neuroscience, minGRU, minLSTM and LRU layers: it names the cell, its settings and the tensors.
docs/your_own_network.md lists the keys.
"""

from __future__ import annotations

import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from engine.arrays import read_array
from engine.catalogue import NetworkError
from engine.cells import CELLS, Cell, LruCell, Setting, build_cell
from engine.importers.formulas import VALUES
from engine.importers.parts import Array, Found, ImportOptions
from engine.probability import Activation
from engine.text import printable

_CELLS: Final = ("rnn", "rate", "mingru", "minlstm", "lru")
_OUTPUTS: Final[Mapping[str, Activation]] = {"sigmoid": "sigmoid", "softmax": "softmax", "linear": "linear"}
_NUMBERS: Final = ("leak", "dt", "tau", "scale")
_TEXTS: Final = ("weights", "cell", "activation", "output", "task")
_TENSORS: Final = (
    *("input", "recurrent", "bias", "initial", "readout", "readout_bias", "embedding"),
    *("input_mask", "recurrent_mask", "readout_mask", "recurrent_signs", "readout_signs", "m", "n"),
    *("nu", "theta", "gamma", "b_real", "b_imaginary", "c_real", "c_imaginary", "d"),
)
_KEYS: Final = (*_TEXTS, *_NUMBERS, "transposed", "order", "noise", "tensors")
_MAX_RATIO: Final = 20  # how many times larger than the archive its arrays may be

ReadTensors = Callable[[Path], Mapping[str, Callable[[], Tensor]]]


class SidecarBody:
    """The layer in NumPy as the papers write it, in double precision; an LRU with complex numbers."""

    def __init__(self, step: Callable[[Array, Any], tuple[Any, Array]], start: Any) -> None:
        self.step, self.start = step, start

    def states(self, x: Array) -> Array:
        """Hidden states (time, n) for inputs (time, inputs)."""
        state, rows = self.start, []
        for vector in x:
            state, h = self.step(vector, state)
            rows.append(h)
        return np.array(rows)


@dataclass(frozen=True)
class _Sidecar:
    values: Mapping[str, Any]
    tensors: Mapping[str, Callable[[], Tensor]]

    def array(self, key: str) -> Array | None:
        """Return the tensor that a key names, or several stacked along the first axis; None without the key."""
        names = self.values["tensors"].get(key)
        if names is None:
            return None
        parts = []
        for name in [names] if isinstance(names, str) else names:
            if name not in self.tensors:
                known = ", ".join(printable(one)[:40] for one in list(self.tensors)[:12])
                raise NetworkError(f"tensors.{key}: no tensor {name!r} in the weights; they have {known}")
            tensor = self.tensors[name]()
            if not tensor.is_floating_point() or not torch.isfinite(tensor).all():
                raise NetworkError(f"tensors.{key}: {name} holds no finite floating-point numbers")
            parts.append(tensor.double().numpy())
        return np.concatenate(parts)

    def needed(self, key: str) -> Array:
        """Return the tensor that a key names.

        Raises
        ------
        NetworkError
            If the file does not name it.
        """
        array = self.array(key)
        if array is None:
            raise NetworkError(f"the key tensors.{key} is missing")
        return array

    def matrix(self, key: str) -> Array | None:
        """Return a matrix (to, from) with its mask and signs applied; None without the key."""
        array = self.array(key)
        if array is None:
            return None
        if array.ndim != 2:
            raise NetworkError(f"tensors.{key}: expected a matrix, got shape {array.shape}")
        mask, signs = self.array(f"{key}_mask"), self.array(f"{key}_signs") if key != "input" else None
        if mask is not None:
            array = array * _fitting(mask, array, f"{key}_mask")
        if signs is not None:  # Dale's law: every column has the sign of its unit
            diagonal = np.diag(signs) if signs.ndim == 2 else signs
            array = np.abs(array) * (diagonal if not self.values.get("transposed") else diagonal[:, None])
        return array.T if self.values.get("transposed") else array


def _fitting(mask: Array, array: Array, key: str) -> Array:
    if mask.shape != array.shape:
        raise NetworkError(f"tensors.{key}: expected the shape {array.shape} of its matrix, got {mask.shape}")
    return mask


def read_sidecar(path: Path, read_tensors: ReadTensors, options: ImportOptions) -> Found:
    """Read the network that a TOML file describes.

    Raises
    ------
    NetworkError
        If a key or a tensor is missing, unknown or of a wrong shape; names it.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NetworkError(f"{path}: not a TOML file ({error})") from None
    _check_keys(values, path)
    weights = path.with_name(values["weights"])
    if not weights.is_file():
        raise NetworkError(f"{path}: the weights {values['weights']} are not in the folder of the description")
    try:
        return _found(_Sidecar(values, read_tensors(weights)), options)
    except ValueError as error:
        raise NetworkError(f"{path}: {error}") from None


def _check_keys(values: Mapping[str, Any], path: Path) -> None:
    unknown = [key for key in values if key not in _KEYS]
    if unknown:
        raise NetworkError(f"{path}: unknown key {printable(unknown[0])}; known: {', '.join(_KEYS)}")
    for key in ("weights", "cell", "tensors"):
        if key not in values:
            raise NetworkError(f"{path}: the key {key} is missing")
    wrong = [key for key in _TEXTS if not isinstance(values.get(key, ""), str)]
    wrong += [key for key in _NUMBERS if key in values and not (_is_number(values[key]) and values[key] > 0)]
    if wrong:
        raise NetworkError(f"{path}: {wrong[0]} must be {'a text' if wrong[0] in _TEXTS else 'a positive number'}")
    if Path(values["weights"]).name != values["weights"]:
        raise NetworkError(f"{path}: weights must be the name of a file in the same folder, got {values['weights']!r}")
    if values["cell"] not in _CELLS:
        raise NetworkError(f"{path}: unknown cell {values['cell']!r}, expected one of {', '.join(_CELLS)}")
    if values.get("output", "linear") not in _OUTPUTS:
        raise NetworkError(f"{path}: unknown output {values['output']!r}, expected one of {', '.join(_OUTPUTS)}")
    tensors = values["tensors"]
    names = isinstance(tensors, dict) and all(
        isinstance(one, str) or (isinstance(one, list) and one and all(isinstance(part, str) for part in one))
        for one in tensors.values()
    )
    if not names:
        raise NetworkError(f"{path}: tensors must be a table of names of tensors")
    unknown = [key for key in tensors if key not in _TENSORS]
    if unknown:
        raise NetworkError(f"{path}: unknown key tensors.{printable(unknown[0])}; known: {', '.join(_TENSORS)}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _found(file: _Sidecar, options: ImportOptions) -> Found:
    notes = []
    if file.values.get("noise"):
        notes.append("the noise of the network is left out: pinkx runs it without noise")
    kind = file.values["cell"]
    cell, body, readout = _lru(file, notes) if kind == "lru" else _real(file, kind)
    embedding = file.array("embedding")
    return Found(
        source=f"weights described by a TOML file ({file.values['weights']})",
        cell=cell,
        body=body,
        layer=kind,
        readout=None if readout is None or options.readout == "none" else _as_tensors(*readout),
        embedding=None if embedding is None else torch.from_numpy(embedding).float(),
        output=_OUTPUTS.get(file.values.get("output", "")),
        notes=notes,
        task=file.values.get("task"),
    )


def _as_tensors(weight: Array, bias: Array) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(np.ascontiguousarray(weight)).float(), torch.from_numpy(bias).float()


def _settings(file: _Sidecar, kind: str) -> dict[str, Setting]:
    values = file.values
    settings: dict[str, Setting] = {key: values[key] for key in ("activation", "leak") if key in values}
    if "dt" in values or "tau" in values:
        if "leak" in values or not {"dt", "tau"} <= set(values):
            raise NetworkError("give either leak, or both dt and tau (leak = dt/tau)")
        settings["leak"] = values["dt"] / values["tau"]
    return settings


def _real(file: _Sidecar, kind: str) -> tuple[Cell, SidecarBody, tuple[Array, Array] | None]:
    W = file.matrix("input")
    if W is None:
        raise NetworkError("the key tensors.input is missing")
    gates = CELLS[kind].gates
    n = W.shape[0] // gates
    bias = file.array("bias")
    b = np.zeros(gates * n) if bias is None else bias.reshape(-1)
    order = file.values.get("order")
    if order is not None:
        ours = [signal.name for signal in CELLS[kind].signals[:gates]]
        if sorted(order) != sorted(ours):
            raise NetworkError(f"order must list the gates of a {kind}, {', '.join(ours)}, got {order}")
        W, b = (np.concatenate([np.split(one, gates)[order.index(gate)] for gate in ours]) for one in (W, b))
    settings = _settings(file, kind)
    weights = {"weight_ih": W, "bias": b}
    if kind in ("rnn", "rate"):
        weights["weight_hh"] = _recurrent(file, n)
    start = file.array("initial")
    if start is not None:
        begin = start.reshape(-1)
        if kind == "rate":
            begin = np.concatenate((VALUES[str(settings.get("activation", "relu"))](begin), begin))
        weights["initial"] = begin
    cell = build_cell(kind, {key: torch.from_numpy(array).float() for key, array in weights.items()}, settings)
    single = {key: array.astype(np.float32).astype(np.float64) for key, array in weights.items()}
    return cell, _body(kind, single, settings, n), _readout(file, n)


def _recurrent(file: _Sidecar, n: int) -> Array:
    """Return the recurrent matrix: the one named, and the low-rank product m nᵀ, times ``scale``."""
    matrix, m, right = file.matrix("recurrent"), file.array("m"), file.array("n")
    if (m is None) != (right is None) or (matrix is None and m is None):
        raise NetworkError("give tensors.recurrent, or both tensors.m and tensors.n of a low-rank matrix m nᵀ")
    total = np.zeros((n, n)) if matrix is None else matrix
    if m is not None and right is not None:
        m, right = m.reshape(n, -1), right.reshape(n, -1)
        total = total + float(file.values.get("scale", 1)) * m @ right.T
    return total


def _readout(file: _Sidecar, n: int) -> tuple[Array, Array] | None:
    weight = file.matrix("readout")
    if weight is None:
        return None
    if weight.shape[1] != n:
        raise NetworkError(f"tensors.readout: expected shape (k, {n}), got {weight.shape}")
    bias = file.array("readout_bias")
    return weight, np.zeros(len(weight)) if bias is None else bias.reshape(-1)


def _body(kind: str, w: Mapping[str, Array], settings: Mapping[str, Setting], n: int) -> SidecarBody:
    W, b = w["weight_ih"], w["bias"]
    default = {"rnn": "tanh", "rate": "relu"}.get(kind, "linear")
    phi, leak = (
        VALUES[str(settings.get("activation", default))],
        float(settings.get("leak", 0.1 if kind == "rate" else 1)),
    )
    start = w["initial"][-n:] if "initial" in w else np.zeros(n)

    def rnn(x: Array, h: Array) -> tuple[Array, Array]:
        h = (1 - leak) * h + leak * phi(w["weight_hh"] @ h + W @ x + b)
        return h, h

    def rate(x: Array, v: Array) -> tuple[Array, Array]:
        v = (1 - leak) * v + leak * (w["weight_hh"] @ phi(v) + W @ x + b)
        return v, phi(v)

    def mingru(x: Array, h: Array) -> tuple[Array, Array]:
        z, n = np.split(W @ x + b, 2)
        z = VALUES["sigmoid"](z)
        h = (1 - z) * h + z * phi(n)
        return h, h

    def minlstm(x: Array, h: Array) -> tuple[Array, Array]:
        f, i, g = np.split(W @ x + b, 3)
        f, i = VALUES["sigmoid"](f), VALUES["sigmoid"](i)
        h = (f * h + i * phi(g)) / (f + i)
        return h, h

    return SidecarBody({"rnn": rnn, "rate": rate, "mingru": mingru, "minlstm": minlstm}[kind], start)


def _lru(file: _Sidecar, notes: list[str]) -> tuple[Cell, SidecarBody, tuple[Array, Array] | None]:
    """Read λ = exp(−exp(ν) + i exp(θ)), exp(γ) B and Re(C s), in the notation of Orvieto et al. (2023)."""
    eigenvalues = np.exp(-np.exp(file.needed("nu")) + 1j * np.exp(file.needed("theta")))
    B = file.needed("b_real") + 1j * file.needed("b_imaginary")
    gamma = file.array("gamma")
    size = np.sqrt(1 - np.abs(eigenvalues) ** 2) if gamma is None else np.exp(gamma)
    if eigenvalues.ndim != 1 or B.ndim != 2 or len(B) != len(eigenvalues) or size.shape != eigenvalues.shape:
        raise NetworkError(f"expected nu, theta, gamma (N,) and b (N, inputs), got {eigenvalues.shape} and {B.shape}")
    B = size[:, None] * B
    cell = LruCell.from_modes(torch.from_numpy(eigenvalues), torch.from_numpy(B)).to(dtype=torch.float32)

    def step(x: Array, s: Any) -> tuple[Any, Array]:
        s = eigenvalues * s + B @ x
        return s, np.concatenate((s.real, s.imag))

    body = SidecarBody(step, np.zeros(len(eigenvalues), dtype=complex))
    if file.array("d") is not None:
        notes.append("left out: D x, which adds the input to the output without the state")
    real = file.array("c_real")
    if real is None:
        return cell, body, None
    weight = np.hstack((real, -file.needed("c_imaginary")))
    if weight.shape[1] != cell.size:
        raise NetworkError(f"tensors.c_real: expected shape (k, {cell.size // 2}), got {real.shape}")
    bias = file.array("readout_bias")
    return cell, body, (weight, np.zeros(len(weight)) if bias is None else bias)


def read_numpy_archive(path: Path) -> Mapping[str, Callable[[], Tensor]]:
    """Return the arrays of a .npz archive by name, each read when called; pickled members are left out.

    Raises
    ------
    NetworkError
        If the archive is damaged.
    """
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if one.filename.endswith(".npy")]
            if sum(one.file_size for one in members) > _MAX_RATIO * path.stat().st_size:
                raise NetworkError(f"{path}: damaged archive: its members claim to be far larger than the file")
            for member in members:
                data = archive.read(member)
                try:
                    found[member.filename.removesuffix(".npy")] = torch.from_numpy(read_array(data))
                except (ValueError, TypeError):  # a pickled object, or a type that PyTorch lacks
                    continue
    except (zipfile.BadZipFile, OSError, ValueError, EOFError) as error:
        if isinstance(error, NetworkError):
            raise
        raise NetworkError(f"{path}: damaged NumPy archive ({error}); fetch it again") from None
    return {name: tensor.clone for name, tensor in found.items()}

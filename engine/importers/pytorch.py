"""PyTorch files, read without running any of their code: torch.save of either format, and TorchScript archives."""

from __future__ import annotations

import io
import math
import re
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from engine.catalogue import NetworkError
from engine.importers.named_tensors import Checkpoint
from engine.importers.parts import StoredTensor
from engine.importers.pickles import Builder, Global, Inert, read_pickle

_STORAGES: Final[Mapping[str, torch.dtype]] = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_DTYPES: Final = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (*_STORAGES.values(), torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64, torch.complex128)
}
_MAX_CODE: Final = 1_000_000  # bytes of a TorchScript source file that is searched
_MAX_NODES: Final = 2_000_000
_MAX_DEPTH: Final = 100
_MODULE_PARTS: Final = ("_parameters", "_buffers", "_modules")
_IGNORED: Final = frozenset({"_flat_weights", "_metadata"})

ReadStorage = Callable[[str, int], bytes]
"""(key, bytes) → contents of a storage."""


@dataclass(frozen=True)
class _Storage:
    """A storage of the file, not yet read. ``dtype`` is None for a storage of bytes."""

    key: str
    dtype: torch.dtype | None
    count: int
    first: int = 0


@dataclass(frozen=True)
class _Rebuilt:
    """A tensor of the file, not yet read."""

    storage: _Storage
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_archive(path: Path) -> Checkpoint:
    """Read a file of torch.save (version 1.6 or later) or of torch.jit.save.

    Raises
    ------
    NetworkError
        If the archive is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive, path)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise NetworkError(f"damaged archive ({error}); fetch the file again") from None


def _read_archive(archive: zipfile.ZipFile, path: Path) -> Checkpoint:
    size = path.stat().st_size
    pickle = next(name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl")
    root = pickle.removesuffix("data.pkl")
    names = frozenset(archive.namelist())
    needed = [member for member in archive.infolist() if member.filename.startswith((pickle, f"{root}data/"))]
    if sum(member.file_size for member in needed) > size:
        raise NetworkError("damaged archive: its storages claim to be larger than the file")
    big = f"{root}byteorder" in names and archive.read(f"{root}byteorder").strip() == b"big"
    document = read_pickle(io.BytesIO(archive.read(pickle)), _BUILDERS, _storage_of)
    script = any(name.startswith(f"{root}code/") for name in names)
    checkpoint = Checkpoint("TorchScript archive" if script else "PyTorch file")

    contents = {}
    for name in names:
        if name.startswith(f"{root}data/"):
            contents[name.removeprefix(f"{root}data/")] = name

    def read(key: str, count: int) -> bytes:
        if key not in contents:
            raise NetworkError(f"the storage {key!r} is missing")
        with zipfile.ZipFile(path) as again:
            return again.read(contents[key])

    _collect(document, checkpoint, read, big)
    if script:
        _add_modes(archive, names, root, checkpoint)
    return checkpoint


def _add_modes(archive: zipfile.ZipFile, names: frozenset[str], root: str, checkpoint: Checkpoint) -> None:
    """Take the nonlinearity of RNN layers from the text of the archive's code, if all layers have the same."""
    code = [
        name
        for name in names
        if name.startswith(f"{root}code/") and name.endswith("/rnn.py") and archive.getinfo(name).file_size < _MAX_CODE
    ]
    modes = {mode for name in code for mode in re.findall(rb'mode : Final\[str\] = "(RNN_\w+)"', archive.read(name))}
    if len(modes) == 1:
        mode = modes.pop().decode()
        for name in list(checkpoint.tensors):
            layer, _, last = name.rpartition(".")
            if last == "weight_hh_l0":
                checkpoint.scalars.setdefault(layer, {})["mode"] = mode


def read_old_torch_file(path: Path) -> Checkpoint:
    """Read a file of torch.save before version 1.6: five pickles, then the storages.

    Raises
    ------
    NetworkError
        If the file is damaged.
    """
    data = path.read_bytes()
    stream = io.BytesIO(data)
    read_pickle(stream, {})  # the magic number
    read_pickle(stream, {})  # the version of the format
    machine = read_pickle(stream, {})
    big = isinstance(machine, dict) and machine.get("little_endian") is False
    sizes: dict[str, int] = {}

    def storage_of(identity: object) -> object:
        storage = _storage_of(identity)
        if isinstance(storage, _Storage):
            sizes[storage.key] = storage.dtype.itemsize if storage.dtype is not None else 1
        return storage

    document = read_pickle(stream, _BUILDERS, storage_of)
    keys = read_pickle(stream, {})
    if not isinstance(keys, list):
        raise NetworkError("damaged file: the list of its storages is missing")
    at, contents = stream.tell(), {}
    for key in keys:
        count = int.from_bytes(data[at : at + 8], "big" if big else "little")
        first, at = at + 8, at + 8 + count * sizes.get(str(key), 1)
        if at > len(data):
            raise NetworkError("the file is cut short: a storage ends behind its end; fetch it again")
        contents[str(key)] = slice(first, at)

    def read(key: str, count: int) -> bytes:
        if key not in contents:
            raise NetworkError(f"the storage {key!r} is missing")
        return data[contents[key]]

    checkpoint = Checkpoint("PyTorch file (old format)")
    _collect(document, checkpoint, read, big)
    return checkpoint


# ---- what the pickle names ----------------------------------------------------------------------------------------


def _storage_of(identity: object) -> object:
    """Resolve a persistent id: ("storage", type, key, device, count, view) or ("module", class, …)."""
    if isinstance(identity, tuple) and len(identity) >= 2 and identity[0] == "module":
        return identity[1]
    if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
        return Inert("persistent id")
    _, kind, key, _, count, *view = identity
    name = kind.name if isinstance(kind, Global) else ""
    last = name.rpartition(".")[2]
    if not name.startswith("torch") or not isinstance(count, int) or count < 0:
        return Inert("persistent id")
    if last not in _STORAGES and last != "UntypedStorage":
        return Inert(name)
    first = 0
    if view and isinstance(view[0], tuple) and len(view[0]) == 3 and isinstance(view[0][1], int):
        first = view[0][1]
    return _Storage(str(key), _STORAGES.get(last), count, first)


def _rebuild_tensor(storage: object, offset: object, shape: object, strides: object, *_: object) -> object:
    return _rebuilt(storage, storage.dtype if isinstance(storage, _Storage) else None, offset, shape, strides)


def _rebuild_tensor_v3(
    storage: object, offset: object, shape: object, strides: object, grad: object, hooks: object, dtype: object,
    *_: object,
) -> object:  # fmt: skip
    wanted = _DTYPES.get(dtype.name.removeprefix("torch.")) if isinstance(dtype, Global) else None
    return _rebuilt(storage, wanted, offset, shape, strides)


def _rebuilt(storage: object, dtype: torch.dtype | None, offset: object, shape: object, strides: object) -> object:
    if not isinstance(storage, _Storage) or dtype is None or not isinstance(offset, int) or offset < 0:
        return Inert("tensor")
    shape, strides = _sizes(shape), _sizes(strides)
    if shape is None or strides is None or len(shape) != len(strides):
        return Inert("tensor")
    return _Rebuilt(storage, dtype, offset, shape, strides)


def _sizes(value: object) -> tuple[int, ...] | None:
    if isinstance(value, Inert) and value.args:  # torch.Size
        value = value.args[0]
    if isinstance(value, tuple | list) and all(isinstance(n, int) and 0 <= n < 2**40 for n in value):
        return tuple(value)
    return None


def _first(value: object, *_: object) -> object:
    return value


def _from_type(function: object, kind: object, arguments: object, *_: object) -> object:
    builder = _BUILDERS.get(function.name) if isinstance(function, Global) else None
    return builder(*arguments) if builder is not None and isinstance(arguments, tuple) else Inert("tensor")


_BUILDERS: Final[dict[str, Builder]] = {
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v3": _rebuild_tensor_v3,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch.jit._pickle.restore_type_tag": _first,
    "torch._tensor._rebuild_from_type_v2": _from_type,
}


# ---- what the document holds --------------------------------------------------------------------------------------


def _collect(document: object, checkpoint: Checkpoint, read: ReadStorage, big_endian: bool) -> None:
    """Walk the document and list its tensors, plain attributes and vocabularies by dotted name."""
    seen: set[int] = set()
    todo: list[tuple[str, object, int]] = [("", document, 0)]
    while todo:
        name, value, depth = todo.pop()
        if isinstance(value, _Rebuilt):
            shared = _Tensor(name, value, read, big_endian)
            checkpoint.tensors.setdefault(name, StoredTensor(value.shape, shared))
            continue
        if id(value) in seen or depth > _MAX_DEPTH:
            continue
        if len(seen) > _MAX_NODES:
            raise NetworkError("the file nests more than two million objects; expected a network")
        if isinstance(value, dict | list | tuple | Inert):
            seen.add(id(value))
            todo += [(child, other, depth + 1) for child, other in _children(name, value, checkpoint)]


def _children(name: str, value: object, checkpoint: Checkpoint) -> list[tuple[str, object]]:
    if isinstance(value, Inert):
        state = value.state
        if isinstance(state, tuple) and len(state) == 2:  # (attributes, slots)
            state = {**(state[0] if isinstance(state[0], dict) else {}), **_dict(state[1])}
        attributes = {key: other for key, other in _dict(state).items() if isinstance(key, str)}
        plain = {key: other for key, other in attributes.items() if isinstance(other, str | int | bool | float)}
        if plain:
            checkpoint.scalars.setdefault(name, {}).update(plain)
        members = {key: other for key, other in attributes.items() if key not in _IGNORED | set(_MODULE_PARTS)}
        for part in _MODULE_PARTS:
            members |= _dict(attributes.get(part))
        contents: list[object] = [
            value.items,
            value.appended,
            *value.args,
            *([state] if isinstance(state, list) else []),
        ]
        return [(_joined(name, key), other) for key, other in members.items()] + [(name, other) for other in contents]
    if checkpoint.add_vocabulary(value) or not isinstance(value, dict):
        return []
    return [(_joined(name, key), other) for key, other in value.items() if isinstance(key, str)]


def _dict(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


@dataclass(frozen=True)
class _Tensor:
    """Reads one tensor when called."""

    name: str
    rebuilt: _Rebuilt
    read: ReadStorage
    big_endian: bool

    def __call__(self) -> Tensor:
        one, storage = self.rebuilt, self.rebuilt.storage
        data = self.read(storage.key, storage.count)
        width = one.dtype.itemsize
        if storage.first:
            data = data[storage.first * width :]
        count = math.prod(one.shape)
        last = one.offset + sum((n - 1) * stride for n, stride in zip(one.shape, one.strides, strict=True))
        if count and ((last + 1) * width > len(data) or count * width > len(data)):
            raise NetworkError(
                f"the tensor {self.name} of shape {one.shape} is larger than its storage of {len(data)} bytes"
            )
        if not count:
            return torch.zeros(one.shape, dtype=one.dtype)
        if self.big_endian != (sys.byteorder == "big") and width > 1:
            data = np.frombuffer(data[: len(data) // width * width], dtype=f"u{width}").byteswap().tobytes()
        flat = torch.frombuffer(bytearray(data[: len(data) // width * width]), dtype=one.dtype)
        return flat.as_strided(one.shape, one.strides, one.offset).contiguous()

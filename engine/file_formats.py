"""Which program wrote a network file, from its first bytes; needs no torch."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final, Literal

from engine.catalogue import FORMAT, NetworkError, describe, find

Format = Literal["pinkx", "safetensors", "torch-zip", "torch-old", "keras", "hdf5"]

_TORCH_OLD: Final = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number of torch.save before version 1.6
_SUPPORTED: Final = "PyTorch (.pt, .pth, .safetensors), Keras (.h5, .hdf5, .keras) and .safetensors files of pinkx"


def file_format(path: Path) -> Format:
    """Return the format of a network file.

    Raises
    ------
    NetworkError
        If the file holds no network that pinkx can read; the message says what it holds instead.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise NetworkError(f"{path}: the file is empty (0 bytes); fetch it again")
    if head.startswith(b"version https://git-lfs"):
        raise NetworkError(
            f"{path}: a Git LFS pointer, not the network itself; run `git lfs pull` in its repository, then try again"
        )
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    if head.startswith(b"PK\x03\x04"):
        return _archive_format(path)
    if head[:1] == b"\x80" and head[2:].startswith(_TORCH_OLD):
        return "torch-old"
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        raise NetworkError(
            f"{path}: a Python pickle that torch.save did not write; save the state dict with torch.save instead"
        )
    if head[257:262] == b"ustar":
        raise NetworkError(f"{path}: a tar archive; unpack it and give the network file inside")
    if (head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000) or path.suffix == ".safetensors":
        return _safetensors_format(head, size, path)
    if path.suffix == ".onnx":
        raise NetworkError(f"{path}: ONNX is not supported; save the network as {_SUPPORTED}")
    raise NetworkError(f"{path}: not a network file that pinkx knows; it reads {_SUPPORTED}")


def check_network_file(path_or_name: str | Path) -> None:
    """Raise a `NetworkError` if a file cannot be a network, as far as that shows without torch."""
    path = find(path_or_name)
    if file_format(path) == "pinkx":
        describe(path)


def _archive_format(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise NetworkError(f"{path}: a damaged archive ({error}); fetch it again") from None
    if "model.weights.h5" in names and "config.json" in names:
        return "keras"
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return "torch-zip"
    if names and all(name.endswith(".npy") for name in names):
        raise NetworkError(
            f"{path}: a NumPy archive, whose arrays do not say which network they belong to; pinkx reads {_SUPPORTED}"
        )
    raise NetworkError(f"{path}: an archive without a network; pinkx reads {_SUPPORTED}")


def _safetensors_format(head: bytes, size: int, path: Path) -> Format:
    length = int.from_bytes(head[:8], "little")
    if length > size - 8:
        return "pinkx"  # truncated or damaged: its own reader says so
    with path.open("rb") as file:
        file.seek(8)
        header = file.read(length)
    return "pinkx" if f'"{FORMAT}"'.encode() in header else "safetensors"

"""Formats of network files and of sources of reviews, detected by the first bytes and the name of a file.

Needs no torch.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Final, Literal, cast

from engine.catalogue import FORMAT, STACK_FORMAT, NetworkError, describe, find

SourceFormat = Literal[
    "text", "lines", "csv", "tsv", "jsonl", "json", "fasttext", "parquet", "arrow", "npz", "zip", "tar"
]
_BY_SUFFIX: Final[dict[str, SourceFormat]] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
    ".arrow": "arrow", ".feather": "arrow", ".pos": "lines", ".neg": "lines",
}  # fmt: skip
_LINES_NAME: Final = re.compile(r".*\.(?:pos|neg)(?:\.txt)?")

Format = Literal["pinkx", "safetensors", "torch-zip", "torch-old", "keras", "hdf5", "onnx", "sidecar"]

_TORCH_OLD: Final = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number of torch.save before version 1.6
_SUPPORTED: Final = (
    "PyTorch (.pt, .pth, .safetensors), Keras (.h5, .hdf5, .keras), ONNX and .safetensors files of pinkx, and weights "
    "that a .toml file next to them describes"
)


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
    begins_header = head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000
    if head[:1] == b"\x80" and head[1:2] <= b"\x05" and not begins_header:  # as may a header's length
        raise NetworkError(
            f"{path}: a Python pickle that torch.save did not write; save the state dict with torch.save instead"
        )
    if head[257:262] == b"ustar":
        raise NetworkError(f"{path}: a tar archive; unpack it and give the network file inside")
    if begins_header or path.suffix == ".safetensors":
        return _safetensors_format(head, size, path)
    if path.suffix == ".onnx":
        return "onnx"
    if path.suffix == ".toml":
        return "sidecar"
    raise NetworkError(f"{path}: not a network file that pinkx knows; it reads {_SUPPORTED}")


def source_format(head: bytes, name: str, given: str | None = None) -> SourceFormat:
    """Return the format of a source of reviews that is one file.

    Parameters
    ----------
    head : bytes
        Its first bytes, decompressed.
    name : str
        Its name, without the ending of a compression.
    given : str or None
        What the user says.
    """
    if head.startswith(b"PK\x03\x04"):
        return "npz" if name.endswith(".npz") else "zip"
    if head[257:262] == b"ustar":
        return "tar"
    if given is not None:
        return cast(SourceFormat, given)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    name = name.lower()
    suffix = name[name.rfind(".") :] if "." in name else ""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"__label__"):
        return "fasttext"
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if _LINES_NAME.fullmatch(name):
        return "lines"
    if suffix == ".json":
        return "json" if start.startswith(b"[") or not _is_json_line(start) else "jsonl"
    if start.startswith(b'[{"') or (start.startswith(b'{"') and _is_json_line(start)):
        return "json" if start.startswith(b"[") else "jsonl"
    return "text"


def _is_json_line(start: bytes) -> bool:
    """Return whether the first line is one row: an object by itself, without a list of objects, which would be rows."""
    try:
        row = json.loads(start.split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        return False
    rows = isinstance(row, dict) and any(
        isinstance(value, list) and value and isinstance(value[0], dict) for value in row.values()
    )
    return isinstance(row, dict) and not rows


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
        if path.with_suffix(".toml").is_file():
            return "sidecar"
        raise NetworkError(
            f"{path}: a NumPy archive, whose arrays do not say which network they belong to; describe it in "
            f"{path.stem}.toml next to it, as docs/your_own_network.md shows"
        )
    raise NetworkError(f"{path}: an archive without a network; pinkx reads {_SUPPORTED}")


def _safetensors_format(head: bytes, size: int, path: Path) -> Format:
    length = int.from_bytes(head[:8], "little")
    if length > size - 8:
        return "pinkx"  # truncated or damaged: its own reader says so
    with path.open("rb") as file:
        file.seek(8)
        header = file.read(length)
    ours = any(f'"{name}"'.encode() in header for name in (FORMAT, STACK_FORMAT))
    return "pinkx" if ours else "safetensors"

"""Save and load named arrays in one ``.npz`` file, without pickle."""

from __future__ import annotations

import hashlib
import io
import math
import tokenize
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.files import atomic_write
from engine.text import printable


def save_arrays(path: str | Path, kind: str, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write arrays, a string that identifies their ``kind``, and a digest of both.

    An interrupted write leaves the old file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays, kind=np.array(kind), digest=_digest(kind, arrays))


def load_arrays(path: str | Path, kind: str, layout: Mapping[str, str]) -> dict[str, NDArray[np.generic]]:
    """Read a file written by ``save_arrays``.

    Parameters
    ----------
    path : str or Path
    kind : str
    layout : mapping of str to str
        For each name the kind of its numbers (NumPy's letter) and its dimensions, such as ``f P S``; a dimension has
        the same length in all arrays.

    Raises
    ------
    ValueError
        If the file is damaged, of another kind, or an array is missing or does not fit the layout.
    OSError
        If it cannot be opened.
    """
    with Path(path).open("rb") as file:  # np.load does not close a file that it opened itself and that is no archive
        try:
            with np.load(file, allow_pickle=False) as archive:
                found = {name: np.asarray(array) for name, array in archive.items()}  # bytes of a member without array
        except Exception as error:  # of NumPy, zipfile, zlib or tokenize: whatever a wrong byte leads to
            reason = printable(str(error))[:200]
            raise ValueError(f"{path}: expected an .npz file of {kind}, but the file is damaged ({reason})") from None
    digest = found.pop("digest", None)
    if str(found.pop("kind", "")) != kind or set(found) != set(layout):
        raise ValueError(f"{path}: expected an .npz file of {kind}, but the file holds something else")
    if digest is not None and not np.array_equal(digest, _digest(kind, found)):  # pinkx 0.1.0 wrote none
        raise ValueError(f"{path}: expected an .npz file of {kind}, but the file is damaged (its digest differs)")
    lengths: dict[str, int] = {}
    for name, expected in layout.items():
        letter, *dimensions = expected.split()
        array = found[name]
        empty = array.shape == (0,) and len(dimensions) > 1  # of a list without rows, which has no other dimensions
        fits = array.dtype.kind == letter and (array.ndim == len(dimensions) or empty)
        if not fits or any(lengths.setdefault(d, n) != n for d, n in zip(dimensions, array.shape, strict=False)):
            raise ValueError(
                f"{path}: expected an .npz file of {kind}, but {name} has type {array.dtype} and shape {array.shape}"
            )
    return found


def array_header(data: bytes) -> tuple[int, np.dtype[Any], tuple[int, ...]]:
    """Return the length of the header of a ``.npy`` file, and the type and shape that it names.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    except (tokenize.TokenError, SyntaxError, TypeError, OverflowError) as error:  # NumPy parses it as Python
        raise ValueError(f"damaged header ({error})") from None
    return stream.tell(), dtype, shape


def read_array(data: bytes) -> NDArray[np.generic]:
    """Return the array of a ``.npy`` file.

    Raises
    ------
    ValueError
        If it is damaged, or holds Python objects. An array of more values than there are bytes takes no memory.
    """
    start, dtype, shape = array_header(data)
    if math.prod(shape) * dtype.itemsize > len(data) - start:
        raise ValueError(f"an array {shape} of {dtype} has more bytes than the file")
    array: NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def _digest(kind: str, arrays: Mapping[str, NDArray[np.generic]]) -> NDArray[np.str_]:
    """Return the SHA-256 of a kind and of the names, types, shapes and values of arrays."""
    digest = hashlib.sha256(kind.encode())
    for name, array in sorted(arrays.items()):
        values = np.asarray(array)
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return np.array(digest.hexdigest())

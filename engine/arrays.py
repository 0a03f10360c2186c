"""Save and load named arrays in one ``.npz`` file, without pickle."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.files import atomic_write

# What NumPy and zipfile raise for a damaged file: a wrong flag, length, shape or type, or more memory than there is.
_DAMAGE: Final = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, MemoryError),
    *(ValueError, TypeError, LookupError, OverflowError, RuntimeError, OSError),
)


def save_arrays(path: str | Path, kind: str, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write arrays, a string that identifies their ``kind``, and a digest of both.

    An interrupted write leaves the old file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays, kind=np.array(kind), digest=_digest(kind, arrays))


def load_arrays(path: str | Path, kind: str, names: Iterable[str]) -> dict[str, NDArray[np.generic]]:
    """Read a file written by ``save_arrays``.

    Raises
    ------
    ValueError
        If the file is damaged, of another kind, or lacks one of the names.
    OSError
        If it cannot be opened.
    """
    with Path(path).open("rb") as file:  # np.load does not close a file that it opened itself and that is no archive
        try:
            with np.load(file, allow_pickle=False) as archive:
                found = dict(archive)
        except _DAMAGE as error:
            raise ValueError(f"{path}: expected an .npz file of {kind}, but the file is damaged ({error})") from None
    digest = found.pop("digest", None)
    if str(found.pop("kind", "")) != kind or set(found) != set(names):
        raise ValueError(f"{path}: expected an .npz file of {kind}, but the file holds something else")
    if digest is not None and not np.array_equal(digest, _digest(kind, found)):  # pinkx 0.1.0 wrote none
        raise ValueError(f"{path}: expected an .npz file of {kind}, but the file is damaged (its digest differs)")
    return found


def _digest(kind: str, arrays: Mapping[str, NDArray[np.generic]]) -> NDArray[np.str_]:
    """Return the SHA-256 of a kind and of the names, types, shapes and values of arrays."""
    digest = hashlib.sha256(kind.encode())
    for name, array in sorted(arrays.items()):
        values = np.asarray(array)
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return np.array(digest.hexdigest())

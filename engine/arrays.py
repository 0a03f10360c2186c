"""Save and load named arrays in one ``.npz`` file, without pickle."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.files import atomic_write


def save_arrays(path: str | Path, kind: str, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write arrays and a string that identifies their ``kind``; an interrupted write leaves the old file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays, kind=np.array(kind))


def load_arrays(path: str | Path, kind: str, names: Iterable[str]) -> dict[str, NDArray[np.generic]]:
    """Read a file written by ``save_arrays``.

    Raises
    ------
    ValueError
        If the file is damaged, of another kind, or lacks one of the names.
    OSError
        If it cannot be opened.
    """
    try:
        # np.load does not close a file that it opened itself when it is not an archive.
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            found = dict(archive)
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, TypeError) as error:
        raise ValueError(f"{path}: expected an .npz file of {kind}, but the file is damaged ({error})") from None
    if str(found.pop("kind", "")) != kind or set(found) != set(names):
        raise ValueError(f"{path}: expected an .npz file of {kind}, but the file holds something else")
    return found

"""Memory for recordings: aligned, or in a file if it exceeds the memory; copies from a GPU in chunks."""

from __future__ import annotations

import ctypes
import math
import os
import shutil
import tempfile
import threading
import warnings
import weakref
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Float32s = NDArray[np.float32]

_ALIGNMENT: Final = 64  # bytes: a whole vector, so that large recordings may be written past the caches
CHUNK: Final = 2**28  # bytes of a copy from a GPU
RECYCLED: Final = 2**26, 64  # bytes of memory that are stored for the next recordings: at least, and a part of the RAM

_unused: dict[int, NDArray[np.uint8]] = {}
_lock = threading.RLock()  # a finalizer may run in the thread that holds it


def free_memory() -> int | None:
    """Return the bytes of RAM that this machine can give without swapping, None if it does not say."""
    return _meminfo("MemAvailable")


def _meminfo(name: str) -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


@lru_cache(maxsize=1)
def recycled_bytes() -> int:
    """Return how many bytes of memory to store for the next recordings."""
    least, part = RECYCLED
    return max(least, (_meminfo("MemTotal") or 0) // part)


def _recycled(size: int) -> NDArray[np.uint8]:
    """Return aligned bytes, if possible those of an array that is no longer in use.

    The system clears every page of new memory, which takes as long as the steps of a small layer.
    """
    with _lock:
        fits = [key for key, memory in _unused.items() if size + _ALIGNMENT <= len(memory) <= 2 * size + _ALIGNMENT]
        found = _unused.pop(fits[-1], None) if fits else None
    memory = np.empty(size + _ALIGNMENT, dtype=np.uint8) if found is None else found
    if len(memory) <= recycled_bytes():
        lent: Any = (ctypes.c_char * len(memory)).from_buffer(memory.data)  # all views of the array refer to it
        weakref.finalize(lent, _give_back, memory).atexit = False
        memory = np.frombuffer(lent, dtype=np.uint8)
    offset = -memory.ctypes.data % _ALIGNMENT
    return memory[offset : offset + size]


def _give_back(memory: NDArray[np.uint8]) -> None:
    """Store memory whose array is no longer in use; forget the oldest beyond `recycled_bytes`."""
    with _lock:
        _unused[id(memory)] = memory
        while sum(map(len, _unused.values())) > recycled_bytes():
            del _unused[next(iter(_unused))]


def recording_array(*shape: int) -> Float32s:
    """Return an uninitialised float32 array; one that exceeds the free memory lies in a temporary file.

    A warning states the size before the file is written.

    Raises
    ------
    OSError
        If the folder of temporary files has too little space.
    """
    size = math.prod(shape) * 4
    free = free_memory()
    if free is None or size <= free:
        return _recycled(size).view(np.float32).reshape(shape)
    folder = tempfile.gettempdir()
    what = f"the recording takes {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB of memory are free"
    space = shutil.disk_usage(folder).free
    if size > space:
        raise OSError(
            f"{what}; the folder of temporary files, {folder}, has only {space / 1e9:.1f} GB. "
            "Record fewer reviews or signals, or name another folder in TMPDIR"
        )
    warnings.warn(f"{what}; it goes to a temporary file in {folder}", RuntimeWarning, stacklevel=3)
    with tempfile.TemporaryFile(dir=folder) as file:
        os.truncate(file.fileno(), size)
        return np.memmap(file, dtype=np.float32, mode="r+", shape=shape)


def copy_to_host(host: NDArray[Any], values: Tensor) -> None:
    """Copy a tensor into a contiguous array of its shape, in chunks along its first axis."""
    rows = max(1, CHUNK // max(1, values[:1].numel() * values.element_size()))
    for first in range(0, len(values), rows):
        torch.from_numpy(host[first : first + rows]).copy_(values[first : first + rows])


def to_numpy(values: Tensor) -> NDArray[Any]:
    """Copy a tensor to the host, in chunks along its first axis; a tensor on the CPU is shared, not copied."""
    if values.device.type == "cpu":
        return values.numpy()
    if values.dtype != torch.float32 or not values.numel():
        return values.cpu().numpy()
    result = recording_array(*values.shape)
    copy_to_host(result, values)
    return result

"""The memory that the two processes of a live run share: the ring of its signals, and its newest state."""

from __future__ import annotations

import hashlib
import mmap
import os
import pickle
import tempfile
import time
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine.live.inheritance import NamedMemory
from engine.live.ring import PATIENCE, Ring

_DIGEST: Final = 16  # bytes
_HEAD: Final = 16 + _DIGEST  # bytes of a slot before its state: number, length, digest


class SharedState:
    """A `Ring`, and two slots that are written in turn with the newest state: one writer, readers, no lock.

    A slot holds the number and the pickle of a state, and a digest of both. A reader copies the slot and compares the
    digest, so that it never sees a part of a state, in whatever order the stores of the writer become visible to it.
    The slot before is complete while the next is written.

    The file has no name, and both processes belong to one program: nothing else can store a pickle there.

    Parameters
    ----------
    source : int or NamedMemory
        An open file of `SharedState.size` bytes, which this closes; or memory of at least that size.
    widths, capacity
        Of the ring.
    room : int
        Bytes for the pickle of a state, a multiple of 8.
    patience : float
        Seconds that readers wait for a complete row or state.
    """

    def __init__(
        self,
        source: int | NamedMemory,
        widths: Mapping[str, int],
        capacity: int,
        room: int,
        patience: float = PATIENCE,
    ) -> None:
        size = self.size(widths, capacity, room)
        if isinstance(source, int):
            memory = memoryview(mmap.mmap(source, size))
            os.close(source)
        else:
            assert source.buf is not None  # as long as it is not closed
            memory = source.buf[:size]
        self._source = source  # named memory lives as long as this object
        self._patience = patience
        self._written = 0
        self._slots = [memory[k * (_HEAD + room) : (k + 1) * (_HEAD + room)] for k in range(2)]
        self._numbers = [np.frombuffer(slot[:16], dtype=np.int64) for slot in self._slots]
        self.ring = Ring(widths, capacity, memory[2 * (_HEAD + room) :], patience)

    @staticmethod
    def size(widths: Mapping[str, int], capacity: int, room: int) -> int:
        """Return the bytes of the file."""
        return 2 * (_HEAD + room) + Ring.size(widths, capacity)

    @property
    def newest(self) -> int:
        """Number of the newest state, counted from 1; 0 before the first. `read` may still return the one before."""
        return max(int(numbers[0]) for numbers in self._numbers)

    def publish(self, state: object) -> None:
        """Replace the newest state.

        Raises
        ------
        ValueError
            If its pickle does not fit.
        """
        pickled = pickle.dumps(state, pickle.HIGHEST_PROTOCOL)
        slot = self._slots[(self._written + 1) % 2]
        if len(pickled) > len(slot) - _HEAD:
            raise ValueError(f"a state of {len(pickled):,} bytes does not fit into {len(slot) - _HEAD:,}")
        self._written += 1
        self._numbers[self._written % 2][:] = self._written, len(pickled)
        slot[_HEAD : _HEAD + len(pickled)] = pickled
        slot[16:_HEAD] = _digest(self._written, pickled)

    def read(self) -> tuple[int, Any] | None:
        """Return the number of the newest complete state and the state; None if there is none within ``patience``."""
        deadline = time.monotonic() + self._patience
        while True:
            headers = [numbers.tolist() for numbers in self._numbers]
            for (number, length), slot in sorted(zip(headers, self._slots, strict=True), key=lambda each: -each[0][0]):
                digest, pickled = bytes(slot[16:_HEAD]), bytes(slot[_HEAD : _HEAD + length])
                if number and _digest(number, pickled) == digest:
                    return number, pickle.loads(pickled)
            if time.monotonic() > deadline:
                return None
            time.sleep(0)  # another thread may be the writer


def _digest(number: int, pickled: bytes) -> bytes:
    return hashlib.blake2b(pickled, digest_size=_DIGEST, salt=number.to_bytes(16, "little")).digest()


def shared_file(size: int) -> int:
    """Open a file without a name, in memory where the system supports that; return its handle."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("pinkx")
    else:
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
    os.ftruncate(handle, size)
    return handle

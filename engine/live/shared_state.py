"""The memory that the two processes of a live run share: its ring, and where it stands."""

from __future__ import annotations

import mmap
import os
import pickle
import tempfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine.live.ring import Ring

_MARKS: Final = 3  # how many states were shown, and the bytes in each slot


class Block:
    """A `Ring`, and two slots for the newest state, which are written in turn: one writer, any number of readers.

    The file has no name and both processes are of one program: nobody else can put a pickle there.

    Parameters
    ----------
    handle : int
        An open file of `Block.size` bytes, closed here.
    widths, capacity
        Of the ring.
    room : int
        Bytes of a slot, a multiple of 8.
    """

    def __init__(self, handle: int, widths: Mapping[str, int], capacity: int, room: int) -> None:
        memory = memoryview(mmap.mmap(handle, self.size(widths, capacity, room)))
        os.close(handle)
        begin = 8 * _MARKS
        self._marks = np.frombuffer(memory[:begin], dtype=np.int64)
        self._slots = [memory[begin + k * room : begin + (k + 1) * room] for k in range(2)]
        self.ring = Ring(widths, capacity, memory[begin + 2 * room :])

    @staticmethod
    def size(widths: Mapping[str, int], capacity: int, room: int) -> int:
        """Bytes of it all."""
        return 8 * _MARKS + 2 * room + Ring.size(widths, capacity)

    @property
    def shown(self) -> int:
        """How many states were shown."""
        return int(self._marks[0])

    def show(self, state: object) -> None:
        """Take the place of the newest state.

        Raises
        ------
        ValueError
            If there is no room for it.
        """
        number = self.shown + 1
        slot, told = self._slots[number % 2], pickle.dumps(state, pickle.HIGHEST_PROTOCOL)
        if len(told) > len(slot):
            raise ValueError(f"a state of {len(told):,} bytes, and there is room for {len(slot):,}")
        slot[: len(told)] = told
        self._marks[1 + number % 2] = len(told)
        self._marks[0] = number

    def look(self) -> tuple[int, Any]:
        """The newest state and its number."""
        while True:
            number = self.shown
            told = bytes(self._slots[number % 2][: int(self._marks[1 + number % 2])])
            if self.shown == number:  # else this slot may be the one that is written now
                return number, pickle.loads(told)


def shared_file(size: int) -> int:
    """An open file without a name, in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("pinkx")
    else:
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
    os.ftruncate(handle, size)
    return handle

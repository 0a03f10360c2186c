"""The recent words of one run: preallocated arrays, one writer, any number of readers, no lock.

Rows are words.  The writer fills rows first and raises ``time`` afterwards, so a row below ``time`` is whole; a reader
copies and then looks whether its rows were overwritten meanwhile.  All of it lies in one piece of memory, which two
processes may share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_MARKS: Final = 3


class Ring:
    """The last ``capacity`` words of several named quantities.

    Parameters
    ----------
    widths : mapping of str to int
        Columns of each quantity (cells, or signals).
    capacity : int
        Words kept.
    memory : buffer, optional
        Where it lies, `Ring.size` bytes; what a ring of the same widths and capacity left there is kept.
    """

    def __init__(self, widths: Mapping[str, int], capacity: int, memory: bytearray | memoryview | None = None) -> None:
        if capacity < 1:
            raise ValueError(f"a ring keeps at least one word, got {capacity}")
        self.capacity = capacity
        whole = np.frombuffer(bytearray(self.size(widths, capacity)) if memory is None else memory, dtype=np.int64)
        # How many words were written, the oldest kept, and how often the words were taken back: twice each time, so
        # that the number is odd while it happens.
        self._marks = whole[:_MARKS]
        rows = whole[_MARKS:].view(np.float32)
        self._rows: dict[str, Array] = {}
        begin = 0
        for name, width in widths.items():
            self._rows[name] = rows[begin : begin + capacity * width].reshape(capacity, width)
            begin += capacity * width

    @staticmethod
    def size(widths: Mapping[str, int], capacity: int) -> int:
        """Bytes of memory, a multiple of 8."""
        values = capacity * sum(widths.values())
        return 8 * _MARKS + 4 * (values + values % 2)

    @property
    def time(self) -> int:
        """Words written."""
        return int(self._marks[0])

    @property
    def first(self) -> int:
        """The oldest word still kept."""
        return int(self._marks[1])

    def write(self, values: Mapping[str, NDArray[np.floating]]) -> None:
        """Append the same number of words to every quantity: name → (time, width)."""
        count, time = len(next(iter(values.values()))), self.time
        kept = min(count, self.capacity)  # of a block longer than the ring only its end
        rows = np.arange(time + count - kept, time + count) % self.capacity
        self._marks[1] = max(self.first, time + count - self.capacity)  # before a row is overwritten
        for name, block in values.items():
            self._rows[name][rows] = block[count - kept :]
        self._marks[0] = time + count

    def rewind(self, time: int) -> None:
        """Forget the words from ``time`` on."""
        if not self.first <= time <= self.time:
            raise ValueError(f"word {time} is not kept: the ring holds {self.first} to {self.time}")
        self._take_back(self.first, time)

    def clear(self) -> None:
        """Forget every word."""
        self._take_back(0, 0)

    def _take_back(self, first: int, time: int) -> None:
        self._marks[2] += 1
        self._marks[:2] = time, first
        self._marks[2] += 1

    def read(self, name: str, start: int, stop: int | None = None) -> Array:
        """A copy of words ``start`` to ``stop`` of one quantity, (time, width); shorter where they are not kept.

        The copy ends at ``stop`` or at the newest word, and loses its oldest rows where the writer has passed them.
        """
        rows = self._rows[name]
        while True:
            taken_back = int(self._marks[2])
            if taken_back % 2:
                continue
            begin, end = max(start, self.first), self.time if stop is None else min(stop, self.time)
            values = rows[np.arange(begin, end) % self.capacity]
            if self._marks[2] == taken_back and self.first <= begin:
                return values

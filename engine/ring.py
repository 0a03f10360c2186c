"""The recent words of one run: preallocated arrays, one writer, any number of readers, no lock.

Rows are words.  The writer fills rows first and raises ``time`` afterwards, so a row below ``time`` is whole; a reader
copies and then looks whether its rows were overwritten meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Ring:
    """The last ``capacity`` words of several named quantities.

    Parameters
    ----------
    widths : mapping of str to int
        Columns of each quantity (cells, or signals).
    capacity : int
        Words kept.
    """

    def __init__(self, widths: Mapping[str, int], capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a ring keeps at least one word, got {capacity}")
        self.capacity = capacity
        self.time = 0
        self.first = 0  # the oldest word still kept
        self._rewinds = 0
        self._rows = {name: np.zeros((capacity, width), dtype=np.float32) for name, width in widths.items()}

    def write(self, values: Mapping[str, NDArray[np.floating]]) -> None:
        """Append the same number of words to every quantity: name → (time, width)."""
        count = len(next(iter(values.values())))
        kept = min(count, self.capacity)  # of a block longer than the ring only its end
        rows = np.arange(self.time + count - kept, self.time + count) % self.capacity
        self.first = max(self.first, self.time + count - self.capacity)  # before a row is overwritten
        for name, block in values.items():
            self._rows[name][rows] = block[count - kept :]
        self.time += count

    def rewind(self, time: int) -> None:
        """Forget the words from ``time`` on."""
        if not self.first <= time <= self.time:
            raise ValueError(f"word {time} is not kept: the ring holds {self.first} to {self.time}")
        self._rewinds += 1
        self.time = time

    def read(self, name: str, start: int, stop: int) -> Array:
        """A copy of words ``start`` to ``stop`` of one quantity, (time, width); shorter where they are not kept.

        The copy ends at ``stop`` or at the newest word, and loses its oldest rows where the writer has passed them.
        """
        while True:
            rewinds = self._rewinds
            start, stop = max(start, self.first), min(stop, self.time)
            if stop <= start:
                return self._rows[name][:0].copy()
            values = self._rows[name][np.arange(start, stop) % self.capacity]
            if self._rewinds == rewinds and self.first <= start:
                return values

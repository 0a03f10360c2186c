"""The recent words of one run in preallocated memory that processes may share: one writer, readers, no lock.

Nothing here depends on the order in which a processor makes stores visible. Every row carries a stamp: a hash of its
values, its word number and its epoch, which counts how often words were taken back. A reader copies a row, hashes the
copy and compares. Within an epoch a word is written once, so that a copy that matches is the row of that word, in
whatever order the stores of row, stamp and header arrived; a copy that does not match is read again. The header (epoch,
first word, end) lies in two slots with check sums, written in turn: at most one of them is being written.

A lock would also work, but a reader that is stopped or killed while it holds the lock would stop the engine, and a
sequence counter needs memory barriers, which Python does not offer. If the writer is killed while it writes, readers
get the rows that match.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernels.cpu.row_stamps import EPOCH_WEIGHT, UInt32s, UInt64s, get_rows, odd_weights, put_rows

Array = NDArray[np.float32]

PATIENCE: Final = 0.02  # seconds that a reader waits for rows that match


class _Header(NamedTuple):
    sequence: int  # counts headers
    epoch: int
    first: int  # the oldest word stored
    end: int  # the count of words written

    @property
    def check(self) -> int:
        return sum(weight * field for weight, field in zip(_HEADER_WEIGHTS, self, strict=True)) % (1 << 64)


class _Column(NamedTuple):
    """The rows of one quantity."""

    rows: UInt32s
    stamps: UInt64s
    weights: UInt64s


_FIELDS: Final = len(_Header._fields)
_HEADER_WEIGHTS: Final = odd_weights(_FIELDS, seed=2).tolist()
_HEADERS: Final = 2 * (_FIELDS + 1)  # 64-bit integers of both slots


class Ring:
    """The last ``capacity`` words of several named quantities.

    Parameters
    ----------
    widths : mapping of str to int
        Columns of each quantity (cells, or signals).
    capacity : int
        Words stored.
    memory : buffer, optional
        `Ring.size` bytes, zero or written by another ring of the same widths and capacity. Only one of the rings may
        write.
    patience : float
        Seconds that `read` waits for rows that match their stamps.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        capacity: int,
        memory: bytearray | memoryview | None = None,
        patience: float = PATIENCE,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"a ring stores at least one word, got {capacity}")
        self.capacity = capacity
        self._patience = patience
        whole = np.frombuffer(bytearray(self.size(widths, capacity)) if memory is None else memory, dtype=np.uint64)
        self._slots = whole[:_HEADERS].reshape(2, _FIELDS + 1)
        self._header = _Header(0, 0, 0, 0)  # the last one written or read by this ring
        self._writes = False
        stamps, values = np.split(whole[_HEADERS:], [capacity * len(widths)])
        starts = np.cumsum([0, *(capacity * width for width in widths.values())])
        self._columns = {
            name: _Column(
                values.view(np.uint32)[start : start + capacity * width].reshape(capacity, width),
                stamps[k * capacity : (k + 1) * capacity],
                odd_weights(width, seed=3),
            )
            for k, ((name, width), start) in enumerate(zip(widths.items(), starts, strict=False))
        }
        self.read(next(iter(widths)), 0, 0)  # compiles the kernel here and not in a view's first frame

    @staticmethod
    def size(widths: Mapping[str, int], capacity: int) -> int:
        """Return the bytes of memory, a multiple of 8."""
        values = capacity * sum(widths.values())
        return 8 * (_HEADERS + capacity * len(widths)) + 4 * (values + values % 2)

    @property
    def time(self) -> int:
        """Count of words written."""
        return self._newest().end

    @property
    def first(self) -> int:
        """The oldest word stored."""
        return self._newest().first

    # ---- the writer ------------------------------------------------------------------------------------------

    def write(self, values: Mapping[str, NDArray[np.floating]]) -> None:
        """Append the same count of words to every quantity: name → (time, width)."""
        _, epoch, first, end = self._newest()
        count = len(next(iter(values.values())))
        stored = min(count, self.capacity)  # of a block longer than the ring, its end
        word = end + count - stored
        first = max(first, end + count - self.capacity)
        self._publish(epoch, first, end)  # before rows are overwritten: readers then need not wait for them
        for name, block in values.items():
            rows, stamps, weights = self._columns[name]
            numbers = np.ascontiguousarray(block[count - stored :], dtype=np.float32).view(np.uint32)
            put_rows(rows, stamps, weights, numbers, word, epoch)
        self._publish(epoch, first, end + count)

    def rewind(self, time: int) -> None:
        """Drop the words from ``time`` on."""
        _, epoch, first, end = self._newest()
        if not first <= time <= end:
            raise ValueError(f"word {time} is not stored: the ring holds {first} to {end}")
        stored = np.arange(first, time) % self.capacity
        for column in self._columns.values():
            column.stamps[stored] += EPOCH_WEIGHT
        self._publish(epoch + 1, first, time)

    def clear(self) -> None:
        """Drop every word."""
        self._publish(self._newest().epoch + 1, 0, 0)

    def _publish(self, epoch: int, first: int, end: int) -> None:
        header = _Header(self._newest().sequence + 1, epoch, first, end)
        self._slots[header.sequence % 2] = (*header, header.check)
        self._header, self._writes = header, True

    # ---- readers ---------------------------------------------------------------------------------------------

    def read(self, name: str, start: int, stop: int | None = None) -> Array:
        """Copy words ``start`` to ``stop`` of one quantity, (time, width); fewer where they are not stored.

        The copy ends at ``stop`` or at the newest word; rows that the writer overwrites meanwhile are cut off its
        beginning. After ``patience`` seconds it holds only the last rows that match their stamps.
        """
        rows, stamps, weights = self._columns[name]
        deadline = None
        while True:
            header = self._newest()
            begin, end = max(start, header.first), header.end if stop is None else min(stop, header.end)
            copy = np.empty((max(0, end - begin), rows.shape[1]), dtype=np.float32)
            unverified = get_rows(rows, stamps, weights, copy.view(np.uint32), begin, header.epoch)
            now = self._newest()
            overwritten = now.epoch == header.epoch and begin + unverified <= now.first
            if not unverified or overwritten or (deadline is not None and time.monotonic() > deadline):
                return copy[unverified:]
            deadline = deadline or time.monotonic() + self._patience
            time.sleep(0)  # another thread may be the writer

    def _newest(self) -> _Header:
        """Return the newest header that matches its check sum."""
        if self._writes:
            return self._header
        for *fields, check in self._slots.tolist():
            header = _Header(*fields)
            if header.check == check and header.sequence > self._header.sequence:
                self._header = header
        return self._header

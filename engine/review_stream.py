"""Reviews of any source as a stream of batches: memory is bounded, whatever the number of reviews.

A thread reads ahead by a few batches while the caller measures those before.  What a label means may depend on all of
them, so labels, one byte each, are there after the last batch.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.reviews import read_into
from engine.sources.collection import Reviews, SourceReport
from engine.sources.options import DEFAULTS, ReadOptions

BATCH: Final = 4096  # reviews
_CHARACTERS: Final = 1 << 24  # of a batch: long reviews make smaller ones
_AHEAD: Final = 2  # batches that wait
_POLL: Final = 0.1  # seconds between two looks whether the caller has gone


class _AbandonedError(Exception):
    """The caller wants no more batches."""


class _Forwarding(Reviews):
    """Passes texts on and stores only labels; the order is that of reading."""

    def __init__(self, stream: ReviewStream) -> None:
        super().__init__()
        self._stream = stream

    def append(self, name: str, text: str, label: bool | None) -> None:
        self._labels.append(-1 if label is None else int(label))
        self._stream._take(text)

    def reordered(self, order: Sequence[int]) -> Reviews:
        return self

    @property
    def labels(self) -> NDArray[np.int8]:
        return np.frombuffer(self._labels, dtype=np.int8)


class ReviewStream:
    """The texts of a source, batch by batch; iterate over it once.

    Parameters
    ----------
    source, split, imdb, options
        See `engine.reviews.open_reviews`.
    batch : int
        Reviews of a batch, fewer where they are long.

    Attributes
    ----------
    labels : (review,) int8 array
        1, 0, or −1 without a label, in the order of the texts; complete after the last batch.
    report : SourceReport
        What was read and skipped; complete after the last batch.
    fraction : float or None
        How much of the file is read; None for a source of unknown size.

    Raises
    ------
    ReviewError
        While iterating, if the source cannot be read.
    """

    def __init__(
        self,
        source: str | Path | None = None,
        *,
        split: str = "",
        imdb: str | Path | None = None,
        options: ReadOptions = DEFAULTS,
        batch: int = BATCH,
    ) -> None:
        self._arguments = source, split, imdb, self._progress, options
        self._batch = batch
        self._reviews = _Forwarding(self)
        self._pending: list[str] = []
        self._characters = 0
        self._queue: queue.Queue[list[str] | Exception | None] = queue.Queue(_AHEAD)
        self._abandoned = threading.Event()
        self.fraction: float | None = None

    @property
    def labels(self) -> NDArray[np.int8]:
        return self._reviews.labels

    @property
    def report(self) -> SourceReport:
        return self._reviews.report

    def __iter__(self) -> Iterator[list[str]]:
        thread = threading.Thread(target=self._read, name="pinkx reviews", daemon=True)
        thread.start()
        try:
            while (item := self._queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self._abandoned.set()
            thread.join()

    def _read(self) -> None:
        try:
            read_into(self._reviews, *self._arguments)
            if self._pending:
                self._put(self._pending)
            self._put(None)
        except _AbandonedError:
            pass
        except Exception as error:
            with suppress(_AbandonedError):
                self._put(error)

    def _take(self, text: str) -> None:
        self._pending.append(text)
        self._characters += len(text)
        if len(self._pending) >= self._batch or self._characters >= _CHARACTERS:
            batch, self._pending, self._characters = self._pending, [], 0
            self._put(batch)

    def _put(self, item: list[str] | Exception | None) -> None:
        while not self._abandoned.is_set():
            try:
                return self._queue.put(item, timeout=_POLL)
            except queue.Full:
                continue
        raise _AbandonedError

    def _progress(self, done: int, total: int) -> None:
        self.fraction = done / total if total else None

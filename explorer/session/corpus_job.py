"""Measuring reviews in the worker process, which gets the text of each once and stores its ids.

`SentReviews` knows in the process of the front end what the worker has; the functions below run in the worker.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Core
from explorer.session.jobs import Report

if TYPE_CHECKING:
    from engine.network import Network
    from engine.ragged import StoredReviews
    from engine.reviews import Review

SIGNALS: Final = ("h", "x")
MISSING: Final = "the worker process has not these reviews"
_STORED: Final = 2  # networks whose encoded reviews the worker process stores

_Encoded = tuple[NDArray[np.int32], "bool | None"]


@dataclass(frozen=True)
class Numbers:
    """Numbers of reviews under which the worker process stores them, −1 for one that is typed; ``key`` is that of the
    source and the vocabulary."""

    key: int
    of: tuple[int, ...]


class SentReviews:
    """Record of the reviews of the source that the worker process has, for the network that reads.

    Parameters
    ----------
    core : Core
    """

    _keys = count(1)  # of all sessions: they may share a worker process

    def __init__(self, core: Core) -> None:
        self._core = core
        self._network: Network | None = None
        self.forget()

    def forget(self) -> None:
        """Send every review again."""
        self._key = next(self._keys)
        self._sent = np.zeros(0, dtype=bool)

    def has(self, network: Network, numbers: Sequence[int]) -> bool:
        """Return whether the worker process has all these reviews."""
        return network is self._network and len(self._sent) > max(numbers) and bool(self._sent[list(numbers)].all())

    def take(self, network: Network, numbers: Sequence[int]) -> tuple[list[Review | None], Numbers]:
        """Return reviews to send to the worker process, None for one that it has, and their numbers."""
        if network is not self._network:
            self._network = network
            self.forget()
        total = len(self._core.reviews)
        self._sent = np.concatenate([self._sent, np.zeros(total - len(self._sent), dtype=bool)])
        reviews = [None if self._sent[k] else self._core.reviews[k] for k in numbers]
        self._sent[list(numbers)] = True
        return reviews, Numbers(self._key, tuple(numbers))


_encoded: dict[int, dict[int, _Encoded]] = {}
_lock = threading.Lock()


def encoded(network: Network, reviews: Sequence[Review | None], numbers: Numbers) -> tuple[list[Any], list[Any]]:
    """Return the ids and the labels of reviews; in the worker process.

    Raises
    ------
    LookupError
        If one was sent to another process, or is not encoded yet: then all must be sent again.
    """
    vocabulary = network.text_vocabulary
    assert vocabulary is not None, "a corpus is read by networks of words"
    with _lock:
        stored = _encoded.setdefault(numbers.key, {})
        while len(_encoded) > _STORED:
            del _encoded[next(key for key in _encoded if key != numbers.key)]
    found: list[_Encoded] = []
    for number, review in zip(numbers.of, reviews, strict=True):
        if review is not None:
            entry = vocabulary.encode(network.split(review.text)).astype(np.int32), review.label
            if number >= 0:
                stored[number] = entry
        elif number in stored:
            entry = stored[number]
        else:
            raise LookupError(MISSING)
        found.append(entry)
    return [ids for ids, _ in found], [label for _, label in found]


class Notice(str):
    """Notice to the user about the device; a job sends it as one of its results."""


_devices: dict[str, str] = {}


def device_of(name: str) -> str:
    """Return the device for many reviews by the rule of ``--device``; in the worker process."""
    if name not in _devices:
        from engine.devices import choose

        try:
            _devices[name] = choose(name, "reviews").device
        except ValueError:  # the front end has reported it
            _devices[name] = "cpu"
    return _devices[name]


def use_cpu(name: str) -> None:
    """Let the worker process compute on the CPU from now on, because the GPU failed."""
    _devices[name] = "cpu"


_whole: tuple[tuple[int, bytes], StoredReviews] | None = None


def _stored(key: int, numbers: NDArray[np.int64], ids: Sequence[NDArray[np.integer]]) -> StoredReviews:
    """Return reviews as the last call for the same numbers did, so that a GPU keeps what it has prepared."""
    global _whole
    from engine.ragged import StoredReviews

    with _lock:
        if _whole is None or _whole[0] != (key, numbers.tobytes()):
            _whole = (key, numbers.tobytes()), StoredReviews(ids)
        return _whole[1]


def send_rows(
    report: Report,
    network: Network,
    clamps: Mapping[str, Any],
    reviews: Sequence[Review | None],
    numbers: Numbers,
    device: str,
) -> None:
    """Job: send the rows of these reviews, batch by batch; the CPU measures what is left when a GPU fails."""
    from engine.beta import measure_encoded
    from engine.devices import failure

    ids, labels = encoded(network, reviews, numbers)
    places, on, done = np.arange(len(ids)), device_of(device), 0
    if on != "cpu":
        places = np.argsort(numbers.of, kind="stable")
        source: Sequence[NDArray[np.integer]] = [ids[k] for k in places.tolist()]
        if len(ids) > 1:  # a typed review does not replace all others
            source = _stored(numbers.key, np.array(numbers.of)[places], source)
        sorted_labels = [labels[k] for k in places.tolist()]

        def notify(text: str) -> None:
            report(Notice(text))

        try:
            for rows in measure_encoded(
                network.to(device=on), source, sorted_labels, SIGNALS, clamp=clamps, notify=notify
            ):
                rows["review"] = places[rows["review"]]
                done += len(rows)
                report(rows)
            return
        except ValueError:
            raise
        except Exception as error:
            use_cpu(device)
            notify(f"the GPU failed ({failure(error)}): the CPU measures the reviews")
    left = places[done:].tolist()
    for rows in measure_encoded(network, [ids[k] for k in left], [labels[k] for k in left], SIGNALS, clamp=clamps):
        rows["review"] = np.array(left)[rows["review"]]
        report(rows)

"""The engine of a live run in a process of its own, seen from the process that looks on.

What goes between the two is pickled by the two halves of one program and never read from a file.  Importing this needs
no PyTorch, so that a program can let the process load its own while it loads.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from itertools import count
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine.live.shared_state import Block
from engine.live.worker import Worker
from engine.text import Review

if TYPE_CHECKING:
    from engine.live.ring import Ring
    from engine.live.run import Settings
    from engine.live.snapshot import Event, Snapshot
    from engine.network import Network

SOURCES: Final = 4  # sources of reviews that the process keeps, so that turning pages sends none again
_NUMBERED: Final = 64  # sources that are known here, for commands may still wait
_STOP_SECONDS: Final = 5.0


class Apart:
    """A process for one `engine.live.stream.Stream`.  It begins to load at once; the stream, or ``close``, ends it.

    Raises
    ------
    OSError
        If no process can be begun.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._started = False
        self._ready: Future[None] = Future()
        self._closed = False
        self._numbers = count(1)
        self._networks: dict[int, Network] = {}  # given away, and not yet in use
        self._takes: dict[int, Callable[[Any], None]] = {}  # who waits for a recording
        self._keeps: dict[int, Callable[[Any], None]] = {}  # who is handed runs
        self._sent: dict[int, None] = {}  # sources that the process keeps, the last used last
        self._sources: dict[int, Sequence[Review]] = {}
        # The block that is looked at, and its network; then those that wait for their first state.
        self._blocks: list[tuple[Block, Network | None]] = []
        self._seen = 0
        self._snapshot: Snapshot | None = None
        self._memory, theirs = socket.socketpair()
        with theirs:
            self._worker = Worker(
                "engine.live.engine_server:serve",
                theirs.fileno(),
                name="pinkx engine's process",
                on_message=lambda message: self._heed(*message),
                on_exit=self._exited,
                on_send_error=lambda _, error: self._fail(error),
                handles=[theirs.fileno()],
            )

    # ---- what a stream asks ----------------------------------------------------------------------------------

    def start(self, network: Network, settings: Settings, events: queue.SimpleQueue[Event]) -> None:
        """Begin the run; returns when it stands.

        Raises
        ------
        ValueError
            If the network takes no reviews, or a setting cannot be.
        OSError
            If the process ended.
        """
        from engine.live.run import NOTHING

        self._sources[0] = NOTHING
        self._events = events
        self._started = True
        self._worker.send(("start", self._number(network), network, settings))
        try:
            self._ready.result()
        except Exception:
            self.close()
            raise

    def give(self, name: str, *arguments: Any) -> None:
        """A command; returns at once."""
        with self._lock:
            if name == "open":
                arguments = self._source(*arguments)
            elif name == "use" and not isinstance(arguments[0], str | PathLike):
                arguments = (self._number(arguments[0]), arguments[0])
            elif name in ("take", "record") and arguments[0] is not None:
                number, calls = next(self._numbers), self._takes if name == "take" else self._keeps
                calls[number], arguments = arguments[0], (number,)
            self._worker.send((name, *arguments))

    @property
    def snapshot(self) -> Snapshot:
        """Where the run stands."""
        with self._lock:
            block, network = self._newest()
            if block.shown != self._seen:
                self._seen, state = block.look()
                self._snapshot = self._read(state, network)
            assert self._snapshot is not None
            return self._snapshot

    @property
    def ring(self) -> Ring:
        with self._lock:
            return self._newest()[0].ring

    def close(self) -> None:
        """End the process; by force if it does not end within five seconds."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._worker.close(_STOP_SECONDS if self._started else 0)
        self._memory.close()

    # ---- numbers that stand for things -----------------------------------------------------------------------

    def _number(self, network: Network) -> int:
        number = next(self._numbers)
        self._networks[number] = network
        return number

    def _source(self, reviews: Sequence[Review], index: int) -> tuple[Any, ...]:
        """The number of a source, its reviews where the process has them not, and the index."""
        number = next((k for k, known in self._sources.items() if known is reviews), None) or next(self._numbers)
        self._sources.pop(number, None)
        self._sources[number] = reviews
        while len(self._sources) > _NUMBERED:
            del self._sources[next(iter(self._sources))]
        kept = number in self._sent
        remember(self._sent, number, None)
        return number, None if kept else reviews, index

    # ---- what comes up ---------------------------------------------------------------------------------------

    def _newest(self) -> tuple[Block, Network | None]:
        newest = max((k for k, (block, _) in enumerate(self._blocks) if block.shown), default=0)
        if newest:
            del self._blocks[:newest]
            self._seen = 0
        return self._blocks[0]

    def _read(self, state: tuple[int, dict[str, Any]], network: Network | None) -> Snapshot:
        """A state as a snapshot, with the objects of this process in it."""
        from engine.live.replay import RecordedReview
        from engine.live.snapshot import Snapshot

        before = self._snapshot
        source, told = state
        if source not in self._sources:  # many have been opened since: the next state is of one of them
            assert before is not None
            return before
        review = self._sources[source][told["index"]]
        if isinstance(review, RecordedReview):
            network = review.network
        assert network is not None
        assert network.vocabulary is not None
        if before is not None and before.run == told["run"] and before.network is network:
            ids = before.ids
        else:
            ids = network.vocabulary.encode(review.words)
        if before is not None and before.network is network and _equal(before.clamps, told["clamps"]):
            told["clamps"] = before.clamps
        return Snapshot(network=network, review=review, ids=ids, reviews=len(self._sources[source]), **told)

    # ---- threads ---------------------------------------------------------------------------------------------

    def _fail(self, message: str) -> None:
        from engine.live.snapshot import Event

        self._events.put(Event("failed", self.snapshot.run, message))

    def _exited(self, reason: str) -> None:
        message = f"the engine's process ended by itself, with {reason}; leave pinkx and open it again"
        if not self._ready.done():
            self._ready.set_exception(OSError(message))
        elif self._ready.exception() is None:  # else it ended because it refused the run
            with self._lock:
                self._snapshot = replace(self.snapshot, playing=False)
            for give in self._takes.values():
                give(None)
            self._fail(message)

    def _heed(self, kind: str, *told: Any) -> None:
        if kind == "event":
            self._events.put(told[0])
        elif kind == "block":
            number, network, *layout = told
            handles = socket.recv_fds(self._memory, 1, 1)[1]
            with self._lock:
                self._blocks.append((Block(handles[0], *layout), self._networks.pop(number, network)))
        elif kind == "taken":
            self._takes.pop(told[0])(told[1])
        elif kind == "kept":
            self._keeps[told[0]](told[1])
        elif kind == "refused":
            self._ready.set_exception(ValueError(told[0]))
        else:
            self._ready.set_result(None)


def remember(kept: dict[int, Any], number: int, source: Any) -> None:
    """Put a source last and let the first go: what one process keeps the other knows, since both do this in order."""
    kept.pop(number, None)
    kept[number] = source
    while len(kept) > SOURCES:
        del kept[next(iter(kept))]


def _equal(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k], equal_nan=True) for k in one)

"""The engine of a live run in a process of its own, as the process of the views sees it.

Importing this needs no PyTorch, so that a program can start the process before it loads PyTorch itself.
"""

from __future__ import annotations

import queue
import socket
import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine.live import inheritance
from engine.live.codec import Encoder, NewMemory, Ready, Recorded, Refused, Start
from engine.live.inheritance import NamedMemory
from engine.live.pushes import same_pushes
from engine.live.worker import Worker

if TYPE_CHECKING:
    from engine.live.commands import Command
    from engine.live.ring import Ring
    from engine.live.run import Settings
    from engine.live.shared_state import SharedState
    from engine.live.snapshot import Event, Snapshot
    from engine.network import Network

_STOP_SECONDS: Final = 5.0


class EngineProcess:
    """The engine of one `engine.live.stream.Stream`. It loads PyTorch at once; the stream, or `close`, ends it.

    Raises
    ------
    OSError
        If the process cannot be started.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._encoder = Encoder()
        self._ready: Future[None] = Future()
        self._started = self._closed = False
        # The shared memory in use, and its network; then memories that wait for their first state.
        self._memories: list[tuple[SharedState, Network | None]] = []
        self._seen = 0  # the number of the state in `_snapshot`
        self._snapshot: Snapshot | None = None
        self._handles, theirs = socket.socketpair()  # open files come up here, where the system can send them
        passed = [theirs.fileno()] if inheritance.PASSES_FILES else []
        with theirs:
            self.worker = Worker(
                "engine.live.engine_server:serve",
                *(passed or [-1]),
                name="pinkx engine process",
                on_message=self._receive,
                on_exit=self._exited,
                on_send_error=lambda _, reason: self._fail(reason),
                handles=passed,
            )

    # ---- for the stream --------------------------------------------------------------------------------------

    def start(self, network: Network, settings: Settings, events: queue.SimpleQueue[Event]) -> None:
        """Start the run, and return when it has its first state.

        Raises
        ------
        ValueError
            If the network reads no reviews, or a setting is invalid.
        OSError
            If the process ended.
        """
        self._events = events
        self._started = True
        self.worker.send(Start(self._encoder.number(network), network, settings))
        try:
            self._ready.result()
        except Exception:
            self.close()
            raise

    def send(self, command: Command) -> None:
        """Send a command; return at once."""
        with self._lock:
            self.worker.send(self._encoder.encode(command))

    @property
    def snapshot(self) -> Snapshot:
        """The newest state of the run."""
        with self._lock:
            shared, network = self._newest_memory()
            if shared.newest != self._seen and (found := shared.read()) is not None and found[0] != self._seen:
                self._seen, (source, fields) = found
                self._snapshot = self._snapshot_of(source, fields, network)
            assert self._snapshot is not None
            return self._snapshot

    @property
    def ring(self) -> Ring:
        """The signals of the run."""
        with self._lock:
            return self._newest_memory()[0].ring

    def close(self) -> None:
        """End the process; kill it if it does not end within five seconds."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self.worker.close(_STOP_SECONDS if self._started else 0)
        self._handles.close()

    # ---- states ----------------------------------------------------------------------------------------------

    def _newest_memory(self) -> tuple[SharedState, Network | None]:
        """Return the last memory that has a state, and drop those before it."""
        for k in range(len(self._memories) - 1, 0, -1):
            if self._memories[k][0].newest and self._memories[k][0].read() is not None:
                del self._memories[:k]
                self._seen = 0
                break
        return self._memories[0]

    def _snapshot_of(self, source: int, fields: dict[str, Any], network: Network | None) -> Snapshot:
        """Complete a state with the objects of this process."""
        from engine.live.replay import RecordedReview
        from engine.live.snapshot import Snapshot
        from engine.sequences import encoded

        before, reviews = self._snapshot, self._encoder.sources.get(source)
        if reviews is None:  # many sources were opened since: the next state is of one of them
            assert before is not None
            return before
        review = reviews[fields["index"]]
        if isinstance(review, RecordedReview):
            network = review.network
        assert network is not None
        ids = None
        if before is not None and before.network is network:  # the same objects, as long as nothing changed
            ids = before.ids if before.run == fields["run"] else None
            if _equal(before.clamps, fields["clamps"]):
                fields["clamps"] = before.clamps
            if same_pushes(before.pushes, fields["pushes"]):
                fields["pushes"] = before.pushes
        if ids is None:
            ids = encoded(network, review)
        return Snapshot(network=network, review=review, ids=ids, reviews=len(reviews), **fields)

    # ---- in the threads of the worker ------------------------------------------------------------------------

    def _receive(self, message: Ready | Refused | NewMemory | Recorded | Event) -> None:
        match message:
            case Ready():
                self._ready.set_result(None)
            case Refused(reason):
                self._ready.set_exception(ValueError(reason))
            case Recorded():
                self._encoder.deliver(message)
            case NewMemory(number, network, widths, capacity, room, name):
                from engine.live.shared_state import SharedState

                source = NamedMemory(name) if name else socket.recv_fds(self._handles, 1, 1)[1][0]
                shared = SharedState(source, widths, capacity, room)
                with self._lock:
                    self._memories.append((shared, self._encoder.networks.pop(number, network)))
            case _:
                self._events.put(message)

    def _exited(self, reason: str) -> None:
        message = f"the engine's process ended by itself, with {reason}: open pinkx again, or on the desktop press F5"
        if not self._ready.done():
            self._ready.set_exception(OSError(message))
        elif self._ready.exception() is None:  # else it ended because it refused the run
            with self._lock:
                self._snapshot = replace(self.snapshot, playing=False, lost=True)
            self._encoder.abandon()
            self._fail(message)

    def _fail(self, reason: str) -> None:
        from engine.live.snapshot import Event

        self._events.put(Event("failed", self.snapshot.run, reason))


def _equal(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k], equal_nan=True) for k in one)

"""The process of the engine: the other end of `engine.live.engine_process`."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

from engine.live.codec import Decoder, NewMemory, NumberedReviews, Ready, Refused, Start
from engine.live.replay import RecordedNetwork
from engine.live.ring import Ring
from engine.live.run import LiveRun
from engine.live.shared_state import SharedState, shared_file
from engine.live.snapshot import Event, Snapshot
from engine.live.worker import ParentConnection
from engine.network import Network
from engine.text import Review

# The fields of a snapshot that are published; the process of the views adds the others.
_PUBLISHED: Final = [f.name for f in fields(Snapshot) if f.name not in ("network", "review", "ids", "reviews", "lost")]
_ROOM: Final = 1 << 16, 1024  # bytes for a state, and for each cell: α, its reason, activity, clamps


def serve(pipe_handle: int, socket_handle: int) -> None:
    """Run what the parent asks for, until it closes the pipe."""
    parent = ParentConnection(pipe_handle)
    decoder = Decoder(parent.send)
    start: Start = parent.receive()
    decoder.numbers[start.network] = start.number
    try:
        run = LiveRun(start.network, start.settings, _Publisher(parent, socket.socket(fileno=socket_handle), decoder))
    except Exception as error:  # the parent raises it again
        parent.send(Refused(str(error) or repr(error)))
        os._exit(1)
    parent.send(Ready())

    def receive() -> None:
        while (message := parent.receive()) is not None:
            run.commands.put(decoder.decode(message))
        run.commands.put(None)

    threading.Thread(target=receive, daemon=True).start()
    run.work()
    os._exit(0)  # nothing is left to write


class _Publisher:
    """The outlet of the run: publishes its states in shared memory and sends its events."""

    def __init__(self, parent: ParentConnection, handles: socket.socket, decoder: Decoder) -> None:
        self._parent, self._handles, self._decoder = parent, handles, decoder
        self._shared: SharedState | None = None

    def allocate(self, network: Network, widths: Mapping[str, int], capacity: int) -> Ring:
        room = _ROOM[0] + _ROOM[1] * network.cell.size
        handle = shared_file(SharedState.size(widths, capacity, room))
        number = self._decoder.numbers.pop(network, 0)
        # The views have a network that they numbered, and find a recorded one at its review.
        loaded = None if number or isinstance(network, RecordedNetwork) else network
        socket.send_fds(self._handles, [b"."], [handle])
        self._parent.send(NewMemory(number, loaded, dict(widths), capacity, room))
        self._shared = SharedState(handle, widths, capacity, room)
        return self._shared.ring

    def publish(self, snapshot: Snapshot, reviews: Sequence[Review]) -> None:
        assert self._shared is not None
        source = reviews.number if isinstance(reviews, NumberedReviews) else 0
        self._shared.publish((source, {name: getattr(snapshot, name) for name in _PUBLISHED}))

    def emit(self, event: Event) -> None:
        self._parent.send(event)

"""The process of the engine: the other end of `engine.live.engine_process`."""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

from engine.live.codec import Decoder, NewMemory, NumberedReviews, Ready, Refused, Start
from engine.live.inheritance import NamedMemory
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
_NAMED: Final = 8  # named memories that stay, because the views may not have opened them yet
_ROOM: Final = 1 << 16, 1024  # bytes for a state, and for each cell: α, its reason, activity, clamps


def serve(pipe_handle: int, socket_handle: int) -> None:
    """Run what the parent asks for, until it closes the pipe."""
    parent = ParentConnection(pipe_handle)
    decoder = Decoder(parent.send)
    start: Start = parent.receive()
    decoder.numbers[start.network] = start.number
    try:
        handles = None if socket_handle < 0 else socket.socket(fileno=socket_handle)
        run = LiveRun(start.network, start.settings, _Publisher(parent, handles, decoder))
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
    """The outlet of the run: publishes its states in shared memory and sends its events.

    Without a socket ``handles`` that passes open files, the memory has a name.
    """

    def __init__(self, parent: ParentConnection, handles: socket.socket | None, decoder: Decoder) -> None:
        self._parent, self._handles, self._decoder = parent, handles, decoder
        self._shared: SharedState | None = None
        self._named: deque[NamedMemory] = deque(maxlen=_NAMED)

    def allocate(self, network: Network, widths: Mapping[str, int], capacity: int) -> Ring:
        room = _ROOM[0] + _ROOM[1] * network.cell.size
        size = SharedState.size(widths, capacity, room)
        number = self._decoder.numbers.pop(network, 0)
        # The views have a network that they numbered, and find a recorded one at its review.
        loaded = None if number or isinstance(network, RecordedNetwork) else network
        source: int | NamedMemory
        if self._handles is None:
            source = NamedMemory(create=True, size=size)
            self._named.append(source)
        else:
            source = shared_file(size)
            socket.send_fds(self._handles, [b"."], [source])
        name = "" if isinstance(source, int) else source.name
        self._parent.send(NewMemory(number, loaded, dict(widths), capacity, room, name))
        self._shared = SharedState(source, widths, capacity, room)
        return self._shared.ring

    def publish(self, snapshot: Snapshot, reviews: Sequence[Review]) -> None:
        assert self._shared is not None
        source = reviews.number if isinstance(reviews, NumberedReviews) else 0
        self._shared.publish((source, {name: getattr(snapshot, name) for name in _PUBLISHED}))

    def emit(self, event: Event) -> None:
        self._parent.send(event)

"""The other half of `engine.live.engine_process`: the process in which a live run is."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from engine.live.engine_process import remember
from engine.live.replay import RecordedNetwork
from engine.live.ring import Ring
from engine.live.run import LiveRun
from engine.live.shared_state import Block, shared_file
from engine.live.snapshot import Event, Snapshot
from engine.live.worker import ParentConnection
from engine.network import Network
from engine.text import Review

# The state of a run without what the other process knows by its number.
_TOLD: Final = [f.name for f in fields(Snapshot) if f.name not in ("network", "review", "ids", "reviews")]
_ROOM: Final = 1 << 16, 1024  # bytes for a state, and for each cell: α, its reason, activity, values held


def serve(pipe_handle: int, memory_handle: int) -> None:
    """Run what the other end of the pipe asks for, until it closes."""
    outlet = _Outlet(ParentConnection(pipe_handle), socket.socket(fileno=memory_handle))
    _, number, network, settings = outlet.parent.receive()
    outlet.given[id(network)] = number
    try:
        run = LiveRun(network, settings, outlet)
    except Exception as error:  # whatever it is, who began this tells it
        outlet.send("refused", str(error) or repr(error))
        os._exit(1)
    outlet.send("ready")
    threading.Thread(target=_obey, args=(outlet, run), daemon=True).start()
    run.work()
    os._exit(0)  # nothing is left to write


def _obey(outlet: _Outlet, run: LiveRun) -> None:
    while (order := outlet.parent.receive()) is not None:
        name, *arguments = order
        run.commands.put((name, outlet.meant(name, *arguments)))
    run.commands.put(None)


class _Source(list[Review]):
    """Reviews, and the number by which the other process knows them."""

    number = 0


class _Outlet:
    """Sends what the run finds, and knows what the numbers of the other process stand for."""

    def __init__(self, parent: ParentConnection, memory: socket.socket) -> None:
        self.parent, self._memory = parent, memory
        self.given: dict[int, int] = {}  # the numbers of networks by their identities
        self._sources: dict[int, _Source] = {}
        self._block: Block | None = None

    def send(self, *message: Any) -> None:
        self.parent.send(message)

    def meant(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        """The arguments of a command, with things in the place of numbers."""
        if name == "open":
            number, reviews, index = arguments
            source = self._sources[number] if reviews is None else _Source(reviews)
            source.number = number
            remember(self._sources, number, source)
            return source, index
        if name == "use" and len(arguments) == 2:
            number, network = arguments
            self.given[id(network)] = number
            return (network,)
        if name == "take":
            return (lambda run: self.send("taken", arguments[0], run),)
        if name == "record" and arguments[0] is not None:
            return (lambda run: self.send("kept", arguments[0], run),)
        return arguments

    # ---- the outlet of the run -------------------------------------------------------------------------------

    def take_over(self, network: Network, widths: Mapping[str, int], capacity: int) -> Ring:
        room = _ROOM[0] + _ROOM[1] * network.cell.size
        handle = shared_file(Block.size(widths, capacity, room))
        number = self.given.pop(id(network), 0)
        # The other process has given it, finds a recorded one at the review, or gets what was loaded here.
        loaded = None if number or isinstance(network, RecordedNetwork) else network
        socket.send_fds(self._memory, [b"."], [handle])
        self.send("block", number, loaded, dict(widths), capacity, room)
        self._block = Block(handle, widths, capacity, room)
        return self._block.ring

    def show(self, snapshot: Snapshot, reviews: Sequence[Review]) -> None:
        assert self._block is not None
        source = reviews.number if isinstance(reviews, _Source) else 0
        told = {name: getattr(snapshot, name) for name in _TOLD}
        self._block.show((source, told))

    def tell(self, event: Event) -> None:
        self.send("event", event)

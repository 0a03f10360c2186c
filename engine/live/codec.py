"""Commands and answers as they travel between the process of the views and that of the engine.

Networks, sources of reviews and functions belong to the process of the views, and the other process knows them by
number. A source travels once, as long as it is among the last `SOURCES` that were opened; both ends drop the same ones.
Importing this needs no PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload
from weakref import WeakKeyDictionary

from engine.live.commands import NO_REVIEWS, Command, Extend, Open, RecordRuns, TakeRecording, UseNetwork
from engine.text import Review

if TYPE_CHECKING:
    from engine.live.replay import RecordedReview
    from engine.live.run import Settings
    from engine.network import Network

SOURCES: Final = 4  # sources that the engine's process stores, so that turning pages sends none again
KNOWN_SOURCES: Final = 64  # sources that the views' process stores, for commands and states may still name them

_T = TypeVar("_T")


@dataclass(frozen=True)
class Start:
    """Start the run; the first message to the engine's process."""

    number: int
    network: Network
    settings: Settings


@dataclass(frozen=True)
class OpenNumbered:
    """`Open`; without the reviews of a source that the engine's process stores."""

    source: int
    reviews: Sequence[Review] | None
    index: int


@dataclass(frozen=True)
class ExtendNumbered:
    """`Extend` of a source that the engine's process may store."""

    source: int
    first: int
    more: Sequence[Review]


@dataclass(frozen=True)
class UseNumbered:
    """`UseNetwork` with a network that the views have."""

    number: int
    network: Network


@dataclass(frozen=True)
class TakeNumbered:
    """`TakeRecording`."""

    request: int


@dataclass(frozen=True)
class RecordNumbered:
    """`RecordRuns`."""

    request: int


@dataclass(frozen=True)
class Recorded:
    """A recording for a request."""

    request: int
    recording: RecordedReview | None


@dataclass(frozen=True)
class Ready:
    """The run has started."""


@dataclass(frozen=True)
class Refused:
    """The run cannot start; the engine's process ends."""

    reason: str


@dataclass(frozen=True)
class NewMemory:
    """The run continues in shared memory, see `SharedState`: that of the ``name``, or the handle on the socket.

    ``number`` is that of the network, 0 if the views do not have it; ``network`` is it if they need it.
    """

    number: int
    network: Network | None
    widths: Mapping[str, int]
    capacity: int
    room: int
    name: str = ""


class Encoder:
    """The end of the views. ``networks`` are those sent and not in use yet; ``sources`` those known by number."""

    def __init__(self) -> None:
        self.networks: dict[int, Network] = {}
        self.sources: dict[int, Sequence[Review]] = {0: NO_REVIEWS}
        self._numbers = count(1)
        self._sent: dict[int, None] = {}
        self._takes: dict[int, Callable[[RecordedReview | None], None]] = {}
        self._records: dict[int, Callable[[RecordedReview], None]] = {}
        self._records_end = 0  # the engine has ended, or will end, those of lower numbers

    def encode(self, command: Command) -> object:
        """Return the message for a command."""
        match command:
            case Open(reviews, index):
                return self._open(reviews, index)
            case Extend(reviews, more):
                number = next((k for k, known in self.sources.items() if known is reviews), -1)
                return ExtendNumbered(number, len(reviews) - len(more), more)
            case UseNetwork(network) if not isinstance(network, str | PathLike):
                return UseNumbered(self.number(network), network)
            case TakeRecording(on_recording):
                self._takes[request := next(self._numbers)] = on_recording
                return TakeNumbered(request)
            case RecordRuns(on_run):
                self._records_end = request = next(self._numbers)
                if on_run is None:
                    return command
                self._records[request] = on_run
                return RecordNumbered(request)
            case _:
                return command

    def number(self, network: Network) -> int:
        """Return a number for a network that is sent."""
        number = next(self._numbers)
        self.networks[number] = network
        return number

    def deliver(self, recorded: Recorded) -> None:
        """Call the function that asked for a recording."""
        if (take := self._takes.pop(recorded.request, None)) is not None:
            if recorded.request > self._records_end:  # the engine answers in order: no run of these can follow
                for ended in [request for request in self._records if request < self._records_end]:
                    del self._records[ended]  # with all the runs that it was called with
            take(recorded.recording)
        elif recorded.recording is not None:
            self._records[recorded.request](recorded.recording)

    def abandon(self) -> None:
        """Answer None to every request for a recording: the engine's process has ended."""
        for take in self._takes.values():
            take(None)
        self._takes.clear()

    def _open(self, reviews: Sequence[Review], index: int) -> OpenNumbered:
        number = next((k for k, known in self.sources.items() if known is reviews), None) or next(self._numbers)
        _put_last(self.sources, number, reviews, KNOWN_SOURCES)
        stored = number in self._sent
        _put_last(self._sent, number, None, SOURCES)
        return OpenNumbered(number, None if stored else reviews, index)


class NumberedReviews(Sequence[Review]):
    """A source in the engine's process, with its number; it stays in compact storage."""

    number = 0

    def __init__(self, reviews: Sequence[Review]) -> None:
        self._reviews = reviews
        self._more: list[Review] = []

    def extend(self, reviews: Sequence[Review]) -> None:
        """Add reviews."""
        self._more += reviews

    def __len__(self) -> int:
        return len(self._reviews) + len(self._more)

    @overload
    def __getitem__(self, index: int) -> Review: ...
    @overload
    def __getitem__(self, index: slice) -> list[Review]: ...
    def __getitem__(self, index: int | slice) -> Review | list[Review]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        position, count = range(len(self))[index], len(self._reviews)
        return self._reviews[position] if position < count else self._more[position - count]


class Decoder:
    """The end of the engine. ``answer`` sends a message back."""

    def __init__(self, answer: Callable[[Recorded], None]) -> None:
        self.numbers: WeakKeyDictionary[Network, int] = WeakKeyDictionary()
        self._answer = answer
        self._sources: dict[int, NumberedReviews] = {}

    def decode(self, message: Any) -> Command:
        """Return the command of a message of `Encoder.encode`."""
        match message:
            case OpenNumbered(number, reviews, index):
                source = self._sources[number] if reviews is None else NumberedReviews(reviews)
                source.number = number
                _put_last(self._sources, number, source, SOURCES)
                return Open(source, index)
            case ExtendNumbered(number, first, more):
                stored = self._sources.get(number)
                if stored is not None:  # what was sent after the views added to it has some of them
                    stored.extend(more[max(0, len(stored) - first) :])
                return Extend(() if stored is None else stored, more)
            case UseNumbered(number, network):
                self.numbers[network] = number
                return UseNetwork(network)
            case TakeNumbered(request):
                return TakeRecording(lambda recording: self._answer(Recorded(request, recording)))
            case RecordNumbered(request):
                return RecordRuns(lambda recording: self._answer(Recorded(request, recording)))
            case _:
                command: Command = message
                return command


def _put_last(items: dict[int, _T], number: int, item: _T, limit: int) -> None:
    """Make an item the last one, and drop the first ones beyond the limit."""
    items.pop(number, None)
    items[number] = item
    while len(items) > limit:
        del items[next(iter(items))]

"""The commands of a live run, as values: `engine.live.stream.Stream` makes them and `engine.live.run` carries them out.

Importing this needs no PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from numpy.typing import ArrayLike

from engine.live.pushes import Push
from engine.text import Review

if TYPE_CHECKING:
    from engine.live.replay import RecordedReview
    from engine.network import Network

NO_REVIEWS: Final[Sequence[Review]] = (Review("nothing yet", ""),)
"""The source of a run before the first `Open`."""


@dataclass(frozen=True)
class Open:
    """Start a review of a source."""

    reviews: Sequence[Review]
    index: int


@dataclass(frozen=True)
class Extend:
    """Add reviews to a source. ``reviews`` has them already; ``more`` are for another process that has a copy."""

    reviews: Sequence[Review]
    more: Sequence[Review]


@dataclass(frozen=True)
class Turn:
    """Start the review ``count`` places after the present one in its source."""

    count: int


@dataclass(frozen=True)
class Play:
    """Read on."""


@dataclass(frozen=True)
class Pause:
    """Stop reading."""


@dataclass(frozen=True)
class Step:
    """Pause, then move by ``count`` words."""

    count: int


@dataclass(frozen=True)
class Seek:
    """Move to where ``time`` words are read."""

    time: int


@dataclass(frozen=True)
class SetSpeed:
    """Set the words per second; None is full speed."""

    words_per_second: float | None


@dataclass(frozen=True)
class SetThreshold:
    """Set the standard deviation of h below which a cell counts as dead."""

    deviation: float


@dataclass(frozen=True)
class SetContinuous:
    """Set whether the next review starts where one ends."""

    on: bool


@dataclass(frozen=True)
class UseNetwork:
    """Change to a network, or to the one of this path or name."""

    network: Network | str | Path


@dataclass(frozen=True)
class Clamp:
    """Clamp signals of cells to values (n,), NaN where a cell is free."""

    clamps: Mapping[str, ArrayLike]


@dataclass(frozen=True)
class Steer:
    """Add to the state after some words of this review."""

    pushes: Sequence[Push]


@dataclass(frozen=True)
class Watch:
    """Compute the rolling α of each cell of this signal."""

    signal: str


@dataclass(frozen=True)
class TakeRecording:
    """Call ``on_recording`` with a recording of the present run, None before its first word."""

    on_recording: Callable[[RecordedReview | None], None]


@dataclass(frozen=True)
class RecordRuns:
    """Call ``on_recording`` with each run that another replaces; None stops that."""

    on_recording: Callable[[RecordedReview], None] | None


Command = (
    Open
    | Extend
    | Turn
    | Play
    | Pause
    | Step
    | Seek
    | SetSpeed
    | SetThreshold
    | SetContinuous
    | UseNetwork
    | Clamp
    | Steer
    | Watch
    | TakeRecording
    | RecordRuns
)

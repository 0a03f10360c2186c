"""The state that every controller works on, and the types that the rest of the session package shares.

Nothing here knows a controller or a view: both import this module, and `explorer.session.session` composes them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.session.actions import ACTIONS, Action, key_of
from explorer.session.moment import INPUT, Moment, Moments

if TYPE_CHECKING:  # these modules need torch, which a front end loads after its first frame
    from engine.live.stream import Snapshot, Stream
    from engine.reviews import Review, SourceReport

NOTICE_SECONDS: Final = 6.0, 0.05  # seconds that a notice is shown, and those added for each character

OWN_NETWORKS: Final = 12  # networks that are remembered
UNDOABLE: Final = 1000  # changes of the network that can be undone, of each kind
Status = Literal["LIVE", "REPLAY", "PAUSED", "LOOKING", "END", "LOST"]


class SessionError(ValueError):
    """The user asked for something that cannot be done. The message says why and what to do instead."""


@dataclass(frozen=True)
class Choices:
    """The user's choices of what to show. ``cursor`` is the word looked at; None follows the word being read."""

    cursor: int | None = None
    signal: str = "h"
    selected: int | None = None
    pins: tuple[int, ...] = ()
    order: str = "number"
    bins: str = "max"
    colour_map: str = "cividis"
    contrast: str = "each cell"
    scaling: bool = False

    @property
    def cell(self) -> int | None:
        """The selected cell, if the chosen signal has cells: the rows of the input are not the layer's cells."""
        return None if self.signal == INPUT else self.selected


@dataclass(frozen=True)
class Frame:
    """Everything a front end needs to draw one picture; immutable.

    ``word`` is the index of the word looked at, −1 before the first is read, and ``moment`` describes the cells at that
    word. ``order`` (n,) lists the cells in the chosen order, pinned ones first. ``replaying``: the run is a recording.
    """

    snapshot: Snapshot
    choices: Choices
    word: int
    order: NDArray[np.intp]
    note: str
    moment: Moment
    replaying: bool = False

    @property
    def following(self) -> bool:
        """Whether the word looked at is the one being read."""
        return self.choices.cursor is None

    @property
    def status(self) -> Status:
        if self.snapshot.lost:
            return "LOST"
        if not self.following:
            return "LOOKING"
        if self.snapshot.playing:
            return "REPLAY" if self.replaying else "LIVE"
        return "END" if self.snapshot.finished else "PAUSED"


class SignalReader(Protocol):
    """Interface from which views read signals; `Core` and `explorer.session.session.Session` implement it."""

    def read(self, name: str, start: int, stop: int) -> NDArray[np.float32]: ...


class Core:
    """The stream, the reviews, the user's choices and the line of notices.

    Parameters
    ----------
    stream : Stream
        Already running. Controllers send it commands; the session closes it.
    reviews : sequence of Review
    index : int
        The review to open first.
    clock : callable
        Monotonic seconds.

    Attributes
    ----------
    own_networks : tuple of str
        The paths of the user's networks that were opened, the last one first; saved with the state.
    actions : sequence of Action
        The table of actions with the keys in use; a front end with other keys sets its own.
    changes : iterator of int
        Numbers the changes of the network, so that the last one can be undone first.

    Raises
    ------
    SessionError
        If there is no such review.
    """

    def __init__(
        self,
        stream: Stream,
        reviews: Sequence[Review],
        index: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= index < len(reviews):
            raise SessionError(f"no review {index + 1}: the source has {len(reviews)}, counted from 1")
        self.stream = stream
        self.reviews = reviews
        self.index = index
        self.choices = Choices()
        self.own_networks: tuple[str, ...] = ()
        self.clock = clock
        self._note, self._note_until = "", 0.0
        self.actions: Sequence[Action] = ACTIONS
        self.changes = count(1)
        self._moments = Moments(self.read)
        self._run = -1
        self._review: Review | None = None

    @property
    def note(self) -> str:
        """The latest notice to the user; empty once the time to read it has passed."""
        return self._note if self.clock() < self._note_until else ""

    @note.setter
    def note(self, note: str) -> None:
        seconds, for_each = NOTICE_SECONDS
        self._note, self._note_until = note, self.clock() + seconds + for_each * len(note)

    @property
    def report(self) -> SourceReport | None:
        """Report of what was read from the source of the reviews and what was skipped; None for a recording."""
        return getattr(self.reviews, "report", None)

    @property
    def snapshot(self) -> Snapshot:
        """The newest state of the engine."""
        return self.stream.snapshot

    @property
    def replaying(self) -> bool:
        """Whether a recording is played, so that there is no network to run."""
        from engine.live.replay import RecordedNetwork

        return isinstance(self.snapshot.network, RecordedNetwork)

    @property
    def word(self) -> int:
        """Index of the word looked at, −1 before the first is read."""
        snapshot = self.snapshot
        return word_of(snapshot, self.valid_choices(snapshot))

    def moment(self, snapshot: Snapshot, choices: Choices) -> Moment:
        """Return the activities and exponents of the cells at the word looked at."""
        return self._moments.at(snapshot, choices.signal, word_of(snapshot, choices))

    def read(self, name: str, start: int, stop: int) -> NDArray[np.float32]:
        """Return a signal of the present run, (time, cell), for the words that are still stored.

        The engine may have changed to a network without that signal since the last frame: then nothing is returned.
        """
        try:
            return self.stream.read(name, max(0, start), stop)
        except KeyError:
            return np.empty((0, 1), dtype=np.float32)

    def choose(self, **changes: object) -> None:
        """Change some of the choices."""
        self.choices = replace(self.choices, **changes)  # type: ignore[arg-type]

    def valid_choices(self, snapshot: Snapshot) -> Choices:
        """Return the choices without those that mean nothing in this snapshot's run or network."""
        choices, size = self.choices, snapshot.network.cell.size
        if snapshot.run != self._run and snapshot.review is not self._review:
            # The same words read by another network, or with a clamp, keep their place.
            choices = replace(choices, cursor=None)
        if choices.signal not in (signal.name for signal in snapshot.network.signals):
            choices = replace(choices, signal="h")
        if choices.selected is not None and choices.selected >= size:
            choices = replace(choices, selected=None)
        if any(pin >= size for pin in choices.pins):
            choices = replace(choices, pins=tuple(pin for pin in choices.pins if pin < size))
        return choices

    def remember_network(self, name: str) -> None:
        """Remember a network of the user, given by its path, so that it can be chosen again."""
        if os.path.isfile(name):
            path = os.path.abspath(name)
            self.own_networks = (path, *(other for other in self.own_networks if other != path))[:OWN_NETWORKS]

    def adopt(self, snapshot: Snapshot, choices: Choices) -> None:
        """Store choices as made for this snapshot's run, so that its cursor is valid."""
        self.choices, self._run, self._review = choices, snapshot.run, snapshot.review

    def key_of(self, *names: str) -> str:
        """Return the keys of these actions as they are shown, for notices."""
        return key_of(self.actions, *names)


def word_of(snapshot: Snapshot, choices: Choices) -> int:
    """Return the index of the word looked at, −1 before the first is read."""
    last = snapshot.time - 1
    return last if choices.cursor is None else min(choices.cursor, last)

"""Places in other reviews where the cells of the brush agree, found in the process aside."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.brush import Pattern, stretches
from explorer.session.jobs import Report
from explorer.session.task_results import TaskResults

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network
    from explorer.session.session import Session

REVIEWS = 200  # looked through at a time; then a person may ask for more
BATCH = 16  # reviews recorded together
BEST = 500  # places kept
AROUND = 4  # words on either side that are shown with a place


@dataclass(frozen=True)
class Place:
    """Words ``first`` to ``last`` (excluded) of a review, and how long and well the cells agree there."""

    review: int
    first: int
    last: int
    strength: float


class PatternSearch:
    """Looks through the other reviews of the source, from the next one on."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sought: tuple[Pattern, Snapshot, list[int]] | None = None
        self._next = 0
        self.gathering: TaskResults[Place] = TaskResults(0)

    @property
    def left(self) -> int:
        """How many reviews are not looked through yet."""
        return 0 if self._sought is None else len(self._sought[2]) - self._next

    def begin(self) -> None:
        """Look through the first reviews for the present brush; without one the last list stays.

        Raises
        ------
        SessionError
            If nothing is brushed and never was, or no cell answers to what is.
        """
        from explorer.session.session import SessionError

        session, pattern = self._session, self._session.brush.pattern
        if (pattern is None and self._sought is None) or (pattern is not None and not pattern.cells):
            key = session.key_of("brush")
            raise SessionError(f"brush words that move some cells first ({key}), then look where else they move")
        if pattern is not None and (self._sought is None or pattern is not self._sought[0]):
            self.gathering.cancel()
            count, here = len(session.reviews), session.index
            order = [(here + 1 + k) % count for k in range(count - 1)]
            self._sought, self._next, self.gathering = (pattern, session.stream.snapshot, order), 0, TaskResults(0)
            self.more()

    def more(self) -> None:
        """Look through as many reviews again."""
        before, session = self.gathering, self._session
        if self._sought is None or not before.finished or not self.left:
            return
        if before.cancelled:
            self._next -= before.total - before.done
        pattern, snapshot, order = self._sought
        numbers = order[self._next : self._next + REVIEWS]
        self._next += len(numbers)
        gathering: TaskResults[Place] = TaskResults(len(numbers))
        gathering.found = before.found

        def heed(part: tuple[int, list[Place]]) -> None:
            gathering.done, new = part
            gathering.found = heapq.nsmallest(BEST, [*gathering.found, *new], key=lambda place: -place.strength)

        def end(trouble: str) -> None:
            gathering.trouble, gathering.finished = trouble, True

        assert snapshot.network.vocabulary is not None, "a network that is watched reads words"
        ids = [snapshot.network.vocabulary.encode(session.reviews[k].words) for k in numbers]
        job = session.worker.start(
            look_through, snapshot.network, numbers, ids, pattern, snapshot.clamps, on_result=heed, on_end=end
        )
        gathering.at_end = lambda: session.worker.cancel(job)
        self.gathering = gathering

    def context(self, place: Place) -> tuple[str, str, str]:
        """The words before a place, at it, and behind it."""
        surface = self._session.reviews[place.review].surface
        parts = (
            surface[max(0, place.first - AROUND) : place.first],
            surface[place.first : place.last],
            surface[place.last : place.last + AROUND],
        )
        return " ".join(parts[0]), " ".join(parts[1]), " ".join(parts[2])

    def open(self, place: Place) -> None:
        """Open a review at a place."""
        self._session.open_at(place.review, place.first)


def look_through(
    report: Report,
    network: Network,
    numbers: Sequence[int],
    ids: Sequence[NDArray[np.int32]],
    pattern: Pattern,
    clamps: Mapping[str, NDArray[np.float32]],
) -> None:
    """Tell ``(reviews done, places)`` for one batch of reviews after the other."""
    from engine.recording import record

    for first in range(0, len(numbers), BATCH):
        batch = slice(first, first + BATCH)
        recording = record(network, ids[batch], [pattern.signal], clamp=clamps)
        found = []
        for number, values, length in zip(numbers[batch], recording[pattern.signal], recording.lengths, strict=True):
            agreement = pattern.agreement(values[:length])
            found += [Place(number, a, b, float(agreement[a:b].sum())) for a, b in stretches(agreement)]
        if not report((min(first + BATCH, len(numbers)), found)):
            return

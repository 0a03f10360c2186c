"""Places in other reviews where the cells of the brush fire together, searched in the worker process."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.brush import BrushController, Pattern, stretches
from explorer.session.controllers.playback import Playback
from explorer.session.core import Core, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.task_results import TaskResults
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network

REVIEWS: Final = 200  # reviews searched at a time; then the user can ask for more
BATCH: Final = 16  # reviews recorded together
BEST: Final = 500  # largest number of places in the list
AROUND: Final = 4  # words shown on either side of a place


@dataclass(frozen=True)
class Place:
    """Words ``first`` to ``last`` (excluded) of a review; ``strength`` sums the share of firing cells over them."""

    review: int
    first: int
    last: int
    strength: float


class PatternSearch:
    """Searches the other reviews of the source for the pattern of the brush, from the next review on."""

    def __init__(self, core: Core, playback: Playback, brush: BrushController, jobs: JobRunner) -> None:
        self._core = core
        self._playback = playback
        self._brush = brush
        self._jobs = jobs
        self._searched: tuple[Pattern, Snapshot, list[int]] | None = None  # with the order of the reviews
        self._next = 0
        self.results: TaskResults[Place] = TaskResults(0)

    @property
    def left(self) -> int:
        """The number of reviews that are not searched yet."""
        return 0 if self._searched is None else len(self._searched[2]) - self._next

    @property
    def can_continue(self) -> bool:
        """Whether `more` would search further reviews."""
        return self.results.finished and self.left > 0

    @property
    def more_text(self) -> str:
        """Label of the action `more`, with the number of reviews left."""
        return f"search more: {self.left:,} {unit_names(self._core.snapshot.network).sequences} are left"

    @property
    def status(self) -> str:
        """Whether anything is found, and how far the search is."""
        none = "no match in the reviews searched   " if self.results.finished and not self.results.found else ""
        return none + self.results.progress

    def begin(self) -> None:
        """Search the first reviews for the pattern of the present brush; without a brush keep the last results.

        Raises
        ------
        SessionError
            If no words were ever brushed, or no cell fires in those that are.
        """
        core, pattern = self._core, self._brush.pattern
        if (pattern is None and self._searched is None) or (pattern is not None and not pattern.cells):
            key = core.key_of("brush")
            raise SessionError(f"brush words in which some cells fire first ({key}), then search for their pattern")
        if pattern is not None and (self._searched is None or pattern is not self._searched[0]):
            self.results.cancel()
            count = len(core.reviews)
            order = [(core.index + 1 + k) % count for k in range(count - 1)]
            self._searched, self._next, self.results = (pattern, core.snapshot, order), 0, TaskResults(0)
            self.more()

    def more(self) -> None:
        """Search the next reviews."""
        from engine.sequences import encoded

        before = self.results
        if self._searched is None or not before.finished or not self.left:
            return
        if before.cancelled:
            self._next -= before.total - before.done
        pattern, snapshot, order = self._searched
        numbers = order[self._next : self._next + REVIEWS]
        self._next += len(numbers)
        results: TaskResults[Place] = TaskResults(len(numbers))
        results.found = before.found

        def take(part: tuple[int, list[Place]]) -> None:
            results.done, new = part
            results.found = heapq.nsmallest(BEST, [*results.found, *new], key=lambda place: -place.strength)

        def end(trouble: str) -> None:
            results.trouble, results.finished = trouble, True

        ids = [encoded(snapshot.network, self._core.reviews[k]) for k in numbers]
        job = self._jobs.start(
            search_reviews, snapshot.network, numbers, ids, pattern, snapshot.clamps, on_result=take, on_end=end
        )
        results.on_cancel = lambda: self._jobs.cancel(job)
        self.results = results

    def context(self, place: Place) -> tuple[str, str, str]:
        """Return the words before a place, in it, and after it."""
        surface = self._core.reviews[place.review].surface
        parts = (
            surface[max(0, place.first - AROUND) : place.first],
            surface[place.first : place.last],
            surface[place.last : place.last + AROUND],
        )
        return " ".join(parts[0]), " ".join(parts[1]), " ".join(parts[2])

    def open(self, place: Place) -> None:
        """Open the review at a place."""
        self._playback.open_at(place.review, place.first)


def search_reviews(
    report: Report,
    network: Network,
    numbers: Sequence[int],
    ids: Sequence[NDArray[np.int32]],
    pattern: Pattern,
    clamps: Mapping[str, NDArray[np.float32]],
) -> None:
    """Job: send ``(reviews done, places)`` after each batch of reviews."""
    from engine.recording import record

    for first in range(0, len(numbers), BATCH):
        batch = slice(first, first + BATCH)
        recording = record(network, ids[batch], [pattern.signal], clamp=clamps)
        found = []
        for number, values, length in zip(numbers[batch], recording[pattern.signal], recording.lengths, strict=True):
            firing = pattern.firing(values[:length])
            found += [Place(number, a, b, float(firing[a:b].sum())) for a, b in stretches(firing)]
        if not report((min(first + BATCH, len(numbers)), found)):
            return

"""The search for fixed points behind a session, for the network that is watched, in the process aside.

Nothing waits for it: a view takes what is found so far. What was found is kept on disk, so that it is there at once the
next time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.session.jobs import Job, JobRunner, Report

if TYPE_CHECKING:  # these need torch, which a face loads behind its first frame
    from engine.network import Network
    from engine.points import FixedPoints
    from engine.word_attractors import WordAttractors

INPUTS = ("zero", "mean")
STARTS = 128
VISITED = 1000


@dataclass(frozen=True)
class Found:
    """What is known of one network so far; each part comes when it is there.

    ``visited`` (state, n) are hidden states h of the bundled reviews.
    """

    network: Network
    visited: NDArray[np.float64]
    points: FixedPoints | None = None
    words: WordAttractors | None = None


class PointSearch:
    """Looks for the fixed points of one network after another.

    ``found`` is what there is, None before the first; ``progress`` says what is being done, "" at rest.
    """

    def __init__(self, aside: JobRunner) -> None:
        self.found: Found | None = None
        self._aside = aside
        self._network: Network | None = None
        self._doing: dict[Job, str] = {}
        self._trouble = ""
        self._lock = threading.Lock()
        self._closed = False

    @property
    def progress(self) -> str:
        return "   ".join([*self._doing.copy().values(), *filter(None, [self._trouble])])

    def begin(self, network: Network) -> None:
        """Search this network from now on, unless it is the one already: visited states, points, word attractors."""
        from engine.live.replay import RecordedNetwork

        if network is not self._network and not self._closed:
            with self._lock:
                self._forget()
                self._network, self.found, self._trouble = network, None, ""
            if isinstance(network, RecordedNetwork):  # where it went is known, where it would go is not
                self.found = Found(network, network.values["h"].astype(np.float64))
            else:
                self._start(survey, network)

    def add(self, network: Network, name: str) -> None:
        """Find the points under one more input too, such as a word."""
        if network is self._network and not self._closed:
            self._start(find_points, network, name)

    def close(self) -> None:
        """End every search; what was not finished is forgotten."""
        with self._lock:
            self._closed = True
            self._forget()

    def _forget(self) -> None:
        for job in self._doing:
            self._aside.cancel(job)
        self._doing.clear()

    def _start(self, work: Callable[..., None], network: Network, *names: str) -> None:
        def heed(part: tuple[str, Any]) -> None:
            with self._lock:
                if job in self._doing:
                    self._heed(network, job, *part)

        def end(trouble: str) -> None:
            with self._lock:
                if self._doing.pop(job, None) is not None and trouble:
                    self._trouble = f"the search failed: {trouble}"

        with self._lock:  # nothing is heard of the job before it is listed
            job = self._aside.start(work, network, *names, on_result=heed, on_end=end)
            self._doing[job] = "searching …"

    def _heed(self, network: Network, job: Job, what: str, value: Any) -> None:
        if what == "doing":
            self._doing[job] = value
        elif what == "visited":
            self.found = Found(network, value)
        elif self.found is not None:
            if what == "points" and self.found.points is not None:
                value = type(value).concatenate([self.found.points, value])
            self.found = replace(self.found, **{what: value})


# ---- in the worker process ----------------------------------------------------------------------------------------


def survey(report: Report, network: Network) -> None:
    """Search a network: report ``("visited" | "points" | "words", found)``, and ``("doing", text)`` meanwhile."""
    from engine.points_cache import cached_word_attractors
    from engine.start_states import visited_states

    h = visited_states(network, VISITED, reviews=_read(network))[:, : network.cell.size]
    report(("visited", h.cpu().numpy()))
    find_points(report, network, *INPUTS)
    words = cached_word_attractors(network, progress=_progress(report, "word attractors"))
    report(("words", words))


def find_points(report: Report, network: Network, *names: str) -> None:
    """Report the fixed points under the named inputs."""
    from engine.points_cache import network_points

    progress = _progress(report, f"fixed points for {', '.join(names)}")
    report(("points", network_points(network, names, count=STARTS, reviews=_read(network), progress=progress)))


def _progress(report: Report, what: str) -> Callable[[int, int], bool]:
    reported = ""

    def progress(done: int, total: int) -> bool:
        nonlocal reported
        text = f"{what} {done / max(1, total):.0%}"
        news, reported = (("doing", text) if text != reported else None), text
        return report(news)

    report(("doing", f"{what} …"))
    return progress


def _read(network: Network) -> list[NDArray[np.int32]]:
    """The bundled reviews in the network's numbers: where its searches start from."""
    from engine.reviews import CUT, open_reviews

    assert network.vocabulary is not None, "a network that is watched reads words"
    return [network.vocabulary.encode(review.words[:CUT]) for review in open_reviews(None)]

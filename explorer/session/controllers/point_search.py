"""The search for fixed points, word attractors, basins and cycles of the present network, in the worker process.

Results arrive in parts. Complete ones are cached on disk, so that the next search of the same network is immediate.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.jobs import Job, JobRunner, Report
from explorer.session.views.point_map import FoundPoints

if TYPE_CHECKING:
    from engine.network import Network
    from engine.points import FixedPoints

INPUTS: Final = ("zero", "mean")  # inputs under which points are sought first; "mean" is that of all words
STARTS: Final = 128  # start states of a search
VISITED: Final = 1000  # states of the reviews that the picture's components are fitted to


Sequences = Sequence[NDArray[Any]]


class PointSearch:
    """Searches for the fixed points of one network at a time.

    Attributes
    ----------
    found : FoundPoints or None
        What is found so far; None before the first part.
    """

    def __init__(self, jobs: JobRunner) -> None:
        self.found: FoundPoints | None = None
        self._jobs = jobs
        self._network: Network | None = None
        self._sequences: Sequences = ()
        self._progress: dict[Job, str] = {}
        self._trouble = ""
        self._lock = threading.Lock()
        self._closed = False

    @property
    def progress(self) -> str:
        """Progress of the searches, and the error of one that failed, as a text; "" without either."""
        return "   ".join([*self._progress.copy().values(), *filter(None, [self._trouble])])

    def begin(self, network: Network, sequences: Sequences = ()) -> None:
        """Search this network from now on, unless it already is: visited states, points, word attractors.

        ``sequences`` are as `start_inputs` takes them.
        """
        from engine.live.replay import RecordedNetwork

        if network is not self._network and not self._closed:
            with self._lock:
                self._forget()
                self._network, self._sequences, self.found, self._trouble = network, sequences, None, ""
            if isinstance(network, RecordedNetwork):  # a recording has visited states, but nothing to search
                self.found = FoundPoints(network, network.values["h"].astype(np.float64))
            else:
                self._start(survey, network)

    def add(self, network: Network, name: str) -> None:
        """Search under one more input, such as a word."""
        if network is self._network and not self._closed:
            self._start(find_points, network, name)

    def close(self) -> None:
        """End every search and discard unfinished ones."""
        with self._lock:
            self._closed = True
            self._forget()

    def _forget(self) -> None:
        for job in self._progress:
            self._jobs.cancel(job)
        self._progress.clear()

    def _start(self, work: Callable[..., None], network: Network, *names: str) -> None:
        def take(part: tuple[str, Any]) -> None:
            with self._lock:
                if job in self._progress:
                    self._take(network, job, *part)

        def end(trouble: str) -> None:
            with self._lock:
                if self._progress.pop(job, None) is not None and trouble:
                    self._trouble = f"the search failed: {trouble}"

        with self._lock:  # the callbacks wait until the job is listed
            job = self._jobs.start(work, network, self._sequences, *names, on_result=take, on_end=end)
            self._progress[job] = "searching …"

    def _take(self, network: Network, job: Job, what: str, value: Any) -> None:
        if what == "progress":
            self._progress[job] = value
        elif what == "visited":
            self.found = FoundPoints(network, value)
        elif self.found is not None:
            if what == "points" and self.found.points is not None:
                value = type(value).concatenate([self.found.points, value])
            if what == "ends":
                value = {**self.found.ends, **value}
            self.found = replace(self.found, **{what: value})


# ---- jobs --------------------------------------------------------------------------------------------------------


def first_inputs(network: Network) -> tuple[str, ...]:
    """Return the inputs under which the points of a network are sought first."""
    return INPUTS[:1] if network.unit == "step" else INPUTS


def survey(report: Report, network: Network, sequences: Sequences = ()) -> None:
    """Job: the first search. Send ``("visited" | "points" | "words" | "ends", found)``, and ``("progress", text)``
    meanwhile. ``sequences`` are as `start_inputs` takes them.
    """
    from engine.points_cache import cached_word_attractors
    from engine.start_states import visited_states

    h = visited_states(network, VISITED, reviews=start_inputs(network, sequences))[:, : network.cell.size]
    report(("visited", h.cpu().numpy()))
    points = _send_points(report, network, sequences, *first_inputs(network))
    if network.vocabulary is not None:
        words = cached_word_attractors(network, progress=progress_to(report, "word attractors"))
        report(("words", words))
    send_ends(report, network, points, sequences)


def find_points(report: Report, network: Network, sequences: Sequences, *names: str) -> None:
    """Job: send the points under inputs given by name, and where states end under each."""
    send_ends(report, network, _send_points(report, network, sequences, *names), sequences)


def _send_points(report: Report, network: Network, sequences: Sequences, *names: str) -> FixedPoints:
    from engine.points_cache import network_points

    progress = progress_to(report, f"fixed points for {', '.join(names)}")
    reviews = start_inputs(network, sequences)
    found = network_points(network, names, count=STARTS, reviews=reviews, progress=progress)
    report(("points", found))
    return found


def send_ends(report: Report, network: Network, points: FixedPoints, sequences: Sequences = ()) -> None:
    """Send ``("ends", {input: Ends})`` for each input of these points."""
    from engine.points_cache import network_ends

    if not report(None):
        return
    reviews = start_inputs(network, sequences)
    for name in dict.fromkeys(points.input_names.tolist()):
        here = points[points.input_names == name]
        progress = progress_to(report, f"basins for {name}")
        found = network_ends(network, here, name, count=STARTS, reviews=reviews, progress=progress)
        if found is None:
            return
        report(("ends", {name: found}))


def progress_to(report: Report, what: str) -> Callable[[int, int], bool]:
    """Return a callback that sends each new percentage, and returns whether the result is still wanted."""
    sent = ""

    def progress(done: int, total: int) -> bool:
        nonlocal sent
        text = f"{what} {done / max(1, total):.0%}"
        part, sent = (("progress", text) if text != sent else None), text
        return report(part)

    report(("progress", f"{what} …"))
    return progress


def encoded_reviews(network: Network) -> list[NDArray[Any]]:
    """Return what the watched layer reads of the bundled reviews; searches start from states visited in them."""
    from engine.reviews import CUT, open_reviews
    from engine.sequences import encode

    return [encode(network, network.split(review.text)[:CUT], review.name) for review in open_reviews(None)]


def start_inputs(network: Network, sequences: Sequences = ()) -> Sequences:
    """Return what a network reads to visit the states that searches start from: the bundled reviews.

    A network over vectors reads the sequences of its own task, for which this returns nothing; without a task it reads
    the ``sequences`` (time, input) given.
    """
    from engine.sequences import task_of

    if network.text_vocabulary is not None:
        return encoded_reviews(network)
    return () if task_of(network) is not None else sequences

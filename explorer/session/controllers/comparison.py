"""Comparing the present run with another network, another review, or both, on the same time axis."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from explorer.session.alignment import counterparts
from explorer.session.core import Core, Frame
from explorer.session.jobs import Job, JobRunner, Report
from explorer.session.reading import Comparison, Reading, read_words
from explorer.session.views.outputs import output_of

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network, Unit
    from engine.reviews import Review
    from engine.sequences import Content

Request = tuple[object, ...]
"""Objects from which a comparison was computed; compared by identity."""


class ComparisonController:
    """Reads what the present run is compared with, in the worker process.

    Attributes
    ----------
    network : str or None
        Name or path of the other network; None for the present one.
    review : Review or None
        The other review; None for the present one. With neither there is no comparison.
    """

    def __init__(self, core: Core, jobs: JobRunner) -> None:
        self._core = core
        self._jobs = jobs
        self.network: str | None = None
        self.review: Review | None = None
        self._lock = threading.Lock()
        self._requested: Request = ()
        self._job: Job | None = None
        self._result: Comparison | None = None

    def compare_with(self, network: str | None) -> None:
        """Compare with a network by name or path; None for the present one."""
        self.network, self._requested = network, ()

    def compare_review(self, review: Review | None) -> None:
        """Compare with another review; None for the present one."""
        self.review, self._requested = review, ()

    @property
    def name(self) -> str:
        """Short name of the reading that the run is compared with; empty without a comparison."""
        parts = [Path(self.network).stem] if self.network is not None else []
        return " on ".join([*parts, *([self.review.name] if self.review is not None else [])])

    def update(self, frame: Frame) -> None:
        """Start reading what was chosen, unless that is done or in progress."""
        snapshot = frame.snapshot
        request = self._request(snapshot)
        if same(request, self._requested):
            return
        with self._lock:
            if self._job is not None:
                self._jobs.cancel(self._job)
            self._requested, self._result, self._job = request, None, None
            if request:
                self._job = self._start(request, snapshot)

    def result(self, frame: Frame) -> Comparison | None:
        """Return the other reading; None until it is complete, and without a comparison."""
        request = self._request(frame.snapshot)
        return self._result if request and same(request, self._requested) else None

    def _request(self, snapshot: Snapshot) -> Request:
        """Return what a comparison with this snapshot depends on; empty without a comparison."""
        own = self.network is None
        if (own and self.review is None) or not snapshot.words:
            return ()
        review = self.review or snapshot.review
        network, clamps = (snapshot.network, snapshot.clamps) if own else (None, None)
        return self.network, review, snapshot.review, network, clamps

    def _start(self, request: Request, snapshot: Snapshot) -> Job:
        from engine.sequences import content_of

        name, own = self.name, self.network is None
        network: Network | str = snapshot.network if self.network is None else self.network
        words, present = content_of(self.review or snapshot.review), content_of(snapshot.review)

        def take(part: tuple[Reading, NDArray[np.intp]]) -> None:
            with self._lock:
                if self._requested is request:
                    here, there = output_of(snapshot.network), part[0].output_kind
                    self._result = Comparison(name, part[0], own, part[1], here == there)
                    if here != there:
                        self._core.note = f"{there.name} of {name} cannot be compared with {here.name}; α can"

        def end(trouble: str) -> None:
            with self._lock:
                if self._requested is request and trouble:
                    self._core.note, self.network = trouble, None

        clamps = dict(snapshot.clamps) if own else {}
        return self._jobs.start(
            read_review,
            network,
            snapshot.network.unit,
            words,
            present,
            snapshot.window,
            tuple(snapshot.scales),
            clamps,
            on_result=take,
            on_end=end,
        )


def same(request: Request, other: Request) -> bool:
    """Return whether two requests name the same objects."""
    return len(request) == len(other) and all(a is b for a, b in zip(request, other, strict=True))


def read_review(
    report: Report,
    network: Network | str,
    unit: Unit,
    words: Content,
    present: Content,
    window: int,
    scales: tuple[int, ...],
    clamps: Mapping[str, NDArray[np.float32]],
) -> None:
    """Job: send the `Reading` of ``words``, which are of a ``unit``, and which correspond to the ``present`` ones."""
    reading = read_words(network, words, window, scales, clamps, lambda: report(None), unit=unit)
    if reading is not None:
        report((reading, counterparts(words, present)))

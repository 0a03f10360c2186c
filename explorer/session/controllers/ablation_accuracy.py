"""The accuracy over the source without each cell: every cell mean-ablated, over more and more reviews.

The reviews are read in random order, so that those read so far are a fair sample; once every portion the numbers are
refined. Another network or another clamp starts anew.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Core, Frame, SessionError
from explorer.session.corpus_job import MISSING, Notice, Numbers, SentReviews, device_of, encoded, use_cpu
from explorer.session.jobs import Job, JobRunner, Report
from explorer.session.views.outputs import output_of

if TYPE_CHECKING:
    from engine.ablation_accuracy import CorrectCounts
    from engine.network import Network
    from engine.reviews import Review

FIRST: Final = 16  # reviews of the first portion; each that follows doubles what is read
LARGEST: Final = 1024
FOR_MEANS: Final = 128  # reviews over which the means are taken

Means = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CellAccuracy:
    """Accuracy over the first ``reviews`` of ``total`` labelled reviews in random order.

    Attributes
    ----------
    intact : float
        With all cells but those already ablated.
    without : (n,) array
        Without each cell.
    """

    reviews: int
    total: int
    intact: float
    without: NDArray[np.float64]


class AblationAccuracy:
    """Measures while it is shown.

    Attributes
    ----------
    shown : bool
    progress : str
        What is being read, or what failed; "" at rest.
    """

    def __init__(self, core: Core, sent: SentReviews, jobs: JobRunner, device: str = "cpu") -> None:
        self.shown = False
        self.progress = self._notice = ""
        self._core = core
        self._sent = sent
        self._jobs = jobs
        self._device = device
        self._lock = threading.RLock()
        self._job: Job | None = None
        self._of: tuple[object, ...] = ()
        self._waiting: list[int] = []
        self._begin(None, {})

    def toggle(self) -> None:
        """Show the accuracy without each cell and measure it, or stop both.

        Raises
        ------
        SessionError
            If the network does not predict labels, or no review has one.
        """
        if self.shown:
            self.shown = False
            self._stop()
            return
        core, network = self._core, self._core.snapshot.network
        if not output_of(network).positive or network.text_vocabulary is None:
            raise SessionError(f"accuracy needs a network whose output is P(positive): {network.title} has another")
        if not _has_label(core.reviews):
            raise SessionError("no review of this source has a label, positive or negative, so there is no accuracy")
        self.shown = True

    def update(self, frame: Frame) -> None:
        """Measure on, or start anew for another network or another clamp; front ends cause this each tick."""
        snapshot = frame.snapshot
        if not self.shown:
            return
        if self._core.replaying or not output_of(snapshot.network).positive or snapshot.network.text_vocabulary is None:
            self.toggle()
            return
        with self._lock:
            if self._of != (snapshot.network, id(snapshot.clamps), len(self._core.reviews)):
                self._stop()
                self._of = snapshot.network, id(snapshot.clamps), len(self._core.reviews)
                self._begin(snapshot.network, snapshot.clamps)
                self._next()

    def result(self, frame: Frame) -> CellAccuracy | None:
        """Return the accuracies so far; None if they are not shown, or not those of this frame."""
        found, snapshot = self._counts, frame.snapshot
        if not self.shown or found is None or self._of[:2] != (snapshot.network, id(snapshot.clamps)):
            return None
        return CellAccuracy(found.reviews, self._total, found.accuracy, found.accuracy_without)

    def close(self) -> None:
        """Stop measuring."""
        self.shown = False
        self._stop()

    # ---- internals -------------------------------------------------------------------------------------------

    def _begin(self, network: Network | None, clamps: Mapping[str, Any]) -> None:
        self._network, self._clamps = network, clamps
        self._counts: CorrectCounts | None = None
        self._means: Means | None = None
        self._portion: list[int] = []
        reviews = self._core.reviews
        order = np.random.default_rng(0).permutation(len(reviews)).tolist() if network is not None else []
        labelled = _labelled(reviews) if order else []
        self._waiting = [k for k in reversed(order) if labelled[k]]
        self._total = len(self._waiting)
        self.progress = "reading …" if self._waiting else ""

    def _stop(self) -> None:
        with self._lock:
            self._of, self.progress = (), ""
            if self._job is not None:
                self._jobs.cancel(self._job)
                self._job = None

    def _next(self) -> None:
        """Start the next portion, or again the one that was interrupted."""
        if self._network is None:
            return
        if self._means is None:
            numbers = self._waiting[-FOR_MEANS:]
        elif self._portion:
            numbers = self._portion
        else:
            count = min(LARGEST, self._counts.reviews if self._counts is not None else FIRST)
            self._waiting, numbers = self._waiting[:-count], self._waiting[-count:]
            self._portion = numbers
        if not numbers:
            self.progress = self._notice
            return
        reviews, stored = self._sent.take(self._network, numbers)
        arguments = self._network, dict(self._clamps), reviews, stored, self._means, self._device
        job: Job

        def take(found: Means | CorrectCounts | str) -> None:
            with self._lock:
                if job is not self._job:
                    return
                if isinstance(found, Notice):
                    self._notice = str(found)
                elif isinstance(found, str):
                    self.progress = f"{found} {self._notice}".rstrip()
                elif isinstance(found, np.ndarray):
                    self._means = found
                else:
                    self._counts = found if self._counts is None else self._counts + found
                    self._portion = []

        def end(trouble: str) -> None:
            with self._lock:
                if job is not self._job:
                    return
                self._job = None
                if trouble and trouble != MISSING:
                    self.progress = f"measuring failed: {trouble}"
                    self._sent.forget()
                    return
                if trouble:
                    self._sent.forget()
                self._next()

        job = self._job = self._jobs.start(measure, *arguments, on_result=take, on_end=end)


def _has_label(reviews: Sequence[Review]) -> bool:
    return any(_labelled(reviews))


def _labelled(reviews: Sequence[Review]) -> Sequence[bool]:
    """Return which reviews have a label."""
    flags = getattr(reviews, "labelled", None)
    return [review.label is not None for review in reviews] if flags is None else flags


def measure(
    report: Report,
    network: Network,
    clamps: Mapping[str, NDArray[np.float32]],
    reviews: Sequence[Review | None],
    numbers: Numbers,
    means: Means | None,
    device: str,
) -> None:
    """Job: send the means of all cells, or with ``means`` the `CorrectCounts` of these reviews."""
    from engine.ablation_accuracy import count_correct, mean_states
    from engine.devices import or_on_the_cpu

    ids, labels = encoded(network, reviews, numbers)
    on = device_of(device)

    def failed(reason: str) -> None:
        use_cpu(device)
        report(Notice(reason))

    if means is None:
        report(or_on_the_cpu(on, lambda where: mean_states(network.to(device=where), ids, clamp=clamps), failed))
        return

    def wanted(cell: int) -> bool:
        report(f"{len(ids):,} reviews without cell {cell + 1} of {network.cell.size} …")
        return report(None)

    found = or_on_the_cpu(
        on,
        lambda where: count_correct(network.to(device=where), ids, labels, means, clamp=clamps, wanted=wanted),
        failed,
    )
    if found is not None:
        report(found)

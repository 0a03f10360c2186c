"""Attribution of the output to the words read so far, computed in the worker process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.live.pushes import additions
from explorer.session.controllers.computation import Computation
from explorer.session.core import Core, Frame, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.views.attribution import METHODS, Method, WordAttribution
from explorer.session.views.outputs import output_of

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network


class AttributionController:
    """Attributes the logit of the first output after the word looked at to the words up to it.

    While the network reads, a computation starts as soon as the one before is complete.

    Attributes
    ----------
    method : Method or None
        None while nothing is attributed.
    """

    def __init__(self, core: Core, jobs: JobRunner) -> None:
        self.method: Method | None = None
        self._core = core
        self._computation: Computation[WordAttribution] = Computation(jobs)
        self._found: tuple[Snapshot, WordAttribution] | None = None
        self._requested: Snapshot | None = None

    @property
    def progress(self) -> str:
        """Computation in progress, or the error that ended it, as a text; "" at rest."""
        return self._computation.progress

    def next_method(self) -> None:
        """Choose the next of ``METHODS``; after the last nothing is attributed.

        Raises
        ------
        SessionError
            If no word is read yet.
        """
        at = -1 if self.method is None else METHODS.index(self.method)
        self.use(METHODS[at + 1] if at + 1 < len(METHODS) else None)

    def begin(self) -> None:
        """Attribute by the chosen method, or else by the first.

        Raises
        ------
        SessionError
            If no word is read yet.
        """
        self.use(self.method or METHODS[0])

    def use(self, method: Method | None) -> None:
        """Attribute by a method, None for no attribution.

        Raises
        ------
        SessionError
            If no word is read yet.
        """
        if method is not None and self._core.word < 0:
            raise SessionError("no word is read yet: read some, then attribute the output to them")
        self.method = method
        self._core.note = (
            "words are coloured by the chosen signal again" if method is None else f"method: {method.name}"
        )

    def update(self, frame: Frame) -> None:
        """Take the newest result, and start the next computation once none is in progress."""
        if (found := self._computation.result()) is not None and self._requested is not None:
            self._found = self._requested, found
        if self.method is None or frame.word < 0 or frame.replaying or self._computation.running:
            return
        snapshot, count = frame.snapshot, frame.word + 1
        network, clamps, pushes = snapshot.network, snapshot.clamps, snapshot.pushes
        self._requested = snapshot
        self._computation.request(
            (network, id(clamps), pushes, snapshot.review, self.method, count),
            attribute,
            network,
            snapshot.ids[:count].copy(),
            self.method,
            dict(clamps),
            additions(pushes, clamps, network.cell.state_parts),
        )

    def result(self, frame: Frame) -> WordAttribution | None:
        """Return the newest attribution of this reading by the chosen method; None until there is one.

        While the network reads, it may be that of an earlier word; it names the word.
        """
        if self.method is None or self._found is None:
            return None
        snapshot, found = self._found
        present = frame.snapshot
        same = snapshot.network is present.network and snapshot.clamps is present.clamps
        same = same and snapshot.pushes is present.pushes and snapshot.review is present.review
        same = same and found.method == self.method
        return found if same and len(found.values) <= present.time else None


def attribute(
    report: Report,
    network: Network,
    ids: NDArray[np.integer],
    method: Method,
    clamps: Mapping[str, NDArray[np.float32]],
    pushes: Mapping[int, NDArray[np.float32]],
) -> None:
    """Job: send ``("result", WordAttribution)``, and ``("progress", text)`` meanwhile."""
    from engine.attribution import gradient_times_input, integrated_gradients

    def progress(points: int) -> bool:
        return report(("progress", f"{method.short}: {points} points along the path …"))

    if method.baseline is None:
        found = gradient_times_input(network, ids, clamps=clamps, pushes=pushes)
    else:
        along = integrated_gradients(
            network, ids, baseline=method.baseline, clamps=clamps, pushes=pushes, progress=progress
        )
        if along is None:
            return
        found = along
    result = WordAttribution(
        method, output_of(network).logit, found.values, found.logit, found.baseline_logit, found.points
    )
    report(("result", result))

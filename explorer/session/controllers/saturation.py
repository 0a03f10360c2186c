"""Saturation of the gates over the source, measured in the worker process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.computation import Computation
from explorer.session.core import Core, Frame, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.review_sample import evenly
from explorer.session.views.number_format import count
from explorer.session.views.saturation import SCOPES, Saturation, Scope, review_saturation

if TYPE_CHECKING:
    from engine.gate_saturation import GateSaturation
    from engine.network import Network
    from engine.reviews import Review

SAMPLE: Final = 1000  # reviews


class SaturationController:
    """Saturation over the present review or over the source.

    Attributes
    ----------
    scope : {"review", "corpus"}
    """

    def __init__(self, core: Core, jobs: JobRunner) -> None:
        self.scope: Scope = "review"
        self._core = core
        self._computation: Computation[Saturation] = Computation(jobs)

    @property
    def progress(self) -> str:
        """Progress of reading the corpus, or the error that ended it; "" at rest, and for the present review."""
        return self._computation.progress if self.scope == "corpus" else ""

    def begin(self) -> None:
        """Check that the network has gates, and measure the corpus if that is chosen.

        Raises
        ------
        SessionError
            If it has none.
        """
        from engine.gate_saturation import gate_names

        network = self._core.snapshot.network
        if not gate_names(network.cell):
            cell = network.cell.title
            article = "an" if cell in ("RNN", "LRU") else "a"
            raise SessionError(f"{article} {cell} layer has no gates: choose an LSTM or a GRU")
        self.use(self.scope)

    def use(self, scope: Scope) -> None:
        """Show the present review, or measure the source unless that is done or in progress.

        A recording has no network that could read the source: then the present review stays.
        """
        core, snapshot = self._core, self._core.snapshot
        alone = core.replaying or core.snapshot.network.unit == "step"  # no corpus, or one without words
        self.scope = "review" if alone else scope
        if self.scope == "corpus":
            numbers = evenly(len(core.reviews), SAMPLE)
            self._computation.request(
                (snapshot.network, id(snapshot.clamps), id(core.reviews)),
                measure, snapshot.network, [core.reviews[k] for k in numbers], len(core.reviews), dict(snapshot.clamps),
            )  # fmt: skip

    def switch(self) -> None:
        """Use the other scope."""
        self.use(SCOPES[1 - SCOPES.index(self.scope)])

    def result(self, frame: Frame) -> Saturation | None:
        """Return the saturation of the chosen scope as far as it is measured; None before that."""
        return review_saturation(self._core, frame) if self.scope == "review" else self._computation.result()


def measure(
    report: Report,
    network: Network,
    reviews: Sequence[Review],
    source: int,
    clamps: Mapping[str, NDArray[np.float32]],
) -> None:
    """Job: send ``("result", Saturation)`` and ``("progress", text)`` after every few reviews."""
    from engine.gate_saturation import corpus_saturation

    assert network.text_vocabulary is not None, "the network being read with takes words"
    encoded = [network.text_vocabulary.encode(network.split(review.text)) for review in reviews]
    known = [ids for ids in encoded if len(ids)]

    def progress(found: GateSaturation) -> bool:
        report(("result", Saturation("corpus", found, source, len(known))))
        return report(("progress", f"{found.reviews:,} of {count(len(known), 'review')} …"))

    corpus_saturation(network, known, clamp=clamps, progress=progress)

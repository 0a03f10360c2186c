"""The words of all reviews at which a signal of the selected cell is highest and lowest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.computation import ComputationController
from explorer.session.controllers.playback import Playback
from explorer.session.core import Core, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.review_sample import evenly
from explorer.session.views.contexts import Contexts
from explorer.session.views.number_format import count

if TYPE_CHECKING:
    from engine.contexts import Extremes, Place
    from engine.network import Network
    from engine.reviews import Review

SAMPLE: Final = 1000  # reviews
MOST: Final = 100  # places of each kind


class ContextsController(ComputationController[Contexts]):
    """Searches the source, or an even sample of a large one, in the worker process."""

    def __init__(self, core: Core, playback: Playback, jobs: JobRunner) -> None:
        self._core = core
        self._playback = playback
        super().__init__(jobs)

    def begin(self) -> None:
        """Search for the chosen signal of the selected cell, unless that is done or in progress.

        Raises
        ------
        SessionError
            If no cell is selected, or the chosen signal is the input.
        """
        snapshot = self._core.snapshot
        choices = self._core.valid_choices(snapshot)
        if choices.cell is None:
            keys = self._core.key_of("select-up", "select-down")
            raise SessionError(f"no cell is selected: choose one with {keys} or a click, then list its contexts")
        reviews = self._core.reviews
        numbers = evenly(len(reviews), SAMPLE)
        network, clamps = snapshot.network, snapshot.clamps
        self._computation.request(
            (network, id(clamps), id(reviews), choices.signal, choices.cell),
            search, network, choices.signal, choices.cell, numbers, [reviews[k] for k in numbers], len(reviews),
            dict(clamps),
        )  # fmt: skip

    def review(self, place: Place) -> Review:
        """Return the review of a place."""
        return self._core.reviews[place.review]

    def open(self, place: Place) -> None:
        """Open the review at a place."""
        self._playback.open_at(place.review, place.word)


def search(
    report: Report,
    network: Network,
    signal: str,
    cell: int,
    numbers: Sequence[int],
    reviews: Sequence[Review],
    source: int,
    clamps: Mapping[str, NDArray[np.float32]],
) -> None:
    """Job: send ``("result", Contexts)`` and ``("progress", text)`` after every few reviews."""
    from engine.contexts import find_extremes

    assert network.text_vocabulary is not None, "the network being read with takes words"
    encoded = [network.text_vocabulary.encode(network.split(review.text)) for review in reviews]
    known = [k for k, ids in enumerate(encoded) if len(ids)]

    def progress(found: Extremes) -> bool:
        report(("result", Contexts(signal, cell, source, len(known), found)))
        return report(("progress", f"{found.reviews:,} of {count(len(known), 'review')} …"))

    find_extremes(
        network, [encoded[k] for k in known], signal, cell,
        numbers=[numbers[k] for k in known], most=MOST, clamp=clamps, progress=progress,
    )  # fmt: skip

"""A second network on the same review, on the same axis, with the difference."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from explorer.session.model import Frame, Session


@dataclass(frozen=True)
class Comparison:
    """P(positive) of the other network after every word, (time,), of one run."""

    name: str
    run: int
    probability: NDArray[np.float64]


class Comparing:
    """Reads each review that is opened through the other network too, in a thread of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.network: str | None = None
        self._result: Comparison | None = None
        self._wanted: tuple[str, int] | None = None

    def compare_with(self, network: str | None) -> None:
        """Compare with a network by name or path; None ends the comparison."""
        self.network, self._result, self._wanted = network, None, None

    def comparison(self, frame: Frame) -> Comparison | None:
        """The other network's reading of the present run, None until it is there."""
        if self.network is None:
            return None
        wanted = (self.network, frame.snapshot.run)
        if self._wanted != wanted and frame.snapshot.words:
            self._wanted = wanted
            words = frame.snapshot.review.words
            threading.Thread(target=self._read, args=(*wanted, words), name="pinkx compare", daemon=True).start()
        found = self._result
        return found if found is not None and found.run == frame.snapshot.run else None

    def _read(self, name: str, run: int, words: tuple[str, ...]) -> None:
        from engine.network import Network
        from engine.recording import record

        try:
            network = Network.load(name)
            if network.vocabulary is None:
                raise ValueError(f"{network.name} takes numbers, not reviews: nothing to compare")
            recording = record(network, network.vocabulary.encode(words), ["h"])
            probability = np.asarray(recording.probability, dtype=np.float64)[0]
        except ValueError as error:
            self._session.note, self.network = str(error), None
            return
        if self._wanted == (name, run):
            self._result = Comparison(network.name, run, probability)

"""The search for fixed points behind a session: threads of its own, for the network that is watched.

Nothing waits for it: a view takes what is found so far. NumPy, SciPy and PyTorch let the other threads run while they
compute, and what was found is kept on disk, so that it is there at once the next time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # these need torch, which a face loads behind its first frame
    from engine.attractors import WordAttractors
    from engine.network import Network
    from engine.points import FixedPoints

INPUTS = ("zero", "mean")
STARTS = 128
VISITED = 1000
PATIENCE = 0.5  # seconds that closing waits; threads that are deep in a computation end after their block


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

    def __init__(self) -> None:
        self.found: Found | None = None
        self._network: Network | None = None
        self._doing: dict[threading.Thread, str] = {}
        self._trouble = ""
        self._lock = threading.Lock()
        self._closed = False

    @property
    def progress(self) -> str:
        return "   ".join([*self._doing.copy().values(), *filter(None, [self._trouble])])

    def begin(self, network: Network) -> None:
        """Search this network from now on, unless it is the one already: visited states, points, word attractors."""
        if network is not self._network and not self._closed:
            self._network, self.found, self._trouble = network, None, ""
            self._start(lambda: self._survey(network))

    def add(self, network: Network, name: str) -> None:
        """Find the points under one more input too, such as a word."""
        self._start(lambda: self._add(network, name))

    def close(self) -> None:
        """End every search; what was not finished is forgotten."""
        self._closed = True
        end = time.monotonic() + PATIENCE
        for thread in list(self._doing):
            thread.join(max(0.0, end - time.monotonic()))

    # ---- in the threads --------------------------------------------------------------------------------------

    def _start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:  # whatever it is, the panel shows it and the run goes on
                self._trouble = f"the search failed: {error}"
            finally:
                del self._doing[threading.current_thread()]

        thread = threading.Thread(target=run, name="pinkx points", daemon=True)
        self._doing[thread] = "searching …"
        thread.start()

    def _survey(self, network: Network) -> None:
        import torch

        from engine.points_cache import cached_word_attractors
        from engine.visits import visited_states

        torch.set_num_threads(1)
        h = visited_states(network, VISITED, reviews=_read(network))[:, : network.cell.size]
        self._keep(Found(network, h.cpu().numpy()))
        self._add(network, *INPUTS)
        words = cached_word_attractors(network, progress=self._report(network, "word attractors"))
        if words is not None and self.found is not None:
            with self._lock:
                self._keep(replace(self.found, words=words))

    def _add(self, network: Network, *names: str) -> None:
        from engine.points import FixedPoints
        from engine.points_cache import network_points

        report = self._report(network, f"fixed points for {', '.join(names)}")
        more = network_points(network, names, count=STARTS, reviews=_read(network), progress=report)
        with self._lock:
            if self.found is not None and self._wanted(network):
                before = self.found.points
                points = more if before is None else FixedPoints.concatenate([before, more])
                self._keep(replace(self.found, points=points))

    def _report(self, network: Network, what: str) -> Callable[[int, int], bool]:
        def report(done: int, total: int) -> bool:
            self._doing[threading.current_thread()] = f"{what} {done / max(1, total):.0%}"
            return self._wanted(network)

        self._doing[threading.current_thread()] = f"{what} …"
        return report

    def _wanted(self, network: Network) -> bool:
        return network is self._network and not self._closed

    def _keep(self, found: Found) -> None:
        if self._wanted(found.network):
            self.found = found


def _read(network: Network) -> list[NDArray[np.int32]]:
    """The bundled reviews in the network's numbers: where its searches start from."""
    from engine.reviews import CUT, open_reviews

    assert network.vocabulary is not None, "a network that is watched reads words"
    return [network.vocabulary.encode(review.words[:CUT]) for review in open_reviews(None)]

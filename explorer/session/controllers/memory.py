"""The Lyapunov spectrum of the present review, and how fast the memory of its words decays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.ablation import AblationController
from explorer.session.controllers.computation import ComputationController
from explorer.session.core import Core, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.views.memory import ORDERS, Memory, MemoryOfRun
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.network import Network

EXPONENTS: Final = 8
LAGS: Final = 100  # words back from the last


class MemoryController(ComputationController[Memory]):
    """Measures the words read so far, in their order and shuffled."""

    def __init__(self, core: Core, ablation: AblationController, jobs: JobRunner) -> None:
        self._core = core
        self._ablation = ablation
        super().__init__(jobs)

    def begin(self) -> None:
        """Measure the whole review, unless that is done or in progress.

        Raises
        ------
        SessionError
            If it is too short.
        """
        from engine.lyapunov import TRANSIENT

        snapshot = self._core.snapshot
        if snapshot.words <= 2 * TRANSIENT:
            has = unit_names(snapshot.network).reword(f"the review has {snapshot.words} words")
            raise SessionError(f"{has}: the spectrum needs more than {2 * TRANSIENT}")
        network, ids = (
            self._ablation.network(snapshot),
            np.array(snapshot.ids[:: -1 if snapshot.network.backward else 1]),
        )
        subject = network, snapshot.review.name, ids.tobytes()
        self._computation.request(subject, measure, network, snapshot.review.name, ids)


def measure(report: Report, network: Network, name: str, ids: NDArray[np.integer]) -> None:
    """Job: send ``("result", Memory)``, and ``("progress", text)`` meanwhile."""
    from engine.lyapunov import lyapunov_spectrum, memory_decay

    shuffled = np.random.default_rng(0).permutation(ids)
    runs = []
    for k, (order, words) in enumerate(zip(ORDERS, (ids, shuffled), strict=True)):
        x = network.embed(words).double().cpu().unsqueeze(0)
        if not report(("progress", f"Lyapunov spectrum of the words {order} … {k * 50}%")):
            return
        exponents = lyapunov_spectrum(network.cell, x, count=EXPONENTS)[0]
        if not report(("progress", f"memory decay of the words {order} … {k * 50 + 30}%")):
            return
        decay = memory_decay(network.cell, x, lags=LAGS)
        runs.append(MemoryOfRun(exponents, decay.norm[0], float(decay.half_life[0])))
    report(("result", Memory(name, len(ids), tuple(runs))))

"""Surrogates of the series that α is of, measured in the worker process."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.computation import ComputationController
from explorer.session.core import Core, Frame, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.views.scaling import series_until
from explorer.session.views.surrogates import SurrogateComparison

COUNT: Final = 99  # surrogates of each kind: a β above all of them has p = 0.01


class SurrogatesController(ComputationController[SurrogateComparison]):
    """β of the layer sum or of the selected cell over the words up to the one looked at, beside its surrogates."""

    def __init__(self, core: Core, jobs: JobRunner) -> None:
        super().__init__(jobs)
        self._core = core

    def begin(self, frame: Frame) -> None:
        """Measure the series unless that is done or in progress.

        Raises
        ------
        SessionError
            If it is too short for DFA, or its first words are no longer stored.
        """
        from engine.fluctuation import SHORTEST_SERIES

        values, name, _ = series_until(self._core, frame, frame.word + 1)
        if len(values) < SHORTEST_SERIES:
            raise SessionError(
                f"surrogates need {SHORTEST_SERIES} words or more, got {len(values)}: read on, or look at a later word"
            )
        subject = (frame.snapshot.run, frame.snapshot.network, frame.word, name)
        self._computation.request(subject, measure, name, values)


def measure(report: Report, name: str, values: NDArray[np.floating]) -> None:
    """Job: send ``("result", SurrogateComparison)``."""
    from engine.fluctuation import SHORTEST_SERIES, default_scales, fluctuations
    from engine.intervals import beta_interval, has_one_exponent
    from engine.surrogates import surrogate_betas

    length = len(values)
    found = surrogate_betas(values, COUNT)
    middle = length // 2
    limits = beta_interval(found.beta, length).tolist()
    halves = np.full((2, 2), np.nan)
    if middle >= SHORTEST_SERIES:
        halves = beta_interval(found.halves, middle)
    report(
        (
            "result",
            SurrogateComparison(
                name,
                length,
                float(found.beta),
                (limits[0], limits[1]),
                bool(has_one_exponent(fluctuations(values, default_scales(length)), length)),
                (float(found.halves[0]), float(found.halves[1])),
                ((float(halves[0, 0]), float(halves[0, 1])), (float(halves[1, 0]), float(halves[1, 1]))),
                found.surrogates,
            ),
        )
    )

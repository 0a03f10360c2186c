"""Exponents of exact noise at the window and scales in use: the band drawn behind every α."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.session.core import Core
from explorer.session.jobs import Job, JobRunner, Report

Key = tuple[int, tuple[int, ...] | None]
"""Length of the series in words, and the scales; None for the default scales of that length."""


@dataclass(frozen=True)
class Band:
    """The central 90 % of the exponents of exactly white and exactly pink series."""

    white: tuple[float, float]
    pink: tuple[float, float]


class NoiseBands:
    """Computes bands in the worker process and stores them."""

    def __init__(self, core: Core, jobs: JobRunner) -> None:
        self._core = core
        self._jobs = jobs
        self._bands: dict[Key, Band | None] = {}
        self._of_review: tuple[Key, Job] | None = None  # the newest request for a whole review

    def request(self, length: int, scales: tuple[int, ...] | None = None) -> None:
        """Start to compute the band of α of a series of this length, unless that is done or in progress."""
        key = length, None if scales is None else tuple(scales)
        if key in self._bands:
            return
        self._bands[key] = None
        job = self._jobs.start(
            send_band, *key, on_result=lambda band: self._bands.update({key: band}), on_end=self._report
        )
        if scales is None:
            if self._of_review is not None and self._bands[self._of_review[0]] is None:  # nobody reads that review now
                self._jobs.cancel(self._of_review[1])
                del self._bands[self._of_review[0]]
            self._of_review = key, job

    def result(self, length: int, scales: tuple[int, ...] | None = None) -> Band | None:
        """Return the band of α; None until it is computed."""
        return self._bands.get((length, None if scales is None else tuple(scales)))

    def _report(self, trouble: str) -> None:
        if trouble:
            self._core.note = f"the band of exact noise could not be computed: {trouble}"


def send_band(report: Report, length: int, scales: tuple[int, ...] | None) -> None:
    """Job: send the `Band`."""
    from engine.fluctuation import default_scales
    from engine.null import null_exponents

    scales = default_scales(length) if scales is None else scales
    white = null_exponents(0.0, length, scales)
    report(None)
    pink = null_exponents(1.0, length, scales)
    report(Band((white.low, white.high), (pink.low, pink.high)))

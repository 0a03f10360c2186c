"""Fit of the growth of memory in the soak test."""

from __future__ import annotations

import re

import numpy as np

from tests.robustness.soak import growth, slope


def samples(rising: float) -> dict[str, object]:
    """Return 30 minutes, a sample every two seconds, with recordings that take up to 400 MiB."""
    seconds = np.arange(0.0, 1800.0, 2.0)
    recording = seconds % 300 < 100
    noise = np.random.default_rng(0).standard_normal(len(seconds))
    own = 250 + noise + rising * seconds / 60 + recording * 4 * (seconds % 300)
    return {"seconds": seconds, "words": 1e4 * seconds, "recording": recording, "own": {"front end": own}}


def test_growth_is_found_beside_recordings() -> None:
    for rising in (0.0, 1.0):
        found = growth(samples(rising), "front end")
        by_minute, error, by_million = map(float, re.findall(r"[+-]?\d+\.\d+", found)[:3])
        assert abs(by_minute - rising) < error < 0.1, found
        assert abs(by_million - rising / 0.6) < 0.2, found


def test_residuals_that_depend_on_the_last_widen_the_interval() -> None:
    noise = np.random.default_rng(0).standard_normal(40)
    x = np.arange(40.0)
    assert slope(x, np.convolve(noise, np.ones(8), "same"))[1] > 2 * slope(x, 8**0.5 * noise)[1]

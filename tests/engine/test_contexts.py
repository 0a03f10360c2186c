"""Places of the highest and the lowest values, against a plain loop over plain steps."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contexts import APART, Extremes, find_extremes, peaks
from engine.recording import record_reference
from tests.explorer.small import small_network


def plain_peaks(values: list[float], apart: int) -> list[int]:
    found = []
    for t, value in enumerate(values):
        before, after = values[max(0, t - apart) : t], values[t + 1 : t + 1 + apart]
        if all(value > other for other in before) and all(value >= other for other in after):
            found.append(t)
    return found


def test_peaks_by_a_plain_loop() -> None:
    generator = np.random.default_rng(0)
    for size in (1, 2, 5, 40):
        values = generator.integers(0, 5, size).astype(float)  # with ties
        assert peaks(values).tolist() == plain_peaks(values.tolist(), APART)
        assert peaks(values, 1).tolist() == plain_peaks(values.tolist(), 1)
    assert peaks([2.0, 2.0, 2.0]).tolist() == [0]


@pytest.mark.parametrize("signal", ["h", "f"])
def test_the_extremes_of_many_reviews(signal: str) -> None:
    network, generator = small_network(), np.random.default_rng(1)
    reviews = [generator.integers(2, 20, length).astype(np.int32) for length in (30, 1, 12, *[8] * 20)]
    clamp = {"i": np.full(12, np.nan, dtype=np.float32)}
    clamp["i"][4] = 0.5
    parts: list[Extremes] = []
    found = find_extremes(
        network, reviews, signal, 4, numbers=[10 + k for k in range(23)], most=7, clamp=clamp,
        progress=lambda part: not parts.append(part),  # type: ignore[func-returns-value]
    )  # fmt: skip
    every = []
    for number, ids in enumerate(reviews):
        values = record_reference(network, ids, [signal], clamp=clamp)[signal][0, :, 4].tolist()
        for sign in (1, -1):
            every += [(sign, 10 + number, t, values[t]) for t in plain_peaks([sign * v for v in values], APART)]
    for sign, places in ((1, found.highest), (-1, found.lowest)):
        expected = sorted((e for e in every if e[0] == sign), key=lambda e: -sign * e[3])[:7]
        assert [(place.review, place.word) for place in places] == [(e[1], e[2]) for e in expected]
        assert [place.value for place in places] == pytest.approx([e[3] for e in expected], abs=1e-6)
    assert (found.reviews, found.words) == (23, 30 + 1 + 12 + 160)
    assert [part.reviews for part in parts] == [16, 23]
    assert find_extremes(network, reviews, "h", 0, progress=lambda _: False).reviews == 16

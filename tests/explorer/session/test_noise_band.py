"""The noise band behind α: it equals the engine's calibration, and a request does not block."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from engine.fluctuation import default_scales, rolling_scales
from engine.null import null_exponents
from explorer.session.session import Session
from tests.explorer.small import open_session, wait


@pytest.fixture
def session() -> Iterator[Session]:
    opened = open_session()
    yield opened
    opened.close()


def test_the_band_is_the_null_of_the_window(session: Session) -> None:
    scales, bands = rolling_scales(48), session.noise_bands
    begin = time.perf_counter()
    bands.request(48, scales)
    assert time.perf_counter() - begin < 0.5
    wait(lambda: bands.result(48, scales) is not None, 60)
    found = bands.result(48, scales)
    assert found is not None
    white, pink = null_exponents(0.0, 48, scales), null_exponents(1.0, 48, scales)
    assert found.white == (white.low, white.high)
    assert found.pink == (pink.low, pink.high)
    assert found.white[0] < 0.5 < found.white[1]
    assert found.pink[0] < 1.0 < found.pink[1] == pytest.approx(1.15, abs=0.15)


def test_without_scales_those_of_a_whole_series_are_used(session: Session) -> None:
    session.noise_bands.request(90)
    wait(lambda: session.noise_bands.result(90) is not None, 60)
    found, pink = session.noise_bands.result(90), null_exponents(1.0, 90, default_scales(90))
    assert found is not None
    assert found.pink == (pink.low, pink.high)


def test_the_band_of_a_review_that_was_left_is_not_computed(session: Session) -> None:
    bands = session.noise_bands
    for length in (3_001, 3_002, 91):  # the first take seconds
        bands.request(length)
    wait(lambda: bands.result(91) is not None, 60)
    assert bands.result(3_001) is None
    bands.request(92)
    wait(lambda: bands.result(92) is not None, 60)
    assert bands.result(91) is not None

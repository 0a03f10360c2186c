"""The band behind α is what the engine's calibration says, and comes without holding up who asks."""

from __future__ import annotations

import time

import pytest

from engine.fluctuation import rolling_scales
from engine.null import null_exponents
from explorer.session.controllers.noise_band import band


def test_is_the_null_of_the_window() -> None:
    scales = rolling_scales(48)
    begin = time.perf_counter()
    assert band(48, scales) is None
    assert time.perf_counter() - begin < 0.5
    deadline = time.monotonic() + 60
    while (found := band(48, scales)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    white, pink = null_exponents(0.0, 48, scales), null_exponents(1.0, 48, scales)
    assert found.white == (white.low, white.high)
    assert found.pink == (pink.low, pink.high)
    assert found.white[0] < 0.5 < found.white[1]
    assert found.pink[0] < 1.0 < found.pink[1] == pytest.approx(1.15, abs=0.15)

"""Rolling exponents of whole traces."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine import rolling_traces
from engine.fluctuation import exponents, rolling_scales
from engine.rolling_traces import rolling_exponents, window_fluctuations


def test_a_trace_equals_each_window_measured_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    series = np.random.default_rng(0).standard_normal((3, 90))
    series[1] = 0.5
    found = rolling_exponents(series, 40)
    assert found.alpha.shape == (3, 90)
    assert set(found.reason[0, :39]) == {"too short"}
    assert set(found.reason[1, 39:]) == {"flat"}
    monkeypatch.setattr(rolling_traces, "CHUNK", 2 * 51 * 40)  # two series at once
    F = window_fluctuations(torch.from_numpy(series), 40, rolling_scales(40))
    alone = exponents(F, rolling_scales(40))
    np.testing.assert_allclose(alone.alpha, found.alpha, rtol=1e-7)
    assert alone.reason.tolist() == found.reason.tolist()


def test_series_shorter_than_the_window_and_of_the_wrong_shape() -> None:
    assert set(rolling_exponents(np.zeros((2, 10)), 40).reason.ravel()) == {"too short"}
    F = window_fluctuations(torch.zeros(2, 10), 40, rolling_scales(40))
    assert set(exponents(F, rolling_scales(40)).reason.ravel()) == {"too short"}
    with pytest.raises(ValueError, match=r"expected series \(n, time\), got 1 dimensions"):
        rolling_exponents(np.zeros(10))

"""The 90 % interval of a single β covers; the standard error of the fit does not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.signal import lfilter

from engine import intervals
from engine.fluctuation import bend, default_scales, exponents, fluctuations, half_betas, rolling_scales
from engine.intervals import beta_interval
from engine.noise import heavy_tailed_noise, power_law_noise


@pytest.mark.parametrize("draw", [power_law_noise, heavy_tailed_noise])
@pytest.mark.parametrize(("length", "beta"), [(64, -0.5), (64, 1.5), (150, 0.5), (500, 1.0), (500, 2.0)])
def test_the_interval_covers_new_noise(draw: object, length: int, beta: float) -> None:
    assert callable(draw)
    scales = rolling_scales(length) if length < 80 else default_scales(length)
    series = draw(beta, length, 600, np.random.default_rng(11))
    fit = exponents(fluctuations(series, scales), scales)
    limits = beta_interval(fit.beta, length, scales)
    covered = np.mean((limits[:, 0] <= beta) & (beta <= limits[:, 1]))
    assert 0.88 - 0.025 < covered < 0.92 + 0.025  # two standard errors of 600 series
    by_fit = np.mean(np.abs(fit.beta - beta) < 1.645 * fit.beta_stderr)
    assert by_fit < 0.6


def test_limits_rise_with_the_estimate_and_nan_stays() -> None:
    limits = beta_interval(np.array([-2.0, 0.0, 1.0, 5.0, np.nan]), 500)
    assert (np.diff(limits[:4], axis=0) >= 0).all()
    assert (limits[0, 0], limits[3, 1]) == (-1, 3)
    assert np.isnan(limits[4]).all()
    assert beta_interval(0.9, 500).shape == (2,)
    with pytest.raises(ValueError, match="a scale of 30 words is longer than a series of 20 words"):
        beta_interval(1.0, 20, (10, 20, 30))


def test_other_scales_are_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "BETAS", (-0.99, -0.6, -0.2, 0.3, 0.7, 1.2, 1.8, 2.4, 2.95))
    drawn: list[int] = []
    simulate = intervals.simulate_quantiles

    def few(length: int, scales: tuple[int, ...], count: int) -> tuple[list[float], list[float]]:
        drawn.append(count)
        return simulate(length, scales, 40)

    monkeypatch.setattr(intervals, "simulate_quantiles", few)
    low, high = beta_interval(0.9, 90, (10, 14, 20))
    assert low < 1 < high
    assert drawn == [1000]


def test_a_crossover_is_no_single_exponent_and_noise_is_one() -> None:
    random = np.random.default_rng(5)
    scales = default_scales(500)
    for beta in (0.0, 1.0, 2.0):
        straight = intervals.has_one_exponent(fluctuations(power_law_noise(beta, 500, 200, random), scales), 500)
        assert straight.mean() > 0.97
    # nearly Brownian at short scales, white beyond its time constant of ten words
    scales = default_scales(2000)
    crossed = lfilter([1.0], [1.0, -0.9], random.standard_normal((30, 2000)))
    F = fluctuations(crossed, scales)
    short, long = half_betas(F, scales)
    assert short.mean() > long.mean() + 0.7
    np.testing.assert_array_equal(bend(F, scales), long - short)
    assert intervals.has_one_exponent(F, 2000).mean() < 0.1
    assert intervals.has_one_exponent(np.full(len(scales), np.nan), 500)
    assert np.isnan(bend([1.0, 2.0, 3.0], (10, 20, 40)))


def test_an_interrupted_table_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "LENGTHS", {"rolling": (32, 40, 48, 64, 96)})
    monkeypatch.setattr(intervals, "CHECKED", {"rolling": (56,)})
    steps = [json.loads(json.dumps(document)) for document in intervals.tabulate(60)]
    assert [len(step["rolling"]["lengths"]) for step in steps] == [1, 2, 3, 4, 5, 5]
    *_, last = intervals.tabulate(60, steps[2])
    assert json.loads(json.dumps(last)) == steps[-1]
    rows = last["coverage"]
    assert [row["beta"] for row in rows] == [-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]
    assert {row["series"] for row in rows} == {60}
    assert np.mean([row[kind] for row in rows for kind in ("gaussian", "heavy")]) == pytest.approx(0.9, abs=0.06)
    assert list(intervals.tabulate(60, last)) == []
    assert len(list(intervals.tabulate(40, steps[2]))) == 6  # another count: from the beginning

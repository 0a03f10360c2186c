"""The null is the estimate for noise of known exponent."""

from __future__ import annotations

import numpy as np
import pytest

from engine import noise, null
from engine.fluctuation import SCALES, exponents, fluctuations, rolling_scales
from engine.null import BETAS, band, null_exponents


def test_white_noise_is_where_independent_trials_put_it() -> None:
    # From trials with other code: α of 500 white samples, scales 10 … 125, is 0.470 ± 0.060; standard 0.495 ± 0.057.
    assert (unbiased := null_exponents(0.0, 500, SCALES)).alpha == pytest.approx(0.470, abs=0.008)
    assert unbiased.alpha_spread == pytest.approx(0.060, abs=0.005)
    standard = null_exponents(0.0, 500, SCALES, unbiased=False)
    assert (standard.alpha, standard.alpha_spread) == pytest.approx((0.495, 0.057), abs=0.006)


def test_it_equals_the_estimators_own_values() -> None:
    scales = rolling_scales(64)
    found = null_exponents(0.0, 64, scales, count=4000)
    alpha = exponents(fluctuations(np.random.default_rng(99).standard_normal((4000, 64)), scales), scales).alpha
    assert found.alpha == pytest.approx(alpha.mean(), abs=4.5 * alpha.std() * (2 / 4000) ** 0.5)
    assert found.alpha_spread == pytest.approx(alpha.std(), rel=0.07)
    assert np.mean((alpha > found.low) & (alpha < found.high)) == pytest.approx(0.9, abs=0.03)


def test_a_band_covers_all_colours_in_order() -> None:
    rows = band(128, rolling_scales(128), count=300)
    assert tuple(row.beta for row in rows) == BETAS == tuple(np.arange(-0.5, 2.01, 0.25))
    means = [row.alpha for row in rows]
    assert means == sorted(means)
    assert all(row.low < row.alpha < row.high for row in rows)
    assert [row.spectral for row in rows] == pytest.approx(BETAS, abs=0.15)


def test_the_null_is_reproducible_and_cached() -> None:
    first = null_exponents(1.0, 100, (10, 14, 20), count=50)
    assert null_exponents(1.0, 100, (10, 14, 20), count=50) is first
    null_exponents.cache_clear()
    assert null_exponents(1.0, 100, (10, 14, 20), count=50) == first


def test_scales_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="a scale of 125 words is longer than a series of 100"):
        band(100)


def test_long_series_are_measured_part_by_part_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = null_exponents(1.0, 200, SCALES, count=31)
    for module in (noise, null):
        monkeypatch.setattr(module, "_STORED", 0)
    monkeypatch.setattr(noise, "_CHUNK", 800)
    parts = null_exponents.__wrapped__(1.0, 200, SCALES, count=31)
    assert vars(parts) == pytest.approx(vars(whole), rel=1e-9)

"""Surrogates keep what they promise and lose the rest."""

from __future__ import annotations

import numpy as np
import pytest

from engine.noise import power_law_noise
from engine.surrogates import ar1, iaaft, shuffled, surrogate_betas


@pytest.fixture
def brownian() -> np.ndarray:
    return power_law_noise(1.6, 600, 4, np.random.default_rng(3))


def test_shuffled_has_the_values_in_another_order(brownian: np.ndarray) -> None:
    made = shuffled(brownian, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(made), np.sort(brownian))
    assert not np.array_equal(made, brownian)


def test_iaaft_has_the_values_and_nearly_the_spectrum(brownian: np.ndarray) -> None:
    made = iaaft(brownian, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(made), np.sort(brownian))
    wanted, found = (np.abs(np.fft.rfft(x))[:, 1:] for x in (brownian, made))
    error = np.sqrt(((wanted - found) ** 2).sum() / (wanted**2).sum())
    assert error < 0.05
    assert not np.array_equal(made, brownian)


def test_ar1_has_mean_variance_and_one_time_constant() -> None:
    random = np.random.default_rng(0)
    made = ar1(7 + 3 * ar1(np.cumsum(random.standard_normal((1, 40)), -1), random), random)
    assert made.shape == (1, 40)
    source = 5 + np.concatenate([[0.0], np.convolve(random.standard_normal(20000), 0.8 ** np.arange(50))])[:20000]
    again = ar1(source, random)
    lag = [np.corrcoef(again[k:], again[: len(again) - k])[0, 1] for k in (1, 2, 4)]
    assert lag == pytest.approx([0.8, 0.64, 0.41], abs=0.05)
    assert (again.mean(), again.std()) == pytest.approx((source.mean(), source.std()), abs=0.25)
    np.testing.assert_array_equal(ar1(np.full(9, 2.5), random), np.full(9, 2.5))


def test_betas_of_surrogates_and_halves(brownian: np.ndarray) -> None:
    found = surrogate_betas(brownian, count=3)
    assert found.surrogates["iaaft"].shape == (3, 4)
    assert found.halves.shape == (2, 4)
    assert abs(found.surrogates["shuffled"].mean()) < 0.2
    assert found.surrogates["iaaft"].mean() == pytest.approx(found.beta.mean(), abs=0.25)
    again = surrogate_betas(brownian, count=3)
    np.testing.assert_array_equal(again.surrogates["ar1"], found.surrogates["ar1"])
    with pytest.raises(ValueError, match="too short"):
        surrogate_betas(brownian[:, :70])
    assert np.isnan(surrogate_betas(brownian[:, :100], count=1).halves).all()
    with pytest.raises(ValueError, match="surrogates need finite samples"):
        shuffled([0.0, np.nan], np.random.default_rng(0))

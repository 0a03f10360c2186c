"""The synthetic noise has the specified covariance and spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from engine import noise
from engine.noise import covariance, power_law_noise


@pytest.mark.parametrize("beta", [-1.0, -0.5, 0.0, 0.3, 0.8])
def test_covariance_is_the_transform_of_the_spectrum(beta: float) -> None:
    for lag in range(4):
        # ∫ |2 sin πf|^(−β) cos 2πfk df; the pole of β > 0 at f = 0 is taken with quad's own weight f^(−β).
        smooth = lambda f, k=lag: (np.sinc(f) * 2 * np.pi) ** -beta * np.cos(2 * np.pi * f * k)  # noqa: E731
        expected = 2 * quad(smooth, 0, 0.5, weight="alg", wvar=(-beta, 0))[0]
        assert covariance(beta, 4)[lag] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("beta", [-0.5, 0.0, 0.5, 0.9])
def test_samples_have_that_covariance(beta: float) -> None:
    count, length = 40_000, 24
    series = power_law_noise(beta, length, count, np.random.default_rng(0))
    found = series.T @ series / count
    lags = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    expected = covariance(beta, length)[lags]
    error = np.sqrt((expected[0, 0] ** 2 + expected**2) / count)  # of a Gaussian product
    assert np.abs((found - expected) / error).max() < 4.5


@pytest.mark.parametrize("beta", [-0.75, 0.0, 0.6])
def test_distances_are_preserved(beta: float) -> None:
    # Noise filtered in the Fourier domain is periodic: its last sample would be correlated with its first.
    series = power_law_noise(beta, 64, 60_000, np.random.default_rng(1))
    covariances = covariance(beta, 64)
    assert np.mean(series[:, 0] * series[:, -1]) == pytest.approx(
        covariances[-1], abs=4.5 * covariances[0] / 60_000**0.5
    )


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0, 2.5])
def test_from_pink_on_the_steps_are_stationary(beta: float) -> None:
    series = power_law_noise(beta, 50, 3, np.random.default_rng(2))
    steps = power_law_noise(beta - 2, 50, 3, np.random.default_rng(2))
    np.testing.assert_allclose(np.diff(series, prepend=0.0), steps, atol=1e-12)


def test_series_are_independent_of_each_other() -> None:
    series = power_law_noise(0.5, 1000, 4, np.random.default_rng(3))
    correlation = np.asarray(np.corrcoef(np.diff(series)))[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < 0.15


def test_the_count_may_be_odd_and_the_seed_decides() -> None:
    first, again, other = (power_law_noise(1.0, 30, 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (5, 30)
    np.testing.assert_array_equal(first, again)
    assert not np.isclose(first, other).any()


@pytest.mark.parametrize("beta", [-1.01, 3.0, float("nan")])
def test_beta_out_of_range_is_refused(beta: float) -> None:
    with pytest.raises(ValueError, match="expected β in"):
        power_law_noise(beta, 10, 1, np.random.default_rng(0))


@pytest.mark.parametrize("count", [5, 6])
def test_what_is_too_large_to_be_stored_is_drawn_as_if_it_were(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random, again = np.random.default_rng(1), np.random.default_rng(1)
    stored = power_law_noise(1.5, 40, count, random)
    monkeypatch.setattr(noise, "_STORED", 0)
    monkeypatch.setattr(noise, "_CHUNK", 80)
    np.testing.assert_array_equal(power_law_noise(1.5, 40, count, again), stored)
    assert random.random() == again.random()

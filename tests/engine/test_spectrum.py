"""β from the spectrum, against noise of known β and SciPy's estimate of the spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch
from scipy.signal.windows import dpss

from engine.noise import power_law_noise
from engine.spectrum import power_spectrum, slepian_tapers, spectral_exponents


@pytest.mark.parametrize("beta", [-0.5, 0.0, 0.5, 1.0, 1.5, 2.0])
def test_noise_has_its_exponent(beta: float) -> None:
    found = spectral_exponents(power_law_noise(beta, 500, 2000, np.random.default_rng(0)))
    assert found.beta.mean() == pytest.approx(beta, abs=0.05)
    assert found.beta.std() < 0.26


def test_density_is_that_of_welch() -> None:
    series = power_law_noise(0.7, 512, 4000, np.random.default_rng(1))
    frequency, power = power_spectrum(series)
    expected_frequency, expected = welch(series, nperseg=512, scaling="density", return_onesided=False)
    np.testing.assert_allclose(frequency, np.abs(expected_frequency[1:257]))
    inner = slice(8, -2)
    np.testing.assert_allclose(power.mean(axis=0)[inner], expected.mean(axis=0)[1:257][inner], rtol=0.1)


def test_a_line_shows_at_its_frequency() -> None:
    frequency, power = power_spectrum(np.sin(2 * np.pi * 0.125 * np.arange(400)))
    assert abs(frequency[power.argmax()] - 0.125) <= 2 / 400


def test_offset_and_unit_do_not_matter() -> None:
    series = power_law_noise(1.0, 500, 3, np.random.default_rng(2))
    found, changed = spectral_exponents(series), spectral_exponents(1e-6 * series + 3.0)
    np.testing.assert_allclose(changed.beta, found.beta, rtol=1e-6)
    np.testing.assert_allclose(changed.r2, found.r2, rtol=1e-6)


def test_no_exponent_without_a_reason() -> None:
    series = np.random.default_rng(3).standard_normal((3, 500))
    series[0, 7], series[1] = np.nan, 0.1
    found = spectral_exponents(series)
    assert list(found.reason) == ["not finite", "flat", ""]
    assert list(np.isnan(found.beta)) == list(np.isnan(found.r2)) == [True, True, False]


def test_too_few_frequencies_are_refused() -> None:
    with pytest.raises(ValueError, match="use a longer series or a wider range of scales"):
        spectral_exponents(np.zeros(500), (100, 125))


@pytest.mark.parametrize("length", [5, 50, 501])
def test_tapers_are_those_of_scipy(length: int) -> None:
    np.testing.assert_allclose(np.abs(slepian_tapers(length)), np.abs(dpss(length, 2, 3)), atol=1e-12)


def test_a_series_that_is_too_short_for_the_tapers_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 4 samples, got 4"):
        power_spectrum(np.arange(4.0))

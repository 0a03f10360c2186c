"""The knee model finds the knee and the exponent of spectra that have them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from engine.knee import knee_fit, other_knee
from engine.noise import power_law_noise
from engine.spectrum import power_spectrum

FREQUENCY = np.arange(1, 251) / 500


@pytest.mark.parametrize(("exponent", "knee"), [(2.0, 0.02), (1.3, 0.05)])
def test_exact_spectra(exponent: float, knee: float) -> None:
    found = knee_fit(FREQUENCY, 7 / (knee**exponent + FREQUENCY**exponent))
    assert found.exponent == pytest.approx(exponent, rel=1e-4)
    assert found.frequency == pytest.approx(knee, rel=1e-3)
    assert found.r2 == pytest.approx(1, abs=1e-8)


def test_one_time_constant_and_pure_power_laws() -> None:
    random = np.random.default_rng(0)
    ar1 = lfilter([1.0], [1.0, -0.9], random.standard_normal((200, 700)))[:, 200:]
    frequency, power = power_spectrum(ar1)
    low = frequency < 0.15  # the model is that of continuous time
    found = knee_fit(frequency[low], np.exp(np.log(power[:, low]).mean(axis=0)))
    assert found.frequency == pytest.approx(-np.log(0.9) / (2 * np.pi), rel=0.15)
    assert found.exponent == pytest.approx(2, abs=0.2)
    frequency, power = power_spectrum(power_law_noise(1.0, 500, 200, random))
    straight = knee_fit(frequency[2:60], np.exp(np.log(power[:, 2:60]).mean(axis=0)))
    assert straight.exponent == pytest.approx(1, abs=0.12)
    assert straight.frequency == 0


def test_a_second_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    class Model:
        def __init__(self, **options: Any) -> None:
            assert options["aperiodic_mode"] == "knee"

        def fit(self, frequency: np.ndarray, power: np.ndarray) -> None:
            self.aperiodic_params_ = np.array([0.0, 0.03**2, 2.0])

    module = ModuleType("fooof")
    module.FOOOF = Model  # type: ignore[attr-defined]
    monkeypatch.setattr("engine.knee.find_spec", lambda name: name == "fooof" or None)
    monkeypatch.setitem(sys.modules, "fooof", module)
    found = other_knee(FREQUENCY, 1 / (0.03**2 + FREQUENCY**2))
    assert found is not None
    assert (found.exponent, found.frequency, found.r2) == pytest.approx((2.0, 0.03, 1.0))
    monkeypatch.setattr("engine.knee.find_spec", lambda name: None)
    assert other_knee(FREQUENCY, FREQUENCY) is None


def test_the_packages_agree_with_the_own_fit() -> None:
    pytest.importorskip("fooof")
    power = 7 / (0.02**2 + FREQUENCY**2)
    other, own = other_knee(FREQUENCY, power), knee_fit(FREQUENCY, power)
    assert other is not None
    assert other.exponent == pytest.approx(own.exponent, rel=0.02)
    assert other.frequency == pytest.approx(own.frequency, rel=0.05)


@pytest.mark.skipif(find_spec("fooof") is None or find_spec("specparam") is not None, reason="needs fooof alone")
def test_the_import_of_fooof_prints_nothing() -> None:
    code = (
        "import numpy as np; from engine.knee import other_knee; f = np.linspace(0.004, 0.05, 40); other_knee(f, 1 / f)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""

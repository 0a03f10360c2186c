"""A series without an exponent returns NaN and a reason, never a number, where public libraries fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.fluctuation import SCALES, RollingExponent, exponents, fluctuations
from engine.network import Network
from engine.recording import record
from engine.spectrum import spectral_exponents

METHODS = pytest.mark.parametrize(
    ("order", "unbiased", "backward"),
    [(1, True, False), (2, True, False), (3, True, False), (1, False, False), (3, False, False), (2, False, True)],
)


@pytest.fixture
def white() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(500)


@METHODS
def test_a_flat_stretch_affects_no_other_box(white: np.ndarray, order: int, unbiased: bool, backward: bool) -> None:
    white[100:400] = 0.7
    found = exponents(fluctuations(white, SCALES, order, unbiased, backward=backward))
    assert found.reason == ""
    assert 0.2 < found.alpha < 0.9


@METHODS
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0, -3e8, 1e-12])
def test_a_flat_series_has_no_exponent(value: float, order: int, unbiased: bool, backward: bool) -> None:
    F = fluctuations(np.full(500, value), SCALES, order, unbiased, backward=backward)
    assert (F == 0).all()
    found = exponents(F)
    assert np.isnan([found.alpha, found.beta, found.alpha_stderr, found.r2]).all()
    assert found.reason == "flat"


@METHODS
def test_rounding_of_a_flat_series_is_flat(order: int, unbiased: bool, backward: bool) -> None:
    flicker = 0.9 + np.spacing(0.9) * np.random.default_rng(1).integers(0, 2, 500)
    assert exponents(fluctuations(flicker, SCALES, order, unbiased, backward=backward)).reason == "flat"
    assert exponents(fluctuations(flicker.astype(np.float32), SCALES, order, unbiased)).reason == "flat"
    one = np.float32(0.9)
    coarse = one + np.spacing(one) * np.random.default_rng(1).integers(0, 3, 500).astype(np.float32)
    F = fluctuations(coarse, SCALES, order, unbiased, backward=backward)
    assert (F == 0).any()
    assert exponents(F).reason == "flat to rounding"


def test_the_flicker_of_a_float32_recording_is_flat_to_rounding() -> None:
    network = Network.load("lstm-128")
    assert network.vocabulary is not None
    recording = record(network, [network.vocabulary.encode(["the"] * 1500)])
    tail = recording.layer_sum("h")[0, 1000:]
    assert 0 < np.ptp(tail) < 1e-5  # rounding keeps the state moving
    assert exponents(fluctuations(tail)).reason == "flat to rounding"
    rolling = RollingExponent(SCALES, 500, 1)
    rolling.push(tail[:, None])
    assert rolling.reason == ["flat to rounding"]
    assert spectral_exponents(tail).reason == "flat to rounding"
    # The same numbers in float64 are a movement that this precision resolves.
    assert exponents(fluctuations(tail.astype(np.float64))).reason == ""


@pytest.mark.parametrize(("order", "unbiased"), [(2, True), (3, True), (2, False), (3, False)])
def test_a_trend_of_the_fits_order_is_flat(order: int, unbiased: bool) -> None:
    trend = 3.0 + 0.25 * np.arange(500.0) ** (order - 1)
    assert exponents(fluctuations(trend, SCALES, order, unbiased)).reason == "flat"


@METHODS
@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e6])
def test_near_dead_cells_keep_their_exponent(
    white: np.ndarray, size: float, order: int, unbiased: bool, backward: bool
) -> None:
    plain = exponents(fluctuations(white, SCALES, order, unbiased, backward=backward))
    small = exponents(fluctuations(size * white, SCALES, order, unbiased, backward=backward))
    assert small.alpha == pytest.approx(plain.alpha, rel=1e-12)
    # Differences that float32 resolves on an offset have an exponent too.
    gate = np.float32(0.99) + np.float32(1e-5) * white.astype(np.float32)
    coarse = exponents(fluctuations(gate, SCALES, order, unbiased, backward=backward))
    assert coarse.alpha == pytest.approx(plain.alpha, abs=0.01)


@METHODS
@pytest.mark.parametrize(("bad", "at"), [(np.nan, 0), (np.nan, 250), (np.inf, 499), (-np.inf, 0)])
def test_samples_that_are_not_finite_are_not_dropped(
    white: np.ndarray, bad: float, at: int, order: int, unbiased: bool, backward: bool
) -> None:
    both = np.stack((white, white))
    both[0, at] = bad
    F = fluctuations(both, SCALES, order, unbiased, backward=backward)
    assert np.isnan(F[0]).all()
    found = exponents(F)
    assert list(found.reason) == ["not finite", ""]
    assert np.isnan(found.alpha[0])
    assert np.isfinite(found.alpha[1])


@METHODS
@pytest.mark.parametrize("power", [-1040, -533, 664, 1015])
def test_every_amplitude_has_an_exponent(
    white: np.ndarray, power: int, order: int, unbiased: bool, backward: bool
) -> None:
    plain = exponents(fluctuations(white, SCALES, order, unbiased, backward=backward))
    both = np.stack((np.ldexp(white, power), white))
    found = exponents(fluctuations(both, SCALES, order, unbiased, backward=backward))
    assert list(found.reason) == ["", ""]
    assert found.alpha == pytest.approx(plain.alpha, rel=1e-9 if power > -1000 else 1e-3)
    np.testing.assert_allclose(found.F[0], np.ldexp(plain.F, power), rtol=1e-9 if power > -1000 else 1e-2)


@METHODS
def test_one_huge_sample_is_finite(white: np.ndarray, order: int, unbiased: bool, backward: bool) -> None:
    white[257] = 1e200
    found = exponents(fluctuations(white, SCALES, order, unbiased, backward=backward))
    assert found.reason == ""
    white[:] = 0
    white[257] = 1.0
    spike = exponents(fluctuations(white, SCALES, order, unbiased, backward=backward))
    assert found.alpha == pytest.approx(spike.alpha, rel=1e-9)


@pytest.mark.parametrize("function", [fluctuations, spectral_exponents])
def test_samples_that_are_not_real_series_are_refused(function: Any, white: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected real samples, got an array of complex128"):
        function(white + 0j)
    with pytest.raises(ValueError, match=r"expected an array of shape \(\.\.\., time\), got a single number"):
        function(np.array(1.0))
    masked = np.ma.MaskedArray(np.stack((white, white)), mask=[[False] * 499 + [True], [False] * 500])
    found = function(masked)
    reason = exponents(found).reason if function is fluctuations else found.reason
    assert list(reason) == ["not finite", ""]


def test_scales_are_different_whole_numbers(white: np.ndarray) -> None:
    F = fluctuations(white, [10.0, 20, 40])  # type: ignore[list-item]
    for bad, says in (
        ([10.7, 20, 40], "expected whole numbers, got 10.7, 20.0, 40.0"),
        ([10, np.nan, 40], "expected whole numbers"),
        ([10, 20, 20], "expected different scales, got 10, 20, 20"),
    ):
        with pytest.raises(ValueError, match=says):
            fluctuations(white, bad)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=says):
            exponents(F, bad)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=says):
            RollingExponent(bad, 100, 1)  # type: ignore[arg-type]


@METHODS
def test_a_short_series_has_no_exponent(white: np.ndarray, order: int, unbiased: bool, backward: bool) -> None:
    F = fluctuations(white[:60], SCALES, order, unbiased, backward=backward)
    np.testing.assert_array_equal(np.isnan(F), np.array(SCALES) > 60)
    assert exponents(F).reason == "too short"
    nothing = fluctuations(white[:5], SCALES, order, unbiased, backward=backward)
    assert np.isnan(nothing).all()
    assert exponents(nothing).reason == "too short"
    assert np.isnan(exponents(nothing).alpha)


def test_reasons_outlive_slicing_stacking_and_saving() -> None:
    F = np.stack((fluctuations(np.zeros(30), (10, 20, 40)), np.full(3, np.nan), np.zeros(3), [1.0, 2.0, 4.0]))
    for same in (F, F[::-1][::-1], np.asfortranarray(F), np.frombuffer(F.tobytes()).reshape(F.shape)):
        assert list(exponents(same, (10, 20, 40)).reason) == ["too short", "not finite", "flat", ""]


@pytest.mark.parametrize("unbiased", [True, False])
def test_series_do_not_affect_each_other(white: np.ndarray, unbiased: bool) -> None:
    # Neighbours share a block of the kernel.
    neighbours = np.stack([white, np.full(500, np.nan), np.zeros(500), 1e12 * white, np.full(500, np.inf)])
    alone = fluctuations(white, unbiased=unbiased)
    np.testing.assert_array_equal(fluctuations(neighbours, unbiased=unbiased)[0], alone)


def test_a_constant_fluctuation_function_is_a_straight_line() -> None:
    found = exponents(np.ones(3), (10, 20, 40))
    assert found.alpha == 0
    assert found.r2 == 1
    assert found.reason == ""

"""A series without an exponent returns NaN and a reason, never a number, where public libraries fail."""

from __future__ import annotations

import numpy as np
import pytest

from engine.fluctuation import SCALES, exponents, fluctuations

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
def test_an_overflow_is_not_finite(white: np.ndarray, order: int, unbiased: bool, backward: bool) -> None:
    white[253] = 1e200
    found = exponents(fluctuations(white, SCALES, order, unbiased, backward=backward))
    assert found.reason == "not finite"
    assert np.isnan(found.alpha)


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
    # Sixteen series share one block of the kernel.
    neighbours = np.stack([white, np.full(500, np.nan), np.zeros(500), 1e12 * white, np.full(500, np.inf)])
    alone = fluctuations(white, unbiased=unbiased)
    np.testing.assert_array_equal(fluctuations(neighbours, unbiased=unbiased)[0], alone)


def test_a_constant_fluctuation_function_is_a_straight_line() -> None:
    found = exponents(np.ones(3), (10, 20, 40))
    assert found.alpha == 0
    assert found.r2 == 1
    assert found.reason == ""

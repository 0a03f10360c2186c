"""F(s) and α against other implementations, exact arithmetic, closed forms and published exponents."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import linregress

from engine.fluctuation import SCALES, default_scales, exponents, fluctuations, local_slopes
from engine.kernels.cpu.threads import set_thread_count, thread_count
from engine.kernels.reference import fluctuations_reference
from engine.noise import power_law_noise

METHODS = {"unbiased": (True, False), "standard": (False, False), "forward and backward": (False, True)}


def coloured(count: int = 2, length: int = 500) -> np.ndarray:
    random = np.random.default_rng(5)
    return np.concatenate([power_law_noise(beta, length, count, random) for beta in (-0.5, 0.0, 1.0, 2.0)])


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_fathon_finds_the_same(order: int, method: str) -> None:
    fathon = pytest.importorskip("fathon", reason="no fathon on this machine, the independent DFA")
    from fathon import fathonUtils

    unbiased, backward = METHODS[method]
    for series in coloured():
        dfa = fathon.DFA(fathonUtils.toAggregated(series))
        scales, expected = dfa.computeFlucVec(np.array(SCALES), polOrd=order, revSeg=backward, unbiased=unbiased)
        assert tuple(scales) == SCALES
        found = fluctuations(series, SCALES, order, unbiased, backward=backward)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_the_plain_version_finds_the_same_for_every_kind_of_series(order: int, method: str) -> None:
    random = np.random.default_rng(0)
    white, t = random.standard_normal((20, 400)), np.arange(400)
    kinds = {
        "white": white,
        "Brownian": white.cumsum(axis=1),
        "twice summed": white.cumsum(axis=1).cumsum(axis=1),
        "steps": np.sign(white).cumsum(axis=1) // 5,
        "spikes": 1e-6 * white + (white > 2.5),
        "nearly dead, on a large offset": 0.5 + 1e-9 * white,
        "slow": np.sin(t / 60 + white[:, :1]) + 1e-3 * white,
    }
    scales = np.array([order + 3, 7, 8, 20, 51, 100, 399, 400])
    unbiased, backward = METHODS[method]
    for name, series in kinds.items():
        expected = fluctuations_reference(series, scales, order, unbiased, backward)
        found = fluctuations(series, scales.tolist(), order, unbiased, backward=backward)
        np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=name)


def exact_unbiased(series: list[int], s: int) -> Fraction:
    """F⁴(s)·s/(s − 1) of Yuan et al. (2018), order 1, in exact arithmetic."""
    mean = Fraction(sum(series), len(series))
    profile = [sum(series[: i + 1], Fraction(0)) - (i + 1) * mean for i in range(len(series))]
    boxes: list[Fraction] = []
    for start in range(len(profile) - s + 1):
        y, w = profile[start : start + s], [Fraction(2 * j - s + 1, 2) for j in range(s)]
        level = sum(y, Fraction(0)) / s
        slope = sum((a * b for a, b in zip(y, w, strict=True)), Fraction(0)) / sum(b * b for b in w)
        d = [a - level - slope * b for a, b in zip(y, w, strict=True)]
        corrections, v = Fraction(0), sum((e * e for e in d), Fraction(0)) / s
        for e in (d, [(-1) ** j * e for j, e in enumerate(d)]):
            m = sum(e, Fraction(0)) / s
            c = [a - m for a in e]
            r = sum((a * b for a, b in itertools.pairwise(c)), Fraction(0)) / sum(a * a for a in c)
            rho = s * (1 + r) / (2 * s - 1)
            corrections += rho + (1 + 3 * rho) / (2 * s)
        boxes.append(corrections * (1 - Fraction(1, 2 * s)) * v)
    mean_of_boxes = sum(boxes, Fraction(0)) / len(boxes)
    return mean_of_boxes * mean_of_boxes


@given(st.lists(st.integers(-50, 50), min_size=9, max_size=14), st.integers(4, 8))
@settings(max_examples=40, deadline=None)
def test_unbiased_equals_exact_arithmetic(series: list[int], s: int) -> None:
    try:
        square = exact_unbiased(series, s)
    except ZeroDivisionError:  # a flat box, for which the formula has no value
        return
    found = fluctuations(np.array(series), [s])[0]
    assert found**4 * s / (s - 1) == pytest.approx(float(square), rel=1e-9)


@pytest.mark.parametrize(("order", "norm"), [(1, 180), (2, 2800), (3, 44100)])
def test_powers_of_time_have_a_closed_form(order: int, norm: int) -> None:
    # The profile's leading term is t^(order+1)/(order+1): what is left of each box is that Gram polynomial.
    s = np.array([6, 10, 15, 24])
    left = np.prod([s**2 - k**2 for k in range(1, order + 2)], axis=0) / norm / (order + 1) ** 2
    found = fluctuations(np.arange(120.0) ** order, s.tolist(), order, unbiased=False)
    np.testing.assert_allclose(found, np.sqrt(left), rtol=1e-6 if order == 3 else 1e-9)


def test_alternating_samples_have_a_closed_form() -> None:
    s = np.array([6, 10, 20, 50])
    found = fluctuations((-1.0) ** np.arange(500), s.tolist(), unbiased=False)
    np.testing.assert_allclose(found, np.sqrt(1 / 4 - 3 / (4 * (s**2 - 1))), rtol=1e-12)


def test_white_noise_has_the_expected_level() -> None:
    # E F² of the line-detrended random walk is (s² − 4) / 15 s.
    series = np.random.default_rng(1).standard_normal((4000, 500))
    s = np.array([5, 10, 25, 50])
    square = (fluctuations(series, s.tolist(), unbiased=False) ** 2).mean(axis=0)
    np.testing.assert_allclose(square, (s**2 - 4) / (15 * s), rtol=0.01)


@pytest.mark.parametrize("a", [0.6, 0.75, 0.9])
def test_binomial_cascade_has_its_published_exponent(a: float) -> None:
    # Kantelhardt et al., Physica A 316 (2002) 87: h(2) = ½ − ln(a² + (1 − a)²) / 2 ln 2, at large scales.
    digits, scales = 18, [2**13, 2**14, 2**15, 2**16]
    ones = np.array([i.bit_count() for i in range(2**digits)])
    found = exponents(fluctuations(a**ones * (1 - a) ** (digits - ones), scales, unbiased=False), scales)
    assert found.alpha == pytest.approx(0.5 - np.log(a**2 + (1 - a) ** 2) / (2 * np.log(2)), abs=0.005)


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 1.5, 2.0])
def test_long_noise_has_its_exponent(beta: float, unbiased: bool) -> None:
    series = power_law_noise(beta, 20_000, 8, np.random.default_rng(2))
    scales = default_scales(2000)
    assert exponents(fluctuations(series, scales, unbiased=unbiased), scales).beta.mean() == pytest.approx(
        beta, abs=0.05
    )


series_of = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).standard_normal(130).cumsum())


@given(
    series_of, st.sampled_from([1, 2, 3]), st.sampled_from(list(METHODS)), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3)
)
@settings(max_examples=60, deadline=None)
def test_trend_offset_and_unit_do_not_matter(
    series: np.ndarray, order: int, method: str, a: float, unit: float
) -> None:
    unbiased, backward = METHODS[method]
    t = np.linspace(-1, 1, len(series))
    trend = sum(a * t**k for k in range(order))
    plain = fluctuations(series, (8, 16, 32), order, unbiased, backward=backward)
    changed = fluctuations(unit * (series + trend), (8, 16, 32), order, unbiased, backward=backward)
    np.testing.assert_allclose(changed, unit * plain, rtol=1e-8)


@given(series_of, st.sampled_from([1, 2, 3]))
@settings(max_examples=20, deadline=None)
def test_backward_boxes_of_the_reversed_series_are_forward_boxes(series: np.ndarray, order: int) -> None:
    # The reversed profile has the same steps with the other sign; its first step belongs to no box.
    both = fluctuations(series, (8, 16, 32), order, unbiased=False, backward=True)
    mirrored = np.concatenate((series[:1], series[:0:-1]))
    np.testing.assert_allclose(
        fluctuations(-mirrored, (8, 16, 32), order, unbiased=False, backward=True), both, rtol=1e-9
    )


def test_batches_of_any_shape_and_kind() -> None:
    series = np.random.default_rng(3).standard_normal((2, 3, 37, 200))
    whole = fluctuations(series, SCALES[:5])
    assert whole.shape == (2, 3, 37, 5)
    np.testing.assert_array_equal(whole[1, 2, 36], fluctuations(series[1, 2, 36], SCALES[:5]))
    np.testing.assert_array_equal(fluctuations(series.astype(np.float32), SCALES[:5]).dtype, np.float64)
    np.testing.assert_array_equal(fluctuations(series[:, :, ::2, ::-1], (10, 20)).shape, (2, 3, 19, 2))
    assert fluctuations(np.empty((0, 200)), (10, 20)).shape == (0, 2)


def test_threads_do_not_change_the_result() -> None:
    series = np.random.default_rng(4).standard_normal((1500, 100))
    expected = np.concatenate([fluctuations(series[i : i + 1], (8, 16)) for i in range(len(series))])
    before = thread_count()
    try:
        for threads in (1, 2):
            set_thread_count(threads)
            np.testing.assert_array_equal(fluctuations(series, (8, 16)), expected)
    finally:
        set_thread_count(before)


def test_dfa_leaves_the_threads_of_pytorch_alone() -> None:
    program = (
        "import torch; torch.set_num_threads(1); torch.get_num_threads(); "  # PyTorch sets it at the first question
        "import numpy as np; from engine.fluctuation import fluctuations; "
        "fluctuations(np.random.default_rng(0).standard_normal((600, 100)), (8, 16)); print(torch.get_num_threads())"
    )
    environment = os.environ | {"NUMBA_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_two_threads_may_measure_at_once() -> None:
    # numba's own thread pool ends the process here; the engine thread and a view do this.
    series = np.random.default_rng(4).standard_normal((600, 100))
    expected = fluctuations(series, (8, 16))
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: fluctuations(series, (8, 16)), range(12)):
            np.testing.assert_array_equal(found, expected)


def test_the_fit_is_a_regression() -> None:
    series = coloured()
    F = fluctuations(series)
    fit = exponents(F)
    for i in range(len(series)):
        line = linregress(np.log(SCALES), np.log(F[i]))
        assert fit.alpha[i] == pytest.approx(line.slope, rel=1e-12)
        assert fit.alpha_stderr[i] == pytest.approx(line.stderr, rel=1e-9)
        assert fit.r2[i] == pytest.approx(line.rvalue**2, rel=1e-12)
        assert (fit.beta[i], fit.beta_stderr[i]) == (2 * fit.alpha[i] - 1, 2 * fit.alpha_stderr[i])
    assert (fit.reason == "").all()


def test_local_slopes_show_a_crossover() -> None:
    s = np.geomspace(8, 512, 25)
    F = np.where(s < 64, s**0.5, 64**-1.0 * s**1.5)
    slopes = local_slopes(F, s.tolist())
    np.testing.assert_allclose(slopes[s < 50], 0.5, atol=1e-12)
    np.testing.assert_allclose(slopes[s > 80], 1.5, atol=1e-12)


def test_default_scales_span_10_to_a_quarter() -> None:
    assert (len(SCALES), SCALES[0], SCALES[-1]) == (20, 10, 125)
    assert default_scales(80)[-1] == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scales": ()}, "box lengths"),
        ({"scales": (3, 10)}, "4 samples or more, got 3"),
        ({"scales": (5, 10), "order": 3}, "6 samples or more, got 5"),
        ({"scales": (10,), "order": 4}, "expected order 1, 2 or 3, got 4"),
        ({"scales": (10,), "backward": True}, "needs standard DFA"),
    ],
)
def test_wrong_parameters_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fluctuations(np.zeros(100), **arguments)


def test_a_slope_needs_three_scales() -> None:
    with pytest.raises(ValueError, match="three scales"):
        exponents([1.0, 2.0], (10, 20))
    with pytest.raises(ValueError, match="expected F of shape"):
        exponents([1.0, 2.0], (10, 20, 40))
    with pytest.raises(ValueError, match="80 words or more"):
        default_scales(79)

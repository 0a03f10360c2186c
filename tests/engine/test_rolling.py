"""The rolling exponent equals the exponent of the window at every word of long runs and bad samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.fluctuation import Exponents, RollingExponent, exponents, fluctuations, rolling_scales
from engine.kernels.reference import fluctuations_reference
from engine.noise import power_law_noise


def from_scratch(window: np.ndarray, scales: tuple[int, ...]) -> Exponents:
    return exponents(fluctuations(window.T, scales), scales)


def runs(words: int) -> dict[str, np.ndarray]:
    """Long series of every kind that made a running sum drift."""
    random = np.random.default_rng(3)
    white = random.standard_normal(words)
    t = np.arange(words)
    moments = random.random(words) < 0.005
    return {
        "white": white,
        "pink": power_law_noise(1.0, words, 1, random)[0],
        "Brownian": white.cumsum(),
        "steps": np.where(moments, white, 0).cumsum(),
        "spikes": white + 1e9 * moments,
        "saturated": np.float32(1 / (1 + np.exp(-20 * np.sin(t / 700) - white))),
        "falls silent": np.where(t % 3000 < 1000, 1e6 * white, 1e-6 * white),
        "held": white[t - t % 150],
    }


@pytest.mark.parametrize("window", [64, 200])
def test_a_hundred_thousand_words_without_drift(window: int) -> None:
    kinds = runs(100_000)
    values = np.stack(list(kinds.values()), axis=1)
    rolling = RollingExponent(rolling_scales(window), window, values.shape[1])
    found = rolling.trace(values)
    ends = np.unique(
        np.concatenate((np.random.default_rng(0).integers(window, 100_001, 300), np.arange(99_800, 100_001)))
    )
    for end in ends:
        expected = from_scratch(values[end - window : end], rolling.scales)
        np.testing.assert_array_equal(found.reason[end - 1], expected.reason)
        np.testing.assert_allclose(found.alpha[end - 1], expected.alpha, rtol=1e-9, err_msg=f"after {end} words")
        np.testing.assert_allclose(found.r2[end - 1], expected.r2, rtol=1e-8)
    assert {"flat", ""} <= set(found.reason[window:].ravel())  # the saturated stretches were met
    np.testing.assert_array_equal(rolling.alpha, found.alpha[-1])


def test_it_agrees_with_the_plain_version() -> None:
    values = np.random.default_rng(1).standard_normal((150, 5)).cumsum(axis=0)
    scales = rolling_scales(64)
    rolling = RollingExponent(scales, 64, 5)
    rolling.push(values)
    F = fluctuations_reference(values[-64:].T, np.array(scales), order=1, unbiased=True)
    np.testing.assert_allclose(rolling.alpha, exponents(F, scales).alpha, rtol=1e-11)
    np.testing.assert_allclose(rolling.beta, exponents(F, scales).beta, rtol=1e-10)


@given(st.lists(st.integers(0, 90), max_size=8), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_blocks_equal_single_words(blocks: list[int], series: int, seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal((sum(blocks), series))
    by_word, by_block, by_trace = (RollingExponent((4, 6, 9), 40, series) for _ in range(3))
    for word in values:
        by_word.push(word)
    for block in np.split(values, np.cumsum(blocks)[:-1]) if blocks else []:
        by_block.push(block)
    by_trace.trace(values)
    for other in (by_block, by_trace):
        np.testing.assert_array_equal(other.alpha, by_word.alpha)
        np.testing.assert_array_equal(other.reason, by_word.reason)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_window_and_scales_equal_a_new_computation_at_every_word(data: st.DataObject) -> None:
    window = data.draw(st.integers(8, 60))
    scales = tuple(data.draw(st.lists(st.integers(4, window), min_size=3, max_size=6, unique=True)))
    seed = data.draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).standard_normal((window + 70, 2))
    values[:, 1] = np.where(values[:, 1] > 1, values[:, 1], 0.3).cumsum()
    found = RollingExponent(scales, window, 2).trace(values)
    for end in range(window, len(values) + 1):
        expected = from_scratch(values[end - window : end], scales)
        np.testing.assert_array_equal(found.reason[end - 1], expected.reason)
        np.testing.assert_allclose(found.alpha[end - 1], expected.alpha, rtol=1e-9, atol=1e-11)


def test_too_short_until_the_window_is_full() -> None:
    rolling = RollingExponent((4, 6, 9), 40, 3)
    assert list(rolling.reason) == ["too short"] * 3
    values = np.random.default_rng(0).standard_normal((40, 3))
    rolling.push(values[:39])
    assert list(rolling.reason) == ["too short"] * 3
    assert np.isnan(rolling.alpha).all()
    rolling.push(values[39])
    assert list(rolling.reason) == [""] * 3
    assert np.isfinite(rolling.alpha).all()


def test_reset_discards_all_words() -> None:
    random = np.random.default_rng(0)
    first, then = random.standard_normal((500, 3)) * 1e9, random.standard_normal((70, 3))
    first[-1, 1] = np.nan
    used, new = RollingExponent((4, 6, 9), 40, 3), RollingExponent((4, 6, 9), 40, 3)
    used.push(first)
    used.reset()
    assert list(used.reason) == ["too short"] * 3
    np.testing.assert_array_equal(used.trace(then).alpha, new.trace(then).alpha)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_word_has_a_reason_until_it_leaves_the_window(bad: float) -> None:
    values = np.random.default_rng(0).standard_normal((300, 2))
    whole = RollingExponent((4, 6, 9), 40, 2).trace(values)
    values[100, 0] = bad
    found = RollingExponent((4, 6, 9), 40, 2).trace(values)
    touched = np.zeros((300, 2), dtype=bool)
    touched[100:140, 0] = True
    assert (found.reason[touched] == "not finite").all()
    np.testing.assert_array_equal(found.reason[~touched], whole.reason[~touched])
    np.testing.assert_allclose(found.alpha[~touched], whole.alpha[~touched], rtol=1e-12)


def test_any_amplitude_equals_a_new_computation_at_every_word() -> None:
    random = np.random.default_rng(0)
    values = random.standard_normal((160, 4)) * [1e200, 1e-160, 1.0, 1.0]
    values[70, 2] = 1e200
    values[90:, 3] *= 1e-300
    values[150:, 3] = 0
    rolling, words = RollingExponent((4, 6, 9), 40, 4), RollingExponent((4, 6, 9), 40, 4)
    found = rolling.trace(values)
    for end in range(40, 161):
        words.push(values[end - 40 : end] if end == 40 else values[end - 1])
        expected = exponents(fluctuations(values[end - 40 : end].T, (4, 6, 9)), (4, 6, 9))
        np.testing.assert_array_equal(found.reason[end - 1], expected.reason)
        np.testing.assert_allclose(found.alpha[end - 1], expected.alpha, rtol=1e-9)
        np.testing.assert_array_equal(words.alpha, found.alpha[end - 1])
    assert (found.reason[40:90] == "").all()
    rolling.reset()
    np.testing.assert_array_equal(rolling.trace(values).alpha, found.alpha)


def test_a_flat_stretch_and_its_end() -> None:
    values = np.random.default_rng(0).standard_normal((300, 1))
    values[100:200] = 0.1
    reasons = RollingExponent((4, 6, 9), 40, 1).trace(values).reason[:, 0]
    # The step into the first word of a window is in none of its boxes.
    assert (reasons[138:200] == "flat").all()
    assert (reasons[39:138] == "").all()
    assert (reasons[200:] == "").all()


def test_a_trace_of_nothing_is_empty() -> None:
    rolling = RollingExponent((4, 6, 9), 40, 3)
    assert rolling.trace(np.empty((0, 3))).alpha.shape == (0, 3)


@pytest.mark.parametrize(
    ("scales", "window", "series", "message"),
    [
        ((4, 8), 64, 1, "three scales or more, none longer than the window of 64"),
        ((4, 8, 65), 64, 1, "three scales or more, none longer than the window of 64"),
        ((3, 8, 16), 64, 1, "4 samples or more"),
        ((4, 8, 16), 64, 0, "one series or more"),
    ],
)
def test_wrong_parameters_are_refused(scales: tuple[int, ...], window: int, series: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RollingExponent(scales, window, series)


@pytest.mark.parametrize("shape", [(2,), (5, 2), (1, 5, 3), ()])
def test_a_wrong_number_of_values_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(3,\) or \(time, 3\) values"):
        RollingExponent((4, 6, 9), 40, 3).push(np.zeros(shape))


def test_rolling_scales() -> None:
    assert rolling_scales(64) == (4, 5, 6, 7, 9, 11, 13, 16)
    assert all(rolling_scales(window)[-1] == window // 4 for window in (32, 64, 256, 1024))
    with pytest.raises(ValueError, match="32 words or more"):
        rolling_scales(31)

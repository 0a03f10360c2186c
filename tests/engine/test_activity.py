"""Dead cells, saturation and participation."""

from __future__ import annotations

import numpy as np
import pytest

from engine.activity import RollingActivity, deviation, is_dead, mean_and_deviation, participation_ratio, saturation


def test_deviation_equals_numpys_and_ignores_padding() -> None:
    h = np.random.default_rng(0).standard_normal((3, 50, 4)).astype(np.float32)
    np.testing.assert_allclose(deviation(h), h.std(axis=1, dtype=np.float64), rtol=1e-12)
    h[1, 20:] = np.nan
    np.testing.assert_allclose(deviation(h)[1], h[1, :20].std(axis=0, dtype=np.float64), rtol=1e-12)
    h[2] = np.nan
    assert np.isnan(deviation(h)[2]).all()


@pytest.mark.parametrize("cells", [1, 7, 8, 33])
def test_many_cells_have_the_mean_and_the_deviation_of_each(cells: int) -> None:
    h = 100 + np.random.default_rng(cells).standard_normal((3, 12000, cells)).astype(np.float32)
    mean, found = mean_and_deviation(h)
    np.testing.assert_allclose(mean, h.mean(axis=1, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(found, h.std(axis=1, dtype=np.float64), rtol=1e-12)
    np.testing.assert_array_equal(deviation(h), found)
    h[1, 100:] = np.nan
    np.testing.assert_allclose(deviation(h)[1], h[1, :100].std(axis=0, dtype=np.float64), rtol=1e-12)
    assert np.isnan(mean_and_deviation(h)[0][1]).all()


def test_a_layer_that_diverges_has_the_deviation_of_its_finite_steps() -> None:
    h = np.array([[1.0, 1.0], [3.0, -3.0], [np.inf, 1e308], [np.inf, -np.inf]])
    assert deviation(h)[0] == 1.0
    assert np.isinf(deviation(h[:3])[1])


def test_a_tiny_deviation_on_an_offset_is_measured() -> None:
    h = 0.9 + 1e-9 * np.tile([1.0, -1.0], 100)[:, None]
    assert deviation(h)[0] == pytest.approx(1e-9, rel=1e-6)


def test_dead_cells_move_less_than_the_threshold() -> None:
    std = np.array([0.019, 0.02, 0.5, np.nan])
    assert list(is_dead(std)) == [True, False, False, False]
    assert list(is_dead(std, threshold=0.6)) == [True, True, True, False]


def test_saturation_counts_both_sides() -> None:
    gate = np.array([0.05, 0.1, 0.5, 0.9, 0.95, 0.99, np.nan])[:, None]
    below, above = saturation(gate)
    assert (below[0], above[0]) == (1 / 6, 2 / 6)
    assert np.isnan(saturation(np.full((3, 1), np.nan))).all()


def test_participation_counts_the_cells_that_work() -> None:
    assert participation_ratio(np.full(7, 0.3)) == pytest.approx(7)
    assert participation_ratio(np.array([0.0, 2.0, 0.0])) == 1
    assert participation_ratio([[1.0, 1.0, 1e-9], [3.0, 0.0, 0.0]]) == pytest.approx([2, 1])
    assert np.isnan(participation_ratio(np.zeros(5)))


def test_rolling_is_the_deviation_of_the_window() -> None:
    values = np.random.default_rng(1).standard_normal((200, 3))
    values[:50] *= 1e9  # must leave nothing behind
    activity = RollingActivity(30, 3)
    assert np.isnan(activity.std).all()
    at = 0
    for block in (1, 1, 7, 40, 29, 3, 100):
        activity.push(values[at] if block == 1 else values[at : at + block])
        at += block
        expected = values[max(0, at - 30) : at].std(axis=0) if at > 1 else [np.nan] * 3
        np.testing.assert_allclose(activity.std, expected, rtol=1e-12)
    activity.reset()
    assert np.isnan(activity.std).all()


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="two words or more and one cell"):
        RollingActivity(1, 4)
    with pytest.raises(ValueError, match=r"expected \(3,\) or \(time, 3\) values"):
        RollingActivity(10, 3).push(np.zeros(6))

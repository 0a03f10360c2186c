"""Samples of a series: sums over cells."""

from __future__ import annotations

import numpy as np
import pytest

from engine.samples import MANY, sum_over_cells


@pytest.mark.parametrize("cells", [1, 7, 8, 9, 64])
@pytest.mark.parametrize("many", [False, True])
def test_cells_are_summed_in_float64(cells: int, many: bool) -> None:
    words = MANY // cells + 1 if many else 50
    signal = np.random.default_rng(cells).standard_normal((2, words, cells)).astype(np.float32)
    signal[0, 3] *= 1e20
    signal[1, 4, 0] = np.nan
    signal[1, 5, 0] = np.inf
    with np.errstate(invalid="ignore"):
        expected = signal.sum(axis=-1, dtype=np.float64)
    found = sum_over_cells(signal)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1.2e-7)
    assert np.isnan(found[1, 4])
    np.testing.assert_array_equal(sum_over_cells(signal[:, ::2]), found[:, ::2])


def test_large_terms_that_cancel_leave_the_small_one() -> None:
    signal = np.tile(np.array([2.0**24, 1.0, -(2.0**24)], dtype=np.float32), (MANY, 1))
    np.testing.assert_array_equal(sum_over_cells(signal), 1)

"""Means over networks: their 95 % intervals cover, and p-values are corrected for their number."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.measure.one_over_f.means import MeanInterval, holm


@pytest.mark.parametrize("networks", [5, 12])
def test_the_interval_of_a_mean_covers(networks: int) -> None:
    """Seeds scatter by 0.3 about 1.2, reviews by 0.4 about the mean of their seed."""
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        seeds = random.normal(1.2, 0.3, networks)
        reviews = random.normal(seeds[:, None], 0.4, (networks, 50))
        each = [{"mean": r.mean(), "sd": r.std(ddof=1), "count": len(r)} for r in reviews]
        interval = MeanInterval.of(each, seed=trial)
        assert interval.networks == networks
        covered += interval.low <= 1.2 <= interval.high
    assert 0.92 <= covered / 300 <= 0.985


def test_one_network_has_the_error_of_its_reviews() -> None:
    one = MeanInterval.of([{"mean": 0.5, "sd": 0.3, "count": 900}, {"mean": np.nan, "sd": np.nan, "count": 0}])
    assert (one.low, one.high) == pytest.approx((0.5 - 1.96 * 0.01, 0.5 + 1.96 * 0.01), abs=1e-4)
    assert str(one) == "0.50 (95% interval 0.48 … 0.52, 1 network)"
    assert MeanInterval.of([]).networks == 0


def test_a_mean_is_within_a_margin_outside_it_or_undecided() -> None:
    mean = MeanInterval(1.0, 0.9, 1.1, 5)
    assert mean.within(1.05, 0.2) is True
    assert mean.within(1.4, 0.2) is False
    assert mean.within(1.25, 0.2) is None


def test_holm() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": np.nan}) == {
        "a": pytest.approx(0.03),
        "c": pytest.approx(0.06),
        "b": pytest.approx(0.06),
        "d": pytest.approx(np.nan, nan_ok=True),
    }

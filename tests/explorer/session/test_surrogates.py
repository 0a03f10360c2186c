"""Surrogates in the session: a job measures the series up to the word looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.fluctuation import default_scales, fluctuations
from engine.intervals import beta_interval
from engine.noise import power_law_noise
from engine.samples import sum_over_cells
from explorer.session.controllers.surrogates import COUNT, measure
from explorer.session.core import SessionError
from explorer.session.jobs import Job
from explorer.session.session import Session
from explorer.session.views.runs import plain
from explorer.session.views.surrogates import ROWS, SurrogateComparison, surrogate_lines, surrogate_table
from tests.explorer.session.test_dynamics import HeldJobs, Results

FOUND = SurrogateComparison(
    "Σh",
    300,
    0.9,
    (0.5, 1.4),
    False,
    (0.2, 1.6),
    ((-0.2, 0.6), (1.0, 2.0)),
    {"shuffled": np.array([0.1, -0.1]), "ar1": np.array([0.8, 1.0]), "iaaft": np.array([0.9, 1.1])},
)


def test_the_job_measures_the_series_its_halves_and_surrogates() -> None:
    results = Results()
    values = power_law_noise(1.5, 200, 1, np.random.default_rng(0))[0]
    measure(results, "Σh", values)
    found = results.result()
    assert isinstance(found, SurrogateComparison)
    assert found.interval == tuple(beta_interval(found.beta, 200))
    assert found.half_intervals[1] == tuple(beta_interval(found.halves[1], 100))
    assert {kind: len(beta) for kind, beta in found.surrogates.items()} == dict.fromkeys(
        ("shuffled", "ar1", "iaaft"), COUNT
    )
    assert found.share_below("shuffled") == 1
    assert 0.02 < found.share_below("iaaft") < 0.98  # noise is no more than its spectrum
    assert found.straight
    assert np.isfinite(fluctuations(values, default_scales(200))).all()


def test_the_series_is_that_of_the_scaling_panel_up_to_the_word(session: Session) -> None:
    jobs = HeldJobs()
    session.surrogates._computation._jobs = jobs
    session.look_at(50)
    with pytest.raises(SessionError, match="surrogates need 80 words or more, got 51"):
        session.surrogates.begin(session.frame())
    session.look_at(89)
    asked: list[tuple[str, np.ndarray]] = []

    def start(work: object, *given: Any, **_: object) -> Job:
        asked.append(given)
        return Job(len(asked), lambda _: None, lambda _: None)

    jobs.start = start  # type: ignore[method-assign]
    session.surrogates.begin(session.frame())
    session.surrogates.begin(session.frame())  # in progress already
    session.select(3)
    session.surrogates.begin(session.frame())
    (name, total), (cell_name, cell) = asked
    assert (name, cell_name) == ("Σh", "h of cell #003")
    h = session.read("h", 0, 90)
    np.testing.assert_array_equal(total, sum_over_cells(h))
    np.testing.assert_array_equal(cell, h[:, 3])
    assert cell.dtype == np.float32  # its precision decides what is rounding


def test_lines_and_table() -> None:
    head, halves, *kinds = map(plain, surrogate_lines(FOUND, ""))
    assert head == "Σh  β 0.90 (0.50…1.40)   no single exponent   300 words"
    assert halves == "halves    first 0.20 (−0.20…0.60), second 1.60 (1.00…2.00)   not stationary"
    assert kinds[1] == "AR(1)     0.90 ± 0.14   β of the series is above 50% of 2"
    nan = float("nan")
    short = replace(FOUND, halves=(nan, nan), half_intervals=((nan, nan), (nan, nan)), straight=True)
    assert plain(surrogate_lines(short, "")[1]) == "halves    too short"
    assert "no single" not in plain(surrogate_lines(short, "")[0])
    assert plain(surrogate_lines(None, "starting …")[0]) == "starting …"
    assert [row for row, _ in FOUND.spans()] == [0, 1, 2]
    assert [row for row, _ in short.spans()] == [0]
    assert len(FOUND.places()) == len(ROWS)
    low, high = FOUND.reach()
    assert low < -0.2 < 2.0 < high
    table = surrogate_table(FOUND)
    assert table.column("series") == ["series", "first_half", "second_half"] + [
        kind for kind in ("shuffled", "ar1", "iaaft") for _ in range(2)
    ]
    with pytest.raises(SessionError, match="nothing is measured yet"):
        surrogate_table(None)

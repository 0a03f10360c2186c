"""Attribution in the session: requested by an action, computed by a job, shown as colours, lines and a table."""

from __future__ import annotations

import numpy as np
import pytest

from engine.attribution import gradient_times_input, integrated_gradients
from explorer.session.controllers.attribution import AttributionController, attribute
from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.views.analysis_tables import attribution_table
from explorer.session.views.attribution import (
    METHODS,
    Method,
    WordAttribution,
    attributed_word,
    attribution_lines,
    word_colours,
)
from explorer.session.views.runs import plain
from tests.explorer.session.test_dynamics import HeldJobs, Results
from tests.explorer.small import small_network

VALUES = np.array([0.5, -2.0, 0.0, 1.0])
FOUND = WordAttribution(METHODS[0], "logit", VALUES, 1.5, 2.0, 16)


@pytest.mark.parametrize("method", METHODS)
def test_the_job_attributes_by_the_method(method: Method) -> None:
    network, ids = small_network(), np.array([3, 4, 2, 7])
    clamps = {"f": np.full(12, np.nan, dtype=np.float32)}
    clamps["f"][3] = 0.5
    results = Results()
    pushes = {1: np.full(24, 0.1, dtype=np.float32)}
    attribute(results, network, ids, method, clamps, pushes)
    found = results.result()
    assert (found.method, found.output) == (method, "logit")
    if method.baseline is None:
        expected = gradient_times_input(network, ids, clamps=clamps, pushes=pushes)
        assert np.isnan(found.baseline_logit)
    else:
        integral = integrated_gradients(network, ids, baseline=method.baseline, clamps=clamps, pushes=pushes)
        assert integral is not None
        expected = integral
        assert ("progress", f"{method.short}: 16 points along the path …") in results.parts
    assert found.values == pytest.approx(expected.values, abs=1e-12)
    assert found.logit == pytest.approx(expected.logit)


def test_the_action_goes_through_the_methods_and_back_to_the_signal(session: Session) -> None:
    for method in METHODS:
        session.perform("attribution")
        assert session.attribution.method == method
        assert session.note == f"method: {method.name}"
    session.perform("attribution")
    assert session.attribution.method is None
    assert "chosen signal" in session.note
    session.attribution.begin()
    assert session.attribution.method == METHODS[0]


def test_only_the_update_starts_a_computation_and_one_at_a_time(session: Session) -> None:
    jobs = HeldJobs()
    attribution = AttributionController(session.core, jobs)
    attribution.next_method()
    frame = session.frame()
    assert attribution.result(frame) is None
    assert not jobs.jobs  # reading has no effect
    attribution.update(frame)
    attribution.update(frame)
    session.look_at(3)
    attribution.update(session.frame())
    assert len(jobs.jobs) == 1  # the first is not complete
    first = WordAttribution(METHODS[0], "logit", np.ones(100), 1.0, 0.0, 16)
    jobs.jobs[0].on_result(("result", first))
    jobs.jobs[0].on_end("")
    attribution.update(session.frame())
    assert len(jobs.jobs) == 2
    assert attribution.result(session.frame()) is first  # until that of the word looked at is there
    second = WordAttribution(METHODS[0], "logit", np.ones(4), 1.0, 0.0, 16)
    jobs.jobs[1].on_result(("result", second))
    jobs.jobs[1].on_end("")
    attribution.update(session.frame())
    assert len(jobs.jobs) == 2
    assert attribution.result(session.frame()) is second
    attribution.next_method()
    assert attribution.result(session.frame()) is None  # it was by another method


def test_without_a_word_nothing_is_attributed(session: Session) -> None:
    session.stream.seek(0)
    from tests.explorer.small import wait

    wait(lambda: session.stream.snapshot.time == 0)
    with pytest.raises(SessionError, match="no word is read yet"):
        session.perform("attribution")


def test_colours_are_those_of_the_attribution_or_of_the_signal(session: Session) -> None:
    frame = session.frame()
    by_signal = word_colours(session, frame, None, 0, 6)
    assert plain(by_signal.line).startswith("colour: h, mean of all cells")
    colours = word_colours(session, frame, FOUND, 1, 6)
    assert colours.values[:3].tolist() == [-2, 0, 1]
    assert np.isnan(colours.values[3:]).all()  # these words are not attributed
    assert (colours.low, colours.high) == (-2, 2)
    assert plain(colours.line) == "colour: attribution by integrated gradients (mean), logit after word 4 (±2.00)"


def test_the_lines_name_method_output_and_error() -> None:
    head, numbers = (plain(line) for line in attribution_lines(FOUND, ""))
    assert head == "attribution of the logit after word 4   by integrated gradients from the mean embedding"
    assert numbers == "logit 1.50   baseline 2.00   sum −0.50   error 0.00 with 16 points"
    other = WordAttribution(METHODS[2], "output 0", VALUES, 1.5, float("nan"), 1)
    head, numbers = (plain(line) for line in attribution_lines(other, ""))
    assert head == "attribution of output 0 after word 4   by ∂logit/∂x · x"
    assert "no baseline" in numbers
    assert plain(attribution_lines(None, "16 points …")[0]) == "16 points …"


def test_the_list_begins_with_the_strongest() -> None:
    assert FOUND.strongest() == [1, 3, 0, 2]
    word = attributed_word(FOUND, ["a", "dull", "old", "film"], 3)
    assert (word.text, word.before, word.value, word.share, word.role) == ("film", "a dull old", 1.0, 0.5, "good")
    assert attributed_word(FOUND, ["a", "dull", "old", "film"], 1).role == "bad"


def test_the_table_has_every_word_in_order() -> None:
    table = attribution_table(FOUND, ["a", "dull", "old", "film"])
    assert table.column("time") == [0, 1, 2, 3]
    assert table.column("text") == ["a", "dull", "old", "film"]
    assert table.column("attribution") == VALUES.tolist()
    assert set(table.column("method")) == {"integrated_gradients"}
    assert set(table.column("baseline")) == {"mean"}
    with pytest.raises(SessionError, match="nothing is attributed yet"):
        attribution_table(None, [])

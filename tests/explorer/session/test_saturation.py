"""Saturation of the gates in the session: of the review up to the word looked at, or of the corpus by a job."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.session.controllers.saturation import measure
from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.views.analysis_tables import saturation_table
from explorer.session.views.runs import plain
from explorer.session.views.saturation import gate_title, saturation_lines
from tests.engine.test_attribution import network
from tests.explorer.session.test_dynamics import HeldJobs, Results
from tests.explorer.small import REVIEWS, small_network, wait


def test_the_review_is_measured_up_to_the_word_looked_at(session: Session) -> None:
    jobs = HeldJobs()
    session.saturation._computation._jobs = jobs
    session.saturation.begin()
    session.look_at(59)
    found = session.saturation.result(session.frame())
    assert found is not None
    assert found.gates.gates == ("i", "f", "o")
    for k, gate in enumerate("ifo"):
        values = session.read(gate, 0, 60)
        assert found.gates.left[k] == pytest.approx([(column < 0.1).sum() / 60 for column in values.T])
        assert found.gates.right[k] == pytest.approx([(column > 0.9).sum() / 60 for column in values.T])
    assert found.places(1)[3].tolist() == [found.gates.left[1, 3], found.gates.right[1, 3]]
    head, numbers = (plain(line) for line in saturation_lines(found, "", 3))
    assert head == "60 words of this review, up to the one looked at"
    assert numbers.startswith("#003   i right ")
    assert plain(saturation_lines(found, "", None)[1]).startswith("mean of cells   i right ")
    assert gate_title(found, 1) == "f, forget gate"
    assert not jobs.jobs  # the present review needs no job


def test_the_job_measures_a_corpus() -> None:
    results = Results()
    measure(results, small_network(), REVIEWS[:2], 30, {})
    found = results.result()
    assert (found.scope, found.source, found.sample) == ("corpus", 30, 2)
    assert found.gates.words == sum(len(review.words) for review in REVIEWS[:2])
    assert ("progress", "2 of 2 reviews …") in results.parts
    head = plain(saturation_lines(found, "", None)[0])
    assert head == f"n = 2 reviews, {found.gates.words} words, of a sample of 2 of 30 reviews"


def test_the_corpus_is_requested_once(session: Session) -> None:
    jobs = HeldJobs()
    session.saturation._computation._jobs = jobs
    session.saturation.switch()
    assert session.saturation.scope == "corpus"
    assert session.saturation.progress == "starting …"
    assert session.saturation.result(session.frame()) is None
    session.saturation.switch()
    session.saturation.switch()
    assert len(jobs.jobs) == 1


def test_without_gates_there_is_no_saturation(session: Session) -> None:
    words = network("rnn")
    session.stream.use_network(words)
    wait(lambda: session.stream.snapshot.network is words)
    with pytest.raises(SessionError, match="an RNN layer has no gates"):
        session.saturation.begin()
    assert session.saturation.result(session.frame()) is None


def test_the_table_has_a_row_a_cell(session: Session) -> None:
    found = session.saturation.result(session.frame())
    assert found is not None
    table = saturation_table(found)
    assert table.columns == ("cell", "left_i", "right_i", "left_f", "right_f", "left_o", "right_o", "words")
    assert table.column("cell") == list(range(12))
    assert np.allclose(table.column("right_f"), found.gates.right[1])
    assert set(table.column("words")) == {100}
    with pytest.raises(SessionError, match="nothing is measured yet"):
        saturation_table(None)

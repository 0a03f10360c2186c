"""Top contexts in the session: searched by a job, shown with words around, opened, and saved."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contexts import Extremes, Place
from engine.recording import record
from engine.reviews import Review
from explorer.session.controllers.contexts import search
from explorer.session.core import SessionError
from explorer.session.review_sample import evenly
from explorer.session.session import Session
from explorer.session.views.analysis_tables import contexts_table
from explorer.session.views.contexts import Contexts, context, contexts_line
from explorer.session.views.runs import plain
from tests.explorer.session.test_dynamics import HeldJobs, Results
from tests.explorer.small import REVIEWS, small_network, wait

FOUND = Contexts("h", 3, 25_000, 1000, Extremes((Place(1, 4, 0.9), Place(0, 8, 0.5)), (Place(0, 2, -0.7),), 64, 812))


def test_the_job_finds_the_highest_word_of_all_reviews() -> None:
    network, results = small_network(), Results()
    empty = Review("empty", "…")
    search(results, network, "h", 3, [0, 5, 9], [REVIEWS[0], empty, REVIEWS[1]], 20, {})
    found = results.result()
    assert network.vocabulary is not None
    values = {
        k: record(network, network.vocabulary.encode(REVIEWS[r].words))["h"][0, :, 3] for k, r in ((0, 0), (9, 1))
    }
    best = max(values, key=lambda k: float(values[k].max()))
    first = found.places("highest")[0]
    assert (first.review, first.word) == (best, int(values[best].argmax()))
    assert first.value == pytest.approx(float(values[best].max()))
    lowest = min(values, key=lambda k: float(values[k].min()))
    assert found.places("lowest")[0].review == lowest
    assert (found.source, found.sample) == (20, 2)  # the review without words is not read
    assert ("progress", "2 of 2 reviews …") in results.parts


def test_a_sample_is_even() -> None:
    assert evenly(3, 10) == [0, 1, 2]
    assert evenly(10, 4) == [0, 2, 5, 7]


def test_contexts_belong_to_the_selected_cell(session: Session) -> None:
    jobs = HeldJobs()
    session.contexts._computation._jobs = jobs
    with pytest.raises(SessionError, match="no cell is selected"):
        session.contexts.begin()
    session.select(3)
    session.contexts.begin()
    session.contexts.begin()
    assert len(jobs.jobs) == 1
    session.choose_signal("f")
    session.contexts.begin()
    assert len(jobs.jobs) == 2
    session.choose_signal("x")
    with pytest.raises(SessionError, match="no cell is selected"):
        session.contexts.begin()


def test_a_place_is_opened(session: Session) -> None:
    session.contexts.open(Place(1, 4, 0.9))
    wait(lambda: session.stream.snapshot.review.name == "second" and session.stream.snapshot.time == 5)
    assert session.contexts.review(Place(1, 4, 0.9)) is REVIEWS[1]


def test_lines_name_the_sample_and_what_is_read() -> None:
    line = plain(contexts_line(FOUND, "highest", "64 of 1,000 reviews …"))
    assert line == (
        "highest h of #003   in a sample of 1,000 of 25,000 reviews   64 of 1,000 reviews …   n = 64 reviews, 812 words"
    )
    whole = Contexts("h", 3, 14, 14, FOUND.extremes)
    assert "in all 14 reviews" in plain(contexts_line(whole, "lowest", ""))
    assert plain(contexts_line(None, "highest", "starting …")) == "starting …"


def test_words_around_a_place() -> None:
    assert context(REVIEWS[1], 2) == ("A dull", "film.", "I would not")
    assert context(REVIEWS[1], 8) == ("film. I would not see it", "again,", "and neither should")


def test_the_table_has_both_ends() -> None:
    table = contexts_table(FOUND, REVIEWS)
    assert table.column("end") == ["highest", "highest", "lowest"]
    assert table.column("rank") == [1, 2, 1]
    assert table.column("review") == [2, 1, 1]
    assert table.column("time") == [4, 8, 2]
    assert table.column("text")[0] == REVIEWS[1].surface[4]
    assert np.allclose(table.column("h"), [0.9, 0.5, -0.7])
    with pytest.raises(SessionError, match="nothing is found yet"):
        contexts_table(None, REVIEWS)

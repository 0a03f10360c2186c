"""The population behind a session: what fills in, what is marked, how it is listed, when it begins anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from unittest.mock import patch

import numpy as np
import pytest

from engine.beta import measure_reviews
from engine.fluctuation import default_scales
from engine.live.stream import Stream
from engine.null import null_exponents
from engine.reviews import Review
from explorer.session.controllers.corpus import ORDERS, PORTION, RANGE, SIGNALS, CorpusController
from explorer.session.session import Frame, Session, SessionError
from tests.explorer import jobs
from tests.explorer.small import ASIDE, small_network, wait

COUNT = 40
WATCHED = 9


def reviews(count: int = COUNT) -> list[Review]:
    """Of 30 to 300 words; every third without a label."""
    random = np.random.default_rng(0)
    words = small_network().vocabulary.words  # type: ignore[union-attr]
    lengths = random.integers(30, 300, count)
    return [
        Review(f"r{k}", " ".join(random.choice(words, n)), (True, False, None)[k % 3]) for k, n in enumerate(lengths)
    ]


def opened(source: Sequence[Review], index: int = 0) -> Session:
    with patch("explorer.session.session.JobRunner", lambda: ASIDE):
        session = Session(Stream(small_network(), speed=None), source, index)
    wait(lambda: session.stream.snapshot.run == 1)
    session.points.close()
    return session


@pytest.fixture
def session() -> Iterator[Session]:
    found = opened(reviews(), WATCHED)
    yield found
    found.close()


def settle(session: Session) -> Frame:
    """Wait until everything is measured."""
    population = session.corpus
    wait(lambda: len(population.rows(session.frame())) == population.total)
    wait(lambda: population.watched(session.frame()) is not None)
    return session.frame()


def test_every_review_is_measured_the_watched_one_first(session: Session) -> None:
    assert len(session.corpus.rows(session.frame())) == 0
    frame = settle(session)
    rows = session.corpus.rows(frame)
    assert rows["review"][0] == WATCHED
    assert sorted(rows["review"].tolist()) == list(range(COUNT))
    (expected,) = measure_reviews(small_network(), session.reviews, SIGNALS, cut=None)
    for row in rows:
        assert np.array_equal(row["beta"], expected[row["review"]]["beta"], equal_nan=True)
        assert row["probability"] == expected[row["review"]]["probability"]
    watched = session.corpus.watched(frame)
    assert watched is not None
    assert watched["review"] == WATCHED


def test_a_histogram_counts_every_exponent_and_marks_the_watched_review(session: Session) -> None:
    frame = settle(session)
    rows = session.corpus.rows(frame)
    for column, signal in enumerate(SIGNALS):
        found = session.corpus.histogram(frame, signal, 24)
        beta = rows["beta"][:, column]
        assert found.counts.tolist() == np.histogram(beta[np.isfinite(beta)].clip(*RANGE), found.edges)[0].tolist()
        assert found.counts.sum() + found.missing == COUNT
        assert found.missing == np.isnan(beta).sum() > 0
        assert found.beta == beta[0]
        assert found.watched is not None
        assert found.edges[found.watched] <= found.beta < found.edges[found.watched + 1]


def test_the_mark_goes_with_the_watched_review_and_says_why_there_is_none(session: Session) -> None:
    frame = settle(session)
    rows = session.corpus.rows(frame)
    short = int(rows["review"][rows["words"] < 80][0])
    session.open_review(short)
    wait(lambda: session.stream.snapshot.index == short)
    found = session.corpus.histogram(session.frame(), "h", 24)
    assert (found.watched, found.reason) == (None, "too short")
    assert np.isnan(found.beta)
    assert session.corpus.band(session.frame()) is None


def test_a_typed_review_is_marked_but_not_counted(session: Session) -> None:
    settle(session)
    typed = session.reviews[3].text + " " + session.reviews[4].text
    session.open_text(typed)
    wait(lambda: session.stream.snapshot.review.name == "typed")
    frame = settle(session)
    found = session.corpus.histogram(frame, "h", 24)
    (expected,) = measure_reviews(small_network(), [Review("", typed)], SIGNALS)
    assert found.beta == expected["beta"][0, 0]
    assert found.counts.sum() + found.missing == COUNT
    assert not any(session.corpus.entry(frame, row).watched for row in range(COUNT))


@pytest.mark.parametrize("order", ORDERS)
def test_lists_are_sorted_by_what_they_say_and_turned(session: Session, order: str) -> None:
    frame, population = settle(session), session.corpus
    while population.order != order:
        population.next_order()

    def value(row: int) -> float:
        entry = population.entry(frame, row)
        return {
            "β of h": entry.beta[0], "β of x": entry.beta[1], "length": entry.words,
            "confidence": entry.confidence, "error": entry.error,
        }[order]  # fmt: skip

    falling = [value(row) for row in population.listed(frame)]
    there = [v for v in falling if np.isfinite(v)]
    assert falling[: len(there)] == sorted(there, reverse=True)
    population.turn_order()
    rising = [value(row) for row in population.listed(frame)]
    assert rising[: len(there)] == sorted(there)
    assert len(rising) == COUNT


def test_an_entry_is_the_review_it_names(session: Session) -> None:
    frame, population = settle(session), session.corpus
    for row in population.listed(frame):
        entry = population.entry(frame, row)
        review = session.reviews[entry.index]
        assert (entry.name, entry.label, entry.words) == (review.name, review.label, len(review.words))
        assert entry.watched == (entry.index == WATCHED)
        assert entry.confidence == pytest.approx(abs(2 * entry.probability - 1))
        if review.label is None:
            assert np.isnan(entry.error)
        else:
            assert entry.error == pytest.approx(abs(review.label - entry.probability))
        assert entry.reason == ("too short" if entry.words < 80 else "")


def test_a_bin_narrows_the_list_to_its_reviews(session: Session) -> None:
    frame, population = settle(session), session.corpus
    for signal in SIGNALS:
        found = population.histogram(frame, signal, 12)
        for bin in range(12):
            population.narrow(signal, found.edges[bin], found.edges[bin + 1])
            assert len(population.listed(frame)) == found.counts[bin]
            assert population.histogram(frame, signal, 12).chosen == bin
    population.widen()
    assert len(population.listed(frame)) == COUNT
    assert population.histogram(frame, "x", 12).chosen is None


def test_the_scatter_has_every_review_with_both_exponents(session: Session) -> None:
    frame = settle(session)
    beta, indices = session.corpus.scatter(frame)
    assert len(beta) == COUNT - session.corpus.histogram(frame, "h", 9).missing
    for (x, h), index in zip(beta.tolist(), indices.tolist(), strict=True):
        row = next(row for row in session.corpus.rows(frame) if row["review"] == index)
        assert row["beta"].tolist() == [h, x]


def test_the_band_is_of_noise_as_long_as_the_watched_review(session: Session) -> None:
    frame = settle(session)
    wait(lambda: session.corpus.band(frame) is not None)
    found, words = session.corpus.band(frame), len(session.reviews[WATCHED].words)
    assert found is not None
    pink = null_exponents(1.0, words, default_scales(words))
    assert found.pink == pytest.approx((2 * pink.low - 1, 2 * pink.high - 1))
    assert found.white[1] < found.pink[1]


def test_another_network_or_a_held_cell_begins_anew(session: Session) -> None:
    frame = settle(session)
    before = session.corpus.rows(frame)
    free = before["beta"][np.argsort(before["review"])].copy()
    clamps = {"h": np.where(np.arange(12) == 2, 0.3, np.nan).astype(np.float32)}
    session.stream.clamp(clamps)
    wait(lambda: bool(session.stream.snapshot.clamps))
    assert len(session.corpus.rows(session.frame())) < COUNT
    rows = session.corpus.rows(settle(session))
    (expected,) = measure_reviews(small_network(), session.reviews, SIGNALS, clamp=clamps)
    assert np.array_equal(rows["beta"][np.argsort(rows["review"])], expected["beta"], equal_nan=True)
    assert not np.array_equal(expected["beta"], free, equal_nan=True)
    other = small_network(7, seed=3)
    session.stream.use(other)
    wait(lambda: session.stream.snapshot.network is other)
    rows = session.corpus.rows(settle(session))
    (expected,) = measure_reviews(other, session.reviews, SIGNALS)
    assert rows["probability"][np.argsort(rows["review"])] == pytest.approx(expected["probability"])


def test_it_fills_in_portion_by_portion_and_a_review_opened_meanwhile_comes_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[list[str]] = []
    start = CorpusController._start

    def noted(self: CorpusController, indices: Sequence[int], chosen: Sequence[Review]) -> None:
        given.append([review.name for review in chosen])
        start(self, indices, chosen)

    monkeypatch.setattr(CorpusController, "_start", noted)
    session = opened(reviews(2 * PORTION), 5)
    session.corpus.rows(session.frame())
    last = session.corpus._waiting[0]
    session.open_review(last)
    wait(lambda: session.stream.snapshot.index == last)
    settle(session)
    session.close()
    assert given[0][0] == "r5"
    assert [len(part) for part in given] == [PORTION // 16, PORTION, 2 * PORTION - PORTION - PORTION // 16]
    assert f"r{last}" in (given[1][0], given[0][0])
    assert sorted(name for part in given for name in part) == sorted(review.name for review in session.reviews)


def test_what_goes_wrong_is_told_once_and_another_network_tries_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("explorer.session.controllers.corpus.measured", jobs.fail)
        session.corpus.rows(session.frame())
        wait(lambda: session.corpus.trouble == "measuring failed: 'bad'")
        session.corpus.rows(session.frame())
    other = small_network(seed=4)
    session.stream.use(other)
    wait(lambda: session.stream.snapshot.network is other)
    settle(session)
    assert session.corpus.trouble == ""


def test_a_closed_population_measures_nothing_more(session: Session) -> None:
    session.corpus.close()
    assert len(session.corpus.rows(session.frame())) == 0
    assert session.corpus._job is None


def test_a_recording_has_no_network_for_others(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.session.controllers.recorder.Recorder.replaying", property(lambda _: True))
    found = session.corpus.histogram(session.frame(), "h", 10)
    assert (found.counts.sum(), found.watched, session.corpus._job) == (0, None, None)
    assert "recording" in session.corpus.trouble
    with pytest.raises(SessionError, match="recording"):
        session.perform("corpus")

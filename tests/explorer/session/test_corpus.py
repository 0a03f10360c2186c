"""Corpus statistics of a session: measuring, marks, lists, and when measuring starts anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.beta import BATCH_WORDS, measure_reviews
from engine.fluctuation import default_scales
from engine.live.stream import Stream
from engine.network import Network
from engine.null import null_exponents
from engine.reviews import Review
from explorer.session.controllers.corpus import ORDERS, PORTION, RANGE
from explorer.session.core import Frame, SessionError
from explorer.session.corpus_job import SIGNALS, send_rows
from explorer.session.jobs import Job, JobRunner
from explorer.session.session import Session
from tests.explorer import jobs
from tests.explorer.small import SHARED_JOBS, CountingJobs, replayed, small_network, wait

COUNT = 40
WATCHED = 9


def reviews(count: int = COUNT) -> list[Review]:
    """Return reviews of 30 to 300 words, every third without a label."""
    random = np.random.default_rng(0)
    words = small_network().vocabulary.words  # type: ignore[union-attr]
    lengths = random.integers(30, 300, count)
    return [
        Review(f"r{k}", " ".join(random.choice(words, n)), (True, False, None)[k % 3]) for k, n in enumerate(lengths)
    ]


def opened(source: Sequence[Review], index: int = 0, jobs: JobRunner | None = None, portion: int = PORTION) -> Session:
    session = Session(Stream(small_network(), speed=None), source, index, jobs=jobs or SHARED_JOBS, portion=portion)
    wait(lambda: session.stream.snapshot.run == 1)
    session.fixed_points.close()
    return session


@pytest.fixture
def session() -> Iterator[Session]:
    found = opened(reviews(), WATCHED)
    yield found
    found.close()


def settle(session: Session) -> Frame:
    """Wait until everything is measured."""
    corpus = session.corpus

    def done() -> bool:
        frame = session.update()
        corpus.request(frame)
        return len(corpus.rows(frame)) == corpus.total and corpus.watched(frame) is not None

    wait(done)
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
def test_lists_are_sorted_by_their_order_and_reversed(session: Session, order: str) -> None:
    frame, corpus = settle(session), session.corpus
    while corpus.order != order:
        corpus.next_order()

    def value(row: int) -> float:
        entry = corpus.entry(frame, row)
        return {
            "β of h": entry.beta[0], "β of x": entry.beta[1], "length": entry.words,
            "confidence": entry.confidence, "error": entry.error,
        }[order]  # fmt: skip

    falling = [value(row) for row in corpus.listed(frame)]
    there = [v for v in falling if np.isfinite(v)]
    assert falling[: len(there)] == sorted(there, reverse=True)
    corpus.turn_order()
    rising = [value(row) for row in corpus.listed(frame)]
    assert rising[: len(there)] == sorted(there)
    assert len(rising) == COUNT


def test_an_entry_is_the_review_it_names(session: Session) -> None:
    frame, corpus = settle(session), session.corpus
    for row in corpus.listed(frame):
        entry = corpus.entry(frame, row)
        review = session.reviews[entry.index]
        assert (entry.name, entry.label, entry.words) == (review.name, review.label, len(review.words))
        assert entry.watched == (entry.index == WATCHED)
        assert entry.confidence == pytest.approx(abs(2 * entry.output - 1))
        if review.label is None:
            assert np.isnan(entry.error)
        else:
            assert entry.error == pytest.approx(abs(review.label - entry.output))
        assert entry.reason == ("too short" if entry.words < 80 else "")


def test_a_bin_narrows_the_list_to_its_reviews(session: Session) -> None:
    frame, corpus = settle(session), session.corpus
    for signal in SIGNALS:
        found = corpus.histogram(frame, signal, 12)
        for number in range(12):
            corpus.narrow(signal, found.edges[number], found.edges[number + 1])
            assert len(corpus.listed(frame)) == found.counts[number]
            assert corpus.histogram(frame, signal, 12).chosen == number
    corpus.widen()
    assert len(corpus.listed(frame)) == COUNT
    assert corpus.histogram(frame, "x", 12).chosen is None


def test_the_scatter_has_every_review_with_both_exponents(session: Session) -> None:
    frame = settle(session)
    beta, indices = session.corpus.scatter(frame)
    assert len(beta) == COUNT - session.corpus.histogram(frame, "h", 9).missing
    for (x, h), index in zip(beta.tolist(), indices.tolist(), strict=True):
        row = next(row for row in session.corpus.rows(frame) if row["review"] == index)
        assert row["beta"].tolist() == [h, x]


def test_the_band_is_of_noise_as_long_as_the_watched_review(session: Session) -> None:
    frame = settle(session)
    session.corpus.request(frame)
    wait(lambda: session.corpus.band(frame) is not None)
    found, words = session.corpus.band(frame), len(session.reviews[WATCHED].words)
    assert found is not None
    pink = null_exponents(1.0, words, default_scales(words))
    assert found.pink == pytest.approx((2 * pink.low - 1, 2 * pink.high - 1))
    assert found.white[1] < found.pink[1]


def test_another_network_or_a_clamp_starts_anew(session: Session) -> None:
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
    summary = session.corpus.summary(session.frame())
    labels = [(row["label"], row["probability"] >= 0.5) for row in rows if row["label"] >= 0]
    assert summary.accuracy == np.mean([label == positive for label, positive in labels])
    assert summary.labelled == len(labels)
    assert summary.intact == np.mean([(r["probability"] >= 0.5) == r["label"] for r in before if r["label"] >= 0])
    assert summary.dead == (rows["deviation"].mean(axis=0) < session.frame().snapshot.threshold).sum() >= 1
    session.stream.clamp({})
    wait(lambda: not session.stream.snapshot.clamps)
    session.corpus.request(session.frame())
    assert len(session.corpus.rows(session.frame())) == COUNT, "what was measured without clamps is stored"
    other = small_network(7, seed=3)
    session.stream.use_network(other)
    wait(lambda: session.stream.snapshot.network is other)
    rows = session.corpus.rows(settle(session))
    (expected,) = measure_reviews(other, session.reviews, SIGNALS)
    assert rows["probability"][np.argsort(rows["review"])] == pytest.approx(expected["probability"])


class NotingJobs(CountingJobs):
    """Job runner that lists the names of the reviews in every job; no such job ends until ``may_end`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.portions: list[list[str]] = []
        self.may_end = threading.Event()
        self.may_end.set()

    def start(self, work: Callable[..., None], *arguments: Any, **callbacks: Any) -> Job:
        if work is send_rows:
            self.portions.append(["" if review is None else review.name for review in arguments[2]])
            on_end = callbacks["on_end"]

            def end(trouble: str) -> None:
                self.may_end.wait(60)
                on_end(trouble)

            callbacks["on_end"] = end
        return super().start(work, *arguments, **callbacks)


def test_it_is_measured_in_portions_and_a_review_opened_meanwhile_comes_next() -> None:
    runner = NotingJobs()
    runner.may_end.clear()
    session = opened(reviews(2 * PORTION), 5, runner)
    session.corpus.request(session.frame())
    last = session.corpus._waiting[0]
    session.open_review(last)
    wait(lambda: session.stream.snapshot.index == last)
    session.corpus.request(session.frame())
    runner.may_end.set()
    settle(session)
    session.close()
    given = runner.portions
    assert given[0][0] == "r5"
    assert [len(part) for part in given] == [PORTION // 16, PORTION, 2 * PORTION - PORTION - PORTION // 16]
    assert f"r{last}" in (given[1][0], given[0][0])
    assert sorted(name for part in given for name in part) == sorted(review.name for review in session.reviews)


def test_after_a_clamp_one_job_measures_all_reviews_that_were_sent_before() -> None:
    runner = NotingJobs()
    session = opened(reviews(), WATCHED, runner, portion=16)
    settle(session)
    sent = len(runner.portions)
    session.stream.clamp({"h": np.where(np.arange(12) == 2, 0.3, np.nan).astype(np.float32)})
    wait(lambda: bool(session.stream.snapshot.clamps))
    settle(session)
    assert sent > 2
    assert runner.portions[sent:] == [[""] * COUNT]
    session.close()


class EventJobs(CountingJobs):
    """Job runner that lists the start of a measurement, the number of rows of each of its results, and its end."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str | int] = []

    def start(self, work: Callable[..., None], *arguments: Any, **callbacks: Any) -> Job:
        if work is not send_rows:
            return super().start(work, *arguments, **callbacks)
        self.events.append("start")

        def take(rows: Any) -> None:
            self.events.append(len(rows))
            callbacks["on_result"](rows)

        def end(trouble: str) -> None:
            self.events.append("end")
            callbacks["on_end"](trouble)

        return super().start(work, *arguments, on_result=take, on_end=end)


def test_after_a_clamp_the_first_numbers_come_after_a_few_of_all_reviews() -> None:
    runner = EventJobs()
    words = small_network().vocabulary.words  # type: ignore[union-attr]
    text = " ".join(np.random.default_rng(0).choice(words, 600))
    source = [Review(f"r{k}", text) for k in range(60)]  # more than BATCH_WORDS
    session = opened(source, 0, runner, portion=60)
    settle(session)
    wait(lambda: runner.events[-1] == "end")
    before = len(runner.events)
    session.stream.clamp({"h": np.where(np.arange(12) == 2, 0.3, np.nan).astype(np.float32)})
    wait(lambda: bool(session.stream.snapshot.clamps))
    settle(session)
    wait(lambda: runner.events[-1] == "end")
    session.close()
    started, *parts, ended = runner.events[before:]
    assert (started, ended) == ("start", "end")
    assert sum(map(int, parts)) == 60
    assert int(parts[0]) == BATCH_WORDS // 600 < 30


class FailingJobs(CountingJobs):
    """Job runner that fails at jobs of one network."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_for: Network | None = None

    def start(self, work: Callable[..., None], *arguments: Any, **callbacks: Any) -> Job:
        fails = work is send_rows and arguments[0] is self.fails_for
        return super().start(jobs.fail if fails else work, *arguments, **callbacks)


def test_a_failure_is_reported_once_and_another_network_is_tried() -> None:
    runner = FailingJobs()
    session = opened(reviews(), WATCHED, runner)
    runner.fails_for = session.stream.snapshot.network
    session.corpus.request(session.frame())
    wait(lambda: session.corpus.trouble == "measuring failed: 'bad'")
    session.corpus.request(session.frame())
    assert runner.started == ["fail"]
    other = small_network(seed=4)
    session.stream.use_network(other)
    wait(lambda: session.stream.snapshot.network is other)
    settle(session)
    assert session.corpus.trouble == ""
    session.close()


def test_a_closed_corpus_measures_nothing_more(session: Session) -> None:
    session.corpus.close()
    session.corpus.request(session.frame())
    assert len(session.corpus.rows(session.frame())) == 0
    assert session.corpus._job is None


def test_reading_starts_nothing_and_a_request_starts_one_job() -> None:
    runner = CountingJobs()
    session = opened(reviews(), WATCHED, runner)
    corpus, frame = session.corpus, session.update()
    for _ in range(2):
        assert len(corpus.rows(frame)) == len(corpus.listed(frame)) == 0
        assert corpus.histogram(frame, "h", 9).watched is None
        assert (corpus.watched(frame), corpus.band(frame)) == (None, None)
        assert len(corpus.scatter(frame)[0]) == 0
    assert runner.started == []
    corpus.request(frame)
    corpus.request(frame)
    assert runner.started == ["send_rows"]
    session.close()


def test_a_recording_has_no_network_for_others(session: Session, tmp_path: Path) -> None:
    session.recorder.folder = tmp_path
    session.stream.seek(50)
    wait(lambda: session.stream.snapshot.time == 50)
    session.perform("export-run")
    wait(lambda: "saved" in session.note)
    played = replayed(next(tmp_path.iterdir()))
    frame = played.update()
    played.corpus.request(frame)
    found = played.corpus.histogram(frame, "h", 10)
    assert (found.counts.sum(), found.watched, played.corpus._job) == (0, None, None)
    assert "recording" in played.corpus.trouble
    with pytest.raises(SessionError, match="recording"):
        played.perform("corpus")
    played.close()

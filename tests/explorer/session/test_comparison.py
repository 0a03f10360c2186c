"""A second network on the same review, a second review through the same network, and both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.network import Network
from engine.recording import record
from explorer.session.alignment import aligned
from explorer.session.reading import BLOCK, Comparison, read_words
from explorer.session.session import Session
from explorer.session.views.traces import difference, other_alpha, other_overview
from tests.explorer.small import REVIEWS, small_file, wait


def compared(session: Session) -> Comparison:
    wait(lambda: session.comparison.result(session.update()) is not None)
    found = session.comparison.result(session.frame())
    assert found is not None
    return found


def expected(network: Network, words: tuple[str, ...]) -> np.ndarray:
    assert network.vocabulary is not None
    return record(network, network.vocabulary.encode(words)).probability[0]


def in_pairs(network: Network, other: tuple[str, ...], own: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """P(positive) of two readings at each word of the second, paired as the dialog word by word pairs them."""
    pairs = [(i, j) for i, j in aligned(other, own) if i is not None and j is not None]
    there, here = np.full(len(own), np.nan), expected(network, own)
    for i, j in pairs:
        there[j] = expected(network, other)[i]
    return there, here


def test_after_an_insertion_words_are_compared_with_themselves(read: Session) -> None:
    """Independent of the alignment: two readings, and the place at which words were put in."""
    network, words = read.stream.snapshot.network, REVIEWS[0].words
    edited = (*words[:30], "dull", "film", "again", *words[30:])
    assert words[29:31] != ("dull", "film")
    read.text_diff.edit(" ".join(edited))
    wait(lambda: read.stream.snapshot.words == len(edited) and read.stream.snapshot.finished)
    other, frame = compared(read), read.frame()
    before, after = expected(network, words), expected(network, edited)
    there = np.concatenate([before[:30], [np.nan] * 3, before[30:]])
    assert [other.at(word) for word in range(len(edited))] == pytest.approx(there, abs=1e-6, nan_ok=True)
    found = difference(read, other, frame)
    assert found is not None
    assert found.values == pytest.approx(after - there, abs=1e-6, nan_ok=True)
    columns = found.columns(len(edited)).values
    assert columns == pytest.approx(after - there, abs=1e-6, nan_ok=True)
    alpha = other_alpha(other, frame)
    assert alpha is not None
    own = read_words(network, words, frame.snapshot.window, frame.snapshot.scales, {})
    assert own is not None
    assert alpha[[29, 33, 99]] == pytest.approx(own.alpha["h"][[29, 30, 96]], abs=1e-6, nan_ok=True)
    assert np.isnan(alpha[30:33]).all()


def test_another_network_reads_along(read: Session, tmp_path: Path) -> None:
    path = small_file(tmp_path, 5)
    read.comparison.compare_with(str(path))
    other = compared(read)
    assert other.name == read.comparison.name == "lstm-5"
    assert other.output == pytest.approx(expected(Network.load(path), REVIEWS[0].words), abs=1e-6)
    assert np.isnan(other.at(-1))
    read.comparison.compare_with(None)
    assert read.comparison.result(read.update()) is None
    assert not read.comparison.name


def test_another_review_is_read_by_the_same_network(read: Session) -> None:
    read.comparison.compare_review(REVIEWS[1])
    other = compared(read)
    assert other.name == "second"
    network = read.stream.snapshot.network
    expected = in_pairs(network, REVIEWS[1].words, REVIEWS[0].words)[0]
    assert other.output == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert np.isnan(other.at(144))
    view = other_overview(other, read.frame(), 72)  # two words a column
    assert view is not None
    with np.errstate(invalid="ignore"):
        pairs = np.where(np.arange(144) < 100, expected, np.nan).reshape(72, 2)
        means = np.nansum(pairs, axis=1) / np.isfinite(pairs).sum(axis=1)
    assert view.values == pytest.approx(means, abs=1e-6, nan_ok=True)


def test_the_difference_is_that_of_two_readings(read: Session, tmp_path: Path) -> None:
    assert difference(read, None, read.frame()) is None
    path = small_file(tmp_path, 5)
    own, other = (expected(network, REVIEWS[0].words) for network in (read.stream.snapshot.network, Network.load(path)))
    read.comparison.compare_with(str(path))
    compared(read)
    found = difference(read, read.comparison.result(read.frame()), read.frame())
    assert found is not None
    assert found.values[:100] == pytest.approx(own[:100] - other[:100], abs=1e-6)
    assert found.values.shape == (144,)
    assert np.isnan(found.values[100:]).all()  # not read yet
    assert np.abs(found.values[:100]).max() <= found.reach <= 1
    assert np.isnan(found.columns(72).values[50:]).all()
    assert found.columns(72).values[:50] == pytest.approx((own - other)[:100].reshape(50, 2).mean(axis=1), abs=1e-6)


def test_two_reviews_differ_word_by_word_where_both_have_one(read: Session) -> None:
    network = read.stream.snapshot.network
    other, own = in_pairs(network, REVIEWS[1].words, REVIEWS[0].words)
    read.comparison.compare_review(REVIEWS[1])
    compared(read)
    found = difference(read, read.comparison.result(read.frame()), read.frame())
    assert found is not None
    assert found.values[:100] == pytest.approx((own - other)[:100], abs=1e-6, nan_ok=True)
    assert np.isnan(found.values[100:]).all()  # not read yet
    assert 0 < np.isfinite(found.values).sum() <= len(REVIEWS[1].words)
    read.open_review(1)
    read.comparison.compare_review(REVIEWS[0])  # the other review is the longer one
    wait(lambda: read.stream.snapshot.review is REVIEWS[1])
    compared(read)
    found = difference(read, read.comparison.result(read.frame()), read.frame())
    assert found is not None
    assert found.values.shape == (len(REVIEWS[1].words),)
    assert np.isnan(found.values).all()  # nothing is read yet
    read.stream.seek(len(REVIEWS[1].words))
    wait(lambda: read.stream.snapshot.finished)
    found = difference(read, read.comparison.result(read.frame()), read.frame())
    assert found is not None
    other, own = in_pairs(network, REVIEWS[0].words, REVIEWS[1].words)
    assert found.values == pytest.approx(own - other, abs=1e-6, nan_ok=True)


def test_the_comparison_is_analysed_as_the_run_is(read: Session) -> None:
    read.comparison.compare_review(REVIEWS[0])  # with itself: nothing may differ
    other = compared(read)
    alpha = other_alpha(other, read.frame())
    assert alpha is not None
    assert alpha[99] == pytest.approx(read.stream.snapshot.alpha["h"], rel=1e-5)
    assert np.isnan(alpha[: read.stream.snapshot.window - 1]).all()
    assert other.at(99) == pytest.approx(read.stream.snapshot.probability, abs=1e-6)


def test_network_and_review_may_differ_and_clamps_apply_to_both_readings(read: Session, tmp_path: Path) -> None:
    read.comparison.compare_review(REVIEWS[0])
    before = compared(read)
    read.choose_signal("f")
    read.ablation.clamp_at("0.1")
    wait(lambda: bool(read.stream.snapshot.clamps) and read.stream.snapshot.time == 100)
    assert compared(read) is not before
    assert compared(read).at(99) == pytest.approx(read.stream.snapshot.probability, abs=1e-6)
    path = small_file(tmp_path, 5)
    read.comparison.compare_with(str(path))
    read.comparison.compare_review(REVIEWS[1])
    assert compared(read).name == "lstm-5 on second"
    expected = in_pairs(Network.load(path), REVIEWS[1].words, REVIEWS[0].words)[0]
    assert compared(read).output == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_a_network_that_cannot_be_compared_is_reported(read: Session) -> None:
    read.comparison.compare_with("nowhere")
    assert read.comparison.result(read.update()) is None
    wait(lambda: "nowhere" in read.note)
    assert read.comparison.network is None


def test_a_cancelled_reading_stops(read: Session) -> None:
    answers = iter([True, False])
    words = REVIEWS[0].words * 8
    assert len(words) > BLOCK
    snapshot = read.stream.snapshot
    assert read_words(snapshot.network, words, snapshot.window, snapshot.scales, {}, lambda: next(answers)) is None

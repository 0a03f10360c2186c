"""Words in all reviews, places where the brushed cells agree, and results that come one by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine.recording import record
from explorer.session.controllers.brush import AGREE, Pattern
from explorer.session.controllers.pattern_search import Place, search_reviews
from explorer.session.controllers.word_search import Hit, places, wanted_words
from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.task_results import TaskResults, start_search
from tests.explorer.small import REVIEWS, small_network, wait

# ---- results that come one by one ----------------------------------------------------------------------------


def test_results_come_step_by_step_and_the_rest_can_be_cancelled() -> None:
    go_on = threading.Event()

    def steps() -> Iterator[tuple[int, list[str]]]:
        yield 1, ["a"]
        go_on.wait(30)
        yield 2, ["b"]
        raise AssertionError("nobody wants this any more")

    search = start_search(steps(), 3)
    wait(lambda: list(search.found) == ["a"])
    assert search.progress == "1 of 3 reviews …"
    search.cancel()
    go_on.set()
    wait(lambda: not any(thread.name == "pinkx search" for thread in threading.enumerate()))
    assert list(search.found) == ["a"]
    assert not search.trouble


def test_a_failure_is_reported() -> None:
    def steps() -> Iterator[tuple[int, list[str]]]:
        yield 1, []
        raise ValueError("the disk is gone")

    search: TaskResults[str] = start_search(steps(), 2)
    wait(lambda: search.finished)
    assert search.progress == "the disk is gone"


# ---- words -----------------------------------------------------------------------------------------------------


def test_words_are_searched_as_reviews_are_read() -> None:
    assert wanted_words(" Don't LOOK <b> film*") == ("dont", "look", "b", "film*")
    assert wanted_words("… !") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("film", (1, 5)), ("a film", (0,)), ("film*", (1, 3, 5)), ("dull film*", (2,)), ("films again", ()), ("", ())],
)
def test_places_of_words_and_phrases(text: str, expected: tuple[int, ...]) -> None:
    assert places(["a", "film", "dull", "films", "the", "film"], wanted_words(text)) == expected


def test_words_are_found_here_and_in_all_other_reviews(read: Session) -> None:
    read.word_search.look_for("a")
    wait(lambda: read.word_search.others.finished)
    assert read.word_search.here(read.stream.snapshot) == places(REVIEWS[0].words, ["a"])
    assert list(read.word_search.others.found) == [Hit(1, 1, 0)]
    assert read.word_search.context(Hit(1, 1, 0)) == ("", "A", "dull film. I would not see")
    read.word_search.open(Hit(1, 1, 0))
    wait(lambda: read.stream.snapshot.review.name == "second" and read.stream.snapshot.time == 1)
    assert read.word_search.here(read.stream.snapshot) == (0,)
    assert read.frame().status == "PAUSED"


def test_keys_go_from_place_to_place_and_around(read: Session) -> None:
    with pytest.raises(SessionError, match="search for words first"):
        read.perform("next-found")
    read.word_search.look_for("warm and")
    here = places(REVIEWS[0].words, ["warm", "and"])
    assert len(here) == 8
    assert read.word_search.marked(read.stream.snapshot) >= {here[0], here[0] + 1}
    read.look_at(0)
    seen = []
    for _ in range(3):
        read.perform("next-found")
        seen.append(read.frame().word)
    assert tuple(seen) == here[:3]
    read.perform("previous-found")
    assert read.frame().word == here[1]
    assert read.note == "'warm and': place 2 of 8"
    read.look_at(0)
    read.perform("previous-found")  # the last one; the words up to it are read
    wait(lambda: read.stream.snapshot.time == here[-1] + 1)
    read.word_search.look_for("unheard")
    with pytest.raises(SessionError, match="not in this review"):
        read.perform("next-found")
    read.word_search.look_for("")
    assert read.word_search.others.finished
    assert not read.word_search.marked(read.stream.snapshot)


# ---- cells -----------------------------------------------------------------------------------------------------


def test_other_reviews_are_searched_as_this_one_would_be() -> None:
    network = small_network()
    assert network.vocabulary is not None
    ids = [network.vocabulary.encode(review.words) for review in REVIEWS]
    h = record(network, ids, ["h"])["h"]
    level = float(h[1, 3, 5]) - 1e-6  # cell 5 fires at word 3 of the second review
    pattern = Pattern("h", (5,), (1,), (level,), ())
    parts: list[tuple[int, list[Place]]] = []

    def report(part: Any) -> bool:
        parts.append(part)
        return True

    search_reviews(report, network, [7, 8, 9], ids, pattern, {})
    assert [done for done, _ in parts] == [3]
    found = parts[0][1]
    assert any(place.review == 8 and place.first <= 3 < place.last for place in found)
    for place in found:
        values = h[place.review - 7, place.first : place.last]
        assert (pattern.firing(values) >= AGREE).all()
        assert place.strength == pytest.approx(pattern.firing(values).sum())


def test_places_in_other_reviews_are_listed_and_opened(read: Session) -> None:
    with pytest.raises(SessionError, match="brush words"):
        read.pattern_search.begin()
    read.brush.open_at(40)
    read.brush.close_at(41)
    h = read.read("h", 0, 100)
    read.brush._pattern = Pattern("h", (5,), (1,), (float(h[:, 5].min()),), ())  # a cell that fires nearly always
    read.pattern_search.begin()
    wait(lambda: read.pattern_search.results.finished)
    assert not read.pattern_search.results.trouble
    found = read.pattern_search.results.found
    assert {place.review for place in found} <= {1, 2}
    assert [place.strength for place in found] == sorted((place.strength for place in found), reverse=True)
    assert read.pattern_search.left == 0
    first, words, behind = read.pattern_search.context(found[0])
    surface = REVIEWS[found[0].review].surface
    assert words == " ".join(surface[found[0].first : found[0].last])
    before = read.pattern_search.results
    read.pattern_search.open(found[0])
    wait(lambda: read.stream.snapshot.review is REVIEWS[found[0].review])
    wait(lambda: read.stream.snapshot.time == found[0].first + 1)
    read.pattern_search.begin()  # the brush is cleared with the review, the results stay
    assert read.pattern_search.results is before
    del first, behind

"""Two readings word by word, and the changes made by editing a text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.network import Network
from explorer.session.alignment import LONGEST, aligned
from explorer.session.controllers.text_diff import WordByWord, word_by_word
from explorer.session.core import SessionError
from explorer.session.reading import Reading, read_words
from explorer.session.session import Session
from tests.explorer.small import REVIEWS, small_network, wait


def reading(session: Session, text: str, network: Network | None = None) -> Reading:
    snapshot = session.stream.snapshot
    found = read_words(network or snapshot.network, text.split(), snapshot.window, snapshot.scales, {})
    assert found is not None
    return found


# ---- which words belong together ---------------------------------------------------------------------------------


def test_words_that_stay_are_paired() -> None:
    pairs = aligned(["a", "very", "dull", "film", "again"], ["a", "warm", "human", "film", "once", "again"])
    assert pairs == [(0, 0), (1, 1), (2, 2), (3, 3), (None, 4), (4, 5)]
    assert aligned([], ["a"]) == [(None, 0)]
    assert aligned(["a", "b"], ["b"]) == [(0, None), (1, 0)]


def test_texts_too_long_to_match_are_paired_by_position() -> None:
    before, after = ["a"] * (LONGEST + 1), ["b"] * (LONGEST + 2)
    pairs = aligned([*before, "end"], [*after, "end"])
    assert pairs[:2] == [(0, 0), (1, 1)]
    assert pairs[-2:] == [(None, LONGEST + 1), (LONGEST + 1, LONGEST + 2)]


@given(before=st.lists(st.sampled_from("abc"), max_size=12), after=st.lists(st.sampled_from("abc"), max_size=12))
@settings(deadline=None)
def test_every_word_is_listed_once_and_in_order(before: list[str], after: list[str]) -> None:
    pairs = aligned(before, after)
    assert [i for i, _ in pairs if i is not None] == list(range(len(before)))
    assert [j for _, j in pairs if j is not None] == list(range(len(after)))
    if before == after:
        assert all(i == j for i, j in pairs)


# ---- what each made of them --------------------------------------------------------------------------------------


def test_each_pair_has_both_probabilities_and_the_difference(read: Session) -> None:
    before, after = reading(read, "a dull film again"), reading(read, "a warm film")
    found = word_by_word(before, after)
    assert [(pair.before, pair.after, pair.changed) for pair in found.pairs] == [
        ("a", "a", False),
        ("dull", "warm", True),
        ("film", "film", False),
        ("again", "", True),
    ]
    assert [pair.place for pair in found.pairs] == [0, 1, 2, 2]
    assert found.first_change == 1
    assert found.pairs[0].difference == 0
    assert found.pairs[2].difference == pytest.approx(after.output[2] - before.output[2])
    assert np.isnan(found.pairs[3].difference)


def test_the_cells_that_moved_most_come_first(read: Session) -> None:
    before, after = reading(read, "a dull film"), reading(read, "a warm film")
    found = word_by_word(before, after)
    moved = np.abs(after.h - before.h).mean(axis=0)
    assert found.cells[0].cell == moved.argmax()
    assert [cell.distance for cell in found.cells] == pytest.approx(np.sort(moved)[::-1][: len(found.cells)])


def test_two_networks_have_no_cells_in_common(read: Session) -> None:
    other = reading(read, "a dull film", small_network(12, seed=1))
    found = word_by_word(other, reading(read, "a dull film"), same_network=False)
    assert found.cells == ()
    assert not any(pair.changed for pair in found.pairs)
    assert abs(found.pairs[found.first_change].difference) > 0.01


# ---- editing -----------------------------------------------------------------------------------------------------


def table(session: Session) -> WordByWord:
    def done() -> bool:
        frame = session.update()
        session.text_diff.request(frame)
        return session.text_diff.result(frame) is not None

    wait(done)
    found = session.text_diff.result(session.frame())
    assert found is not None
    return found


def test_an_edited_text_is_read_and_compared_with_the_one_before(read: Session) -> None:
    read.text_diff.edit(read.text_diff.text.replace("wonderful", "dull", 1))
    wait(lambda: read.stream.snapshot.review.name == "first, edited" and read.stream.snapshot.finished)
    found = table(read)
    changed = [pair for pair in found.pairs if pair.changed]
    assert [(pair.before, pair.after) for pair in changed] == [("wonderful", "dull")]
    assert found.pairs[-1].output_after == pytest.approx(read.stream.snapshot.probability, abs=1e-6)
    assert found.cells
    read.text_diff.edit("a dull film")  # again: compared with the first edit
    wait(lambda: read.stream.snapshot.words == 3)
    assert read.stream.snapshot.review.name == "first, edited"
    assert len(table(read).pairs) == len(REVIEWS[0].words)


def test_without_words_nothing_is_edited(read: Session) -> None:
    with pytest.raises(SessionError, match="at least one word"):
        read.text_diff.edit(" … ")
    assert not read.comparison.name
    assert read.text_diff.result(read.frame()) is None


def test_control_characters_are_removed_before_a_text_is_shown(read: Session) -> None:
    read.open_text("good \x1b[2J film<br />over\u202e there")
    wait(lambda: read.stream.snapshot.review.name == "typed")
    assert read.text_diff.text == "good [2J film\nover there"

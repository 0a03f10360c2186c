"""Looking back: every number equals that of another session, which has read no further than the word looked at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from explorer.session.controllers.display import ORDERS
from explorer.session.core import Frame, SessionError
from explorer.session.session import Session
from explorer.session.views.cell_readouts import cell_text, cells_line
from explorer.session.views.readouts import alpha_line, review_rows, word_colours_line
from explorer.session.views.runs import plain
from explorer.session.views.scaling import scaling
from explorer.session.views.text_layout import word_values
from explorer.session.views.traces import alpha_at, cell_table, output_at
from tests.explorer.small import open_session, wait

WORD = 79  # 20 words before the newest one of the fixture `session`
EARLY = 30  # before the window of 64 words is full


def reading_of(words: int, signal: str, *, threshold: float) -> Session:
    other = open_session(threshold=threshold)
    other.choose_signal(signal)
    other.stream.seek(words)
    wait(lambda: other.stream.snapshot.time == words and other.stream.snapshot.watched == signal)
    return other


@pytest.fixture
def threshold(session: Session) -> float:
    """A threshold at which other cells are dead at `WORD` than at the newest word."""
    then, now = (session.read("h", stop - 64, stop).std(axis=0, dtype=np.float64) for stop in (WORD + 1, 100))
    changed = int(np.abs(then - now)[np.argsort(then)[3:9]].argmax())
    cell = np.argsort(then)[3 + changed]
    deviation = float(then[cell] + now[cell]) / 2
    session.display.set_threshold(deviation)
    wait(lambda: session.stream.snapshot.threshold == deviation)
    return deviation


@pytest.fixture(params=["h", "f", "x"])
def independent(request: pytest.FixtureRequest, session: Session, threshold: float) -> Iterator[Session]:
    """Choose a signal in `session` and look back; yield the reading that ended at the same word."""
    session.choose_signal(request.param)
    wait(lambda: session.stream.snapshot.watched == request.param)
    session.look_at(WORD)
    other = reading_of(WORD + 1, request.param, threshold=threshold)
    yield other
    other.close()


def numbers(session: Session, frame: Frame) -> list[str]:
    """Return the texts of both front ends about a moment."""
    alpha, probability = alpha_at(session, frame), output_at(session, frame)
    rows = review_rows(frame, probability)
    table = [str(cell_text(row)) for row in cell_table(session, frame)]
    return [plain(cells_line(frame)), plain(alpha_line(frame, alpha)), *(plain(row.line) for row in rows), *table]


@pytest.mark.parametrize("order", ORDERS)
def test_looking_back_shows_what_a_reading_up_to_that_word_shows(
    session: Session, independent: Session, order: str
) -> None:
    for one in (session, independent):
        one.core.choose(order=order, selected=3, pins=(5,))
    back, live = session.update(), independent.update()
    assert (back.word, live.word, back.following, live.following) == (WORD, WORD, False, True)
    np.testing.assert_array_equal(back.order, live.order)
    assert numbers(session, back) == numbers(independent, live)
    assert "†" in plain(cells_line(back)), "the case has dead cells"
    newest = session.stream.snapshot
    assert not np.array_equal(back.moment.activity, newest.activity), "the newest word has other numbers"


def test_the_order_of_a_moment_stays_while_the_network_reads_on(session: Session, threshold: float) -> None:
    session.core.choose(order="activity")
    session.look_at(WORD)
    before = session.update()
    session.stream.set_speed(200)
    session.stream.play()
    wait(lambda: session.stream.snapshot.time > 130)
    after = session.update()
    assert after.snapshot.time > before.snapshot.time
    np.testing.assert_array_equal(before.order, after.order)
    np.testing.assert_array_equal(before.moment.dead, after.moment.dead)


def test_dead_cells_of_the_moment_looked_at_are_ablated(session: Session, threshold: float) -> None:
    session.look_at(WORD)
    dead = np.flatnonzero(session.update().moment.dead)
    assert set(dead) != set(np.flatnonzero(session.stream.snapshot.dead))
    session.perform("ablate-dead")
    wait(lambda: bool(session.stream.snapshot.clamps))
    assert np.array_equal(np.flatnonzero(~np.isnan(session.stream.snapshot.clamps["h"])), dead)


def test_no_cell_is_dead_before_the_window_is_full(session: Session) -> None:
    session.display.set_threshold(10.0)
    wait(lambda: bool(session.stream.snapshot.dead.all()))
    session.look_at(EARLY)
    frame = session.update()
    assert not any(row.dead for row in cell_table(session, frame))
    assert plain(cells_line(frame)).startswith("12 cells  † needs 64 words")
    with pytest.raises(SessionError, match="no other cell is dead"):
        session.perform("ablate-dead")
    live = reading_of(EARLY + 1, "h", threshold=10.0)
    assert not live.stream.snapshot.dead.any()
    assert numbers(session, frame) == numbers(live, live.update())
    live.close()


def test_words_that_are_no_longer_stored_have_no_numbers() -> None:
    session = open_session(capacity=70)
    session.stream.seek(140)
    wait(lambda: session.stream.snapshot.time == 140)
    session.look_at(100)
    frame = session.update()
    assert np.isnan(frame.moment.activity).all()
    assert not frame.moment.dead.any()
    assert frame.moment.reason == "its words are no longer stored"
    session.close()


def test_a_selected_cell_is_no_input(session: Session) -> None:
    """The small network has 4 inputs, so that cell #003 could be taken for the last of them."""
    session.select(3)
    session.choose_signal("x")
    wait(lambda: session.stream.snapshot.watched == "x")
    frame = session.update()
    x = session.read("x", 0, 100)
    assert np.isnan([row.value for row in cell_table(session, frame)]).all()
    values, low, high = word_values(session, frame, 0, 100)
    np.testing.assert_allclose(values, x.mean(axis=1), rtol=1e-5)
    assert plain(word_colours_line(frame, low, high)).startswith("colour: x, mean of all inputs")
    assert scaling(session, frame).series == "Σx"
    assert "#003" not in plain(alpha_line(frame, alpha_at(session, frame)))

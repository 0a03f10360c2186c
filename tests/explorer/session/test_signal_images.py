"""Desktop images: heatmaps extended word by word, the visible range of words, and F(s) over chosen scales."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from engine.fluctuation import exponents, fluctuations
from explorer.session.menu_items import networks, reviews
from explorer.session.palette import codes
from explorer.session.session import Session
from explorer.session.views.heatmap import CONTRAST, cell_rows, cell_scale, rescale
from explorer.session.views.scaling import fine_fluctuation, fine_scales, scaling
from explorer.session.views.signal_images import SignalImages, cell_traces, merge_codes
from explorer.session.views.visible_range import VisibleRange
from tests.explorer.small import open_session, wait


@pytest.fixture
def session() -> Iterator[Session]:
    opened = open_session()
    read(opened, 100)
    yield opened
    opened.close()


def read(session: Session, time: int) -> None:
    session.stream.seek(time)
    wait(lambda: session.stream.snapshot.time == time)


def expected(session: Session, signal: str, first: int, last: int) -> np.ndarray:
    """The codes of words made in one go, (cell, time)."""
    frame = session.frame()
    own = replace(frame, choices=replace(frame.choices, signal=signal))
    values = session.read(signal, first, last).astype(np.float64)
    return codes(rescale(values, *cell_scale(session, own)), -CONTRAST, CONTRAST).T


@pytest.mark.parametrize("signal", ["h", "f", "x"])
def test_words_that_come_in_pieces_look_as_in_one_go(session: Session, signal: str) -> None:
    gates = SignalImages(session)
    for time in (100, 101, 117, 144):  # 128 changes the measure
        read(session, time)
        image = gates.image(session.frame(), signal, 0, 500, 64)
        assert image.first == 0
        np.testing.assert_array_equal(image.codes, expected(session, signal, 0, time))


@pytest.mark.parametrize("how", ["mean", "max"])
def test_rows_of_several_cells_are_made_as_one_by_one(how: str) -> None:
    random = np.random.default_rng(0)
    for cells, height, pinned in ((12, 5, 2), (128, 53, 0), (7, 7, 0), (9, 1, 0), (10, 4, 3)):
        values = random.integers(0, 256, (40, cells)).astype(np.uint8)
        rows, zero = cell_rows(random.permutation(cells), pinned, height), float(random.uniform(0, 255))
        plain = np.empty((len(rows), 40), dtype=np.uint8)
        for number, row in enumerate(rows):
            block = values[:, list(row)]
            strongest = np.abs(block - zero).argmax(axis=1)
            plain[number] = block.mean(axis=1) if how == "mean" else block[np.arange(40), strongest]
        np.testing.assert_array_equal(merge_codes(values, rows, how, zero), plain)
        assert merge_codes(values[:0], rows, how, zero).shape == (len(rows), 0)


def test_going_back_and_looking_at_a_part(session: Session) -> None:
    gates = SignalImages(session)
    gates.image(session.frame(), "h", 0, 500, 64)
    read(session, 50)
    np.testing.assert_array_equal(gates.image(session.frame(), "h", 0, 500, 64).codes, expected(session, "h", 0, 50))
    part = gates.image(session.frame(), "h", 20, 40, 64)
    assert part.first == 20
    np.testing.assert_array_equal(part.codes, expected(session, "h", 20, 40))


def test_only_words_still_stored_are_shown() -> None:
    session = open_session(capacity=64)
    read(session, 144)
    image = SignalImages(session).image(session.frame(), "h", 0, 500, 64)
    assert (image.first, image.codes.shape) == (80, (12, 64))
    session.close()


def test_pinned_cells_come_first_and_the_order_is_followed(session: Session) -> None:
    gates = SignalImages(session)
    assert gates.image(session.frame(), "h", 0, 500, 64).rows[0] == (0,)
    session.select(7)
    session.perform("pin")
    image = gates.image(session.frame(), "h", 0, 500, 64)
    assert image.rows[:3] == ((7,), (0,), (1,))
    assert image.row_of(7) == 0
    assert image.row_of(99) is None
    np.testing.assert_array_equal(image.codes[0], expected(session, "h", 0, 100)[7])


def test_nothing_new_costs_nothing(session: Session) -> None:
    gates = SignalImages(session)
    frame = session.update()
    assert gates.image(frame, "h", 0, 500, 64) is gates.image(session.frame(), "h", 0, 500, 64)


def test_rows_are_shared_where_there_is_little_room(session: Session) -> None:
    gates = SignalImages(session)
    whole = expected(session, "h", 0, 100).astype(int)
    strongest = gates.image(session.frame(), "h", 0, 500, 4)
    assert strongest.cells_per_row == 3
    block = whole[:3]
    at = np.abs(block - 127.5).argmax(axis=0)
    np.testing.assert_array_equal(strongest.codes[0], block[at, np.arange(100)])
    session.perform("bins")
    means = gates.image(session.frame(), "h", 0, 500, 4)
    np.testing.assert_array_equal(means.codes[0], block.mean(axis=0).astype(np.uint8))


def test_bounds_of_a_gate_are_0_and_1(session: Session) -> None:
    session.perform("contrast")
    session.perform("contrast")
    image = SignalImages(session).image(session.frame(), "f", 0, 500, 64)
    assert (image.low, image.high) == (0, 1)
    np.testing.assert_array_equal(image.codes, codes(session.read("f", 0, 100), 0, 1).T)


def test_traces_of_cells(session: Session) -> None:
    first, traces = cell_traces(session, session.frame(), "c", (3, 11, 99), 90, 500)
    assert first == 90
    assert sorted(traces) == [3, 11]
    np.testing.assert_allclose(traces[3], session.read("c", 90, 100)[:, 3])


# ---- the stretch of words --------------------------------------------------------------------------------------


def test_a_short_review_is_shown_whole(session: Session) -> None:
    assert VisibleRange().words(session.frame()) == (0, 144)


def test_a_zoom_follows_the_word_by_pages_and_can_be_undone(session: Session) -> None:
    visible = VisibleRange()
    visible.zoom(10, 30)
    visible.words(session.frame())
    visible.zoom(10, 30)  # the view need not hold the word looked at
    assert visible.words(session.frame()) == (10, 30)
    session.look_at(31)
    first, last = visible.words(session.frame())
    assert (first, last) == (29, 49)
    session.look_at(28)
    assert visible.words(session.frame()) == (10, 30)
    visible.zoom(12, 13)
    first, last = visible.words(session.frame())
    assert last - first == 8
    assert visible.zoomed
    visible.reset()
    assert visible.words(session.frame()) == (0, 144)


def test_another_review_begins_at_its_first_word(session: Session) -> None:
    visible = VisibleRange()
    visible.zoom(100, 120)
    visible.words(session.frame())
    session.open_review(1)
    wait(lambda: session.stream.snapshot.review.name == "second")
    assert visible.words(session.frame()) == (0, 13)


# ---- F(s) over chosen scales -----------------------------------------------------------------------------------


def test_bounds_choose_the_scales_of_the_fit(session: Session) -> None:
    frame = session.frame()
    found = scaling(session, frame, (5.5, 12))
    series = session.read("h", 36, 100).astype(float).sum(axis=1)
    scales = tuple(range(6, 13))
    assert found.scales.tolist() == list(scales)
    fit = exponents(fluctuations(series, scales), scales)
    # The layer sums are added in another order.
    assert found.alpha == pytest.approx(float(fit.alpha), abs=1e-8)
    assert found.r2 == pytest.approx(float(fit.r2), abs=1e-8)
    np.testing.assert_array_equal(fine_fluctuation(session, frame)[2:9], found.fluctuation)


def test_without_bounds_it_is_the_rolling_exponent(session: Session) -> None:
    frame = session.frame()
    assert scaling(session, frame).alpha == pytest.approx(frame.snapshot.alpha["h"], abs=1e-6)


def test_too_few_scales_have_no_slope(session: Session) -> None:
    found = scaling(session, session.frame(), (5.5, 7.5))
    assert np.isnan(found.alpha)
    assert found.reason.startswith("2 scales are too few")


def test_a_window_that_is_not_full_has_no_fluctuation(session: Session) -> None:
    read(session, 40)
    frame = session.frame()
    assert np.isnan(fine_fluctuation(session, frame)).all()
    assert len(fine_fluctuation(session, frame)) == len(fine_scales(64)) == 29
    assert "40 read" in scaling(session, frame, (4, 32)).reason


# ---- what can be chosen from ------------------------------------------------------------------------------------


def test_networks_and_reviews_as_lists(session: Session) -> None:
    here, entries = networks(session)
    assert here == ""  # the small network of the tests is not shipped
    assert any("lstm-32   32 cells" in label for _, label in entries)
    assert [key for key, _ in reviews(session)] == ["0", "1", "2"]
    assert "− second" in reviews(session)[1][1]

"""View models of a frame: axes, heatmaps, lines of words, traces, the table of cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from explorer.session.palette import BARS, LEVELS, MAPS, RAMP, codes, colour_map, glyph
from explorer.session.session import Session
from explorer.session.views.heatmap import cell_rows, heatmap, merge, moments, rescale
from explorer.session.views.scaling import scaling
from explorer.session.views.text_layout import lay_out, unknown_words, word_values
from explorer.session.views.time_axis import NO_WORD, time_axis
from explorer.session.views.traces import alpha_at, alpha_trace, cell_table, output_at, overview
from tests.explorer.small import open_session, wait


@pytest.fixture(scope="module")
def read() -> Iterator[Session]:
    """A session with 100 of 144 words read, paused."""
    session = open_session()
    session.stream.seek(100)
    wait(lambda: session.stream.snapshot.time == 100)
    yield session
    session.close()


# ---- colours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAPS)
def test_maps_rise_in_lightness(name: str) -> None:
    linear = (colour_map(name) / 255.0) ** 2.2
    lightness = linear @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(lightness[::8]) > 0)


def test_map_ends_are_the_published_ones() -> None:
    assert colour_map("cividis")[[0, -1]].tolist() == [[0, 32, 77], [255, 234, 70]]
    assert colour_map("viridis")[[0, -1]].tolist() == [[68, 1, 84], [253, 231, 37]]


def test_codes_span_the_map_and_take_odd_values() -> None:
    values = np.array([-9.0, 0.0, 0.5, 1.0, 9.0, np.nan, np.inf])
    assert codes(values, 0.0, 1.0).tolist() == [0, 0, 128, 255, 255, 0, 255]
    assert codes(np.ones(2), 1.0, 1.0).tolist() == [0, 0]


def test_glyphs_keep_the_order() -> None:
    for ramp in (RAMP, BARS):
        places = [ramp.index(glyph(code, ramp)) for code in range(LEVELS)]
        assert places == sorted(places)
        assert set(places) == set(range(len(ramp)))


# ---- the time axis -------------------------------------------------------------------------------------------


def live(session: Session, time: int, width: int):  # type: ignore[no-untyped-def]
    """The axis as if words were just being read."""
    frame = session.frame()
    snapshot = replace(frame.snapshot, time=time, playing=True)
    return time_axis(replace(frame, snapshot=snapshot, word=time - 1), width)


def test_a_sweep_keeps_every_word_in_its_column(read: Session) -> None:
    for time in range(1, 120):
        axis = live(read, time, 30)
        assert axis.cursor == (time - 1) % 30
        assert axis.words[axis.cursor] == time - 1
        shown = axis.words[axis.words != NO_WORD]
        assert np.all(shown % 30 == np.flatnonzero(axis.words != NO_WORD))


def test_one_word_more_changes_two_columns_of_a_sweep(read: Session) -> None:
    for time in range(31, 119):
        before, after = live(read, time, 30).words, live(read, time + 1, 30).words
        assert (before != after).sum() <= 3


def test_at_rest_the_last_words_are_in_view_and_a_place_looked_at_is_in_the_middle(read: Session) -> None:
    frame = read.frame()
    axis = time_axis(frame, 40)
    assert axis.words.tolist() == list(range(60, 100))
    assert axis.cursor == 39
    read.look_at(50)
    axis = time_axis(read.frame(), 40)
    assert axis.cursor == 20
    assert axis.words[20] == 50
    assert axis.column(50) == 20
    assert axis.column(99) is None
    read.perform("live")


def test_gather_puts_rows_under_their_words(read: Session) -> None:
    axis = time_axis(read.frame(), 40)
    values = np.arange(70, 100, dtype=np.float32)[:, None]
    gathered = axis.gather(values, 70)[:, 0]
    assert np.isnan(gathered[:10]).all()
    assert gathered[10:].tolist() == list(range(70, 100))


@given(time=st.integers(0, 300), width=st.integers(1, 90), playing=st.booleans(), back=st.integers(0, 300))
@settings(deadline=None, max_examples=200)
def test_no_axis_shows_a_word_twice_or_one_that_is_not_read(
    read: Session, time: int, width: int, playing: bool, back: int
) -> None:
    frame = read.frame()
    snapshot = replace(frame.snapshot, time=time, playing=playing)
    axis = time_axis(replace(frame, snapshot=snapshot, word=max(-1, time - 1 - back)), width)
    shown = axis.words[axis.words != NO_WORD]
    assert len(set(shown.tolist())) == len(shown)
    assert np.all((shown >= 0) & (shown < time))
    assert len(axis.words) == width


# ---- the heatmap ---------------------------------------------------------------------------------------------


def test_rows_hold_every_cell_once_and_fit(read: Session) -> None:
    order = np.array([3, 1, 0, 2, 4, 5, 6, 7, 8, 9])
    for height in range(1, 14):
        for pinned in (0, 2):
            rows = cell_rows(order, pinned, height)
            assert [cell for row in rows for cell in row] == order.tolist()
            assert len(rows) <= max(height, 1)
            if height > pinned:
                assert rows[:pinned] == tuple((int(c),) for c in order[:pinned])


def test_merging_takes_the_mean_or_the_strongest() -> None:
    values = np.array([[0.1, -0.9], [0.5, 0.2], [np.nan, np.nan]])
    assert np.allclose(merge(values, "mean"), [-0.4, 0.35, np.nan], equal_nan=True)
    assert np.allclose(merge(values, "max"), [-0.9, 0.5, np.nan], equal_nan=True)


def test_standardised_cells_are_in_their_own_deviations_and_a_flat_one_stays_flat() -> None:
    measure = np.array([[0.0, 5.0], [2.0, 5.0]], dtype=np.float32)
    out = rescale(np.array([[3.0, 9.0], [np.nan, np.nan], [1.0, 5.0]]), *moments(measure))
    assert np.allclose(out, np.array([[2, 0], [np.nan, np.nan], [0, 0]]), equal_nan=True)


def test_a_sweeping_heatmap_changes_only_at_its_cursor() -> None:
    session = open_session()
    pictures = []
    for time in range(70, 90):
        session.stream.seek(time)
        wait(lambda: session.stream.snapshot.time == time)
        frame = session.frame()
        frame = replace(frame, snapshot=replace(frame.snapshot, playing=True))
        pictures.append(heatmap(session, frame, 40, 12).codes)
    for before, after in pairwise(pictures):
        assert (before != after).any(axis=0).sum() <= 3
    session.close()


def test_a_heatmap_shows_the_values_of_the_ring(read: Session) -> None:
    while read.choices.contrast != "bounds":
        read.perform("contrast")
    view = heatmap(read, read.frame(), 40, 12)
    expected = codes(read.read("h", 60, 100).T, -1.0, 1.0)
    assert (view.low, view.high, view.cells_per_row) == (-1.0, 1.0, 1)
    assert np.array_equal(view.codes, expected)
    assert view.has_word.all()


def test_cells_that_do_not_fit_are_binned_and_few_are_stretched(read: Session) -> None:
    small, tall = heatmap(read, read.frame(), 40, 5), heatmap(read, read.frame(), 40, 30)
    assert small.codes.shape == (5, 40)
    assert small.cells_per_row == 3
    assert tall.codes.shape == (30, 40)
    assert sorted(set(tall.row_of.tolist())) == list(range(12))


def test_the_input_has_rows_of_its_own(read: Session) -> None:
    read.choose_signal("x")
    view = heatmap(read, read.frame(), 40, 12)
    assert view.rows == ((0,), (1,), (2,), (3,))
    read.choose_signal("h")


def test_nothing_read_yet_is_an_empty_picture() -> None:
    session = open_session()
    view = heatmap(session, session.frame(), 20, 6)
    assert not view.has_word.any()
    assert np.isnan(output_at(session, session.frame()))
    assert np.isnan(overview(session, session.frame(), 20).values).all()
    session.close()


# ---- words ---------------------------------------------------------------------------------------------------


@given(lengths=st.lists(st.integers(1, 30), max_size=60), width=st.integers(8, 50))
def test_words_keep_their_order_and_no_line_is_too_wide(lengths: list[int], width: int) -> None:
    words = ["x" * length for length in lengths]
    layout = lay_out(words, width, len)
    assert layout.starts[-1] == len(words)
    assert np.all(np.diff(layout.starts) >= (1 if words else 0))
    for number, word in enumerate(words):
        line = layout.line(number)
        column = int(layout.columns[number])
        assert column >= 1
        assert column + min(len(word), width - 2) < width
        assert layout.word_at(line, column) == number


def test_a_place_beyond_the_text_is_no_word() -> None:
    layout = lay_out(["one", "two"], 20, len)
    assert layout.word_at(5, 3) is None
    assert layout.word_at(0, 0) == 0
    assert layout.word_at(0, 19) == 1


def test_words_are_as_strong_as_the_layer_or_the_selected_cell(read: Session) -> None:
    values = read.read("h", 0, 100)
    strengths, low, high = word_values(read, read.frame(), 90, 110)
    assert np.allclose(strengths[:10], values[90:].mean(axis=1))
    assert np.isnan(strengths[10:]).all()
    assert low == pytest.approx(values.mean(axis=1).min())
    assert high == pytest.approx(values.mean(axis=1).max())
    read.select(3)
    assert np.allclose(word_values(read, read.frame(), 0, 100)[0], values[:, 3])
    read.select(None)


def test_unknown_words_are_counted(read: Session) -> None:
    assert not unknown_words(read.frame()).any()
    other = open_session()
    other.open_review(2)
    wait(lambda: other.stream.snapshot.review.name == "third")
    assert unknown_words(other.frame()).all()
    other.close()


# ---- traces --------------------------------------------------------------------------------------------------


def test_alpha_is_that_of_the_layer_sum_and_not_there_before_the_window_is_full(read: Session) -> None:
    frame = read.frame()
    trace = alpha_trace(read, frame, time_axis(frame, 100))
    assert np.isnan(trace[: frame.snapshot.window - 1]).all()
    assert np.isfinite(trace[frame.snapshot.window - 1 :]).all()
    assert alpha_at(read, frame) == pytest.approx(frame.snapshot.alpha["h"], rel=1e-5)


def test_scaling_is_what_the_exponent_was_fitted_to(read: Session) -> None:
    found = scaling(read, read.frame())
    assert found.alpha == pytest.approx(read.stream.snapshot.alpha["h"], rel=1e-6)
    fit = np.polyfit(np.log(found.scales), np.log(found.fluctuation), 1)
    assert (found.alpha, found.offset) == pytest.approx(tuple(fit), rel=1e-6)
    read.select(3)
    assert scaling(read, read.frame()).alpha == pytest.approx(read.stream.snapshot.cell_alpha[3], rel=1e-5)
    read.select(None)
    read.look_at(20)
    early = scaling(read, read.frame())
    assert np.isnan(early.alpha)
    assert early.reason == "needs 64 words, 21 read"
    read.perform("live")


def test_the_overview_holds_the_mean_probability_of_each_part(read: Session) -> None:
    frame = read.frame()
    probability = read.read("probability", 0, 100)[:, 0]
    view = overview(read, frame, 36)
    assert len(view.values) == 36
    assert np.allclose(view.values[:25], probability.reshape(25, 4).mean(axis=1))
    assert np.isnan(view.values[25:]).all()
    assert (view.column(0), view.column(143), view.column(99)) == (0, 35, 24)
    assert (view.word(0), view.word(10), view.word(99)) == (0, 40, 140)


def test_probability_is_that_after_the_word_looked_at(read: Session) -> None:
    assert output_at(read, read.frame()) == pytest.approx(read.stream.snapshot.probability)
    read.look_at(10)
    assert output_at(read, read.frame()) == pytest.approx(float(read.read("probability", 10, 11)[0, 0]))
    read.perform("live")


def test_the_table_lists_every_cell_once_with_its_numbers(read: Session) -> None:
    rows = cell_table(read, read.frame())
    values = read.read("h", 99, 100)[0]
    assert [row.cell for row in rows] == list(range(12))
    assert [row.value for row in rows] == pytest.approx(values.tolist())
    assert [row.dead for row in rows] == read.stream.snapshot.dead.tolist()


@pytest.mark.parametrize(("signal", "low", "high"), [("f", 0, 1), ("h", -1, 1)])
def test_saturation_is_the_share_of_words_in_the_outer_tenths(
    read: Session, signal: str, low: float, high: float
) -> None:
    read.choose_signal(signal)
    values, tenth = read.read(signal, 36, 100), (high - low) / 10
    expected = ((values < low + tenth) | (values > high - tenth)).mean(axis=0)
    assert [row.saturation for row in cell_table(read, read.frame())] == pytest.approx(expected.tolist())
    read.choose_signal("c")
    assert all(np.isnan(row.saturation) for row in cell_table(read, read.frame()))
    read.choose_signal("h")


def test_the_threshold_of_dead_cells_is_moved_live() -> None:
    session = open_session()
    session.stream.seek(100)
    wait(lambda: session.stream.snapshot.time == 100)
    activity = session.stream.snapshot.activity
    middle = float(np.median(activity))
    session.display.set_threshold(middle)
    wait(lambda: session.stream.snapshot.threshold == middle)
    assert [row.dead for row in cell_table(session, session.frame())] == (activity < middle).tolist()
    session.display.set_threshold(-1)  # dragged too far
    wait(lambda: session.stream.snapshot.threshold == 0)
    session.perform("threshold-up")
    wait(lambda: session.stream.snapshot.threshold == 0.001)
    session.perform("threshold-down")
    assert "0.001" in session.note  # there is no lower step
    session.close()


def test_words_no_longer_stored_are_left_out() -> None:
    session = open_session(capacity=80)
    session.stream.seek(144)
    wait(lambda: session.stream.snapshot.time == 144)
    frame = session.frame()
    strengths, _, _ = word_values(session, frame, 0, 144)
    assert np.isnan(strengths[:64]).all()
    assert np.isfinite(strengths[64:]).all()
    view = overview(session, frame, 36)
    assert np.isnan(view.values[:16]).all()
    assert np.isfinite(view.values[16:]).all()
    session.close()

"""The word map, labels that thin out, many points selected at once, and eigenvalues in words."""

from __future__ import annotations

import doctest
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import explorer.session.views.eigenvalues
from explorer.session.session import Session
from explorer.session.views.eigenvalues import eigenvalue_text, time_constant
from explorer.session.views.many_points import point_selection
from explorer.session.views.picking import inside, nearest
from explorer.session.views.point_map import PointMap
from explorer.session.views.word_map import LABELS, WordMap, placed_labels, word_map
from tests.explorer.small import open_session, settle


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A session in which every search is complete."""
    opened = open_session(search=True)
    settle(opened)
    yield opened
    opened.close()


@pytest.fixture
def point_map(session: Session) -> PointMap:
    assert session.fixed_points.point_map is not None
    return session.fixed_points.point_map


def words_of(point_map: PointMap, axes: str = "components") -> WordMap:
    found = word_map(point_map, axes)
    assert found is not None
    return found


def test_words_stand_where_the_points_panel_shows_them(point_map: PointMap) -> None:
    words = words_of(point_map)
    assert words.words == point_map.names[point_map.certified :]
    shown = point_map.places[words.first :, :2]  # stretched and shifted along each component
    stretch = np.ptp(words.places, axis=0) / np.ptp(shown, axis=0)
    assert np.allclose(words.places - words.places[0], (shown - shown[0]) * stretch)
    assert words.labels[0].startswith("PC1")


def test_readout_by_memory_has_units(point_map: PointMap) -> None:
    words = words_of(point_map, "readout × time constant")
    assert np.allclose(words.places[:, 0], point_map.logit[words.first :])
    assert np.allclose(10 ** words.places[:, 1], point_map.time_constant[words.first :].clip(1e-2, 1e6))
    assert "words" in words.labels[1]


def test_a_word_is_found_by_itself_its_beginning_or_a_part(point_map: PointMap) -> None:
    words = words_of(point_map)
    assert words.words[words.find("film") or 0] == "film"
    assert words.words[words.find(" WONDER") or 0] == "wonderful"
    assert words.words[words.find("nderf") or 0] == "wonderful"
    assert words.find("zyzzyva") is None
    assert words.find("  ") is None


def test_the_nearest_word_is_within_reach_or_none(point_map: PointMap) -> None:
    words = words_of(point_map)
    x, y = words.places[3]
    near = nearest(words.places, (x, y), (0.01, 0.01), 3)
    assert near is not None
    assert np.allclose(words.places[near], (x, y), atol=0.03)
    assert nearest(words.places, (x + 50, y), (0.01, 0.01), 3) is None
    assert nearest(words.places[:0], (x, y), (0.01, 0.01), 3) is None


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 400), st.floats(0.1, 20))
def test_labels_do_not_overlap_and_the_first_has_room(count: int, spread: float) -> None:
    random = np.random.default_rng(count)
    places = random.uniform(-200, 200, (count, 2)) * spread + 200
    widths, order = random.uniform(20, 90, count), random.permutation(count)
    chosen = placed_labels(places, widths, order, (400, 300), 14)
    visible = [k for k in order.tolist() if 0 <= places[k, 0] < 400 and 0 <= places[k, 1] < 300]
    assert chosen[:1] == visible[:1]
    assert len(chosen) <= LABELS
    begin = np.where(places[:, 0] + widths <= 400, places[:, 0], np.maximum(0, places[:, 0] - widths))
    for a, first in enumerate(chosen):
        for second in chosen[a + 1 :]:
            below = abs(places[first, 1] - places[second, 1]) >= 14
            right = begin[first] >= begin[second] + widths[second] or begin[second] >= begin[first] + widths[first]
            assert below or right


def test_more_labels_find_room_on_zoom() -> None:
    random = np.random.default_rng(0)
    places, widths, order = random.uniform(0, 400, (1000, 2)), np.full(1000, 60.0), np.arange(1000)
    far = placed_labels(places, widths, order, (400, 300), 14)
    close = placed_labels((places - 150) * 6, widths, order, (400, 300), 14)
    seen: NDArray[np.bool_] = np.all((places >= 150) & (places < 150 + np.array([400, 300]) / 6), axis=1)
    assert seen[close].sum() > seen[far].sum()


def test_what_lies_inside_an_outline() -> None:
    places = np.array([[0.0, 0.0], [0.5, 0.5], [2.0, 0.5], [0.5, -2.0], [0.9, 0.1]])
    assert inside(places, np.array([[1.0, 1.0], [-1.0, -1.0]])).tolist() == [0, 1, 4]
    triangle = np.array([[-0.5, -0.5], [1.0, -0.5], [1.0, 1.2]])
    assert inside(places, triangle).tolist() == [0, 1, 4]
    notched = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [0.7, 0.3], [-1.0, 1.0]])
    assert inside(places, notched).tolist() == [0, 4]


def test_many_points_are_summarised_by_number_names_and_ranges(point_map: PointMap) -> None:
    chosen = [0, point_map.certified + 1, point_map.certified + 4]
    together = point_selection(point_map, chosen)
    assert set(together.entries) == set(chosen)
    assert "3 selected: 1 point, 2 words" in together.summary
    assert np.all(np.diff(np.abs(point_map.logit[list(together.entries)])) <= 0)
    assert point_selection(point_map, []).names == ()


def test_many_stay_selected_when_points_come_before_the_words_and_go_when_let_go(session: Session) -> None:
    before = settle(session)
    chosen = [0, before.certified + 2, before.certified + 5]
    names = [before.names[k] for k in chosen]
    session.fixed_points.select_many(chosen)
    session.fixed_points.search.add(session.stream.snapshot.network, "human")
    after = settle(session)
    assert after.certified > before.certified
    assert [after.names[k] for k in session.fixed_points.view.many] == names
    session.fixed_points.select(1)
    assert session.fixed_points.view.many
    session.perform("deselect")
    assert session.fixed_points.view.many == ()


def test_eigenvalues_are_described_in_words() -> None:
    assert doctest.testmod(explorer.session.views.eigenvalues).failed == 0
    assert "grows e-fold in 10.5 words" in eigenvalue_text(1.1)
    assert "period 8.0 words" in eigenvalue_text(0.5 + 0.5j)
    assert "−0.500 − 0.500i" in eigenvalue_text(-0.5 - 0.5j)
    assert "persists for over 1,000,000 words" in eigenvalue_text(1.0)
    assert "decays within one word" in eigenvalue_text(0)
    assert [time_constant(0), time_constant(-1)] == [0, float("inf")]
    assert time_constant(np.exp(-0.1)) == pytest.approx(10)

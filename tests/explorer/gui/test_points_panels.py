"""Fixed points, spectrum and word map panels: rotating, picking, outlining and searching."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QTextDocument, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel

from explorer.gui.panels.fixed_points import DEGREES_PER_PIXEL, FixedPointsPanel
from explorer.gui.panels.spectrum import SpectrumPanel
from explorer.gui.panels.word_map import WordMapPanel
from explorer.gui.window import Window
from explorer.session.session import Session
from explorer.session.views.eigenvalues import eigenvalue_text
from explorer.session.views.number_format import number
from explorer.session.views.point_map import PointMap
from explorer.session.views.runs import plain
from tests.explorer.gui.mouse import CTRL, SHIFT, at, click, double_click, drag, hover, raise_panel, raised
from tests.explorer.small import settle, small_file, unbounded_session, wait

pytestmark = pytest.mark.panels("points", "word-map", "spectrum")


@pytest.fixture
def session(searched: Session) -> Session:
    return searched


@pytest.fixture
def points(window: Window, qtbot: Any) -> FixedPointsPanel:
    return raised(qtbot, window, FixedPointsPanel)


@pytest.fixture
def words(window: Window, qtbot: Any) -> WordMapPanel:
    return raised(qtbot, window, WordMapPanel)


@pytest.fixture
def spectrum(window: Window, qtbot: Any) -> SpectrumPanel:
    return raised(qtbot, window, SpectrumPanel)


def found(session: Session) -> PointMap:
    assert session.fixed_points.point_map is not None
    return session.fixed_points.point_map


def places(points: FixedPointsPanel) -> np.ndarray:
    assert points._scene is not None
    return points._scene.places


def test_the_trajectory_of_the_other_side_is_drawn_if_it_has_as_many_cells(
    points: FixedPointsPanel, session: Session, tmp_path: Path
) -> None:
    session.comparison.compare_with(str(small_file(tmp_path)))
    wait(lambda: session.comparison.result(session.update()) is not None)
    points.show_frame(session, session.frame())
    here = session.fixed_points.scene(session.frame(), session.comparison.result(session.frame()))
    assert here is not None
    assert len(here.other) == len(here.trail)
    np.testing.assert_allclose(here.other, here.trail, atol=1e-4)  # the other network is the same one
    assert len(points._other._lines) == len(here.other) - 1
    assert "◇ lstm-12" in plain(points._next_readout)
    session.comparison.compare_with(str(small_file(tmp_path, 5)))
    wait(lambda: session.comparison.result(session.update()) is not None)
    points.show_frame(session, session.frame())
    assert not points._other._lines
    assert "lstm-5 is not drawn here: it has 5 cells, this network 12" in plain(points._next_readout)


def plain_text(label: QLabel) -> str:
    """The text of a rich-text label."""
    document = QTextDocument()
    document.setHtml(label.text())
    return document.toPlainText().replace("\xa0", " ")


def wheel(picture: Any, place: tuple[float, float], clicks: int) -> None:
    point, viewport = at(picture, place), picture.viewport()
    turned = QPoint(0, 120 * clicks)
    event = QWheelEvent(
        point, QPointF(viewport.mapToGlobal(point)), QPoint(), turned, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)


# ---- points ------------------------------------------------------------------------------------------------------


def test_every_entry_is_drawn_where_the_session_has_it(session: Session, points: FixedPointsPanel) -> None:
    map = found(session)
    drawn = np.concatenate([np.stack(spots.getData(), axis=1) for spots in (points._certified, points._cloud)])
    assert np.allclose(drawn, places(points))
    assert len(drawn) == len(map)
    assert "stable" in plain_text(points.legend)
    assert "logit" in plain_text(points.legend)
    assert points._ends.texts == ["PC1", "PC2", "PC3"]
    assert len(points._trail._lines) == 47
    alphas = [colour.alphaF() for colour in points._trail._colours]
    assert alphas == sorted(alphas)
    scene = session.fixed_points.scene(session.frame())
    assert scene is not None
    assert len(points._path._lines) == len(scene.path) - 1 > 5
    assert len(points._unstable._lines) == len(map.unstable_directions)


def test_a_drag_turns_and_selects_nothing(session: Session, points: FixedPointsPanel, qtbot: Any) -> None:
    before, view = places(points).copy(), session.fixed_points.view
    begin, end = at(points.picture, (0, 0)), at(points.picture, (0.5, -0.2))
    drag(qtbot, points.picture, [(0, 0), (0.5, -0.2)])
    now = session.fixed_points.view
    moved = end - begin
    assert now.azimuth == pytest.approx(
        (view.azimuth - DEGREES_PER_PIXEL * moved.x() + 180) % 360 - 180, abs=DEGREES_PER_PIXEL * 2
    )
    assert now.elevation == pytest.approx(
        np.clip(view.elevation + DEGREES_PER_PIXEL * moved.y(), -90, 90), abs=DEGREES_PER_PIXEL * 2
    )
    assert now.selected is None
    assert not np.allclose(places(points), before)
    assert np.allclose(np.stack(points._cloud.getData(), axis=1), places(points)[found(session).certified :])
    shown = f"azimuth {now.azimuth:.0f}°".replace("-", "−")
    qtbot.waitUntil(lambda: shown in points.readout.text())  # readouts are renewed a few times a second


def test_the_wheel_zooms_and_a_double_click_shows_all(points: FixedPointsPanel, qtbot: Any) -> None:
    whole = points.view.viewRect().width()
    wheel(points.picture, (0, 0), 3)
    qtbot.waitUntil(lambda: points.view.viewRect().width() < 0.9 * whole)
    double_click(qtbot, points.picture, (0, 0))
    qtbot.waitUntil(lambda: points.view.viewRect().width() == pytest.approx(whole))


def test_a_click_selects_in_every_panel_and_one_on_nothing_deselects(
    session: Session, points: FixedPointsPanel, words: WordMapPanel, window: Window, qtbot: Any
) -> None:
    map = found(session)
    entry = map.certified + int(np.argmax(map.logit[map.certified :]))
    raise_panel(qtbot, window, "points")
    click(qtbot, points.picture, tuple(places(points)[entry]))
    selected = session.fixed_points.view.selected
    assert selected is not None
    assert np.abs(places(points)[selected] - places(points)[entry]).max() < 0.1
    assert points._chosen.texts == [map.names[selected]]
    session.fixed_points.select(entry)
    window.redraw()
    spectrum = window.panels["spectrum"]
    assert isinstance(spectrum, SpectrumPanel)
    assert f"“{map.names[entry]}”" in spectrum.details.text()
    raise_panel(qtbot, window, "word-map")
    assert words._chosen.texts == [map.names[entry]]
    raise_panel(qtbot, window, "points")
    empty = next(p for p in ((-1, 1), (1, 1), (1, -1), (0, -1)) if np.hypot(*(places(points) - p).T).min() > 0.3)
    click(qtbot, points.picture, empty)
    assert session.fixed_points.view.selected is None


@pytest.mark.parametrize("modifiers", [SHIFT, CTRL], ids=["rectangle", "lasso"])
def test_many_are_selected_by_an_outline_and_listed(
    session: Session, points: FixedPointsPanel, qtbot: Any, modifiers: Qt.KeyboardModifier
) -> None:
    map, there, view = found(session), places(points), session.fixed_points.view
    x, y = there[map.certified]
    corners = [(x - 0.1, y - 0.1), (x + 0.1, y + 0.1)]
    if modifiers is CTRL:
        corners = [(x - 0.1, y - 0.1), (x + 0.1, y - 0.1), (x + 0.1, y + 0.1), (x - 0.1, y + 0.1)]
    drag(qtbot, points.picture, corners, modifiers)
    many = session.fixed_points.view.many
    expected = np.flatnonzero((np.abs(there - (x, y)) < 0.095).all(axis=1)).tolist()
    assert set(expected) <= set(many)
    assert map.certified in many
    assert (np.abs(there[list(many)] - (x, y)) < 0.12).all()
    assert f"{len(many)} selected" in points.readout.text()
    listed = [points.list.item(row).text() for row in range(points.list.count())]
    assert sorted(listed) == sorted(map.names[k] for k in many)
    assert points.list.isVisible()
    assert (session.fixed_points.view.azimuth, session.fixed_points.view.elevation) == (view.azimuth, view.elevation)
    points.list.itemClicked.emit(points.list.item(0))
    assert map.names[session.fixed_points.view.selected or 0] == listed[0]
    points.host.perform("deselect")
    assert not points.list.isVisible()


def test_hovering_shows_name_logit_and_time_constant(session: Session, points: FixedPointsPanel, qtbot: Any) -> None:
    entry = int(np.argmin(found(session).logit))
    hover(qtbot, points.picture, tuple(places(points)[entry]))
    texts = points._tip.texts
    assert len(texts) == 1
    assert "logit" in texts[0]
    assert "words" in texts[0]
    hover(qtbot, points.picture, (1.07, 1.07))
    assert points._tip.texts == []
    hover(qtbot, points.picture, tuple(places(points)[entry]))
    assert points._tip.texts
    QApplication.sendEvent(points.picture, QEvent(QEvent.Type.Leave))  # the mouse left the plot
    assert points._tip.texts == []
    hover(qtbot, points.picture, tuple(places(points)[entry]))
    session.fixed_points.turn_left()
    points.host.redraw()
    assert points._tip.texts == [], "the entry has moved away from the mouse"


def test_legend_and_directions_are_those_of_the_points_drawn(session: Session, points: FixedPointsPanel) -> None:
    """Words found later change the range of the colours and the box, while the names of the points stay."""
    map = found(session)
    assert map.found.points is not None
    some = dataclasses.replace(map.found, words=None)
    session.fixed_points.point_map = before = PointMap(some)
    session.fixed_points.request = lambda frame: None  # type: ignore[method-assign]
    points.host.redraw()
    assert number(float(np.abs(before.logit).max())) in plain_text(points.legend)
    session.fixed_points.point_map = map
    points.host.redraw()
    assert number(float(np.abs(map.logit).max())) in plain_text(points.legend)
    assert before.logit.max() != map.logit.max()
    scene = points._scene
    assert scene is not None
    ends = np.array([[(line.x1(), line.y1()), (line.x2(), line.y2())] for line in points._unstable._lines])
    np.testing.assert_allclose(ends.reshape(-1, 2, 2), scene.unstable)


def test_colours_and_legend_follow_the_menu(session: Session, points: FixedPointsPanel) -> None:
    texts = []
    for action in points.menu_at(QPoint(5, 5)).actions()[:4]:
        action.trigger()
        assert action.text().endswith(session.fixed_points.view.colour)
        texts.append(points.legend.text())
    assert len(set(texts)) == 4
    assert "words (slowest τ)" in texts[1]
    assert "zero" in texts[3]


def test_another_network_clears_the_picture(session: Session, points: FixedPointsPanel, qtbot: Any) -> None:
    from tests.explorer.small import small_network

    session.stream.use_network(small_network(7, seed=3))
    wait(lambda: session.stream.snapshot.network.cell.size == 7)
    points.host.redraw()
    if session.fixed_points.point_map is None:
        assert len(points._cloud.getData()[0]) == 0
    settle(session)
    points.host.redraw()
    assert np.allclose(np.stack(points._certified.getData(), axis=1), places(points)[: found(session).certified])


# ---- the spectrum ------------------------------------------------------------------------------------------------


def test_eigenvalues_are_drawn_and_described(session: Session, spectrum: SpectrumPanel, qtbot: Any) -> None:
    point = session.fixed_points.details(session.frame())
    assert point is not None
    values = point.eigenvalues
    assert np.allclose(np.stack(spectrum._values.getData(), axis=1), np.stack([values.real, values.imag], axis=1))
    assert f"{abs(values[0]):.4f}" in spectrum.details.text()
    assert "point nearest to the current state" in spectrum.readout.text()
    prediction = session.fixed_points.prediction(session.frame())
    assert prediction is not None
    assert f"+1 {prediction.explained[0]:.0%}" in plain_text(spectrum.details)
    hover(qtbot, spectrum.picture, (values[0].real, values[0].imag))
    spectrum.host.redraw()
    assert eigenvalue_text(complex(values[0])) in spectrum.readout.text()
    hover(qtbot, spectrum.picture, (-1.2, 1.2))
    spectrum.host.redraw()
    assert "e-fold" not in spectrum.readout.text()
    table = spectrum.export_table()
    assert table.columns == ("real", "imaginary", "modulus", "time_constant_words")
    assert np.allclose(table.column("modulus"), np.abs(values))


# ---- the word map ------------------------------------------------------------------------------------------------


def test_a_search_finds_a_word_and_zooms_in_on_it(session: Session, words: WordMapPanel, qtbot: Any) -> None:
    before = words.view.viewRect().width()
    qtbot.keyClicks(words.search, "wonder")
    map = found(session)
    selected = session.fixed_points.view.selected
    assert selected is not None
    assert map.names[selected] == "wonderful"
    assert words._chosen.texts == ["wonderful"]
    assert words.view.viewRect().width() < 0.5 * before
    centre = words.view.viewRect().center()
    assert words._words is not None
    assert np.allclose((centre.x(), centre.y()), words._words.places[selected - map.certified])


def test_labels_grow_in_number_on_zoom(words: WordMapPanel) -> None:
    assert words._words is not None
    shown = list(words._labels.texts)
    assert shown
    words.view.scaleBy((0.3, 0.3))
    seen = words.view.viewRect()
    inside = [
        word for word, (x, y) in zip(words._words.words, words._words.places.tolist(), strict=True)
        if seen.contains(x, y)
    ]  # fmt: skip
    assert set(words._labels.texts) <= set(inside)
    assert len(set(words._labels.texts)) >= len(set(shown) & set(inside))


def test_a_click_on_a_word_selects_it_along_either_axes(session: Session, words: WordMapPanel, qtbot: Any) -> None:
    map = found(session)
    for axes in (0, 1):
        words.axes.setCurrentIndex(axes)
        assert words._words is not None
        word = int(np.argmax(words._words.logit))
        click(qtbot, words.picture, tuple(words._words.places[word]))
        selected = session.fixed_points.view.selected
        assert selected is not None
        assert map.logit[selected] == pytest.approx(map.logit[map.certified + word], abs=0.05)
        session.fixed_points.select(None)
    assert words._words is not None
    hover(qtbot, words.picture, tuple(words._words.places[word]))
    assert "slowest τ" in words._tip.texts[0]


def test_numbers_of_points_and_words_are_those_shown(
    session: Session, points: FixedPointsPanel, words: WordMapPanel
) -> None:
    map = found(session)
    table = points.export_table()
    assert len(table.rows) == len(map)
    assert np.allclose(table.column("logit"), map.logit)
    assert tuple(words.export_table().column("text")) == map.names[map.certified :]


def test_the_word_under_the_mouse_in_another_panel_is_marked(window: Window, points: FixedPointsPanel) -> None:
    session = window.opened_session
    window.hover(99)
    window.redraw()
    scene = session.fixed_points.scene(session.frame())
    assert scene is not None
    np.testing.assert_allclose(np.stack(points._hovered.getData(), axis=1), scene.trail[-1:])
    window.hover(None)
    window.redraw()
    assert len(points._hovered.getData()[0]) == 0


def test_a_search_that_found_no_point_says_so(qtbot: Any) -> None:
    for session in unbounded_session():
        window = Window(session=session, panels=(FixedPointsPanel, SpectrumPanel), show_rates=False)
        window.show()
        qtbot.waitExposed(window)
        for panel in window.panels.values():
            panel.show_frame(session, session.frame())
        texts = {name: plain(panel._next_readout) for name, panel in window.panels.items()}
        assert "search ended: no point from 32 starts" in texts["points"]
        assert texts["spectrum"] == "fixed points: none found from 32 starts"
        window.close()
        window.deleteLater()

"""Desktop for a new user: the annotated first start, hints, notices, badges, the brush, and what fits in the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QTabBar

from explorer.gui.dialogs.base import ChooseDialog
from explorer.gui.window import Window
from explorer.session.launcher import LaunchOptions
from explorer.session.session import Session
from explorer.session.views.introduction import ANNOTATIONS, FIRST_WORDS
from explorer.session.views.legend import SENTENCES
from tests.explorer.gui.test_time_panels import drag, on_screen
from tests.explorer.gui.test_window import dialog, press
from tests.explorer.small import settle, small_file


def shares(window: Window) -> dict[str, tuple[float, float]]:
    """The part of the window's width and height that each dock in view takes."""
    docks = {name: dock for name, dock in window.docks.docks.items() if not dock.visibleRegion().isEmpty()}
    return {name: (each.width() / window.width(), each.height() / window.height()) for name, each in docks.items()}


def settled_shares(window: Window, qtbot: Any) -> dict[str, tuple[float, float]]:
    """Those shares once they have been the same for five pictures: a readout that grows a line moves the docks."""
    seen: list[dict[str, tuple[float, float]]] = []

    def settled() -> bool:
        window.redraw()
        seen.append(shares(window))
        return len(seen) > 5 and all(each == seen[-1] for each in seen[-5:])

    qtbot.waitUntil(settled, timeout=20_000)
    return seen[-1]


def test_a_first_start_explains_three_panels_until_a_key_is_pressed(qtbot: Any, tmp_path: Path) -> None:
    window = Window(LaunchOptions(network=str(small_file(tmp_path)), speed=100))
    window.show()
    qtbot.waitUntil(lambda: window.introduction is not None, timeout=60_000)
    shown: Any = window.introduction
    assert window.opened_session.stream.snapshot.time >= FIRST_WORDS  # there is something to introduce
    assert [note.text() for note in shown.notes.values()] == [
        each.sentence.replace("'", "&#x27;") for each in ANNOTATIONS
    ]
    for name, note in shown.notes.items():
        panel = window.panels[name]
        assert panel.rect().contains(panel.mapFrom(window, note.geometry().center()))
    assert all(words in shown.keys.text() for words in ("<b>space</b>", "<b>l</b>", "<b>?</b>"))
    press(qtbot, shown, "g")
    assert window.introduction is None
    assert window.opened_session.introduced
    assert window.opened_session.choices.signal == "x"  # no key is lost
    window.close()
    window.opened_session.close()


@pytest.mark.panels("heatmap", "alpha")
def test_notices_have_a_line_of_their_own_and_expire(window: Window, qtbot: Any) -> None:
    session, status = window.opened_session, window.status
    window.raise_panel("heatmap")
    window.redraw()
    assert status.hint.text().startswith(SENTENCES["heatmap"])
    assert "g Signal" in status.hint.text()
    session.select(3)
    press(qtbot, window, "x")
    qtbot.waitUntil(lambda: "∅ 1 ablated · U restores" in status.state.text())
    qtbot.waitUntil(lambda: session.stream.snapshot.time == 100)
    window.redraw()
    before = status.state.text()
    assert "1 of 12 cells ablated" in status.note.text()
    assert status.note.mapTo(window, QPoint()).y() > status.state.mapTo(window, QPoint()).y()
    session.core.clock = lambda: np.inf
    window.redraw()
    assert "ablated" not in status.note.text()
    assert status.state.text() == before
    assert session.note == ""
    press(qtbot, window, "z")
    window.redraw()
    assert status.hint.text().startswith("z back")


@pytest.mark.panels("heatmap", "alpha")
def test_the_focus_returns_after_a_dialog_and_a_zoom(window: Window, qtbot: Any) -> None:
    window.raise_panel("alpha")
    for _ in range(2):
        press(qtbot, window, "z")
        assert window.focusWidget() is window.panels["alpha"]
    press(qtbot, window, "ctrl+p")
    opened = dialog(window, ChooseDialog)
    opened.search.setFocus()
    qtbot.keyClick(opened.search, Qt.Key.Key_Escape)
    assert window.focusWidget() is window.panels["alpha"]


@pytest.mark.panels("review", "heatmap", "cells")
def test_what_a_brush_found_stays_in_view_and_is_marked(window: Window) -> None:
    session, review = window.opened_session, window.panels["review"]
    gates: Any = window.panels["heatmap"]
    brushed: Any = review.brushed  # type: ignore[attr-defined]
    assert brushed.isHidden()
    window.brush(90, 91)
    session.core.clock = lambda: np.inf  # the notice has expired
    window.redraw()
    signs = dict(session.brush.signs)
    assert signs
    assert brushed.isVisible()
    assert "brushed words 91–92" in brushed.text()
    axis = gates._images.getPlotItem().getAxis("left")
    marked = {text for level in axis._tickLevels for _, text in level if text[-1] in "+−"}
    assert marked  # those that have room
    assert marked <= {f"#{cell:03}{'+' if sign > 0 else '−'}" for cell, sign in signs.items()}
    cells: Any = window.panels["cells"]
    assert {row.cell: row.mark for row in cells.table.cells.rows if row.mark in "+−"} == {
        cell: "+" if sign > 0 else "−" for cell, sign in signs.items()
    }
    session.brush.clear()
    window.redraw()
    assert brushed.isHidden()


@pytest.mark.panels("heatmap")
def test_the_heat_maps_say_what_is_not_read_yet_and_count_words_from_one(window: Window, qtbot: Any) -> None:
    session, gates = window.opened_session, window.panels["heatmap"]
    coming, name = gates._to_come, gates._to_come_name  # type: ignore[attr-defined]
    window.redraw()
    assert coming.isVisible()
    assert (coming.rect().left(), coming.rect().right()) == (100, 144)
    assert name.toPlainText() == "words to come"
    axis = gates._traces.getPlotItem().getAxis("bottom")  # type: ignore[attr-defined]
    _, values = axis.tickValues(0, 144, 600)[0]
    assert values
    assert axis.tickStrings(values, 1, 20) == [f"{value + 0.5:.0f}" for value in values]  # word n lies at n − ½
    session.select(3)
    window.redraw()
    assert gates._names.toPlainText() == "━ #003"  # type: ignore[attr-defined]
    session.stream.seek(144)
    qtbot.waitUntil(lambda: session.stream.snapshot.time == 144)
    window.redraw()
    assert not coming.isVisible()


@pytest.mark.panels("heatmap")
def test_a_middle_drag_and_the_wheel_with_shift_pan(window: Window, qtbot: Any) -> None:
    gates: Any = window.panels["heatmap"]
    window.visible_range.zoom(50, 90)
    window.redraw()
    view = gates._images.viewport()
    drag(qtbot, view, on_screen(gates._images, 70, 2), on_screen(gates._images, 60, 2), Qt.MouseButton.MiddleButton)
    first, last = window.visible_range.words(window.opened_session.frame())
    assert [first, last] == pytest.approx([60, 100], abs=0.5)
    assert len(window.opened_session.brush.words) == 0
    place = QPointF(on_screen(gates._images, 70, 2))
    turn = QWheelEvent(
        place, QPointF(view.mapToGlobal(place.toPoint())), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ShiftModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, turn)
    assert window.visible_range.words(window.opened_session.frame())[0] == pytest.approx(first - 4, abs=0.01)


class TestLayout:
    @pytest.fixture
    def session(self, searched: Session) -> Session:
        return searched

    def test_everything_fits_and_keeps_its_share_of_the_window(self, window: Window, qtbot: Any) -> None:
        session = window.opened_session
        settle(session)
        points, spectrum, reviews, cells = (window.panels[name] for name in ("points", "spectrum", "reviews", "cells"))
        details: Any = spectrum.details  # type: ignore[attr-defined]
        before: dict[str, tuple[float, float]] = {}
        for size, tolerance in (
            ((1600, 1000), 0.0),
            ((1366, 768), 0.07),
            ((1600, 1000), 0.01),
        ):  # panels have a least size
            window.resize(*size)
            now = settled_shares(window, qtbot)
            assert details.text()
            assert details.height() >= details.heightForWidth(details.width())
            assert "elevation" in points.readout.visible_text()
            assert "opens" in reviews.readout.visible_text()
            assert "over 64 words" in cells.readout.visible_text()
            if before:
                assert now.keys() == before.keys()
                change = np.array([now[name] for name in now]) - np.array([before[name] for name in now])
                assert np.abs(change).max() < tolerance
            before = before or now
        assert cells.table.viewport().height() > 4 * cells.table.rowHeight(0)  # type: ignore[attr-defined]
        bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible() and bar.parent() is window]
        titles = [bar.tabText(tab) for bar in bars for tab in range(bar.count())]
        assert sorted(titles) == sorted(set(titles))  # Qt leaves bars where docks were
        window._fit_on_screen()
        room, least = window.screen().availableSize(), window.minimumSizeHint()
        assert window.width() <= max(room.width(), least.width())
        assert window.height() <= max(room.height(), least.height())
        assert least.width() <= 1280
        assert least.height() <= 700

    def test_the_parts_of_a_panel_are_saved(self, window: Window) -> None:
        gates, cells = window.panels["heatmap"], window.panels["cells"]
        gates.splitters[0].setSizes([150, 150])
        sizes = gates.splitters[0].sizes()
        saved = gates.saved_state()
        assert saved["splits"] == [sizes]
        gates.splitters[0].setSizes([250, 70])
        gates.restore(saved)
        assert gates.splitters[0].sizes() == sizes
        before = cells.splitters[0].sizes()
        for invalid in ({"splits": 3}, {"splits": [[1]]}, {"splits": [["a", "b"]]}, {"splits": [[0, 0]]}):
            cells.restore(invalid)
        assert cells.splitters[0].sizes() == before

"""Panels over time and how they are linked: review, heat maps, rolling α; also F(s) and export."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QMenu

from explorer.gui.dialogs.export import ExportDialog
from explorer.gui.export.save import picture, save
from explorer.gui.panels.alpha import AlphaPanel
from explorer.gui.panels.heatmap import HeatmapPanel
from explorer.gui.panels.review import UNREAD, ReviewPanel
from explorer.gui.panels.scaling import ScalingPanel, tick_values
from explorer.gui.theme import DARK, qcolor
from explorer.gui.window import Window
from explorer.session.views.number_format import number
from explorer.session.views.scaling import scaling
from explorer.session.views.traces import alpha_at
from tests.explorer.small import small_file, wait

pytestmark = pytest.mark.panels("review", "heatmap", "alpha")

LEFT = Qt.MouseButton.LeftButton


def panel(window: Window, kind: type) -> Any:
    return next(each for each in window.panels.values() if type(each) is kind)


def on_screen(plot: Any, x: float, y: float) -> QPoint:
    """Return the position of a place of a plot in pixels of its viewport."""
    scene = plot.getPlotItem().vb.mapViewToScene(QPointF(x, y))
    return plot.mapFromScene(scene)


def click(qtbot: Any, plot: Any, x: float, y: float) -> None:
    """A click in a plot, long enough after the last one not to be a double click."""
    qtbot.wait(QApplication.doubleClickInterval() + 50)
    qtbot.mouseClick(plot.viewport(), LEFT, pos=on_screen(plot, x, y))


def double_click(qtbot: Any, widget: Any, place: QPoint) -> None:
    qtbot.mouseClick(widget, LEFT, pos=place)
    qtbot.mouseDClick(widget, LEFT, pos=place)
    qtbot.mouseRelease(widget, LEFT, pos=place)


def drag(qtbot: Any, widget: Any, begin: QPoint, end: QPoint, button: Any = LEFT) -> None:
    qtbot.mousePress(widget, button, pos=begin)
    for part in (0.3, 0.6, 1.0):
        place = begin + (end - begin) * part
        qtbot.wait(15)  # pyqtgraph handles 100 moves per second
        _move(widget, place, button)
    qtbot.mouseRelease(widget, button, pos=end)


def _move(widget: Any, place: QPoint, button: Any) -> None:
    """A move with a button held; QTest moves without one."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    where = QPointF(widget.mapToGlobal(place))
    clamps = Qt.MouseButton.NoButton if button is None else button
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(place), where, Qt.MouseButton.NoButton, clamps, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(widget, event)


def snapshot(window: Window) -> Any:
    return window.opened_session.stream.snapshot


# ---- the review ------------------------------------------------------------------------------------------------


def test_a_click_on_a_word_looks_at_it_and_a_drag_brushes(window: Window, qtbot: Any) -> None:
    words = panel(window, ReviewPanel).words
    window.perform("start")
    qtbot.mouseClick(words, LEFT, pos=words.place_of(20).center().toPoint())
    assert window.opened_session.choices.cursor == 20
    begin, end = (words.place_of(word).center().toPoint() for word in (5, 12))
    drag(qtbot, words, begin, end)
    assert window.opened_session.brush.words == range(5, 13)
    assert window.dragged is None
    assert words._boxes[-1] == (5, 13, "pink")


def test_the_word_under_the_mouse_is_marked_everywhere(window: Window, qtbot: Any) -> None:
    words = panel(window, ReviewPanel).words
    window.perform("start")
    _move(words, words.place_of(7).center().toPoint(), None)
    assert window.hovered == 7
    window.redraw()
    for marks in (panel(window, HeatmapPanel)._marks, panel(window, AlphaPanel)._marks):
        assert marks.hover.isVisible()
        assert marks.hover.x() == 7.5
    words.leaveEvent(None)
    window.redraw()
    assert not panel(window, AlphaPanel)._marks.hover.isVisible()


def test_the_readout_shows_prediction_and_label(window: Window) -> None:
    readout = panel(window, ReviewPanel).readout.text()
    probability = window.opened_session.read("probability", 99, 100)[0, 0]
    assert f"P(positive) {number(float(probability))}" in readout
    assert "label positive" in readout
    assert "colour: h, mean of all cells" in readout


def test_the_wheel_scrolls_a_long_review(window: Window, qtbot: Any) -> None:
    words = panel(window, ReviewPanel).words
    window.resize(700, 400)
    qtbot.wait(50)
    window.perform("start")
    assert words._top == 0
    words._scroll(1)
    window.redraw()
    assert words._top == 1
    words._scroll(1000)
    assert words._top == words.layout_.lines - words._lines_in_view


def test_every_word_that_is_read_is_coloured(window: Window, qapp: Any) -> None:
    """A word that is not drawn until the cursor is beyond it is coloured, too, whatever its colour is."""
    session, words = window.opened_session, panel(window, ReviewPanel).words
    window.raise_panel("review")
    window.perform("zoom")  # so that all words are in view
    qapp.processEvents()
    window._timer.stop()

    def ground_at(word: int) -> bool:
        corner = words.place_of(word).toAlignedRect().adjusted(1, 1, 0, 0).topLeft()
        return bool(QColor(drawn.pixel(corner)) == qcolor(window.theme.ground))

    session.stream.seek(1)
    wait(lambda: snapshot(window).time == 1)
    window.redraw()
    qapp.processEvents()
    assert set(words._looks[1:].tolist()) == {UNREAD}
    session.stream.seek(100)
    wait(lambda: snapshot(window).time == 100)
    window.redraw()
    qapp.processEvents()
    assert 255 in words._looks[1:99]  # the colour that a byte of −1 would be
    place = words.mapTo(window, QPoint(0, 0))
    drawn = window.screen().grabWindow(window.winId(), place.x(), place.y(), words.width(), words.height()).toImage()
    seen = [word for word in range(144) if words.rect().contains(words.place_of(word).toAlignedRect())]
    assert [word for word in seen if ground_at(word)] == [word for word in seen if word >= 100]
    assert len(seen) > 100


# ---- the heat maps -----------------------------------------------------------------------------------------------


def test_a_click_in_a_picture_selects_the_cell_and_looks_at_the_word(window: Window, qtbot: Any) -> None:
    gates = panel(window, HeatmapPanel)
    own = gates._pictures["f"]
    click(qtbot, gates._images, 30.5, own.height_of(3))
    choices = window.opened_session.choices
    assert (choices.selected, choices.cursor) == (3, 30)
    assert panel(window, AlphaPanel)._marks.cursor.x() == 30.5
    assert gates._row.isVisible()
    assert gates._row.y() == pytest.approx(gates._pictures["h"].height_of(3))
    assert gates._curves[0].isVisible()
    np.testing.assert_allclose(gates._curves[0].yData, window.opened_session.read("h", 0, 100)[:, 3])
    click(qtbot, gates._images, 30.5, own.height_of(3))
    assert window.opened_session.choices.selected is None


def test_a_drag_in_a_picture_brushes_and_the_places_are_marked(window: Window, qtbot: Any) -> None:
    gates = panel(window, HeatmapPanel)
    view = gates._images.viewport()
    drag(qtbot, view, on_screen(gates._images, 40.5, 2.5), on_screen(gates._images, 43.5, 2.5))
    brushed = window.opened_session.brush
    assert brushed.words == range(40, 44)
    window.redraw()
    marks = panel(window, AlphaPanel)._marks
    assert (marks.brush.rect().left(), marks.brush.rect().right()) == (40, 44)
    pattern = brushed.pattern
    assert pattern is not None
    assert sum(place.isVisible() for place in marks.matches) == len(pattern.places)


def test_the_marks_of_a_brush_stay_while_a_gate_is_clamped(window: Window, qtbot: Any) -> None:
    session, marks = window.opened_session, panel(window, HeatmapPanel)._marks
    window.brush(40, 43)
    session.ablation.clamp_at("0")
    qtbot.waitUntil(lambda: bool(session.stream.snapshot.clamps) and session.stream.snapshot.time == 100)
    window.redraw()
    assert marks.brush.isVisible()
    assert (marks.brush.rect().left(), marks.brush.rect().right()) == (40, 44)
    session.open_review(1)
    qtbot.waitUntil(lambda: session.stream.snapshot.index == 1)
    window.redraw()
    assert not marks.brush.isVisible()


def test_hovering_shows_the_trace_of_the_cell(window: Window, qtbot: Any) -> None:
    gates = panel(window, HeatmapPanel)
    height = gates._pictures["h"].height_of(5)
    qtbot.wait(30)  # pyqtgraph handles 100 moves per second
    _move(gates._images.viewport(), on_screen(gates._images, 11.5, height), None)
    qtbot.waitUntil(lambda: (window.hovered, window.hovered_cell) == (11, 5))
    window.redraw()
    np.testing.assert_allclose(gates._curves[0].yData, window.opened_session.read("h", 0, 100)[:, 5])
    value = float(window.opened_session.read("h", 11, 12)[0, 5])
    assert f"h of #005 at word 12: {number(value)}" in gates.readout.text()


def test_hovering_over_a_gate_shows_its_own_value(window: Window, qtbot: Any) -> None:
    """The chosen signal is h; the numbers differ."""
    gates, session = panel(window, HeatmapPanel), window.opened_session
    forget, h = (float(session.read(name, 11, 12)[0, 5]) for name in ("f", "h"))
    assert number(forget) != number(h)
    qtbot.wait(30)
    _move(gates._images.viewport(), on_screen(gates._images, 11.5, gates._pictures["f"].height_of(5)), None)
    qtbot.waitUntil(lambda: (window.hovered, window.hovered_cell) == (11, 5))
    window.redraw()
    assert f"f of #005 at word 12: {number(forget)}" in gates.readout.text()


def test_pinned_cells_keep_their_traces(window: Window) -> None:
    session = window.opened_session
    for cell in (2, 9):
        session.select(cell)
        session.perform("pin")
    session.select(None)
    window.redraw()
    gates = panel(window, HeatmapPanel)
    assert [curve.isVisible() for curve in gates._curves[:3]] == [True, True, False]
    np.testing.assert_allclose(gates._curves[1].yData, session.read("h", 0, 100)[:, 9])
    assert not gates._hint.isVisible()


def test_buttons_switch_pictures_on_and_off(window: Window, qtbot: Any) -> None:
    gates = panel(window, HeatmapPanel)
    assert list(gates._pictures) == ["i", "f", "g", "o", "c", "h"]
    qtbot.mouseClick(gates._buttons["f"], LEFT)
    qtbot.mouseClick(gates._buttons["x"], LEFT)
    assert list(gates._pictures) == ["i", "g", "o", "c", "h", "x"]
    qtbot.mouseClick(gates._buttons["g"], LEFT, Qt.KeyboardModifier.ShiftModifier)
    assert window.opened_session.choices.signal == "g"
    assert gates._cell_at(5.5) is None  # the rows of x are inputs, not cells
    assert gates.saved_state()["shown"] == ["c", "g", "h", "i", "n", "o", "r", "x", "z"]


def test_the_wheel_zooms_all_pictures_and_a_double_click_undoes_it(window: Window, qtbot: Any) -> None:
    gates, rolling = panel(window, HeatmapPanel), panel(window, AlphaPanel)
    gates._box.scaleBy((0.25, 1), center=(50, 3))
    gates._box.sigRangeChangedManually.emit(gates._box.state["mouseEnabled"])
    first, last = window.visible_range.words(window.opened_session.frame())
    assert last - first == pytest.approx(36)
    assert rolling._box.viewRange()[0] == pytest.approx([first, last])
    double_click(qtbot, gates._images.viewport(), on_screen(gates._images, 60, 2.5))
    qtbot.waitUntil(lambda: not window.visible_range.zoomed)
    assert window.visible_range.words(window.opened_session.frame()) == (0, 144)


@pytest.mark.panels("overview")
def test_the_overview_marks_the_visible_range(window: Window) -> None:
    overview: Any = window.panels["overview"]
    assert not overview.strip.part.isVisible()
    window.visible_range.zoom(60, 110)
    window.hover(70)
    window.redraw()
    assert overview.strip.part.isVisible()
    assert (overview.strip.part.rect().left(), overview.strip.part.rect().right()) == (60, 110)
    assert overview.strip.hover.x() == 70.5


@pytest.mark.panels("review", "heatmap", "alpha", "overview")
def test_cells_that_share_a_row_are_counted(window: Window) -> None:
    window.resize(900, 420)
    for name in ("alpha", "overview", "review"):
        window.docks.docks[name].close()
    panel(window, HeatmapPanel)._images.setFixedHeight(60)
    for _ in range(3):
        window.repaint()
    window.redraw()
    assert panel(window, HeatmapPanel).reduction > 1
    assert "cells/row" in panel(window, HeatmapPanel).readout.text()
    assert "cells/row" in window.status.state.text()


# ---- rolling α and F(s) ------------------------------------------------------------------------------------------


def test_the_curve_is_the_rolling_exponent_over_the_noise_bands(window: Window, qtbot: Any) -> None:
    session, rolling = window.opened_session, panel(window, AlphaPanel)
    snap = snapshot(window)
    np.testing.assert_allclose(rolling._curve.yData, session.read("alpha", 0, 100)[:, 6], equal_nan=True)
    alpha = alpha_at(session, session.frame())
    assert f"α {number(alpha)}" in rolling.readout.text()
    qtbot.waitUntil(lambda: session.noise_bands.result(snap.window, snap.scales) is not None, timeout=60_000)
    window.redraw()
    null = session.noise_bands.result(snap.window, snap.scales)
    assert null is not None
    drawn = [(region.rect().top(), region.rect().bottom()) for region in rolling.bands]
    assert drawn == [pytest.approx(null.white), pytest.approx(null.pink)]


def test_the_axes_follow_the_size_of_the_plot(window: Window, qapp: Any) -> None:
    """The axis shows its numbers after a change of size where an axis drawn anew shows them."""
    window.raise_panel("alpha")
    alpha = panel(window, AlphaPanel)
    axis = alpha._plot.getPlotItem().getAxis("left")

    def drawn() -> np.ndarray:
        for _ in range(3):
            qapp.processEvents()
        place = alpha._plot.mapTo(window, QPoint(0, 0))
        size = alpha._plot.size()
        screen = window.screen().grabWindow(window.winId(), place.x(), place.y(), size.width(), size.height())
        picture = screen.toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        rows = np.frombuffer(picture.constBits(), dtype=np.uint8).reshape(picture.height(), picture.bytesPerLine())
        return rows[:, : int(axis.width())].astype(int)

    before = drawn()
    alpha.setFocus()
    changes: tuple[Callable[[], object], ...] = (
        lambda: window.resize(window.width(), window.height() - 250),
        lambda: window.perform("zoom"),
    )
    for change in changes:
        for _ in range(2):  # to another size and, zoomed, back
            change()
            window.redraw()
            after = drawn()
            axis.picture = None
            axis.update()
            assert np.array_equal(after, drawn())
            assert after.shape != before.shape
            before = after


def test_a_compared_network_is_drawn_too(window: Window, qtbot: Any, tmp_path: Path) -> None:
    session, rolling = window.opened_session, panel(window, AlphaPanel)
    session.comparison.compare_with(str(small_file(tmp_path, 5)))
    other = rolling._other
    qtbot.waitUntil(lambda: other.yData is not None and len(other.yData) == 144, timeout=60_000)
    assert rolling._other.isVisible()
    assert "lstm-5" in rolling.readout.text()
    session.comparison.compare_with(None)
    qtbot.waitUntil(lambda: not rolling._other.isVisible())


@pytest.mark.panels("scaling")
def test_dragged_bounds_choose_the_scales_and_the_exponent_follows(window: Window) -> None:
    window.perform("scaling")
    shown, session = panel(window, ScalingPanel), window.opened_session
    frame = session.frame()
    assert number(scaling(session, frame).alpha) in shown.readout.text()
    assert 10 ** np.array(shown._region.getRegion()) == pytest.approx([4, 16])
    shown._region.setRegion(np.log10([8, 24]))
    found = scaling(session, frame, (8, 24))
    assert shown.bounds == pytest.approx((8, 24))
    assert f"α {number(found.alpha)}" in shown.readout.text()
    assert "17 scales 8…24 words" in shown.readout.text()
    x, y = shown._fit.getData()  # in logarithms
    assert np.polyfit(x, y, 1)[0] == pytest.approx(found.alpha)
    shown._region.setRegion(np.log10([8, 9]))
    assert "too few for a slope" in shown.readout.text()
    table = shown.export_table()
    assert table.columns == ("scale_words", "F_h_sum", "fitted")
    assert [scale for scale, _, fitted in table.rows if fitted] == [8, 9]


def test_axes_have_round_ticks() -> None:
    assert tick_values(3.6, 48) == [5, 10, 20]
    assert tick_values(0.004, 0.3) == pytest.approx([0.005, 0.01, 0.02, 0.05, 0.1, 0.2])
    assert tick_values(1, 20_000) == [1, 10, 100, 1000, 10_000]


@pytest.mark.panels("scaling")
def test_a_double_click_takes_the_scales_of_the_rolling_exponent_again(window: Window, qtbot: Any) -> None:
    window.perform("scaling")
    shown = panel(window, ScalingPanel)
    shown._region.setRegion(np.log10([8, 24]))
    qtbot.wait(50)
    view = shown._plot.viewport()
    double_click(qtbot, view, view.rect().center() + QPoint(0, 10))
    qtbot.waitUntil(lambda: shown.bounds is None)


# ---- saving ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["review", "heatmap", "alpha", "scaling", "reviews"])
@pytest.mark.panels("reviews", "review", "heatmap", "alpha", "scaling")
def test_a_panel_is_saved_as_png_svg_pdf_and_csv(window: Window, name: str, tmp_path: Path) -> None:
    window.raise_panel(name)
    chosen = window.panels[name]
    for kind, begins in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        path = tmp_path / f"panel{kind}"
        save(chosen, path)
        assert path.read_bytes().startswith(begins)
    save(chosen, tmp_path / "panel.csv")
    rows = list(csv.reader((tmp_path / "panel.csv").read_text(encoding="utf-8").splitlines()))
    table = chosen.export_table()
    assert rows[0] == list(table.columns)
    assert len(rows) - 1 == len(table.rows) > 0


def test_another_kind_of_file_is_refused(window: Window, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="saved as one of .png, .svg, .pdf, .csv"):
        save(window.panels["alpha"], tmp_path / "panel.gif")


def test_the_table_of_the_heat_maps_is_that_of_the_stream(window: Window) -> None:
    table = panel(window, HeatmapPanel).export_table()
    assert table.columns[:7] == ("time", "text", "probability", "alpha_h", "added_to_state", "h_000", "h_001")
    assert table.column("time") == list(range(100))
    np.testing.assert_allclose([row[5:] for row in table.rows], window.opened_session.read("h", 0, 100))


def test_exporting_asks_for_a_file_and_reports_it(window: Window, qtbot: Any, tmp_path: Path) -> None:
    def export(name: str, kind: str) -> None:
        window.perform("export")
        ask = [child for child in window.findChildren(ExportDialog) if child.isVisible()][-1]
        ask.kind.setCurrentText(kind)
        ask.path.setText(str(tmp_path / name))
        ask._save()

    window.raise_panel("alpha")
    export("alpha.csv", "Table (CSV)")
    assert (tmp_path / "alpha.csv").exists()
    assert window.opened_session.note == f"saved {tmp_path / 'alpha.csv'}"
    export("second", "Document (PDF)")
    assert (tmp_path / "second.pdf").read_bytes().startswith(b"%PDF")
    assert window.opened_session.note == f"saved {tmp_path / 'second.pdf'}"
    export("nowhere/alpha.png", "Picture (PNG)")
    assert "nowhere" in window.opened_session.note


def test_an_export_has_its_own_ground_and_resolution(window: Window, tmp_path: Path) -> None:
    window.raise_panel("alpha")
    window.perform("export")
    ask = next(iter(window.findChildren(ExportDialog)))
    assert ask.panel.currentData() == "alpha"
    ask.scale.setCurrentText("2 × the screen")
    ask.light.setChecked(True)
    ask.path.setText(str(tmp_path / "alpha.png"))
    ask._save()
    shown, drawn = window.panels["alpha"], QImage(str(tmp_path / "alpha.png"))
    assert (drawn.width(), drawn.height()) == (2 * shown.width(), 2 * shown.height())
    assert drawn.pixelColor(drawn.width() - 12, drawn.height() // 2).lightness() > 200
    assert window.theme is DARK
    assert picture(shown).toImage().pixelColor(shown.width() - 6, shown.height() // 2).lightness() < 60


def test_a_table_of_the_heat_maps_has_all_gates(window: Window, tmp_path: Path) -> None:
    gates = panel(window, HeatmapPanel)
    save(gates, tmp_path / "all.csv", every_signal=True)
    rows = list(csv.DictReader((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()))
    session = window.opened_session
    for name in ("i", "f", "c_out", "h"):
        np.testing.assert_allclose([float(row[f"{name}_003"]) for row in rows], session.read(name, 0, 100)[:, 3])


def test_the_context_menu_has_items_of_the_panel_and_of_every_panel(window: Window) -> None:
    menu = QMenu()
    gates = panel(window, HeatmapPanel)
    gates.add_menu_items(menu, QPoint(10, 10))
    window.add_panel_items(menu, gates.name)
    texts = [action.text() for action in menu.actions()]
    assert {"Pin", "Ablate", "Copy picture", "Export …"} <= {text.replace("&", "") for text in texts}

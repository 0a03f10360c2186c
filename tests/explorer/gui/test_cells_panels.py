"""Cells, overview and corpus panels: dragging the threshold, ablating cells, clicking dots and bars."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from engine.live.stream import Stream
from engine.reviews import Review
from explorer.gui.panels.cell_table import HEADINGS, KEYS
from explorer.gui.panels.cells import CellsPanel
from explorer.gui.panels.corpus import BINS, CorpusPanel
from explorer.gui.panels.overview import OverviewPanel
from explorer.gui.window import Window
from explorer.session.controllers.corpus import RANGE
from explorer.session.session import Session
from explorer.session.views.traces import cell_table, overview
from tests.explorer.gui.mouse import LEFT, at, click, drag, hover, raised
from tests.explorer.small import SHARED_JOBS, TEXT, small_network, wait

pytestmark = pytest.mark.panels("cells", "overview", "corpus")

WORDS = TEXT.split()


@pytest.fixture
def session() -> Iterator[Session]:
    """100 words read of the first of twelve reviews with shuffled words; one is too short for an exponent."""
    random = np.random.default_rng(0)
    reviews = [Review(f"review <b>{k}</b>", " ".join(random.permutation(WORDS)), bool(k % 2)) for k in range(11)]
    opened = Session(Stream(small_network()), [*reviews, Review("short", "A film.", True)], jobs=SHARED_JOBS)
    opened.fixed_points.close()
    wait(lambda: opened.stream.snapshot.run == 1)
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    yield opened
    opened.close()


@pytest.fixture
def cells(window: Window, qtbot: Any) -> CellsPanel:
    return raised(qtbot, window, CellsPanel)


@pytest.fixture
def bar(window: Window, qtbot: Any) -> OverviewPanel:
    return raised(qtbot, window, OverviewPanel)


@pytest.fixture
def corpus(window: Window, session: Session, qtbot: Any) -> CorpusPanel:
    """All reviews measured and drawn."""
    panel = raised(qtbot, window, CorpusPanel)
    qtbot.waitUntil(lambda: len(session.corpus.rows(session.frame())) == 12, timeout=60_000)
    window.redraw()
    return panel


def heights(cells: CellsPanel) -> np.ndarray:
    return np.asarray(cells._bars.opts["height"])


def entry(menu: QMenu, begins: str) -> Any:
    return next(action for action in menu.actions() if action.text().startswith(begins))


def shown(cells: CellsPanel) -> list[int]:
    return [row.cell for row in cells.table.cells.rows]


# ---- cells -------------------------------------------------------------------------------------------------------


def test_bars_are_the_activity_of_the_cells_in_order(session: Session, cells: CellsPanel) -> None:
    assert np.allclose(heights(cells), session.stream.snapshot.activity)
    session.perform("order")
    cells.host.redraw()
    assert np.allclose(heights(cells), np.sort(session.stream.snapshot.activity)[::-1])


def test_the_threshold_is_dragged_and_the_mask_follows(session: Session, cells: CellsPanel, qtbot: Any) -> None:
    activity = session.stream.snapshot.activity
    goal = float(np.median(activity))
    before = session.stream.snapshot.threshold
    drag(qtbot, cells.picture, [(1, before), (1, goal)])
    pixel = cells.view.viewPixelSize()[1]
    qtbot.waitUntil(lambda: session.stream.snapshot.threshold == pytest.approx(goal, abs=2 * pixel))
    dead = session.stream.snapshot.dead
    assert np.array_equal(dead, activity < session.stream.snapshot.threshold)
    assert dead.any()
    cells.host.redraw()
    assert [row.dead for row in cell_table(session, session.frame())] == dead.tolist()
    assert f"† {dead.sum()} dead" in cells.readout.text()
    colours = [brush.color().getRgb()[:3] for brush in cells._bars.opts["brushes"]]
    assert [colour == tuple(cells.theme.dead) for colour in colours] == dead.tolist()


def test_a_click_on_a_bar_selects_and_another_deselects(session: Session, cells: CellsPanel, qtbot: Any) -> None:
    click(qtbot, cells.picture, (7.1, 0.05))
    assert session.choices.selected == 7
    assert cells.table.currentIndex().row() == 7
    click(qtbot, cells.picture, (7.1, 0.05))
    assert session.frame().choices.selected is None
    assert not cells.table.selectionModel().hasSelection()


def test_the_table_sorts_by_any_column_and_back(session: Session, cells: CellsPanel, qtbot: Any) -> None:
    header = cells.table.horizontalHeader()
    for column in range(len(HEADINGS)):
        key = KEYS[column]
        place = QPoint(header.sectionViewportPosition(column) + 8, header.height() // 2)
        for falling in (True, False):
            qtbot.mouseClick(header.viewport(), LEFT, pos=place)
            keys = [value for row in cells.table.cells.rows if np.isfinite(value := key(row))]
            assert keys == sorted(keys, reverse=falling)
        qtbot.mouseClick(header.viewport(), LEFT, pos=place)
        assert shown(cells) == list(range(12))
    assert sorted(shown(cells)) == list(range(12))


def test_a_sorted_table_keeps_its_order_while_words_arrive(session: Session, cells: CellsPanel) -> None:
    cells.table.cells.sort_by(1)
    before = shown(cells)
    rows = cell_table(session, session.frame())[::-1]
    cells.table.show_rows(rows, cells.theme, "h", reorder=False)
    assert shown(cells) == before
    session.look_at(50)
    cells.host.redraw()
    values = session.read("h", 50, 51)[0]
    assert shown(cells) == np.argsort(-values, kind="stable").tolist()


def test_a_click_in_the_table_selects(session: Session, cells: CellsPanel, qtbot: Any) -> None:
    index = cells.table.cells.index(3, 2)
    cells.table.scrollTo(index)
    qtbot.mouseClick(cells.table.viewport(), LEFT, pos=cells.table.visualRect(index).center())
    assert session.choices.selected == 3


def _has_threshold(session: Session, threshold: float) -> bool:
    return session.stream.snapshot.threshold == threshold


def test_the_axis_follows_what_is_drawn(session: Session, cells: CellsPanel) -> None:
    """0.9 and 0.924, the tops of the axis, round to the same tenth."""
    for threshold, top in ((0.75, 0.9), (0.77, 1.0)):
        session.display.set_threshold(threshold)
        wait(partial(_has_threshold, session, threshold))
        cells.host.redraw()
        assert cells.view.viewRange()[1] == pytest.approx([0, 1.05 * top])


def menu_of(cells: CellsPanel, cell: int | None) -> QMenu:
    menu = QMenu(cells)
    cells.add_cell_items(menu, cell)
    return menu


def test_the_context_menu_of_a_bar_and_of_a_row_is_that_of_the_cell(cells: CellsPanel) -> None:
    bar = cells.picture.mapTo(cells, at(cells.picture, (6, 0.001)).toPoint())
    row = cells.table.visualRect(cells.table.cells.index(2, 1)).center()
    for place, cell in ((bar, 6), (cells.table.viewport().mapTo(cells, row), 2)):
        menu = cells.menu_at(place)
        texts = [action.text() for action in menu.actions()]
        assert f"Ablate #{cell:03}" in texts
        assert "Close panel" in texts


def test_the_context_menu_ablates_pins_and_selects(session: Session, cells: CellsPanel, qtbot: Any) -> None:
    entry(menu_of(cells, 4), "Ablate #004").trigger()
    qtbot.waitUntil(lambda: "h" in session.stream.snapshot.clamps)
    wait(lambda: session.stream.snapshot.time == 100)
    cells.host.redraw()
    assert session.choices.selected == 4
    assert cells.table.cells.rows[4].mark == "∅"
    assert cells.table.cells.data(cells.table.cells.index(4, 0)) == "#004 ∅"
    entry(menu_of(cells, 4), "Restore #004").trigger()
    qtbot.waitUntil(lambda: not session.stream.snapshot.clamps)
    entry(menu_of(cells, 2), "Pin").trigger()
    assert session.choices.pins == (2,)
    assert shown(cells)[0] == 2
    entry(menu_of(cells, 5), "Select").trigger()
    assert session.choices.selected == 5
    session.display.set_threshold(10)
    qtbot.waitUntil(lambda: bool(session.stream.snapshot.dead.all()))
    entry(menu_of(cells, None), "Ablate all dead").trigger()
    qtbot.waitUntil(lambda: "h" in session.stream.snapshot.clamps)
    assert not np.isnan(session.stream.snapshot.clamps["h"]).any()


def test_a_hovered_cell_has_a_tooltip_and_is_linked(cells: CellsPanel, qtbot: Any) -> None:
    hover(qtbot, cells.picture, (6, 0.02))
    assert cells.host.hovered_cell == 6
    assert cells.picture.toolTip().startswith("#006")


def test_the_numbers_of_the_table(session: Session, cells: CellsPanel) -> None:
    table = cells.export_table()
    assert np.allclose(table.column("std_h"), session.stream.snapshot.activity)
    assert np.allclose(table.column("readout_weight"), session.stream.snapshot.network.readout_weight[0])


# ---- the overview ------------------------------------------------------------------------------------------------


def test_the_overview_is_the_probability_of_every_word(session: Session, bar: OverviewPanel) -> None:
    expected = overview(session, session.frame(), 1000).values
    drawn = sum(bars.getData()[1] for bars in bar._bars)
    assert np.allclose(drawn[:100], expected[:100])
    assert np.allclose(drawn[100:], 0)
    table = bar.export_table()
    assert table.columns == ("time", "probability")
    assert np.allclose(table.column("probability"), expected, equal_nan=True)


def test_a_click_and_a_drag_look_there(session: Session, bar: OverviewPanel, qtbot: Any) -> None:
    click(qtbot, bar.picture, (30.5, 0.5))
    assert session.choices.cursor == 30
    drag(qtbot, bar.picture, [(40.5, 0.5), (70.5, 0.5)])
    assert session.choices.cursor == pytest.approx(70, abs=1)
    bar.host.redraw()
    assert bar.strip.here.x() == session.choices.cursor + 0.5
    click(qtbot, bar.picture, (120.5, 0.5))
    qtbot.waitUntil(lambda: session.stream.snapshot.time >= 120)


def test_the_network_compared_with_is_a_line(session: Session, bar: OverviewPanel, qtbot: Any, tmp_path: Any) -> None:
    path = tmp_path / "other.safetensors"
    small_network(6, seed=1).save(path)
    session.comparison.compare_with(str(path))
    qtbot.waitUntil(lambda: session.comparison.result(session.update()) is not None, timeout=60_000)
    bar.host.redraw()
    other = session.comparison.result(session.update())
    assert other is not None
    assert np.allclose(bar._compared.getData()[1][:100], other.output[:100])
    assert "difference" in bar.readout.text()
    table = bar.export_table()
    assert table.columns == ("time", "probability", "probability_other", "difference")
    own, compared, difference = (table.column(name) for name in table.columns[1:])
    assert np.allclose(difference, np.subtract(own, compared), equal_nan=True)
    assert bar.below.picture.isVisible()
    edges, drawn = bar.difference.getData()
    assert np.allclose(drawn, difference, equal_nan=True)
    assert np.allclose(edges, np.arange(145))
    assert bar.below.view.viewRange()[1][1] >= np.nanmax(np.abs(drawn))
    assert "difference" in bar.readout.text()
    click(qtbot, bar.below.picture, (20.5, 0.0))
    assert session.choices.cursor == 20
    session.comparison.compare_with(None)
    bar.host.redraw()
    assert len(bar._compared.getData()[1]) == 0
    assert not bar.below.picture.isVisible()


# ---- the corpus ----------------------------------------------------------------------------------------------


def test_the_histograms_and_the_scatter_hold_every_review(session: Session, corpus: CorpusPanel) -> None:
    frame = session.frame()
    for bars in corpus.bars:
        expected = session.corpus.histogram(frame, bars.signal, BINS)
        assert np.array_equal(bars._bars.opts["height"], expected.counts)
        assert expected.counts.sum() == 11
        assert bars._open_review.value() == pytest.approx(np.clip(expected.beta, *RANGE))
    beta, _ = session.corpus.scatter(frame)
    assert np.allclose(np.stack(corpus._dots.getData(), axis=1), beta)
    watched = session.corpus.watched(frame)
    assert watched is not None
    assert np.allclose(np.stack(corpus._watched.getData(), axis=1)[0], watched["beta"][::-1])
    assert "12 reviews measured" in corpus.readout.text()
    assert "1 without β" in corpus.readout.text()


def test_a_click_on_a_dot_opens_its_review(session: Session, corpus: CorpusPanel, qtbot: Any) -> None:
    beta, reviews = session.corpus.scatter(session.frame())
    dot = int(np.flatnonzero(reviews == 5)[0])
    corpus.view.setRange(
        xRange=tuple(beta[dot, 0] + [-0.02, 0.02]), yRange=tuple(beta[dot, 1] + [-0.02, 0.02]), padding=0
    )
    hover(qtbot, corpus.picture, tuple(beta[dot]))
    assert corpus._tip.texts[0].startswith("review 6 review <b>5</b>\n")
    click(qtbot, corpus.picture, tuple(beta[dot]))
    qtbot.waitUntil(lambda: session.stream.snapshot.index == 5)


def test_a_click_on_a_bar_narrows_the_list_and_again_widens_it(
    session: Session, corpus: CorpusPanel, qtbot: Any
) -> None:
    bars = corpus.bars[0]
    counts = np.asarray(bars._bars.opts["height"])
    x = float(bars._bars.opts["x"][int(counts.argmax())])
    click(qtbot, bars.picture, (x, 0.5))
    assert corpus.model.rowCount() == counts.max()
    assert f"listed: {counts.max()} with β of h" in corpus.readout.text()
    click(qtbot, bars.picture, (x, 0.5))
    assert corpus.model.rowCount() == 12


def test_the_list_sorts_and_opens(session: Session, corpus: CorpusPanel, qtbot: Any) -> None:
    def beta(row: int) -> float:
        return float(corpus.model.row_texts(row)[2].replace("−", "-"))

    betas = [beta(row) for row in range(11)]
    assert betas == sorted(betas, reverse=True)
    header = corpus.table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(2) + 8, header.height() // 2)
    qtbot.mouseClick(header.viewport(), LEFT, pos=place)
    assert beta(0) == min(betas)
    assert corpus.model.headerData(2, Qt.Orientation.Horizontal).endswith("▴")
    place = QPoint(header.sectionViewportPosition(4) + 8, header.height() // 2)
    qtbot.mouseClick(header.viewport(), LEFT, pos=place)
    assert session.corpus.order == "length"
    index = corpus.model.index(0, 1)
    expected = corpus.model.review(0)
    corpus.table.scrollTo(index)
    place = corpus.table.visualRect(index).center()
    qtbot.mouseClick(corpus.table.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(corpus.table.viewport(), LEFT, pos=place)
    qtbot.mouseRelease(corpus.table.viewport(), LEFT, pos=place)  # Qt Test leaves the button down
    qtbot.waitUntil(lambda: session.stream.snapshot.index == expected)
    table = corpus.export_table()
    assert [len(row) for row in table.rows] == [len(table.columns)] * 12

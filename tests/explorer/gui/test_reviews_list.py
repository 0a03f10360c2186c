"""The window's list of reviews: searching, sorting, opening, and what is saved of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtCore import Qt

from engine.reviews import Reviews
from explorer.gui.panels.reviews_list import ReviewsModel, ReviewsPanel
from explorer.gui.window import Window
from tests.explorer.gui.test_time_panels import panel, snapshot
from tests.explorer.small import REVIEWS

pytestmark = pytest.mark.panels("reviews")


def test_reviews_are_searched_sorted_and_opened(window: Window, qtbot: Any) -> None:
    reviews = panel(window, ReviewsPanel)
    assert reviews.model.rowCount() == 3
    assert [reviews.model.cell_text(1, column) for column in range(4)] == [
        "2",
        "−",
        "second",
        str(len(REVIEWS[1].text)),
    ]
    qtbot.keyClicks(reviews.search, "dull film")
    qtbot.waitUntil(lambda: reviews.model.rowCount() == 1)
    qtbot.keyClick(reviews.search, Qt.Key.Key_Return)
    assert reviews.table.hasFocus()
    qtbot.keyClick(reviews.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: snapshot(window).review.name == "second")
    reviews.search.clear()
    qtbot.waitUntil(lambda: reviews.model.rowCount() == 3)
    for column, expected in ((3, ["third", "second", "first"]), (2, ["first", "second", "third"])):
        reviews.table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
        assert [reviews.model.cell_text(row, 2) for row in range(3)] == expected
    reviews.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert [reviews.model.cell_text(row, 1) for row in range(3)] == ["+", "·", "−"]
    reviews.table.doubleClicked.emit(reviews.model.index(0, 0))
    qtbot.waitUntil(lambda: snapshot(window).review.name == "first")


def test_further_columns_are_sorted_with_the_unknown_last(window: Window) -> None:
    reviews = panel(window, ReviewsPanel)
    reviews.model.set_columns({"β h": np.array([0.5, np.nan, 0.9])})
    for order, expected in ((Qt.SortOrder.AscendingOrder, [0, 2, 1]), (Qt.SortOrder.DescendingOrder, [2, 0, 1])):
        reviews.model.sort(4, order)
        assert reviews.model.shown.tolist() == expected
    assert [reviews.model.cell_text(row, 4) for row in range(3)] == ["0.90", "0.50", "–"]


def test_search_and_order_of_the_reviews_are_saved(window: Window, qtbot: Any) -> None:
    reviews = panel(window, ReviewsPanel)
    assert reviews.saved_state() == {"search": "", "source": "3 from first", "sort": "#", "falling": False}
    reviews.search.setText("film")
    reviews.table.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    saved = reviews.saved_state()
    assert saved == {"search": "film", "source": "3 from first", "sort": "length", "falling": True}
    again = ReviewsPanel(window)
    again.restore(saved)
    assert again.saved_state() == saved
    # The reviews are opened after the state is restored.
    again.show_frame(window.opened_session, window.opened_session.frame())
    assert [again.model.cell_text(row, 2) for row in range(again.model.rowCount())] == ["first", "second"]
    header = again.table.horizontalHeader()
    assert (header.sortIndicatorSection(), header.sortIndicatorOrder()) == (3, Qt.SortOrder.DescendingOrder)
    for rubbish in ({"search": 3, "sort": "nothing", "falling": "yes"}, {"sort": ["#"]}, {}):
        again.restore(rubbish)
        assert again.saved_state() == saved
    again.deleteLater()


def test_the_search_in_one_source_hides_no_review_of_another(window: Window) -> None:
    again = ReviewsPanel(window)
    again.restore({"search": "zzz", "source": "25000 from aclImdb/train/pos/0_9.txt", "sort": "#", "falling": False})
    again.show_frame(window.opened_session, window.opened_session.frame())
    assert again.model.rowCount() == len(REVIEWS)
    assert again.search.text() == ""
    again.deleteLater()


@pytest.mark.panels("reviews", "heatmap", "corpus")
def test_sorting_by_a_column_of_the_corpus_waits_for_it(window: Window, qtbot: Any) -> None:
    reviews = panel(window, ReviewsPanel)
    saved = {"search": "", "source": "3 from first", "sort": "P", "falling": True}
    reviews.restore(saved)
    assert reviews.saved_state() == saved
    assert reviews.model.shown.tolist() == [0, 1, 2]
    window.raise_panel("corpus")
    session = window.opened_session
    qtbot.waitUntil(lambda: len(session.corpus.rows(session.frame())) == 3, timeout=60_000)
    window.redraw()
    measured = [float(value) for value in reviews.export_table().column("probability")]
    assert measured == sorted(measured, reverse=True)
    assert reviews.saved_state() == saved
    reviews.restore({"sort": "β h", "falling": False})
    assert reviews.saved_state()["sort"] == "β h"
    other = ReviewsPanel(window)
    other.model.set_reviews(REVIEWS)
    other.restore(saved)
    other.table.sortByColumn(2, Qt.SortOrder.AscendingOrder)  # the user chose another column meanwhile
    assert other.saved_state() == {**saved, "sort": "name", "falling": False}
    other.deleteLater()


@pytest.mark.parametrize("descending", [False, True])
def test_reviews_that_arrive_are_added_to_the_list(descending: bool) -> None:
    source = Reviews()
    for number in range(3):
        source.append(f"r{number}", "fine", True)
    model = ReviewsModel()
    model.set_reviews(source)
    model.sort(0, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)
    model.set_columns({"P": np.array([0.1, 0.2, 0.3])})
    source.append("new", "dull", False)
    assert (model.rowCount(), model.grown) == (3, True)
    model.extend()
    assert (model.rowCount(), model.grown) == (4, False)
    names = [model.cell_text(row, 2) for row in range(4)]
    assert names == (["new", "r2", "r1", "r0"] if descending else ["r0", "r1", "r2", "new"])
    assert model.cell_text(names.index("new"), 4) == "–"

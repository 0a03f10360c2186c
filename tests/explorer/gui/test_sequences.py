"""A sequence of vectors on the desktop: bands instead of words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from explorer.gui.panels.review import ReviewPanel
from explorer.gui.window import Window
from explorer.session.session import Session
from tests.explorer.gui.test_time_panels import click
from tests.explorer.sequences import READ, drawn, flip_flop_session

pytestmark = pytest.mark.panels("review")


@pytest.fixture
def session() -> Iterator[Session]:
    yield from flip_flop_session()


def test_bands_replace_the_words(window: Window, session: Session, qtbot: Any) -> None:
    panel = window.panels["review"]
    assert isinstance(panel, ReviewPanel)
    window.redraw()
    assert panel.bands is not None
    assert panel.bands.isVisible()
    assert not panel.words.isVisible()
    assert len(panel.bands.curves) == 6
    x, y = panel.bands.curves[1]["right"].getData()  # out 1, the second band of six from the top
    assert len(x) == 201
    assert 4.0 <= y.min() <= y.max() <= 5.0
    target = panel.bands.curves[1]["target"].getData()[1]
    expected = np.nan_to_num(drawn()[0].targets[:, 0])  # type: ignore[index]
    np.testing.assert_array_equal(target > 4.0, expected > 0)
    assert "right 100%" in panel.readout.text()
    assert window.docks.docks["review"].windowTitle() == "1 Sequence"
    click(qtbot, panel.bands.picture, 30.5, 3)
    assert session.frame().word == 30 != READ - 1


def test_entries_that_need_words_are_grey_and_say_why(window: Window) -> None:
    window.redraw()
    search, ablate = window.qt_actions["search"], window.qt_actions["ablate"]
    assert not search.isEnabled()
    assert search.toolTip() == "this network reads numbers: there are no words to search for"
    assert ablate.isEnabled()
    assert window.qt_actions["next-review"].iconText() == "Sequence ▸"


@pytest.mark.panels("heatmap", "corpus", "word-map")
def test_the_corpus_of_reviews_and_the_map_of_words_are_hidden(window: Window) -> None:
    window.redraw()
    for name in ("corpus", "word-map"):
        assert window.docks.docks[name].isHidden()
        assert not window.docks.docks[name].toggleViewAction().isEnabled()
    assert not window.qt_actions["focus-word-map"].isEnabled()
    assert not window.docks.docks["heatmap"].isHidden()
    layout = window.docks.saved_layout()
    assert window.docks.restore(layout)
    assert window.docks.docks["corpus"].isHidden()
    window.docks.set_available("corpus", True)  # a network that reads words
    assert not window.docks.docks["corpus"].isHidden()
    assert window.docks.restore(layout)
    assert not window.docks.docks["corpus"].isHidden()

"""Cycles and basins in the desktop's map of the points, and words without a time constant in the word map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from explorer.gui.panels.fixed_points import GROWTH, POINT, FixedPointsPanel
from explorer.gui.panels.word_map import WordMapPanel
from explorer.gui.window import Window
from explorer.session.session import Session
from tests.explorer.gui.mouse import raised
from tests.explorer.session.test_attractors import found_map
from tests.explorer.small import show_found

pytestmark = pytest.mark.panels("points", "word-map")


def test_cycles_are_joined_and_sizes_are_basins(window: Window, session: Session, qtbot: Any) -> None:
    panel = raised(qtbot, window, FixedPointsPanel)
    points = show_found(session, found_map())
    window.redraw()
    assert len(panel._cycles._lines) == 4
    spots = panel._certified.data
    assert len(spots) == points.first_word
    expected = POINT + GROWTH * np.nan_to_num(points.basin_sizes[: points.first_word])
    assert np.allclose(spots["size"], expected)
    assert list(spots["symbol"][points.certified :]) == ["d"] * 4
    assert "◇" in panel.legend.text()
    assert "2 cycles" in panel.readout.text()
    assert "basin_visited" in panel.export_table().columns


def test_the_word_map_draws_only_words_with_a_time_constant(window: Window, session: Session, qtbot: Any) -> None:
    panel = raised(qtbot, window, WordMapPanel)
    points = show_found(session, found_map())
    panel.axes.setCurrentText("readout × time constant")
    window.redraw()
    assert len(panel._cloud.data) == 2
    assert "1 without a time constant" in panel.readout.text()
    panel.look_for("turn")
    assert session.fixed_points.view.selected == points.first_word + 2
    window.redraw()
    assert len(panel._ring.data) == 0
    panel.axes.setCurrentText("components")
    window.redraw()
    assert len(panel._cloud.data) == 3
    assert len(panel._ring.data) == 1

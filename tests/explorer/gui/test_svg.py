"""Drawings of plots: lines that keep their width stand in the page's own coordinates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the window's libraries are not here", exc_type=ImportError)

from explorer.gui.export import save
from explorer.gui.svg import straighten
from explorer.gui.window import Window
from explorer.session.model import Session
from tests.explorer.gui.mouse import front
from tests.explorer.small import open_session, wait
from tests.explorer.test_points_session import settle

KEPT = 'vector-effect="non-scaling-stroke"'


@pytest.fixture
def session() -> Iterator[Session]:
    """100 words read, paused; everything found."""
    opened = open_session(search=True)
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    settle(opened)
    yield opened
    opened.close()


def test_shapes_are_moved_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "drawing.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<g transform="matrix(10,0,0,-20,5,50)"><path {KEPT} d="M0,0 L1,2 "/><rect {KEPT} x="0" y="0" width="2" '
        f'height="1"/><polyline {KEPT} points="1,1 2.5,-1e-1 "/><circle {KEPT} cx="1" cy="1" r="1"/></g>'
        '<g transform="matrix(2,0,0,2,0,0)"><path vector-effect="none" d="M1,1 L2,2"/></g></svg>'
    )
    straighten(path)
    moved, same = list(ElementTree.parse(path).getroot())
    drawn, box, line, circle = list(moved)
    assert drawn.get("d") == "M5,50 L15,10 "
    assert box.get("points") == "5,50 25,50 25,30 5,30"
    assert line.get("points") == "15,30 30,52 "
    assert circle.get("transform") == "matrix(10.0,0.0,0.0,-20.0,5.0,50.0)"
    assert moved.get("transform") is None
    assert same.get("transform") == "matrix(2,0,0,2,0,0)"
    assert KEPT not in path.read_text()


@pytest.mark.parametrize("name", ["points", "word-map", "cells", "overview", "alpha", "spectrum"])
def test_a_panel_is_a_drawing_and_no_photograph(window: Window, qtbot: Any, tmp_path: Path, name: str) -> None:
    panel = front(qtbot, window, name)
    path = tmp_path / f"{name}.svg"
    save(panel, path)
    text = path.read_text()
    assert KEPT not in text
    assert text.count("<image") < 4  # icons, and pieces of the style
    assert text.count("<path") + text.count("<poly") > 5
    assert panel.head.text() == "" or "<text" in text

"""SVG export of panels: complete, clipped, with cosmetic lines in page coordinates."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtGui import QImage

from explorer.gui.export.save import save
from explorer.gui.export.svg import MIN_SCALE, transform_lines
from explorer.gui.window import Window
from explorer.session.session import Session
from tests.explorer.gui.mouse import raise_panel
from tests.explorer.small import small_file, wait

FIXED = 'vector-effect="non-scaling-stroke"'
SVG = "{http://www.w3.org/2000/svg}"
FAR = 60  # of 255; more than rounding at an edge
AROUND = 3  # pixels
PANELS = (
    "points", "word-map", "cells", "overview", "alpha", "spectrum", "heatmap", "scaling", "review", "reviews",
    "corpus",
)  # fmt: skip


@pytest.fixture
def session(searched: Session) -> Session:
    return searched


@pytest.fixture
def full(window: Window, tmp_path: Path) -> Window:
    """A window with all that reaches beyond its plot: a brush, a zoomed range, a comparison."""
    session = window.opened_session
    session.comparison.compare_with(str(small_file(tmp_path, 5)))
    wait(lambda: session.comparison.result(session.update()) is not None)
    session.select(3)
    window.brush(40, 44)
    window.visible_range.zoom(30, 80)
    return window


def test_cosmetic_shapes_are_transformed_and_others_not() -> None:
    drawing = ElementTree.fromstring(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<g transform="matrix(10,0,0,-20,5,50)"><path {FIXED} d="M0,0 L1,2 "/><rect {FIXED} x="0" y="0" width="2" '
        f'height="1"/><polyline {FIXED} points="1,1 2.5,-1e-1 "/><circle {FIXED} cx="1" cy="1" r="1"/></g>'
        '<g transform="matrix(2,0,0,2,0,0)"><path vector-effect="none" d="M1,1 L2,2"/></g></svg>'
    )
    transform_lines(drawing)
    moved, same = list(drawing)
    drawn, box, line, circle = list(moved)
    assert drawn.get("d") == "M5,50 L15,10 "
    assert box.get("points") == "5,50 25,50 25,30 5,30"
    assert line.get("points") == "15,30 30,52 "
    assert circle.get("transform") == "matrix(10.0,0.0,0.0,-20.0,5.0,50.0)"
    assert moved.get("transform") is None
    assert same.get("transform") == "matrix(2,0,0,2,0,0)"
    assert FIXED not in ElementTree.tostring(drawing, "unicode")


def test_panels_are_drawn_as_shapes_and_text(window: Window, qtbot: Any, tmp_path: Path) -> None:
    for name in PANELS:
        panel = raise_panel(qtbot, window, name)
        path = tmp_path / f"{name}.svg"
        save(panel, path)
        text = path.read_text()
        assert FIXED not in text, name
        assert text.count("<image") < (10 if name == "heatmap" else 4), name  # signals; icons, and pieces of the style
        assert text.count("<path") + text.count("<poly") + text.count("<text") > 10, name
        assert "<text" in text or panel.readout.text() == "", name


def pixels(image: QImage) -> np.ndarray:
    """(row, column, channel)."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(plain.constBits(), dtype=np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return lines[:, : plain.width() * 3].reshape(plain.height(), plain.width(), 3).astype(int)


@pytest.mark.skipif(
    shutil.which("rsvg-convert") is None, reason="needs rsvg-convert (Debian, Ubuntu: apt install librsvg2-bin)"
)
def test_drawings_look_like_the_panels(full: Window, qtbot: Any, tmp_path: Path) -> None:
    for name in PANELS:
        panel = raise_panel(qtbot, full, name)
        full.redraw()
        qtbot.wait(20)
        if name == "word-map":
            panel.look_for("film")  # most words lie beyond
        for kind in ("png", "svg"):
            save(panel, tmp_path / f"{name}.{kind}")
        drawn = tmp_path / f"{name}-drawn.png"
        subprocess.run(["rsvg-convert", str(tmp_path / f"{name}.svg"), "-o", str(drawn)], check=True)
        picture, drawing = (pixels(QImage(str(path))) for path in (tmp_path / f"{name}.png", drawn))
        assert picture.shape == drawing.shape
        different = (np.abs(picture - drawing).max(axis=2) > FAR) & (flat(picture) | flat(drawing))
        assert different.mean() < 0.0005, name  # some letters; unclipped lines give at least four times that


def flat(picture: np.ndarray) -> np.ndarray:
    """Return where the neighbourhood has one colour, (row, column), so that the position of edges does not matter."""
    size = (2 * AROUND + 1, 2 * AROUND + 1, 1)
    return np.ptp([maximum_filter(picture, size), minimum_filter(picture, size)], axis=0).max(axis=2) < 12


def test_each_part_is_clipped_and_every_name_is_its_own(full: Window, qtbot: Any, tmp_path: Path) -> None:
    panel = raise_panel(qtbot, full, "heatmap")
    before = panel.grab().toImage()
    save(panel, tmp_path / "panel.svg")
    assert panel.grab().toImage() == before  # drawing restores what it changes
    text = (tmp_path / "panel.svg").read_text()
    names = re.findall(r'\bid="([^"]+)"', text)
    assert len(names) == len(set(names)) > 10
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(names)
    root = ElementTree.fromstring(text)
    assert (root.get("width"), root.get("height")) == (str(panel.width()), str(panel.height()))
    moved = [group for group in root.iter(f"{SVG}g") if group.get("transform", "").startswith("translate")]
    assert len(moved) > 10
    assert all(group.get("clip-path") for group in moved)
    inside = [group for group in root.iter(f"{SVG}g") if list(group.attrib) == ["clip-path"]]
    assert len(inside) > 10
    signals = [
        b64decode(image.attrib["{http://www.w3.org/1999/xlink}href"].partition(",")[2])
        for image in root.iter(f"{SVG}image")
    ]
    pictures = [QImage.fromData(data) for data in signals]
    assert any(picture.height() % 12 == 0 and picture.width() >= MIN_SCALE * 500 for picture in pictures)

"""The readout line: runs in the colours and fonts of their roles, drawn as Qt's rich text draws them, and elided."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QStaticText

from explorer.gui.panels.readout_line import LEFT, TOP, ReadoutLine
from explorer.gui.text import rich_text
from explorer.gui.theme import DARK, LIGHT, Theme, qcolor, role_colour
from explorer.session.palette import LOOKS
from explorer.session.views.runs import Line, Run, plain

LINES: dict[str, Line] = {
    "values": (Run("P(positive) "), Run("0.46", "value"), Run("   label "), Run("positive", "text")),
    "escaped": (Run("12", "value"), Run(" alive  "), Run("† 0", "dead"), Run(" dead, a & b <c>", "text")),
    "comparison": (Run("Σh  α "), Run("0.84", "value"), Run("   "), Run("━ lstm-5 α ", "other"), Run("after")),
    "empty": (),
}


@pytest.fixture
def readout(qtbot: Any) -> ReadoutLine:
    line = ReadoutLine()
    qtbot.addWidget(line)
    line.resize(700, line.height())
    return line


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), dtype=np.uint8).astype(int)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", LINES)
def test_it_looks_like_rich_text(readout: ReadoutLine, name: str, theme: Theme) -> None:
    readout.apply_theme(theme)
    readout.set_line(LINES[name])
    drawn = readout.grab().toImage()
    expected = QImage(drawn.size(), drawn.format())
    expected.fill(qcolor(theme.ground))
    text = QStaticText(rich_text(LINES[name], theme))
    text.setTextFormat(Qt.TextFormat.RichText)
    text.setTextWidth(10_000)
    painter = QPainter(expected)
    painter.setFont(readout.font())
    painter.drawStaticText(LEFT, TOP, text)
    painter.end()
    assert (np.abs(pixels(drawn) - pixels(expected)) > 40).mean() < 0.005  # letters may be shifted by half a pixel
    assert readout.text() == plain(LINES[name])


def test_every_role_has_a_colour_in_both_themes() -> None:
    for theme in (DARK, LIGHT):
        assert all(role_colour(theme, role).isValid() for role in LOOKS)


def test_a_line_that_does_not_fit_ends_in_an_ellipsis_and_is_the_tooltip(readout: ReadoutLine) -> None:
    line = (Run("order: ", "label"), Run("number of the cell", "value"), Run("   † σ of h < 0.02"))
    readout.set_line(line)
    assert readout.visible_text() == plain(line)
    assert readout.toolTip() == ""
    width = QFontMetricsF(readout.font()).horizontalAdvance("order: number")
    readout.resize(round(width) + 2 * LEFT + 12, readout.height())
    readout.show()  # a hidden widget gets no resize event
    shown = readout.visible_text()
    assert shown.startswith("order: n")
    assert shown.endswith("…")
    assert readout.toolTip() == plain(line)
    readout.resize(700, readout.height())
    assert readout.visible_text() == plain(line)
    assert readout.toolTip() == ""

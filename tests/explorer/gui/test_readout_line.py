"""The line of numbers: runs of text in colours, drawn as Qt's rich text draws them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter, QStaticText

from explorer.gui.panels.readout_line import LEFT, TOP, ReadoutLine, Run, runs

PINK, DIM, GROUND = "#ff8fc0", "#8692a0", "#0f1318"
LINES = (
    f"P(positive) <b style='color:{PINK}'>.46</b>&nbsp;&nbsp;&nbsp; <u><i>unknown</i></u> 0 of 144 words",
    f"<b>12</b> alive &nbsp; <b style='color:{PINK}'>† 0</b> dead, a &amp; b &lt;c&gt;   <span>plain</span>",
    f"Σh&nbsp;&nbsp; α <b>.84</b>&nbsp;&nbsp; <span style='color:{PINK}'>━ lstm-5 α <b>.45</b>&nbsp; on</span> after",
    "",
)


def test_a_line_falls_into_runs() -> None:
    assert runs("") == []
    assert runs(f" a  b <b style='color:{PINK}'>c <i>d</i></b>&nbsp; &lt;e") == [
        Run("a b ", "", frozenset()),
        Run("c ", PINK, frozenset("b")),
        Run("d", PINK, frozenset("bi")),
        Run("\xa0 <e", "", frozenset()),
    ]
    assert runs("h < .02 </b>x") == [Run(text, "", frozenset()) for text in ("h ", "<", " .02 ", "x")]


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), dtype=np.uint8).astype(int)


@pytest.mark.parametrize("html", LINES)
def test_it_looks_like_rich_text(qtbot: Any, html: str) -> None:
    head = ReadoutLine()
    qtbot.addWidget(head)
    head.setStyleSheet(f"color: {DIM}; background: {GROUND}")
    head.resize(700, head.height())
    head.setText(html)
    drawn = head.grab().toImage()
    expected = QImage(drawn.size(), drawn.format())
    expected.fill(QColor(GROUND))
    text = QStaticText(html)
    text.setTextFormat(Qt.TextFormat.RichText)
    text.setTextWidth(10_000)
    painter = QPainter(expected)
    painter.setFont(head.font())
    painter.setPen(QColor(DIM))
    painter.drawStaticText(LEFT, TOP, text)
    painter.end()
    assert (np.abs(pixels(drawn) - pixels(expected)) > 40).mean() < 0.005  # a letter may fall half a pixel aside
    assert head.text() == html

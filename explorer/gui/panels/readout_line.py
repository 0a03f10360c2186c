"""One line of numbers in colours, drawn as fast as they change: Qt's rich text takes a millisecond for each."""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

LEFT, TOP = 4, 2  # pixels
_TOKENS = re.compile(r"<(/?)(b|i|u|span)\b([^<>]*)>|([^<]+|<)")
_COLOUR = re.compile(r"color:\s*(#\w+)")


class Run(NamedTuple):
    """Text of one look. ``colour`` is empty for that of the line, ``tags`` are some of b, i and u."""

    text: str
    colour: str
    tags: frozenset[str]


def runs(html: str) -> list[Run]:
    """The runs of a line in which ``b``, ``i``, ``u`` and ``span`` stand, with ``style='color:#…'`` or without."""
    found: list[Run] = []
    open_tags: list[tuple[str, str]] = []
    before = " "
    for closes, tag, style, text in _TOKENS.findall(html):
        if text:
            shown = re.sub(r"[ \n\t]+", " ", text)
            shown = unescape(shown.removeprefix(" ") if before == " " else shown)
            if shown:
                before = shown[-1]
                colour = next((colour for _, colour in reversed(open_tags) if colour), "")
                found.append(Run(shown, colour, frozenset(name for name, _ in open_tags if name != "span")))
        elif not closes:
            named = _COLOUR.search(style)
            open_tags.append((tag, named[1] if named else ""))
        else:
            same = [k for k, (name, _) in enumerate(open_tags) if name == tag]
            if same:
                del open_tags[same[-1]]
    return found


class ReadoutLine(QWidget):
    """One line above a picture. Unlike a label it has no say in the layout, so that new numbers move nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._runs: list[Run] = []
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing below need be painted
        self.setFixedHeight(self.fontMetrics().height() + 4)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """What stands there, as HTML."""
        return self._text

    def setText(self, html: str) -> None:
        """Let something else stand there."""
        self._text, self._runs = html, runs(html)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self.palette().color(self.backgroundRole()))
        ink, width = self.palette().color(self.foregroundRole()), self.width()
        fonts = {tags: self._font(tags) for tags in {run.tags for run in self._runs}}
        ascent = max((metrics.ascent() for _, metrics in fonts.values()), default=0.0)
        x = float(LEFT)
        for text, colour, tags in self._runs:
            if x > width:
                break
            font, metrics = fonts[tags]
            painter.setFont(font)
            painter.setPen(QColor(colour) if colour else ink)
            painter.drawText(QPointF(x, TOP + ascent), text)
            x += metrics.horizontalAdvance(text)
        painter.end()

    def _font(self, tags: frozenset[str]) -> tuple[QFont, QFontMetricsF]:
        font = QFont(self.font())
        font.setBold("b" in tags)
        font.setItalic("i" in tags)
        font.setUnderline("u" in tags)
        return font, QFontMetricsF(font)

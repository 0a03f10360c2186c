"""The review: its words coloured by the chosen signal, and what the network makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from explorer.gui.panels.panel import Panel
from explorer.gui.text import safe
from explorer.gui.theme import Theme, table
from explorer.session.core import Frame
from explorer.session.palette import ON_DARK, ON_LIGHT, codes, text_on
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.text_layout import Layout, lay_out, unknown_words, word_strengths
from explorer.session.views.traces import probability_at

if TYPE_CHECKING:
    from explorer.gui.window import Window

GAP = 6  # pixels between two words
HERE = -2  # the look of the word that is looked at
LEADING = 1.45  # line height in heights of the font


class Words(QWidget):
    """Words in lines that follow the reading. A click looks at a word, a drag brushes words, the wheel scrolls."""

    def __init__(self, explorer: Window) -> None:
        super().__init__()
        self._explorer = explorer
        self.layout_: Layout | None = None
        self._laid_out_for: tuple[object, ...] = ()
        self._shown: tuple[Any, ...] = ()
        self._top = 0
        self._pressed: int | None = None
        self._frame: Frame | None = None
        self._surface: list[str] = []
        self._widths: NDArray[np.float64] = np.empty(0)
        self._places: list[tuple[int, float, int]] = []  # of each word: left, width, line
        self._line_height = QFontMetricsF(self.font()).height() * LEADING
        self._codes: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)
        self._read: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._unknown: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._looks: NDArray[np.int16] = np.empty(0, dtype=np.int16)  # map position of each word, −1 for none
        self._boxes: list[tuple[int, int, str]] = []
        self._found: set[int] = set()
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing below need be painted
        self.setMinimumSize(120, 24)

    def show_words(self, session: Session, frame: Frame) -> tuple[float, float]:
        """Draw a frame; returns the values at the ends of the colours."""
        self._lay_out(frame)
        layout = self.layout_
        assert layout is not None
        if self._frame is None or frame.word != self._frame.word or frame.snapshot.run != self._frame.snapshot.run:
            self._follow(layout.line(max(0, frame.word)))
        self._frame = frame
        strengths, low, high = word_strengths(session, frame, 0, frame.snapshot.words)
        self._codes, self._read = codes(strengths, low, high), np.isfinite(strengths)
        self._found = session.word_search.marked(frame.snapshot)
        brushed, pattern, dragged = session.brush.words, session.brush.pattern, self._explorer.dragged
        self._boxes = [(a, b, "good") for a, b in (pattern.places if pattern is not None else ())]
        if dragged is not None:
            self._boxes.append((dragged[0], dragged[1] + 1, "pink"))
        elif brushed:
            self._boxes.append((brushed.start, brushed.stop, "pink"))
        shown = (
            frame.snapshot.run, self._boxes, self._found, self._top, self._explorer.hovered, frame.choices.colour_map,
            self._explorer.theme.name, self.size(),
        )  # fmt: skip
        looks = np.where(self._read, self._codes, -1).astype(np.int16)
        if frame.word >= 0:
            looks[frame.word] = HERE
        if shown != self._shown or len(looks) != len(self._looks):
            self.update()
        else:
            for word in np.flatnonzero(looks != self._looks).tolist():
                self.update(self._room_of(word))
        self._shown, self._looks = shown, looks
        return low, high

    # ---- where words stand ---------------------------------------------------------------------------------------

    @property
    def _lines_in_view(self) -> int:
        return max(1, int(self.height() / self._line_height))

    def _lay_out(self, frame: Frame) -> None:
        wanted = (frame.snapshot.run, frame.snapshot.review, self.width(), self.font().toString())
        if wanted != self._laid_out_for:
            self._laid_out_for = wanted
            metrics = QFontMetricsF(self.font())
            self._surface = [safe(word) for word in frame.snapshot.review.surface]
            self._widths = np.array([metrics.horizontalAdvance(word) for word in self._surface])
            width_of = {
                word: int(np.ceil(width)) + GAP for word, width in zip(self._surface, self._widths, strict=True)
            }
            self.layout_ = lay_out(self._surface, self.width(), width_of.__getitem__)
            lines = np.repeat(np.arange(self.layout_.lines), np.diff(self.layout_.starts)).tolist()
            self._places = list(zip(self.layout_.columns.tolist(), self._widths.tolist(), lines, strict=True))
            self._line_height = metrics.height() * LEADING
            self._unknown = unknown_words(frame)
            self._top = 0

    def _follow(self, line: int) -> None:
        """Keep a line in view, turning by pages that have a line in common."""
        room = self._lines_in_view
        if not self._top <= line < self._top + room:
            common = int(room > 1)
            self._top = line - common if line > self._top else line - room + 1 + common
        self._scroll(0)

    def _scroll(self, lines: int) -> None:
        if self.layout_ is not None:
            self._top = max(0, min(self._top + lines, self.layout_.lines - self._lines_in_view))

    def word_at(self, place: QPointF) -> int | None:
        """The word at a place of the picture."""
        if self.layout_ is None:
            return None
        return self.layout_.word_at(self._top + int(place.y() / self._line_height), int(place.x()))

    def place_of(self, word: int) -> QRectF:
        """Where a word is drawn."""
        height = self._line_height
        left, width, line = self._places[word]
        return QRectF(left, (line - self._top) * height + 1, width + GAP - 2, height - 3)

    def _room_of(self, word: int) -> QRect:
        """Where anything of a word is drawn, with its marks."""
        return self.place_of(word).toAlignedRect().adjusted(-3, -2, 3, 3)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        frame, layout = self._frame, self.layout_
        if frame is None or layout is None:
            return
        theme, colours = self._explorer.theme, table(frame.choices.colour_map)
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(theme.ground))
        strange = QFont(self.font())
        strange.setItalic(True)
        strange.setUnderline(True)
        middle = Qt.AlignmentFlag.AlignCenter
        wanted, height = event.region(), self._line_height
        above, below = (int((y + 3) / height) for y in (event.rect().top() - 6, event.rect().bottom()))
        first = int(layout.starts[min(self._top + max(0, above), layout.lines)])
        last = int(layout.starts[min(self._top + min(self._lines_in_view, below) + 1, layout.lines)])
        unread, dark, light = QColor(theme.dim), QColor(ON_LIGHT.hex), QColor(ON_DARK.hex)
        for word in range(first, min(last, len(self._codes))):
            if not wanted.intersects(self._room_of(word)):
                continue
            box = self.place_of(word)
            if word == frame.word:
                painter.fillRect(box, QColor(theme.pink))
                painter.setPen(QColor(theme.on_pink))
            elif self._read[word]:
                colour = colours[self._codes[word]].tolist()
                painter.fillRect(box, QColor(*colour))
                painter.setPen(dark if text_on(colour) is ON_LIGHT else light)
            else:
                painter.setPen(unread)
            if self._unknown[word]:
                painter.setFont(strange)
                painter.drawText(box, middle, self._surface[word])
                painter.setFont(self.font())
            else:
                painter.drawText(box, middle, self._surface[word])
        self._paint_marks(painter, theme, first, last)
        painter.end()

    def _paint_marks(self, painter: QPainter, theme: Theme, first: int, last: int) -> None:
        """Lines under words searched for; frames around brushed words, places where the same cells agree, and the
        word under the mouse."""
        for word in self._found:
            if first <= word < min(last, len(self._widths)):
                box = self.place_of(word)
                painter.fillRect(QRectF(box.left(), box.bottom() - 1, box.width(), 3), QColor(theme.warn))
        for begin, end, colour in self._boxes:
            painter.setPen(QColor(getattr(theme, colour)))
            for word in range(max(begin, first), min(end, last, len(self._widths))):
                box = self.place_of(word).adjusted(-2, 0, 1, 1)
                painter.drawLine(box.topLeft(), box.topRight())
                painter.drawLine(box.bottomLeft(), box.bottomRight())
                if word == begin:
                    painter.drawLine(box.topLeft(), box.bottomLeft())
                if word == end - 1:
                    painter.drawLine(box.topRight(), box.bottomRight())
        hovered = self._explorer.hovered
        if hovered is not None and first <= hovered < min(last, len(self._widths)):
            painter.setPen(QColor(theme.bright))
            painter.drawRect(self.place_of(hovered))

    # ---- the mouse -----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = self.word_at(event.position())
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        word = self.word_at(event.position())
        self._explorer.hover(word)
        if self._pressed is not None and word is not None and word != self._pressed:
            self._explorer.dragged = (min(word, self._pressed), max(word, self._pressed))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        self._explorer.dragged = None
        word = self.word_at(event.position())
        if word is None or pressed is None:
            return
        if word == pressed:
            self._explorer.look_at(word)
        else:
            self._explorer.brush(pressed, word)

    def leaveEvent(self, event: QEvent) -> None:
        self._explorer.hover(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._scroll(-1 if event.angleDelta().y() > 0 else 1)
        self._explorer.redraw()


class ReviewPanel(Panel):
    """The words, and above them P(positive), the verdict and what the colours mean."""

    name = "review"
    title = "1 Review"
    place = "top"
    every = 2

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self.words = Words(explorer)
        self.column.addWidget(self.words, 1)

    def show_frame(self, session: Session, frame: Frame) -> None:
        low, high = self.words.show_words(session, frame)
        snapshot, theme = frame.snapshot, self.theme
        probability = probability_at(session, frame)
        known = np.isfinite(probability)
        verdict = "–" if not known else "positive" if probability >= 0.5 else "negative"
        colour = theme.good if verdict == "positive" else theme.bad
        label = {True: "positive", False: "negative", None: "not told"}[snapshot.review.label]
        cell = frame.choices.selected
        whose = "mean of all cells" if cell is None else f"cell #{cell:03d}"
        reach = f" ({low:.2f} … {high:.2f})" if snapshot.time else ""
        parts = [
            f"P(positive) <b style='color:{colour}'>{number(probability)}</b>",
            f"network <b style='color:{colour}'>{verdict}</b>",
            f"writer <b>{label}</b>",
            f"<u><i>unknown</i></u> {snapshot.unknown} of {snapshot.words} words",
            f"colour: {frame.choices.signal}, {whose}{reach}",
        ]
        self.say("&nbsp;&nbsp;&nbsp; ".join(parts))

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        """Every word that is read and kept, what colours it, and P(positive) after it."""
        session = self.explorer.session
        assert session is not None
        frame = session.frame()
        time = frame.snapshot.time
        strengths, _, _ = word_strengths(session, frame, 0, time)
        probability = session.read("probability", 0, time)[:, 0]
        first = time - len(probability)
        words = np.array(frame.snapshot.review.words[first:time], dtype=object)
        headings = ["word", "text", frame.choices.signal, "probability"]
        return headings, np.column_stack([np.arange(first, time).astype(object), words, strengths[first:], probability])

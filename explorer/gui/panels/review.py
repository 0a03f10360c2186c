"""Panel 1: the words of the review coloured by the chosen signal, and the network's prediction."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.panels.readout_line import ReadoutLine
from explorer.gui.panels.sequence import SequenceBands
from explorer.gui.text import safe
from explorer.gui.theme import Theme, qcolor, table
from explorer.session.core import Frame
from explorer.session.palette import RGB, codes, text_on
from explorer.session.session import Session
from explorer.session.views.attribution import word_colours
from explorer.session.views.channels import Traces, meaning_line, output_lines, reads_steps, traces
from explorer.session.views.outputs import outputs_at
from explorer.session.views.readouts import review_rows
from explorer.session.views.runs import Line, Run, join
from explorer.session.views.tables import Table, words_table
from explorer.session.views.text_layout import TextLayout, lay_out, unknown_words
from explorer.session.views.traces import output_at

GAP = 6  # pixels between two words
CURSOR, UNREAD = -2, -1  # looks that are no colour-map code
LINE_SPACING = 1.45  # in font heights


class Words(QWidget):
    """The text, scrolled to the cursor. A click moves the cursor, a drag brushes words, the wheel scrolls."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self.layout_: TextLayout | None = None
        self._laid_out_for: tuple[object, ...] = ()
        self._shown: tuple[Any, ...] = ()
        self._top = 0
        self._pressed: int | None = None
        self._frame: Frame | None = None
        self._surface: list[str] = []
        self._widths: NDArray[np.float64] = np.empty(0)
        self._places: list[tuple[int, float, int]] = []  # left, width and line of each word
        self._line_height = QFontMetricsF(self.font()).height() * LINE_SPACING
        self._codes: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)
        self._read: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._unknown: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._looks: NDArray[np.int16] = np.empty(0, dtype=np.int16)  # of each word
        self._boxes: list[tuple[int, int, str]] = []
        self._found: set[int] = set()
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing below need be painted
        self.setMinimumSize(120, 24)

    def show_words(self, session: Session, frame: Frame) -> Line:
        """Draw a frame; return what the colours mean."""
        self._lay_out(frame)
        layout = self.layout_
        assert layout is not None
        if self._frame is None or frame.word != self._frame.word or frame.snapshot.run != self._frame.snapshot.run:
            self._follow(layout.line(max(0, frame.word)))
        self._frame = frame
        attribution = session.attribution.result(frame)
        strengths, low, high, meaning = word_colours(session, frame, attribution, 0, frame.snapshot.words)
        self._codes, self._read = codes(strengths, low, high), np.isfinite(strengths)
        self._found = session.word_search.marked(frame.snapshot)
        brushed, pattern, dragged = session.brush.words, session.brush.pattern, self._host.dragged
        self._boxes = [(a, b, "good") for a, b in (pattern.places if pattern is not None else ())]
        if dragged is not None:
            self._boxes.append((dragged[0], dragged[1] + 1, "pink"))
        elif brushed:
            self._boxes.append((brushed.start, brushed.stop, "pink"))
        shown = (
            frame.snapshot.run, self._boxes, self._found, self._top, self._host.hovered, frame.choices.colour_map,
            self._host.theme.name, self.size(),
        )  # fmt: skip
        looks = self._codes.astype(np.int16)  # np.where would let UNREAD wrap around to code 255
        looks[~self._read] = UNREAD
        if frame.word >= 0:
            looks[frame.word] = CURSOR
        if shown != self._shown or len(looks) != len(self._looks):
            self.update()
        else:
            for word in np.flatnonzero(looks != self._looks).tolist():
                self.update(self._area_of(word))
        self._shown, self._looks = shown, looks
        return meaning

    # ---- layout --------------------------------------------------------------------------------------------------

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
            self._line_height = metrics.height() * LINE_SPACING
            self._unknown = unknown_words(frame)
            self._top = 0

    def _follow(self, line: int) -> None:
        """Scroll so that a line is visible, by pages that overlap by one line."""
        room = self._lines_in_view
        if not self._top <= line < self._top + room:
            common = int(room > 1)
            self._top = line - common if line > self._top else line - room + 1 + common
        self._scroll(0)

    def _scroll(self, lines: int) -> None:
        if self.layout_ is not None:
            self._top = max(0, min(self._top + lines, self.layout_.lines - self._lines_in_view))

    def word_at(self, place: QPointF) -> int | None:
        """Return the word at a position of the widget."""
        if self.layout_ is None:
            return None
        return self.layout_.word_at(self._top + int(place.y() / self._line_height), int(place.x()))

    def place_of(self, word: int) -> QRectF:
        """Return the rectangle of a word."""
        height = self._line_height
        left, width, line = self._places[word]
        return QRectF(left, (line - self._top) * height + 1, width + GAP - 2, height - 3)

    def _area_of(self, word: int) -> QRect:
        """Return the rectangle of a word and its marks."""
        return self.place_of(word).toAlignedRect().adjusted(-3, -2, 3, 3)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        frame, layout = self._frame, self.layout_
        if frame is None or layout is None:
            return
        theme, colours = self._host.theme, table(frame.choices.colour_map)
        painter = QPainter(self)
        painter.fillRect(event.rect(), qcolor(theme.ground))
        unknown_font = QFont(self.font())
        unknown_font.setItalic(True)
        unknown_font.setUnderline(True)
        middle = Qt.AlignmentFlag.AlignCenter
        region, height = event.region(), self._line_height
        above, below = (int((y + 3) / height) for y in (event.rect().top() - 6, event.rect().bottom()))
        first = int(layout.starts[min(self._top + max(0, above), layout.lines)])
        last = int(layout.starts[min(self._top + min(self._lines_in_view, below) + 1, layout.lines)])
        unread = qcolor(theme.dim)
        for word in range(first, min(last, len(self._codes))):
            if not region.intersects(self._area_of(word)):
                continue
            box = self.place_of(word)
            if word == frame.word:
                painter.fillRect(box, qcolor(theme.pink))
                painter.setPen(qcolor(theme.on_pink))
            elif self._read[word]:
                colour = RGB(*colours[self._codes[word]].tolist())
                painter.fillRect(box, qcolor(colour))
                painter.setPen(qcolor(text_on(colour)))
            else:
                painter.setPen(unread)
            if self._unknown[word]:
                painter.setFont(unknown_font)
                painter.drawText(box, middle, self._surface[word])
                painter.setFont(self.font())
            else:
                painter.drawText(box, middle, self._surface[word])
        self._paint_marks(painter, theme, first, last)
        painter.end()

    def _paint_marks(self, painter: QPainter, theme: Theme, first: int, last: int) -> None:
        """Underline search hits; frame brushed words, matches of their pattern, and the word under the mouse."""
        for word in self._found:
            if first <= word < min(last, len(self._widths)):
                box = self.place_of(word)
                painter.fillRect(QRectF(box.left(), box.bottom() - 1, box.width(), 3), qcolor(theme.found))
        for begin, end, colour in self._boxes:
            painter.setPen(qcolor(getattr(theme, colour)))
            for word in range(max(begin, first), min(end, last, len(self._widths))):
                box = self.place_of(word).adjusted(-2, 0, 1, 1)
                painter.drawLine(box.topLeft(), box.topRight())
                painter.drawLine(box.bottomLeft(), box.bottomRight())
                if word == begin:
                    painter.drawLine(box.topLeft(), box.bottomLeft())
                if word == end - 1:
                    painter.drawLine(box.topRight(), box.bottomRight())
        hovered = self._host.hovered
        if hovered is not None and first <= hovered < min(last, len(self._widths)):
            painter.setPen(qcolor(theme.bright))
            painter.drawRect(self.place_of(hovered))

    # ---- the mouse -----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = self.word_at(event.position())
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        word = self.word_at(event.position())
        self._host.hover(word)
        if self._pressed is not None and word is not None and word != self._pressed:
            self._host.dragged = (min(word, self._pressed), max(word, self._pressed))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        self._host.dragged = None
        word = self.word_at(event.position())
        if word is None or pressed is None:
            return
        if word == pressed:
            self._host.look_at(word)
        else:
            self._host.brush(pressed, word)

    def leaveEvent(self, event: QEvent) -> None:
        self._host.hover(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._scroll(-1 if event.angleDelta().y() > 0 else 1)
        self._host.redraw()


class ReviewPanel(Panel):
    """The text; the readout line shows the output, prediction, label, and what the colours mean."""

    name = "review"
    title = "1 Review"
    place = "top"
    every = 2
    _traces: Traces

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.words = Words(host)
        self.brushed = ReadoutLine(2)
        self.brushed.hide()
        self.bands: SequenceBands | None = None  # instead of the words, once there is a sequence of vectors
        self.column.addWidget(self.words, 1)
        self.column.addWidget(self.brushed)

    def show_frame(self, session: Session, frame: Frame) -> None:
        steps = reads_steps(frame)
        self.words.setVisible(not steps)
        if self.bands is not None:
            self.bands.setVisible(steps)
        if steps:
            self._show_steps(session, frame)
        else:
            self._show_words(session, frame)
        if self.changed("brushed", session.brush.summary, self.theme.name):
            self.brushed.setVisible(bool(session.brush.summary))
            pieces = re.split("(?<=[:,]) ", session.brush.summary)  # where the line may break
            self.brushed.set_line(join((Run(piece, "accent"),) for piece in pieces))
            self.brushed.apply_theme(self.theme)

    def _show_steps(self, session: Session, frame: Frame) -> None:
        """Draw the inputs, outputs and targets of a sequence of vectors."""
        if self.bands is None:
            self.bands = SequenceBands(self, self.host)
            self.bands.apply_theme(self.theme)
            self.column.insertWidget(1, self.bands, 1)
        snapshot = frame.snapshot
        if changed := self.changed("traces", snapshot.run, snapshot.time, snapshot.review, self.theme.name):
            self._traces = traces(session, frame)
        self.bands.show_traces(session, frame, self._traces, changed=changed)
        self.set_readout(join((*output_lines(self._traces, frame.word), meaning_line(self._traces))))

    def _show_words(self, session: Session, frame: Frame) -> None:
        colours = self.words.show_words(session, frame)
        rows = review_rows(frame, output_at(session, frame), outputs=outputs_at(session, frame))
        parts = ((Run(f"{row.label} "), *row.line) for row in rows)
        self.set_readout(join((*parts, colours)))

    def paint_theme(self, theme: Theme) -> None:
        if self.bands is not None:
            self.bands.apply_theme(theme)

    def export_table(self) -> Table:
        session = self.host.session
        assert session is not None
        return words_table(session, session.frame())

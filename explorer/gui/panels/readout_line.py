"""A line or two of text in roles above a plot, painted directly: Qt's rich text takes a millisecond for each change."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.gui.theme import DARK, Theme, qcolor, role_colour
from explorer.session.palette import LOOKS, Role
from explorer.session.views.runs import GAP, Line, Run, join, plain

LEFT, TOP = 4, 2  # pixels
ELLIPSIS = "…"


class ReadoutLine(QWidget):
    """A line of runs, which may take several ``rows``: it breaks where its parts are joined.

    Its width is the layout's; a line that does not fit ends in … and is the tooltip.
    """

    def __init__(self, rows: int = 1) -> None:
        super().__init__()
        self._rows = rows
        self._fitted: list[Line] = []
        self._line: Line = ()
        self._theme: Theme = DARK
        self._fonts: dict[tuple[bool, bool], tuple[QFont, QFontMetricsF]] = {}
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing behind it is painted
        self.setFixedHeight(rows * self.fontMetrics().height() + 4)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def line(self) -> Line:
        """The runs that are shown."""
        return self._line

    def text(self) -> str:
        """Return the text without roles."""
        return plain(self._line)

    def visible_text(self) -> str:
        """Return the text as far as it fits, its rows joined by line feeds, with its ellipsis."""
        return "\n".join(plain(row) for row in self._fitting_rows())

    def set_line(self, line: Line) -> None:
        """Show other runs."""
        self._line = line
        self._fitted = []
        self._set_tooltip()
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Set the colours."""
        self._theme = theme
        self._fonts.clear()  # the style sheet may have changed the font
        self._fitted = []
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fitted = []
        self._set_tooltip()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), qcolor(self._theme.ground))
        for number, runs in enumerate(self._fitting_rows()):
            ascent = max((self._font(run.role)[1].ascent() for run in runs), default=0.0)
            x, y = float(LEFT), TOP + number * self.fontMetrics().height() + ascent
            for run in runs:
                font, metrics = self._font(run.role)
                painter.setFont(font)
                painter.setPen(role_colour(self._theme, run.role))
                painter.drawText(QPointF(x, y), run.text)
                x += metrics.horizontalAdvance(run.text)
        painter.end()

    def _fitting_rows(self) -> list[Line]:
        """The rows that are shown, computed once; the last one is cut with an ellipsis if not all fits."""
        if not self._fitted:
            self._fitted = self._fit()
        return self._fitted

    def _fit(self) -> list[Line]:
        room, rest = self.width() - 2.0 * LEFT, self._line
        rows: list[Line] = []
        while len(rows) < self._rows - 1 and self._width(rest) > room:
            parts = _parts(rest)
            fitting = [n for n in range(1, len(parts)) if self._width(join(parts[:n])) <= room]
            if not fitting:
                break
            rows.append(join(parts[: fitting[-1]]))
            rest = join(parts[fitting[-1] :])
        return [*rows, self._fitting(rest)]

    def _fitting(self, line: Line) -> Line:
        """The runs of a row that fit, the last one cut with an ellipsis if not all do."""
        room = self.width() - 2.0 * LEFT
        widths = [self._font(run.role)[1].horizontalAdvance(run.text) for run in line]
        if sum(widths) <= room:
            return line
        fitting: list[Run] = []
        for run, width in zip(line, widths, strict=True):
            metrics = self._font(run.role)[1]
            if width + metrics.horizontalAdvance(ELLIPSIS) > room:
                return (*fitting, Run(metrics.elidedText(run.text, Qt.TextElideMode.ElideRight, room), run.role))
            fitting.append(run)
            room -= width
        return tuple(fitting)

    def _width(self, line: Line) -> float:
        return sum(self._font(run.role)[1].horizontalAdvance(run.text) for run in line)

    def _set_tooltip(self) -> None:
        self.setToolTip(self.text() if ELLIPSIS in self.visible_text() else "")

    def _font(self, role: Role) -> tuple[QFont, QFontMetricsF]:
        look = LOOKS[role]
        key = look.bold, look.marked
        if key not in self._fonts:
            font = QFont(self.font())
            font.setBold(look.bold)
            font.setItalic(look.marked)
            font.setUnderline(look.marked)
            self._fonts[key] = font, QFontMetricsF(font)
        return self._fonts[key]


def _parts(line: Line) -> list[Line]:
    """Return the parts that `explorer.session.views.runs.join` joined."""
    parts: list[list[Run]] = [[]]
    for run in line:
        if run.text == GAP:
            parts.append([])
        else:
            parts[-1].append(run)
    return [tuple(part) for part in parts]

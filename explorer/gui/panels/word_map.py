"""The word map: where every word would lead if it were repeated for ever, with as many labels as have room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu

from explorer.gui.panels.fixed_points import brushes, nothing
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.marks import PAD, Labels, Spots
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.picking import nearest
from explorer.session.views.point_map import PointMap
from explorer.session.views.word_map import AXES, WordMap, thinned, word_map

if TYPE_CHECKING:
    from explorer.gui.window import Window

REACH = 12.0  # pixels: a word that is farther from the mouse is not meant
CLOSE = 6.0  # how many times closer a word that was searched for is looked at
NOWHERE = np.empty((0, 2))


class WordsView(pg.ViewBox):  # type: ignore[misc]
    """A drag moves, the wheel zooms, a click selects."""

    def __init__(self, panel: WordMapPanel) -> None:
        super().__init__(enableMenu=False)
        self._panel = panel
        self.disableAutoRange()

    def mouseClickEvent(self, event: Any) -> None:
        event.accept()
        if event.button() == Qt.MouseButton.RightButton:
            self._panel.menu().exec(event.screenPos().toPoint())
        elif event.double():
            self._panel.whole()
        else:
            self._panel.click(self.mapToView(event.pos()))


class WordMapPanel(Panel):
    """Words as dots, coloured as the points are; the selection is that of the points."""

    name: ClassVar[str] = "word-map"
    title: ClassVar[str] = "7 Word map"
    every: ClassVar[int] = 6

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self._words: WordMap | None = None
        self._of: tuple[PointMap, str] | None = None  # what the words were taken from
        self.axes = QComboBox()
        self.axes.addItems(list(AXES))
        self.search = QLineEdit()
        self.search.setPlaceholderText("find a word")
        self.search.setClearButtonEnabled(True)
        row = QHBoxLayout()
        row.addWidget(self.search)
        row.addWidget(self.axes)
        self.column.addLayout(row)
        self.view = WordsView(self)
        self.picture = self.plot(view=self.view, x=" ", y=" ")
        self._cloud, self._ring = Spots(size=5, pen=None), Spots(size=15)
        self._labels, self._chosen, self._told = Labels(), Labels(12), Labels(12)
        for item in (self._cloud, self._labels, self._ring, self._chosen, self._told):
            self.view.addItem(item, ignoreBounds=True)
        self.column.addWidget(self.picture)
        self.axes.currentTextChanged.connect(lambda _: explorer.redraw())
        self.search.textEdited.connect(self.look_for)
        self.search.returnPressed.connect(lambda: self.look_for(self.search.text()))
        self.view.sigRangeChanged.connect(lambda *_: self._label())
        self.view.sigResized.connect(lambda *_: self._label())
        self.picture.scene().sigMouseMoved.connect(self._hover)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        session.fixed_points.request(frame)
        map, theme, view = session.fixed_points.map, self.theme, session.fixed_points.view
        if map is None or map.found.words is None:
            self._words = self._of = None
            self.say(nothing(session, theme))
            for spots in (self._cloud, self._ring):
                spots.clear()
            for labels in (self._labels, self._chosen, self._told):
                labels.write(NOWHERE, [])
            self.forget()
            return
        if self._of != (map, self.axes.currentText()):
            self._of = map, self.axes.currentText()
            self._words = word_map(*self._of)
            self._name_axes()
            self.whole()
        words = self._words
        assert words is not None
        if self.fresh("cloud", words.places, view.colour, theme):
            palette = brushes(view.colour, theme)
            colours = map.colours(view.colour)[words.first :].tolist()
            self._cloud.setData(pos=words.places, brush=[palette[code] for code in colours])
            self._label()
        chosen = None if view.selected is None or view.selected < words.first else view.selected - words.first
        if self.fresh("chosen", chosen, words.places, theme):
            places = words.places[[] if chosen is None else [chosen]]
            self._ring.setData(pos=places, symbol="o", brush=None, pen=pg.mkPen(theme.bright, width=2))
            self._chosen.write(places, [] if chosen is None else [words.words[chosen]])
        self.say(f"{len(words.words):,} words repeated for ever, by {view.colour}")

    def _name_axes(self) -> None:
        assert self._words is not None
        item = self.picture.getPlotItem()
        for side, label in zip(("bottom", "left"), self._words.labels, strict=True):
            item.setLabel(side, label)
        item.getAxis("left").setLogMode(self.axes.currentText() != AXES[0])

    def _label(self) -> None:
        """Write the labels that have room."""
        words = self._words
        if words is None:
            return
        metrics = QFontMetricsF(self.picture.font())
        if self.fresh("widths", words):
            self._widths = np.array([metrics.horizontalAdvance(word) for word in words.words]) + 2 * PAD
        seen, (across, up) = self.view.viewRect(), self.view.viewPixelSize()
        pixels = (words.places - (seen.left(), seen.bottom())) * (1 / across, -1 / up)
        size = self.view.width(), self.view.height()
        shown = thinned(pixels, self._widths, words.importance, size, metrics.height())
        self._labels.write(words.places[shown], [words.words[k] for k in shown])

    def whole(self) -> None:
        """All words."""
        if self._words is not None and len(self._words.words):
            low, high = self._words.places.min(axis=0), self._words.places.max(axis=0)
            self.view.setRange(xRange=(low[0], high[0]), yRange=(low[1], high[1]), padding=0.06)

    def paint_theme(self, theme: Theme) -> None:
        self._labels.apply_theme(theme.text, theme.ground, 0.75)
        self._chosen.apply_theme(theme.bright, theme.selected)
        self._told.apply_theme(theme.text, theme.raised)

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        headings = ["word", "x", "y", "logit", "slowest_tau_words"]
        words, session = self._words, self.explorer.session
        if words is None or session is None or session.fixed_points.map is None:
            return headings, np.empty((0, len(headings)), dtype=object)
        memory = session.fixed_points.map.memory[words.first :]
        columns = (words.words, *words.places.T.tolist(), words.logit.tolist(), memory.tolist())
        return headings, np.array(list(zip(*columns, strict=True)), dtype=object)

    # ---- finding and choosing ------------------------------------------------------------------------------------

    def look_for(self, text: str) -> None:
        """Select the word that is searched for, and look at it closely."""
        words = self._words
        found = None if words is None else words.find(text)
        if words is None or found is None:
            return
        low, high = words.places.min(axis=0), words.places.max(axis=0)
        (x, y), (across, up) = words.places[found], (high - low) / 2 / CLOSE
        self.view.setRange(xRange=(x - across, x + across), yRange=(y - up, y + up), padding=0)
        self._select(found)

    def click(self, place: QPointF) -> None:
        """Select the word under a place, or let go."""
        self._select(self._under(place))

    def menu(self) -> QMenu:
        """What can be done here."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("All words", self.whole)
        menu.addAction("Let go of what is selected", lambda: self.explorer.perform("deselect"))
        self.explorer.offer(menu, self)
        return menu

    def _select(self, word: int | None) -> None:
        session, words = self.explorer.session, self._words
        if session is not None and words is not None:
            session.fixed_points.select(None if word is None else word + words.first)
            self.explorer.redraw()

    def _under(self, place: QPointF) -> int | None:
        words = self._words
        here = place.x(), place.y()
        return None if words is None else nearest(words.places, here, self.view.viewPixelSize(), REACH)

    def _hover(self, place: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(place)
        found = self._under(self.view.mapSceneToView(place)) if inside else None
        words, session = self._words, self.explorer.session
        if found is None or words is None or session is None or session.fixed_points.map is None:
            self._told.write(NOWHERE, [])
        else:
            memory = session.fixed_points.map.memory[words.first + found]
            told = f"{words.words[found]}   logit {number(words.logit[found])}   slowest τ {memory:,.0f} words"
            self._told.write(words.places[found : found + 1], [told])

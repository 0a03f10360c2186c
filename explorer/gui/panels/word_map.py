"""Panel 7, the word map: where the network goes when a word is repeated forever, with the labels that fit."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu

from explorer.gui.host import Host
from explorer.gui.panels.fixed_points import brushes
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.marks import PAD, Labels, Spots
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.picking import nearest
from explorer.session.views.point_map import PointMap
from explorer.session.views.point_readouts import entry_line, no_points_line, word_map_line
from explorer.session.views.runs import plain
from explorer.session.views.tables import Table, word_map_table
from explorer.session.views.word_map import AXES, WordMap, placed_labels, word_kinds, word_map

REACH = 12.0  # pixels around a word in which the mouse points at it
SEARCH_ZOOM = 6.0  # factor by which a search zooms in on a word
NOWHERE = np.empty((0, 2))


class WordsView(pg.ViewBox):  # type: ignore[misc]
    """A drag pans, the wheel zooms, a click selects."""

    def __init__(self, panel: WordMapPanel) -> None:
        super().__init__(enableMenu=False)
        self._panel = panel
        self.disableAutoRange()

    def mouseClickEvent(self, event: Any) -> None:
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton:
            return  # the panel opens its menu
        if event.double():
            self._panel.reset_zoom()
        else:
            self._panel.click(self.mapToView(event.pos()))


class WordMapPanel(Panel):
    """Words as dots in the colours of the fixed points panel; both panels share one selection."""

    name: ClassVar[str] = "word-map"
    title: ClassVar[str] = "7 Word map"
    every: ClassVar[int] = 6
    needs: ClassVar[str] = "focus-word-map"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._words: WordMap | None = None
        self._source: tuple[PointMap, str] | None = None  # the map and the axes that are drawn
        self.axes = QComboBox()
        self.axes.addItems(list(AXES))
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a word")
        self.search.setClearButtonEnabled(True)
        row = QHBoxLayout()
        row.addWidget(self.search)
        row.addWidget(self.axes)
        self.column.addLayout(row)
        self.view = WordsView(self)
        self.picture = self.plot(view=self.view, x=" ", y=" ")
        self._cloud, self._ring = Spots(size=5, pen=None), Spots(size=15)
        self._labels, self._chosen, self._tip = Labels(), Labels(12), Labels(12)
        for item in (self._cloud, self._labels, self._ring, self._chosen, self._tip):
            self.view.addItem(item, ignoreBounds=True)
        self.column.addWidget(self.picture)
        self.axes.currentTextChanged.connect(lambda _: host.redraw())
        self.search.textEdited.connect(self.look_for)
        self.search.returnPressed.connect(lambda: self.look_for(self.search.text()))
        self.view.sigRangeChanged.connect(lambda *_: self._label())
        self.view.sigResized.connect(lambda *_: self._label())
        self.picture.scene().sigMouseMoved.connect(self._hover)
        self.picture.mouse_left.connect(lambda: self._tip.write(NOWHERE, []))

    # ---- drawing -------------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        points, theme, view = session.fixed_points, self.theme, session.fixed_points.view
        points.request(frame)
        found = points.point_map
        if found is None or found.found.words is None:
            self._words = self._source = None
            self.set_readout(no_points_line(points.search.progress, session.replaying))
            for spots in (self._cloud, self._ring):
                spots.clear()
            for labels in (self._labels, self._chosen, self._tip):
                labels.write(NOWHERE, [])
            self.invalidate()
            return
        if self._source != (found, self.axes.currentText()):
            self._source = found, self.axes.currentText()
            self._words = word_map(*self._source)
            self._name_axes()
            self.reset_zoom()
        words = self._words
        assert words is not None
        if self.changed("cloud", words.places, view.colour, theme):
            palette = brushes(view.colour, theme)
            colours = found.colours(view.colour)[words.first :].tolist()
            shown = np.flatnonzero(np.isfinite(words.places[:, 1]))
            brush = [palette[colours[word]] for word in shown.tolist()]
            self._cloud.setData(pos=words.places[shown], brush=brush)
            self._label()
        chosen = None if view.selected is None or view.selected < words.first else view.selected - words.first
        if chosen is not None and np.isnan(words.places[chosen]).any():
            chosen = None
        if self.changed("chosen", chosen, words.places, theme):
            places = words.places[[] if chosen is None else [chosen]]
            self._ring.setData(pos=places, symbol="o", brush=None, pen=pg.mkPen(theme.bright, width=2))
            self._chosen.write(places, [] if chosen is None else [words.words[chosen]])
        self.set_readout(word_map_line(len(words.words), view.colour, word_kinds(found), words.hidden))

    def _name_axes(self) -> None:
        assert self._words is not None
        item = self.picture.getPlotItem()
        for side, label in zip(("bottom", "left"), self._words.labels, strict=True):
            item.setLabel(side, label)
        item.getAxis("left").setLogMode(self.axes.currentText() != AXES[0])

    def _label(self) -> None:
        """Write the labels that fit."""
        words = self._words
        if words is None or not self.view.width() or not self.view.height():
            return
        metrics = QFontMetricsF(self.picture.font())
        if self.changed("widths", words):
            self._widths = np.array([metrics.horizontalAdvance(word) for word in words.words]) + 2 * PAD
        seen, (across, up) = self.view.viewRect(), self.view.viewPixelSize()
        pixels = (words.places - (seen.left(), seen.bottom())) * (1 / across, -1 / up)
        size = self.view.width(), self.view.height()
        shown = placed_labels(pixels, self._widths, words.by_logit, size, metrics.height())
        self._labels.write(words.places[shown], [words.words[k] for k in shown])

    def reset_zoom(self) -> None:
        """Show all words."""
        if self._words is not None and len(self._words.words) > self._words.hidden:
            low, high = np.nanmin(self._words.places, axis=0), np.nanmax(self._words.places, axis=0)
            self.view.setRange(xRange=(low[0], high[0]), yRange=(low[1], high[1]), padding=0.06)

    def paint_theme(self, theme: Theme) -> None:
        self._labels.apply_theme(theme.text, theme.ground, 0.75)
        self._chosen.apply_theme(theme.bright, theme.selected)
        self._tip.apply_theme(theme.text, theme.raised)

    def export_table(self) -> Table:
        return word_map_table(None if self._source is None else self._source[0])

    # ---- searching and selecting ---------------------------------------------------------------------------------

    def look_for(self, text: str) -> None:
        """Select the word that matches, and zoom in on it."""
        words = self._words
        found = None if words is None else words.find(text)
        if words is None or found is None:
            return
        if np.isnan(words.places[found]).any():  # it has no time constant
            self._select(found)
            return
        low, high = np.nanmin(words.places, axis=0), np.nanmax(words.places, axis=0)
        (x, y), (across, up) = words.places[found], (high - low) / 2 / SEARCH_ZOOM
        self.view.setRange(xRange=(x - across, x + across), yRange=(y - up, y + up), padding=0)
        self._select(found)

    def click(self, place: QPointF) -> None:
        """Select the word at a place, or deselect."""
        self._select(self._word_at(place))

    def add_menu_items(self, menu: QMenu, place: QPoint) -> None:
        menu.addAction("Show all words", self.reset_zoom)
        menu.addAction("Deselect", lambda: self.host.perform("deselect"))

    def _select(self, word: int | None) -> None:
        session, words = self.host.session, self._words
        if session is not None and words is not None:
            session.fixed_points.select(None if word is None else word + words.first)
            self.host.redraw()

    def _word_at(self, place: QPointF) -> int | None:
        words = self._words
        here = place.x(), place.y()
        return None if words is None else nearest(words.places, here, self.view.viewPixelSize(), REACH)

    def _hover(self, place: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(place)
        found = self._word_at(self.view.mapSceneToView(place)) if inside else None
        words, session = self._words, self.host.session
        if found is None or words is None or session is None or session.fixed_points.point_map is None:
            self._tip.write(NOWHERE, [])
        else:
            entry = plain(entry_line(session.fixed_points.point_map, words.first + found))
            self._tip.write(words.places[found : found + 1], [entry])

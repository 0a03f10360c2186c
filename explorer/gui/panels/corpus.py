"""β of every review in the corpus: histograms, a scatter plot of h against x, and a list."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QSplitter

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.panels.reviews_list import TableView
from explorer.gui.plots.marks import Labels, Spots
from explorer.gui.text import safe
from explorer.gui.theme import Theme, qcolor
from explorer.session.controllers.corpus import ORDERS, RANGE, Entry, Histogram
from explorer.session.core import Frame
from explorer.session.corpus_job import SIGNALS
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.outputs import POSITIVE, Output, output_of
from explorer.session.views.picking import nearest
from explorer.session.views.readouts import clamps_line, corpus_line, histogram_line
from explorer.session.views.runs import join, plain
from explorer.session.views.tables import Table, corpus_table

BINS = 60
REACH = 9.0  # pixels around a dot in which the mouse points at it
GROWTH = 1.05  # the scatter plot is redrawn when it has grown by this factor: at every batch would be too slow
NOWHERE = np.empty((0, 2))
HEADINGS = ("#", "name", "β h", "β x", "words", "P", "label", "error", "confidence")
SORTS = {"β h": ORDERS[0], "β x": ORDERS[1], "words": ORDERS[2], "confidence": ORDERS[3], "error": ORDERS[4]}


class ClickView(pg.ViewBox):  # type: ignore[misc]
    """A view that reports clicks; ``free``: the wheel zooms and a drag pans."""

    def __init__(self, click: Any, *, free: bool) -> None:
        super().__init__(enableMenu=False)
        self._click = click
        self.setMouseEnabled(x=free, y=free)
        self.disableAutoRange()

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self._click(self.mapToView(event.pos()))


class Bars:
    """The histogram of one signal, intervals of white and pink noise, and the open review; a click filters the list."""

    def __init__(self, panel: CorpusPanel, signal: str) -> None:
        self.signal = signal
        self.view = ClickView(lambda place: panel.narrow(signal, place.x()), free=False)
        self.picture = panel.plot(view=self.view, x=f"β of Σ{signal}", y="reviews")
        self.view.setXRange(*RANGE, padding=0)
        self._bands = [pg.LinearRegionItem(movable=False, pen=None) for _ in range(2)]
        self._bars = pg.BarGraphItem(x=[], height=[], width=1, pen=None)
        self._open_review = pg.InfiniteLine(angle=90)
        for item in (*self._bands, self._bars, self._open_review):
            self.view.addItem(item, ignoreBounds=True)
        for band in self._bands:
            band.setZValue(-10)
            band.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show(self, panel: CorpusPanel, session: Session, frame: Frame) -> Histogram:
        """Draw the reviews measured so far."""
        seen, theme = session.corpus.histogram(frame, self.signal, BINS), panel.theme
        if panel.changed(f"bars {self.signal}", seen.counts, seen.chosen, theme):
            colours = [theme.pink if k == seen.chosen else theme.good for k in range(BINS)]
            width = seen.edges[1] - seen.edges[0]
            centres = (seen.edges[:-1] + seen.edges[1:]) / 2
            self._bars.setOpts(x=centres, height=seen.counts, width=0.92 * width, brushes=colours)
            self.view.setYRange(0, max(1, int(seen.counts.max())) * 1.05, padding=0)
        self._open_review.setVisible(bool(np.isfinite(seen.beta)))
        if np.isfinite(seen.beta):
            self._open_review.setPos(float(np.clip(seen.beta, *RANGE)))
        noise = session.corpus.band(frame)
        for band, ends in zip(self._bands, () if noise is None else (noise.white, noise.pink), strict=False):
            band.setRegion(ends)
        for band in self._bands:
            band.setVisible(noise is not None)
        return seen

    def apply_theme(self, theme: Theme) -> None:
        """Set the colours."""
        for band, colour in zip(self._bands, (theme.white_band, theme.pink_band), strict=True):
            band.setBrush(qcolor(colour))
            for line in band.lines:
                line.setPen(colour)
        self._open_review.setPen(pg.mkPen(theme.bright, width=2))


class ListModel(QAbstractTableModel):
    """The listed reviews in the session's order; rows are formatted when they come into view."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._shown: tuple[Session, Frame] | None = None
        self.highlight = QColor()

    def set_frame(self, session: Session, frame: Frame) -> None:
        """Show the list of a frame."""
        rows = session.corpus.listed(frame)
        self._shown = session, frame
        if rows is not self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
        elif len(rows):
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(HEADINGS) - 1))

    def row_texts(self, row: int) -> tuple[str, ...]:
        """Return the texts of one row."""
        seen = self.entry(row)
        label = {True: "+", False: "−", None: ""}[seen.label]
        return (
            f"{'▸' if seen.watched else ''}{seen.index + 1}", safe(seen.name, 60), *map(number, seen.beta),
            f"{seen.words:,}", number(seen.output), label, number(seen.error), number(seen.confidence),
        )  # fmt: skip

    @property
    def output(self) -> Output:
        """First output of the network."""
        return POSITIVE if self._shown is None else output_of(self._shown[1].snapshot.network)

    def is_measured(self, row: int) -> bool:
        """Return whether a row has numbers; it has none when a new measurement has begun since the last frame."""
        return self._shown is not None and self._rows[row] < len(self._shown[0].corpus.rows(self._shown[1]))

    def review(self, row: int) -> int:
        """Return the index of the review in a row."""
        return self.entry(row).index

    def entry(self, row: int) -> Entry:
        """Return what was measured of the review in a row."""
        assert self._shown is not None
        session, frame = self._shown
        return session.corpus.entry(frame, int(self._rows[row]))

    def rowCount(self, parent: Any = None) -> int:
        return len(self._rows)

    def columnCount(self, parent: Any = None) -> int:
        return len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        arrow = ""
        if self._shown is not None and SORTS.get(HEADINGS[section]) == self._shown[0].corpus.order:
            arrow = " ▾" if self._shown[0].corpus.falling else " ▴"
        return (
            self.output.short if HEADINGS[section] == "P" and not self.output.positive else HEADINGS[section]
        ) + arrow

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not self.is_measured(index.row()):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.row_texts(index.row())[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() != 1:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole and self.row_texts(index.row())[0].startswith("▸"):
            return self.highlight
        return None


class CorpusPanel(Panel):
    """Histograms, scatter plot and list. A click on a bar filters the list, one on a dot opens a review."""

    name: ClassVar[str] = "corpus"
    title: ClassVar[str] = "Corpus"
    place: ClassVar[Any] = "middle"
    every: ClassVar[int] = 12
    needs: ClassVar[str] = "corpus"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._beta, self._reviews = NOWHERE, np.empty(0, dtype=np.intp)
        self.bars = [Bars(self, signal) for signal in SIGNALS]
        self.view = ClickView(self._open_at, free=True)
        self.picture = self.plot(view=self.view, x="β of Σx", y="β of Σh")
        self.view.setRange(xRange=RANGE, yRange=RANGE, padding=0)
        self._equal = pg.InfiniteLine(QPointF(0, 0), angle=45)
        self._dots = Spots(size=4, pen=None)
        self._watched = Spots(size=13, symbol="d")
        self._tip = Labels(10)
        for item in (self._equal, self._dots, self._watched, self._tip):
            self.view.addItem(item, ignoreBounds=True)
        self.model = ListModel()
        self.table = TableView(self._open_current)
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(20)
        header = self.table.horizontalHeader()
        header.setDefaultSectionSize(62)
        header.setSectionResizeMode(HEADINGS.index("name"), QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(HEADINGS.index("confidence"), 90)
        header.sectionClicked.connect(self._sort)
        self.table.doubleClicked.connect(lambda _: self._open_current())
        left, top, whole = QSplitter(Qt.Orientation.Vertical), QSplitter(), QSplitter(Qt.Orientation.Vertical)
        for bars in self.bars:
            left.addWidget(bars.picture)
        top.addWidget(left)
        top.addWidget(self.picture)
        whole.addWidget(top)
        whole.addWidget(self.table)
        whole.setSizes([300, 120])
        self.column.addWidget(whole)
        self.picture.scene().sigMouseMoved.connect(self._hover)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        corpus, theme = session.corpus, self.theme
        corpus.request(frame)
        rows = corpus.rows(frame)
        seen = [bars.show(self, session, frame) for bars in self.bars]
        beta, reviews = corpus.scatter(frame)
        done = len(rows) == corpus.total or bool(corpus.trouble)
        if not len(self._beta) <= len(beta) <= len(self._beta) * GROWTH or (done and len(beta) != len(self._beta)):
            self.invalidate("dots")
        if self.changed("dots", theme):
            self._beta, self._reviews = beta, reviews
            self._dots.setData(pos=beta, brush=qcolor(theme.good, 140))
        place = np.array([[seen[1].beta, seen[0].beta]])
        if self.changed("watched", place, theme):
            there = place[np.isfinite(place).all(axis=1)]
            self._watched.setData(pos=there, brush=theme.pink, pen=theme.ground)
        if self.changed("list", len(rows), frame.snapshot.index, frame.snapshot.network, corpus.narrowed,
                      corpus.order, corpus.falling, theme):  # fmt: skip
            self.model.set_frame(session, frame)
        shown = seen[0]
        listed = None
        if corpus.narrowed is not None:
            listed = (self.model.rowCount(), *corpus.narrowed)
        line = corpus_line(
            len(rows),
            corpus.total,
            missing=shown.missing,
            changes=plain(clamps_line(frame.snapshot)),
            listed=listed,
            error=corpus.trouble or corpus.notice,
            summary=corpus.summary(frame),
        )
        watched = (histogram_line(h.signal, h.median, h.beta, h.reason) for h in seen)
        self.set_readout(join((line, *watched)))

    def paint_theme(self, theme: Theme) -> None:
        for bars in self.bars:
            bars.apply_theme(theme)
        self._equal.setPen(theme.faint)
        self._tip.apply_theme(theme.text, theme.raised)
        self.model.highlight = qcolor(theme.pink)

    def export_table(self) -> Table:
        return corpus_table(map(self.model.entry, range(self.model.rowCount())), SIGNALS, self.model.output)

    # ---- the mouse -----------------------------------------------------------------------------------------------

    def narrow(self, signal: str, beta: float) -> None:
        """List only the bin of this β; if it is listed, list all reviews again."""
        session = self.host.session
        if session is None:
            return
        seen = session.corpus.histogram(session.frame(), signal, BINS)
        chosen = int(np.clip(np.searchsorted(seen.edges, beta, side="right") - 1, 0, BINS - 1))
        if chosen == seen.chosen:
            session.corpus.widen()
        else:
            session.corpus.narrow(signal, float(seen.edges[chosen]), float(seen.edges[chosen + 1]))
        self.host.redraw()

    def _dot_at(self, place: QPointF) -> int | None:
        return nearest(self._beta, (place.x(), place.y()), self.view.viewPixelSize(), REACH)

    def _open_at(self, place: QPointF) -> None:
        dot = self._dot_at(place)
        if dot is not None:
            self._open(int(self._reviews[dot]))

    def _open_current(self) -> None:
        index = self.table.currentIndex()
        if index.isValid() and self.model.is_measured(index.row()):
            self._open(self.model.review(index.row()))

    def _open(self, review: int) -> None:
        session = self.host.session
        if session is not None:
            self.host.run_guarded(lambda: session.open_review(review))

    def _sort(self, column: int) -> None:
        session, by = self.host.session, SORTS.get(HEADINGS[column])
        if session is None or by is None:
            return
        if session.corpus.order == by:
            session.corpus.turn_order()
        else:
            session.corpus.order = by
        self.host.redraw()

    def _hover(self, place: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(place)
        dot = self._dot_at(self.view.mapSceneToView(place)) if inside else None
        session = self.host.session
        if dot is None or session is None:
            self._tip.write(NOWHERE, [])
            return
        review, (x, h) = int(self._reviews[dot]), self._beta[dot].tolist()
        text = f"review {review + 1} {safe(session.reviews[review].name, 40)}\nβ of h {number(h)}, of x {number(x)}"
        self._tip.write(self._beta[dot : dot + 1], [text])

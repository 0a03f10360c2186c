"""Panel 2: a heat map of cells × time for each signal that is switched on, and traces of single cells below."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsLineItem,
    QGraphicsRectItem,
    QHBoxLayout,
    QMenu,
    QSplitter,
    QToolButton,
)

from explorer.gui.host import Host
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.charts import ABOVE, FAR, GUTTER, ColourBar, TimeMarks, TimeViewBox
from explorer.gui.plots.raster import Raster
from explorer.gui.theme import Theme, qcolor
from explorer.session.actions import key_of
from explorer.session.core import Frame
from explorer.session.moment import INPUT
from explorer.session.palette import RGB
from explorer.session.session import Session
from explorer.session.views.cell_readouts import heatmap_line, value_line
from explorer.session.views.number_format import MINUS, cell_name, number, row_name
from explorer.session.views.runs import Line, Run, join
from explorer.session.views.signal_images import SignalImage, SignalImages, cell_traces, trace_range
from explorer.session.views.tables import Table, words_table
from explorer.session.views.units import unit_names

FIRST_SHOWN = frozenset("ifgochrzn")  # signals switched on at first
GAP = 0.05  # between two heat maps, as a fraction of their height
NAME_HEIGHT = 12  # pixels
MAX_TRACES = 10
ROOM_TO_COME = 0.15  # of the width, which the words to come need to be named


class Picture:
    """The heat map of one signal, one unit high in the plot, with its name in the corner."""

    def __init__(self, name: str, plot: Any) -> None:
        self.name = name
        self.seen: SignalImage | None = None
        self.top = 0
        self._plot = plot
        self.image = Raster()
        self.label = pg.TextItem(anchor=(0, 0))
        self.label.setZValue(ABOVE + 1)
        for item in (self.image, self.label):
            plot.addItem(item, ignoreBounds=True)

    def remove(self) -> None:
        """Remove it from the plot."""
        for item in (self.image, self.label):
            self._plot.removeItem(item)

    def show(self, images: SignalImages, frame: Frame, words: tuple[float, float], height: int) -> None:
        """Draw the ``words`` (first, last) of a frame, ``height`` pixels high."""
        last = int(np.ceil(words[1]))
        self.seen = seen = images.image(frame, self.name, int(words[0]), last, height)
        place = QRectF(seen.first, self.top + GAP / 2, last - seen.first, 1 - GAP)
        self.image.show_codes(seen.codes, frame.choices.colour_map, place)

    def set_title(self, html: str, ground: QColor, left: float) -> None:
        """Set the name in the corner."""
        self.label.setHtml(html)
        self.label.fill = pg.mkBrush(ground)
        self.label.setPos(left, self.top + GAP / 2)

    def height_of(self, row: int) -> float:
        """Return the y coordinate of the middle of a row."""
        assert self.seen is not None
        return self.top + GAP / 2 + (row + 0.5) / len(self.seen.rows) * (1 - GAP)

    def cell_at(self, height: float) -> int | None:
        """Return the cell at a y coordinate."""
        inside = (height - self.top - GAP / 2) / (1 - GAP)
        if self.seen is None or not 0 <= inside < 1:
            return None
        return self.seen.rows[int(inside * len(self.seen.rows))][0]


class HeatmapPanel(Panel):
    """A button for every signal, a heat map for those switched on, traces of hovered, selected and pinned cells."""

    name = "heatmap"
    title = "2 Cells × time"
    place = "middle"
    every = 2
    one_signal = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._signal_images: SignalImages | None = None
        self._pictures: dict[str, Picture] = {}
        self._buttons: dict[str, QToolButton] = {}
        self.shown: set[str] = set(FIRST_SHOWN)
        self._cells_per_row = 1
        self._pointed: str | None = None  # the signal under the mouse
        bar = QHBoxLayout()
        bar.setSpacing(3)
        self._bar = QHBoxLayout()
        self._bar.setSpacing(3)
        bar.addLayout(self._bar)
        bar.addWidget(self.readout, 1)
        self._scale = ColourBar()
        bar.addWidget(self._scale)
        self.column.addLayout(bar)
        self._box = TimeViewBox(host, self._cell_at)
        self._box.invertY(True)
        self._images = self.plot(view=self._box)
        self._images.hideAxis("bottom")
        axis = self._images.getPlotItem().getAxis("left")
        axis.setWidth(GUTTER)
        axis.setStyle(tickLength=0)
        self._row = QGraphicsLineItem(-FAR, 0, FAR, 0)
        self._row.setZValue(ABOVE)
        self._row.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self._row.hide()
        self._box.addItem(self._row, ignoreBounds=True)
        self._to_come, self._to_come_name = QGraphicsRectItem(), pg.TextItem("words to come", anchor=(0.5, 0.5))
        for item in (self._to_come, self._to_come_name):
            self._box.addItem(item, ignoreBounds=True)
        self._to_come.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self._image_marks = TimeMarks(self._images)
        self._traces = self.plot(view=TimeViewBox(host))
        self._traces.getPlotItem().getAxis("left").setWidth(GUTTER)
        self._marks = TimeMarks(self._traces)
        self._curves = [pg.PlotCurveItem(skipFiniteCheck=True) for _ in range(MAX_TRACES)]
        choose, pin = key_of(host.table, "select-up", "select-down"), key_of(host.table, "pin")
        hint = f"Hover, select ({choose} or a click) or pin ({pin}) a cell to see its trace"
        self._hint = pg.TextItem(hint, anchor=(0, 0.5))
        self._names = pg.TextItem(anchor=(0, 0))
        for item in (*self._curves, self._hint, self._names):
            self._traces.addItem(item, ignoreBounds=True)
        self._traces.getPlotItem().vb.disableAutoRange()
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self._images)
        split.addWidget(self._traces)
        split.setSizes([380, 120])
        split.setChildrenCollapsible(False)
        self.splitters = (split,)
        self._traces.setMinimumHeight(60)
        self.column.addWidget(split)

    def paint_theme(self, theme: Theme) -> None:
        self._row.setPen(pg.mkPen(theme.pink))
        self._to_come.setBrush(QBrush(qcolor(theme.faint, 160), Qt.BrushStyle.BDiagPattern))
        self._to_come.setPen(Qt.PenStyle.NoPen)
        self._to_come_name.setColor(theme.dim)
        self._hint.setColor(theme.dim)
        self._image_marks.apply_theme(theme)
        self._marks.apply_theme(theme)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        signals = frame.snapshot.network.signals
        if self.changed("network", *(signal.name for signal in signals)):
            self._make_buttons(frame)
        if self._signal_images is None or self.changed("session", session):
            self._signal_images = SignalImages(session)
        wanted = [s.name for s in signals if s.name in self.shown or s.name == frame.choices.signal]
        if self.changed("pictures", *wanted):
            self._lay_out(wanted)
        words = self.host.visible_range.words(frame)
        height = max(1, int(self._box.height() / len(wanted) * (1 - GAP)))
        for name in wanted:
            self._pictures[name].show(self._signal_images, frame, words, height)
        self._box.show_words(*words)
        self._image_marks.show(self.host, session, frame)
        self._show_to_come(frame, words, len(wanted))
        self._name_rows(frame, words, height)
        self._show_traces(session, frame, words)
        self._show_readout(session, frame)
        if self.changed("buttons", frame.choices.signal, tuple(sorted(self.shown))):
            for name, button in self._buttons.items():
                button.setChecked(name in wanted)

    def _make_buttons(self, frame: Frame) -> None:
        for button in self._buttons.values():
            self._bar.removeWidget(button)
            button.deleteLater()
        self._buttons = {}
        for signal in frame.snapshot.network.signals:
            button = QToolButton()
            button.setText(signal.name)
            button.setToolTip(f"{signal.meaning}\nClick: show or hide · Shift+click: choose this signal")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(partial(self._toggle, signal.name))
            self._bar.addWidget(button)
            self._buttons[signal.name] = button

    def _toggle(self, name: str) -> None:
        session = self.host.session
        if session is None:
            return
        if QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.host.run_guarded(lambda: session.choose_signal(name))
        else:
            self.shown ^= {name}
        self.invalidate()
        self.host.redraw()

    def _lay_out(self, wanted: list[str]) -> None:
        for name, picture in self._pictures.items():
            if name not in wanted:
                picture.remove()
        self._pictures = {name: self._pictures.get(name) or Picture(name, self._images) for name in wanted}
        for top, picture in enumerate(self._pictures.values()):
            picture.top = top
        self._box.setYRange(0, len(wanted), padding=0)

    def _cell_at(self, height: float) -> int | None:
        """Return the cell at a y coordinate; None where rows are inputs."""
        found = next((p for p in self._pictures.values() if p.top <= height < p.top + 1), None)
        self._pointed = None if found is None else found.name
        return found.cell_at(height) if found is not None and found.name != INPUT else None

    def _show_to_come(self, frame: Frame, words: tuple[float, float], pictures: int) -> None:
        """Shade the words in view that are not read yet, and say so where there is room."""
        first = max(words[0], float(frame.snapshot.time))
        last = min(words[1], float(frame.snapshot.words))
        if self.changed("to come", first, last, pictures, self.theme.name):
            wide = (last - first) / (words[1] - words[0]) >= ROOM_TO_COME
            self._to_come.setVisible(last > first)
            self._to_come.setRect(first, 0, max(0.0, last - first), pictures)
            self._to_come_name.setVisible(wide)
            self._to_come_name.setText(f"{unit_names(frame.snapshot.network).units} to come")
            self._to_come_name.setPos((first + last) / 2, pictures / 2)
            self._to_come_name.fill = pg.mkBrush(qcolor(self.theme.ground))

    def _name_rows(self, frame: Frame, words: tuple[float, float], height: int) -> None:
        """Label the heat maps, and those cells that fit: the selected, pinned and dead ones first."""
        choices, dead, theme = frame.choices, frame.moment.dead, self.theme
        pictures = list(self._pictures.values())
        hovered, session = self.host.hovered_cell, self.host.session
        signs = {} if session is None else session.brush.signs
        own = self._pictures[choices.signal]
        pointed = hovered if hovered is not None else choices.selected
        row = own.seen.row_of(pointed) if pointed is not None and own.seen is not None and own.name != INPUT else None
        self._row.setVisible(row is not None)
        if row is not None:
            self._row.setY(own.height_of(row))
        rows = [picture.seen.rows for picture in pictures if picture.seen is not None]
        if self.changed("rows", rows, choices.selected, choices.pins, dead, height, signs):
            ticks = [tick for picture in pictures for tick in _ticks(picture, frame, height, signs)]
            self._images.getPlotItem().getAxis("left").setTicks([ticks])
        if self.changed("titles", choices.signal, choices.colour_map, words[0], theme.name, *self._pictures):
            ground = qcolor(theme.ground, 210)
            for picture in pictures:
                colour = (theme.pink if picture is own else theme.text).hex
                picture.set_title(f"<b style='color:{colour}'>&nbsp;{picture.name}&nbsp;</b>", ground, words[0])

    def _show_traces(self, session: Session, frame: Frame, words: tuple[float, float]) -> None:
        choices, theme = frame.choices, self.theme
        chosen = (self.host.hovered_cell, choices.selected, *choices.pins) if choices.signal != INPUT else ()
        cells = [c for c in chosen if c is not None]
        cells = list(dict.fromkeys(cells))[:MAX_TRACES]
        box = self._traces.getPlotItem().vb
        box.show_words(*words)
        self._marks.show(self.host, session, frame)
        state = (cells, choices.signal, words, frame.snapshot.time, frame.snapshot.run)
        if not self.changed("traces", *state):
            return
        first, last = int(words[0]), int(np.ceil(words[1]))
        begin, traces = cell_traces(session, frame, choices.signal, tuple(cells), first, last)
        for row, curve in enumerate(self._curves):
            values = traces.get(cells[row]) if row < len(cells) else None
            curve.setVisible(values is not None)
            if values is not None:
                curve.setData(begin + np.arange(len(values)) + 0.5, values)
        self._hint.setVisible(not traces)
        self._hint.setPos(words[0], 0.5)
        low, high = trace_range(list(traces.values()))
        if self.changed("range", low, high):
            box.setYRange(low, high, padding=0)
        if self.changed("pens", cells, choices.selected, self.host.hovered_cell):
            for row, cell in enumerate(cells):
                self._curves[row].setPen(self._hue(cell, choices.selected))
        if self.changed("legend", cells, choices.selected, self.host.hovered_cell, theme.name):
            self._names.setHtml(
                "&nbsp; ".join(_coloured_name(cell, self._hue(cell, choices.selected)) for cell in cells)
            )
            self._names.fill = pg.mkBrush(qcolor(theme.ground, 170))
        self._names.setVisible(bool(traces))
        self._names.setPos(words[0], high)
        names = " ".join(map(cell_name, cells)) or "no cell"
        if self.changed("named", choices.signal, names):
            self._traces.getPlotItem().setLabel("left", choices.signal)
            self._traces.setToolTip(f"{choices.signal} of {names}")

    def _hue(self, cell: int, selected: int | None) -> RGB:
        """Return the colour of a cell's trace."""
        theme = self.theme
        if cell == selected:
            return theme.pink
        return theme.bright if cell == self.host.hovered_cell else theme.series[cell % len(theme.series)]

    def _show_readout(self, session: Session, frame: Frame) -> None:
        choices = frame.choices
        seen = self._pictures[choices.signal].seen
        if seen is None:
            return
        signal = next(s for s in frame.snapshot.network.signals if s.name == choices.signal)
        self._cells_per_row = max(
            (p.seen.cells_per_row for p in self._pictures.values() if p.seen is not None), default=1
        )
        line: Line = (Run(signal.name, "accent"), Run(f" {signal.meaning}"))
        value: Line = ()
        hovered, word, name = self.host.hovered_cell, self.host.hovered, self._pointed
        if hovered is not None and word is not None and name in self._pictures:
            values = session.read(name, word, word + 1)
            if len(values) and hovered < values.shape[1]:
                value = value_line(name, hovered, word, float(values[0, hovered]))
        self.set_readout(join((line, value, heatmap_line(frame, self._cells_per_row))))
        unit = " σ" if choices.contrast == "each cell" else ""
        self._scale.show_map(choices.colour_map, f"{number(seen.low)}{unit}", f"{number(seen.high)}{unit}")

    # ---- `Panel` -------------------------------------------------------------------------------------------------

    def export_table(self) -> Table:
        session = self.host.session
        assert session is not None
        frame = session.frame()
        first, last = self.host.visible_range.words(frame)
        return words_table(session, frame, (int(first), math.ceil(last)))

    def export_every_signal(self) -> Table:
        session = self.host.session
        assert session is not None
        frame = session.frame()
        first, last = self.host.visible_range.words(frame)
        signals = [signal.name for signal in frame.snapshot.network.signals]
        return words_table(session, frame, (int(first), math.ceil(last)), signals)

    def saved_state(self) -> dict[str, Any]:
        return {**super().saved_state(), "shown": sorted(self.shown)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        super().restore(saved)
        if isinstance(saved.get("shown"), list):
            self.shown = {name for name in saved["shown"] if isinstance(name, str)}

    @property
    def reduction(self) -> int:
        return self._cells_per_row

    def add_menu_items(self, menu: QMenu, place: QPoint) -> None:
        for name in ("pin", "ablate", "order", "bins", "contrast", "colour-map"):
            self.host.add_action_item(menu, name)


def _coloured_name(cell: int, colour: RGB) -> str:
    return f"<span style='color:{colour.hex}'>━ {cell_name(cell)}</span>"


def _ticks(picture: Picture, frame: Frame, height: int, signs: Mapping[int, int]) -> list[tuple[float, str]]:
    """Return (y, name) of the cells that can be labelled without overlap: selected, pinned, brushed and dead ones
    first. ``signs`` are those of the brushed cells."""
    seen, choices, dead = picture.seen, frame.choices, frame.moment.dead
    if seen is None:
        return []
    taken = np.zeros(height + 1, dtype=bool)
    taken[:NAME_HEIGHT] = True  # the name would reach into the heat map above
    wanted = [row[0] for row in seen.rows]
    if picture.name != INPUT:
        first = [cell for cell in (choices.selected, *choices.pins, *signs) if cell is not None]
        wanted = [*first, *np.flatnonzero(dead).tolist(), *wanted]
    place_of = {cell: number for number, cells in enumerate(seen.rows) for cell in cells}
    ticks = []
    for cell in dict.fromkeys(wanted):
        if cell not in place_of:
            continue
        at = int((place_of[cell] + 0.5) / len(seen.rows) * height)
        near = slice(max(0, at - NAME_HEIGHT + 1), at + NAME_HEIGHT)
        if not taken[near].any():
            taken[at] = True
            own = picture.name != INPUT
            mark = "" if not own else "†" if dead[cell] else "*" if cell in choices.pins else ""
            if own and cell in signs:
                mark = "+" if signs[cell] > 0 else MINUS
            chosen = "▸" if own and cell == choices.selected else ""
            ticks.append((picture.height_of(place_of[cell]), f"{chosen}{row_name(picture.name, cell)}{mark}"))
    return ticks

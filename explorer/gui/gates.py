"""The pictures cells × time, one for each signal that is switched on, and traces of single cells below them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMenu, QSplitter, QToolButton

from explorer.gui.charts import GUTTER, ColourBar, TimeBox, TimeMarks
from explorer.gui.panel import Panel
from explorer.gui.theme import Theme, table
from explorer.session.gates import GateImage, Gates, cell_traces
from explorer.session.model import Frame, Session

if TYPE_CHECKING:
    from explorer.gui.window import Window

FIRST_SHOWN = (
    "i",
    "f",
    "g",
    "o",
    "c",
    "h",
    "r",
    "z",
    "n",
)  # of the cells that there are; the others are one click away
NAME = 34  # pixels for the name of the signal
NAME_HEIGHT = 12  # pixels a cell's name takes
TRACES = 10


class Picture:
    """One signal: an image of the panel's time, names of cells at its left."""

    def __init__(self, panel: GatesPanel, name: str) -> None:
        self.name = name
        self.seen: GateImage | None = None
        self.box = TimeBox(panel.explorer, self.cell_at)
        self.plot = pg.PlotItem(viewBox=self.box, enableMenu=False)
        self.plot.hideButtons()
        self.plot.hideAxis("bottom")
        axis = self.plot.getAxis("left")
        axis.setWidth(GUTTER - NAME)
        axis.setStyle(tickLength=0)
        self.image = pg.ImageItem()
        self.plot.addItem(self.image)
        self.marks = TimeMarks(self.plot)
        self.label = pg.LabelItem(bold=True, size="11pt")
        self.label.setFixedWidth(NAME)
        self._row = pg.InfiniteLine(angle=0)
        self._row.hide()
        self.plot.addItem(self._row, ignoreBounds=True)
        self._drawn: Any = None
        self._named: Any = None
        self._map = ""

    def cell_at(self, height: float) -> int | None:
        """The cell at a height of the picture."""
        if self.seen is None or not 0 <= height < len(self.seen.rows):
            return None
        return self.seen.rows[int(height)][0]

    def dress(self, theme: Theme) -> None:
        self.marks.dress(theme)
        self._row.setPen(theme.pink)
        self.plot.getAxis("left").setPen(theme.border)
        self.plot.getAxis("left").setTextPen(theme.dim)
        self._named = None

    def show(self, panel: GatesPanel, gates: Gates, session: Session, frame: Frame, words: tuple[float, float]) -> None:
        """Draw a frame."""
        height = max(1, int(self.box.height()))
        self.seen = seen = gates.image(frame, self.name, int(words[0]), int(np.ceil(words[1])), height)
        self.box.show_words(*words)
        if frame.choices.map != self._map:
            self._map = frame.choices.map
            self.image.setLookupTable(table(self._map))
        if seen is not self._drawn and seen.codes.size:
            self._drawn = seen
            self.image.setImage(seen.codes, autoLevels=False)
            self.image.setRect(seen.first, 0, seen.codes.shape[1], seen.codes.shape[0])
            self.box.setYRange(0, len(seen.rows), padding=0)
        self.image.setVisible(bool(seen.codes.size))
        self.marks.show(panel.explorer, session, frame)
        self._name_rows(panel, frame, seen, height)

    def _name_rows(self, panel: GatesPanel, frame: Frame, seen: GateImage, height: int) -> None:
        """Name the selected, pinned and dead cells, and others as far as there is room."""
        choices, dead = frame.choices, frame.snapshot.dead
        hovered = panel.explorer.hovered_cell
        named = (seen.rows, choices.selected, choices.pins, dead.tobytes(), height, choices.signal)
        own = _own(self.name)
        pointed = hovered if hovered is not None else choices.selected
        row = seen.row_of(pointed) if own and pointed is not None else None
        self._row.setVisible(row is not None)
        if row is not None:
            self._row.setValue(row + 0.5)
        if named == self._named:
            return
        self._named = named
        ticks, taken = [], np.zeros(height + 1, dtype=bool)
        wanted = [cell for cell in (choices.selected, *choices.pins) if cell is not None] if own else []
        wanted += np.flatnonzero(dead).tolist() if own else []
        wanted += [row[0] for row in seen.rows]
        place_of = {cell: number for number, cells in enumerate(seen.rows) for cell in cells}
        for cell in wanted:
            if cell not in place_of:
                continue
            at = int((place_of[cell] + 0.5) / len(seen.rows) * height)
            reach = slice(max(0, at - NAME_HEIGHT + 1), at + NAME_HEIGHT)
            if not taken[reach].any():
                taken[at] = True
                mark = "†" if own and dead[cell] else "*" if own and cell in choices.pins else ""
                chosen = "▸" if own and cell == choices.selected else ""
                ticks.append((place_of[cell] + 0.5, f"{chosen}#{cell:03d}{mark}"))
        self.plot.getAxis("left").setTicks([ticks])
        self.label.setText(self.name, color=panel.theme.pink if self.name == choices.signal else panel.theme.dim)


class GatesPanel(Panel):
    """A button for every signal, a picture for those switched on, and the traces of the cell under the mouse, of the
    selected one and of those that are pinned."""

    name = "heatmap"
    title = "2 Cells × time"
    place = "middle"

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self._gates: Gates | None = None
        self._pictures: dict[str, Picture] = {}
        self._buttons: dict[str, QToolButton] = {}
        self.shown: set[str] = set(FIRST_SHOWN)
        self._cells_per_row = 1
        bar = QHBoxLayout()
        bar.setSpacing(3)
        self._bar = QHBoxLayout()
        self._bar.setSpacing(3)
        bar.addLayout(self._bar)
        bar.addWidget(self.head, 1)
        self._scale = ColourBar()
        bar.addWidget(self._scale)
        self.column.addLayout(bar)
        self._images = pg.GraphicsLayoutWidget()
        self._images.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._images.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._images.ci.setContentsMargins(0, 0, 0, 0)
        self._images.ci.setSpacing(0)
        self._images.ci.layout.setColumnFixedWidth(0, NAME)
        self._traces = self.plot(view=TimeBox(explorer))
        self._traces.getPlotItem().getAxis("left").setWidth(GUTTER)
        self._marks = TimeMarks(self._traces)
        self._curves = [self._traces.plot() for _ in range(TRACES)]
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self._images)
        split.addWidget(self._traces)
        split.setSizes([380, 120])
        split.setChildrenCollapsible(False)
        self._traces.setMinimumHeight(60)
        self.column.addWidget(split)

    def paint_theme(self, theme: Theme) -> None:
        self._images.setBackground(theme.ground)
        self._marks.dress(theme)
        for picture in self._pictures.values():
            picture.dress(theme)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        signals = frame.snapshot.network.signals
        if self.fresh("network", *(signal.name for signal in signals)):
            self._make_buttons(frame)
        if self._gates is None or self.fresh("session", session):
            self._gates = Gates(session)
        wanted = [s.name for s in signals if s.name in self.shown or s.name == frame.choices.signal]
        if self.fresh("pictures", *wanted):
            self._lay_out(wanted)
        words = self.explorer.span.seen(frame)
        for name in wanted:
            self._pictures[name].show(self, self._gates, session, frame, words)
        self._show_traces(session, frame, words)
        self._tell(session, frame)
        if self.fresh("buttons", frame.choices.signal, tuple(sorted(self.shown))):
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
            button.setToolTip(f"{signal.meaning}\nclick: show or hide · shift and click: look at this signal")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(partial(self._toggle, signal.name))
            self._bar.addWidget(button)
            self._buttons[signal.name] = button

    def _toggle(self, name: str) -> None:
        session = self.explorer.session
        if session is None:
            return
        if QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.explorer.attempt(lambda: session.choose_signal(name))
        else:
            self.shown ^= {name}
        self.forget()
        self.explorer.redraw()

    def _lay_out(self, wanted: list[str]) -> None:
        self._images.clear()
        self._pictures = {name: self._pictures.get(name) or Picture(self, name) for name in wanted}
        for row, picture in enumerate(self._pictures.values()):
            self._images.addItem(picture.label, row=row, col=0)
            self._images.addItem(picture.plot, row=row, col=1)
            picture.dress(self.theme)

    def _show_traces(self, session: Session, frame: Frame, words: tuple[float, float]) -> None:
        choices, theme = frame.choices, self.theme
        cells = [c for c in (self.explorer.hovered_cell, choices.selected, *choices.pins) if c is not None]
        cells = list(dict.fromkeys(cells))[:TRACES]
        box = self._traces.getPlotItem().vb
        box.show_words(*words)
        self._marks.show(self.explorer, session, frame)
        state = (cells, choices.signal, words, frame.snapshot.time, frame.snapshot.run)
        if not self.fresh("traces", *state):
            return
        first, last = int(words[0]), int(np.ceil(words[1]))
        begin, traces = cell_traces(session, frame, choices.signal, tuple(cells), first, last)
        for number, curve in enumerate(self._curves):
            values = traces.get(cells[number]) if number < len(cells) else None
            curve.setVisible(values is not None)
            if values is not None:
                curve.setData(begin + np.arange(len(values)) + 0.5, values)
        if self.fresh("pens", cells, choices.selected):
            for number, cell in enumerate(cells):
                hue = theme.bright if cell == self.explorer.hovered_cell else theme.lines[cell % len(theme.lines)]
                self._curves[number].setPen(theme.pink if cell == choices.selected else hue)
        names = " ".join(f"#{cell:03d}" for cell in cells) or "hover, select or pin a cell"
        if self.fresh("named", choices.signal, names):
            self._traces.getPlotItem().setLabel("left", choices.signal)
            self._traces.setToolTip(f"{choices.signal} of {names}")

    def _tell(self, session: Session, frame: Frame) -> None:
        choices = frame.choices
        seen = self._pictures[choices.signal].seen
        if seen is None:
            return
        signal = next(s for s in frame.snapshot.network.signals if s.name == choices.signal)
        self._cells_per_row = max(
            (p.seen.cells_per_row for p in self._pictures.values() if p.seen is not None), default=1
        )
        how = "mean" if choices.bins == "mean" else "strongest"
        parts = [f"<b style='color:{self.theme.pink}'>{signal.name}</b> {signal.meaning}"]
        if choices.order != "number":
            parts.append(f"order: {choices.order}")
        if self._cells_per_row > 1:
            parts.append(f"<span style='color:{self.theme.warn}'>up to {self._cells_per_row} cells/row ({how})</span>")
        hovered, word = self.explorer.hovered_cell, self.explorer.hovered
        if hovered is not None and word is not None:
            values = session.read(choices.signal, word, word + 1)
            if len(values) and hovered < values.shape[1]:
                parts.append(f"#{hovered:03d} at word {word + 1}: {values[0, hovered]:.3f}")
        self.say("&nbsp;&nbsp; ".join(parts))
        unit = " σ" if choices.contrast == "each cell" else ""
        self._scale.show_map(choices.map, f"{seen.low:.2g}{unit}", f"{seen.high:.2g}{unit}")

    # ---- for others ------------------------------------------------------------------------------------------------

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        """The chosen signal of every cell at the words in view."""
        session = self.explorer.session
        assert session is not None
        frame = session.frame()
        first, last = self.explorer.span.seen(frame)
        values = session.read(frame.choices.signal, int(first), min(int(np.ceil(last)), frame.snapshot.time))
        begin = min(int(np.ceil(last)), frame.snapshot.time) - len(values)
        headings = ["word", *(f"{frame.choices.signal}_{cell}" for cell in range(values.shape[1]))]
        return headings, np.column_stack([begin + np.arange(len(values)), values])

    def kept(self) -> dict[str, Any]:
        return {"shown": sorted(self.shown)}

    def restore(self, told: Mapping[str, Any]) -> None:
        if isinstance(told.get("shown"), list):
            self.shown = {name for name in told["shown"] if isinstance(name, str)}

    @property
    def reduction(self) -> int:
        return self._cells_per_row

    def offer(self, menu: QMenu, place: QPoint) -> None:
        for name in ("pin", "silence", "order", "bins", "contrast", "map"):
            self.explorer.offer_action(menu, name)


def _own(name: str) -> bool:
    """Whether the rows of a signal are the layer's cells; inputs are numbered for themselves."""
    return name != "x"

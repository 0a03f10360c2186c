"""Base of all panels: a dock, a readout line, and plots in the window's colours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QGraphicsItem, QMenu, QSplitter, QVBoxLayout, QWidget

from explorer.gui.host import Host
from explorer.gui.panels.readout_line import ReadoutLine
from explorer.gui.plots.charts import TimeViewBox
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.runs import Line
from explorer.session.views.tables import Table

CACHED = QGraphicsItem.CacheMode.DeviceCoordinateCache
TICK_DENSITY = 0.6  # of pyqtgraph's; low plots would have numbers that touch
MAX_SIZE = 1 << 16  # pixels of a part, in a saved state
MIN_READOUT_TIME = 0.2  # seconds a readout stays while words arrive
Place = Literal["list", "top", "middle", "low", "right", "right-middle", "right-low", "bottom"]


class Axis(pg.AxisItem):  # type: ignore[misc]
    """An axis whose negative numbers have a minus sign, not a hyphen.

    pyqtgraph stores its drawing until ticks or range change; a pixmap cached by Qt would outlive a change of size.
    """

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self.setTickDensity(TICK_DENSITY)

    def tickStrings(self, *arguments: Any) -> list[str]:
        return [text.replace("-", "−") for text in super().tickStrings(*arguments)]

    def resizeEvent(self, event: Any = None) -> None:
        super().resizeEvent(event)
        self.update()


class WordAxis(Axis):
    """An axis over time: number n at the middle of the n-th word, counted from 1."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        ticks = super().tickValues(minVal + 0.5, maxVal + 0.5, size)
        return [(step, [value - 0.5 for value in values]) for step, values in ticks if step >= 1]

    def tickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:
        return [f"{round(value + 0.5):,}" for value in values]


class Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot that reports when the mouse leaves it; its context menu is the panel's, but not after a drag."""

    mouse_left: ClassVar[Signal] = Signal()
    _pressed_at = QPoint()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.mouse_left.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = event.globalPosition().toPoint()
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        moved = (event.globalPos() - self._pressed_at).manhattanLength()
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        event.setAccepted(by_mouse and moved >= QApplication.startDragDistance())


class Panel(QWidget):
    """One dock of the window.

    A subclass adds its widgets to ``self.column``, below the readout line, draws frames in `show_frame` and sets its
    colours in `paint_theme`. It shows what the session's view models return and computes nothing else.

    ``name`` is the suffix of the action that raises the panel (``focus-points``) and names its dock in saved layouts.
    ``place`` is where the default layout puts it; panels at one place become tabs. ``every``: while words arrive, the
    panel is drawn at every n-th frame; panels take turns, so that all frames cost about the same. ``readout_rows``:
    rows of the readout line, which is long or in a narrow panel if it needs two. ``one_signal``: its table is that of
    the chosen signal, and `export_every_signal` has the others, too. ``needs``: the action that is refused where the
    network has nothing to show here; the dock is hidden then.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    place: ClassVar[Place] = "right"
    every: ClassVar[int] = 1
    readout_rows: ClassVar[int] = 1
    one_signal: ClassVar[bool] = False
    needs: ClassVar[str] = ""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(2, 2, 2, 2)
        self.column.setSpacing(2)
        self.readout = ReadoutLine(self.readout_rows)
        self.column.addWidget(self.readout)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # for the border that shows the focus
        self.splitters: tuple[QSplitter, ...] = ()  # their sizes are saved
        self._states: dict[str, tuple[Any, ...]] = {}
        self._plots: list[Any] = []
        self._next_readout: Line = ()
        self._readout_time = 0.0

    # ---- for subclasses to implement -----------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        """Draw what changed since the last frame."""
        raise NotImplementedError

    def export_table(self) -> Table:
        """Return the numbers that the panel shows.

        Raises
        ------
        SessionError
            If there are none yet.
        """
        raise NotImplementedError

    def export_every_signal(self) -> Table:
        """Return the numbers of every signal, where `export_table` returns those of the chosen one."""
        return self.export_table()

    def paint_theme(self, theme: Theme) -> None:
        """Set the colours of plot items; plots and widgets are coloured without it."""

    def release_room(self) -> None:
        """Give up the room that contents needed, so that the panel can have its share of a window of another size."""

    def add_menu_items(self, menu: QMenu, place: QPoint) -> None:
        """Add the panel's own items to its context menu, opened at ``place``."""

    def saved_state(self) -> dict[str, Any]:
        """Return what the saved state stores of this panel."""
        return {"splits": [split.sizes() for split in self.splitters]} if self.splitters else {}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore the parts of a saved state that are valid; the user may have edited the file."""
        splits = saved.get("splits")
        for split, sizes in zip(self.splitters, splits if isinstance(splits, list) else (), strict=False):
            known = isinstance(sizes, list) and len(sizes) == split.count()
            if known and all(isinstance(size, int) and 0 <= size < MAX_SIZE for size in sizes) and sum(sizes):
                split.setSizes(sizes)

    @property
    def reduction(self) -> int:
        """The largest number of cells that share one row; the status bar shows it if it is above 1."""
        return 1

    # ---- for subclasses to use -----------------------------------------------------------------------------------

    @property
    def theme(self) -> Theme:
        """The current colours."""
        return self.host.theme

    @property
    def in_view(self) -> bool:
        """Whether any part is visible; Qt also calls a tab behind another one visible."""
        return not self.visibleRegion().isEmpty()

    def plot(self, *, view: Any = None, x: str = "", y: str = "") -> Any:
        """Return a new `Plot` in the window's colours, with axis labels ``x`` and ``y``."""
        bottom = (WordAxis if isinstance(view, TimeViewBox) else Axis)("bottom")
        widget = Plot(viewBox=view, axisItems={"left": Axis("left"), "bottom": bottom})
        widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the window
        widget.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing behind it is painted
        item = widget.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        for side in ("left", "bottom"):
            item.getAxis(side).enableAutoSIPrefix(False)
        if x:
            item.setLabel("bottom", x)
        if y:
            item.setLabel("left", y)
        self._plots.append(widget)
        _apply_plot_theme(widget, self.theme)
        return widget

    def set_readout(self, line: Line) -> None:
        """Set the readout line; `flush` draws it."""
        self._next_readout = line

    def flush(self, moving: bool) -> None:
        """Draw the readout line; ``moving``: at most every ``MIN_READOUT_TIME``, so that it can be read."""
        now = time.monotonic()
        if self._next_readout != self.readout.line and (not moving or now - self._readout_time > MIN_READOUT_TIME):
            self._readout_time = now
            self.readout.set_line(self._next_readout)

    def changed(self, what: str, *state: Any) -> bool:
        """Return whether ``state`` differs from that of the last call for ``what``; arrays are compared by value."""
        before = self._states.get(what)
        if before is not None and len(before) == len(state) and all(map(_same, before, state)):
            return False
        self._states[what] = state
        return True

    def invalidate(self, *what: str) -> None:
        """Let the next `changed` call for ``what``, or for everything, return True."""
        for name in what or tuple(self._states):
            self._states.pop(name, None)

    def apply_theme(self, theme: Theme) -> None:
        """Set the colours of the panel and its plots."""
        for widget in self._plots:
            _apply_plot_theme(widget, theme)
        self.readout.apply_theme(theme)
        self.paint_theme(theme)
        self.invalidate()

    def menu_at(self, place: QPoint) -> QMenu:
        """Return the context menu of a place of the panel."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.add_menu_items(menu, place)
        self.host.add_panel_items(menu, self.name)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_at(event.pos()).popup(event.globalPos())


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b, equal_nan=getattr(a, "dtype", np.dtype("U")).kind in "fc"))
    return bool(a == b)


def _apply_plot_theme(widget: Any, theme: Theme) -> None:
    widget.setBackground(theme.ground)
    for side in ("left", "bottom"):
        axis = widget.getPlotItem().getAxis(side)
        axis.setPen(theme.border)
        axis.setTextPen(theme.dim)

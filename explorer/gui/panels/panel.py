"""What all panels of the window share: a place in a dock, a line of numbers, plots in the window's colours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QGraphicsItem, QMenu, QVBoxLayout, QWidget

from explorer.gui.panels.readout_line import ReadoutLine
from explorer.gui.theme import Theme
from explorer.session.core import Frame
from explorer.session.session import Session

if TYPE_CHECKING:
    from explorer.gui.window import Window

CACHED = QGraphicsItem.CacheMode.DeviceCoordinateCache
READING = 0.2  # seconds that a number stands while words go by
Place = Literal["list", "top", "middle", "low", "right", "right-middle", "right-low", "bottom"]


class Panel(QWidget):
    """One dock of the window.

    A subclass builds its widgets in ``__init__`` (into ``self.column``, below the line of numbers ``self.head``), draws
    frames, and sets its own colours in `paint_theme`. It never computes more than the session's view models give.

    ``name`` is the suffix of the action that brings it to the front (``focus-points``), ``place`` where it first
    stands, panels of one place behind each other as tabs; ``every``: while words go by, it is drawn at every so many
    frames; panels take turns, so that no frame is much dearer than another.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    place: ClassVar[Place] = "right"
    every: ClassVar[int] = 1

    def __init__(self, explorer: Window) -> None:
        super().__init__()
        self.explorer = explorer
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(2, 2, 2, 2)
        self.column.setSpacing(2)
        self.head = ReadoutLine()
        self.column.addWidget(self.head)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # its border tells where the focus is
        self._seen: dict[str, tuple[Any, ...]] = {}
        self._plots: list[Any] = []
        self._said, self._said_at = "", 0.0

    # ---- what subclasses say -----------------------------------------------------------------------------------

    def show_frame(self, session: Session, frame: Frame) -> None:
        """Draw what changed."""
        raise NotImplementedError

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        """What is seen, for a table: headings and rows (row, column)."""
        raise NotImplementedError

    def paint_theme(self, theme: Theme) -> None:
        """Set the colours of what this panel draws; plots made by `plot` and the style sheet follow by themselves."""

    def offer(self, menu: QMenu, place: QPoint) -> None:
        """Put entries of its own into the context menu; ``place`` is where in the panel it was asked for."""

    def kept(self) -> dict[str, Any]:
        """What is kept of it for the next visit."""
        return {}

    def restore(self, told: Mapping[str, Any]) -> None:
        """Take what was kept, as far as it suits: the file may have been changed by anybody."""

    @property
    def reduction(self) -> int:
        """How many things at most share one place of its picture; above 1 the status bar says so."""
        return 1

    # ---- what they use -----------------------------------------------------------------------------------------

    @property
    def theme(self) -> Theme:
        """The colours in use."""
        return self.explorer.theme

    @property
    def in_view(self) -> bool:
        """Whether any of it is seen; Qt calls a tab behind another one visible too."""
        return not self.visibleRegion().isEmpty()

    def plot(self, *, view: Any = None, x: str = "", y: str = "") -> Any:
        """A `pyqtgraph.PlotWidget` in the window's colours, with names at its axes; the caller gives it a place."""
        widget = pg.PlotWidget(viewBox=view)
        widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys are the window's
        widget.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # and the menu is the panel's
        widget.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing below need be painted
        item = widget.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        for side in ("left", "bottom"):
            item.getAxis(side).enableAutoSIPrefix(False)
            item.getAxis(side).setCacheMode(CACHED)  # it stands still while what it measures moves
        if x:
            item.setLabel("bottom", x)
        if y:
            item.setLabel("left", y)
        self._plots.append(widget)
        _dress(widget, self.theme)
        return widget

    def say(self, html: str) -> None:
        """Set the line of numbers above the picture; it is drawn by `settle`."""
        self._said = html

    def settle(self, moving: bool) -> None:
        """Draw the line of numbers; while words go by only now and then: nobody reads numbers faster."""
        now = time.monotonic()
        if self._said != self.head.text() and (not moving or now - self._said_at > READING):
            self._said_at = now
            self.head.setText(self._said)

    def fresh(self, what: str, *state: Any) -> bool:
        """Whether ``state`` differs from that of the last call for ``what``: draw only then.

        Arrays count as the same if they are the same object or equal.
        """
        before = self._seen.get(what)
        if before is not None and len(before) == len(state) and all(map(_same, before, state)):
            return False
        self._seen[what] = state
        return True

    def forget(self) -> None:
        """Draw everything anew at the next frame."""
        self._seen.clear()

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        for widget in self._plots:
            _dress(widget, theme)
        self.head.setStyleSheet(f"color: {theme.dim}")
        self.paint_theme(theme)
        self.forget()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        self.offer(menu, event.pos())
        self.explorer.offer(menu, self)
        if menu.actions():
            menu.exec(event.globalPos())


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b, equal_nan=getattr(a, "dtype", np.dtype("U")).kind in "fc"))
    return bool(a == b)


def _dress(widget: Any, theme: Theme) -> None:
    widget.setBackground(theme.ground)
    for side in ("left", "bottom"):
        axis = widget.getPlotItem().getAxis(side)
        axis.setPen(theme.border)
        axis.setTextPen(theme.dim)

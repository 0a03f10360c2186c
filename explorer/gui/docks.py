"""Where panels stand: the first arrangement, and keeping a person's own."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from explorer.gui.panels.panel import Panel, Place

VERSION = 1  # of an arrangement that was kept: another one is not taken
ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
# Each place is cut from one that stands already: the new one, the one it is cut from, the side by side or one below.
_CUTS: tuple[tuple[Place, Place, Qt.Orientation], ...] = (
    ("top", "list", ACROSS),
    ("middle", "top", DOWN),
    ("bottom", "middle", DOWN),
    ("right", "middle", ACROSS),
    ("low", "middle", DOWN),
    ("right-middle", "right", DOWN),
    ("right-low", "right-middle", DOWN),
)
# Shares of the window that places take, across or down.
_SIZES: tuple[tuple[Qt.Orientation, dict[Place, float]], ...] = (
    (ACROSS, {"list": 0.15, "top": 0.85}),
    (ACROSS, {"middle": 0.53, "right": 0.32}),
    (DOWN, {"top": 0.15, "middle": 0.45, "low": 0.22, "bottom": 0.12}),
    (DOWN, {"right": 0.30, "right-middle": 0.17, "right-low": 0.22}),
)


class Docks:
    """The panels of a window, each in a dock that can be moved, floated and closed."""

    def __init__(self, window: QMainWindow, panels: Iterable[Panel]) -> None:
        self._window = window
        self.docks: dict[str, QDockWidget] = {}
        self._first: dict[Place, QDockWidget] = {}
        self._panels = list(panels)
        window.setDockNestingEnabled(True)
        window.setDockOptions(window.dockOptions() | QMainWindow.DockOption.GroupedDragging)
        for panel in self._panels:
            dock = QDockWidget(panel.title, window)
            dock.setObjectName(panel.name)  # Qt knows docks by it in an arrangement that was kept
            dock.setWidget(panel)
            self.docks[panel.name] = dock
        self.arrange()

    def arrange(self) -> None:
        """The first arrangement."""
        window, first = self._window, self._first
        first.clear()
        for panel in self._panels:
            dock = self.docks[panel.name]
            first.setdefault(panel.place, dock)
        for dock in self.docks.values():
            if dock.isFloating():
                dock.setFloating(False)
            if window.dockWidgetArea(dock) != Qt.DockWidgetArea.NoDockWidgetArea:
                window.removeDockWidget(dock)
        place_of: dict[Place, Place] = {}  # a place without a panel lends its room to the one it would be cut from
        stands: set[Place] = set()
        for new, old, along in (("list", "list", ACROSS), *_CUTS):
            source = place_of.get(old, old)
            if new not in first:
                place_of[new] = source
                continue
            if source in stands:
                window.splitDockWidget(first[source], first[new], along)
            else:
                window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, first[new], along)
            first[new].show()
            stands.add(new)
        for panel in self._panels:
            dock = self.docks[panel.name]
            if dock is not first[panel.place]:
                window.tabifyDockWidget(first[panel.place], dock)
                dock.show()
        for dock in first.values():
            dock.raise_()
        self.resize()

    def resize(self) -> None:
        """Give the places their shares of the window."""
        width, height = self._window.width(), self._window.height()
        for along, shares in _SIZES:
            there = {place: share for place, share in shares.items() if place in self._first}
            whole = width if along is ACROSS else height
            docks = [self._first[place] for place in there]
            if len(docks) < 2:
                continue
            self._window.resizeDocks(docks, [int(share * whole) for share in there.values()], along)

    def front(self, name: str) -> None:
        """Show a panel, before those that share its place, and give it the keys."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()
        dock.widget().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def kept(self) -> str:
        """The arrangement as text."""
        return bytes(self._window.saveState(VERSION).toBase64().data()).decode()

    def restore(self, kept: str) -> bool:
        """Take an arrangement that was kept; False if it does not suit."""
        return self._window.restoreState(QByteArray.fromBase64(kept.encode()), VERSION)

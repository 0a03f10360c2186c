"""The dock of each panel, the default layout, and saving and restoring the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar

from explorer.gui.panels.panel import Panel, Place

VERSION = 2  # raised when docks are renamed; a layout saved by another version is ignored
NEXT = 8  # pixels between a dock and its tab bar, at most
ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
# (new place, place it splits, side by side or below)
_SPLITS: tuple[tuple[Place, Place, Qt.Orientation], ...] = (
    ("top", "list", ACROSS),
    ("bottom", "top", DOWN),
    ("right", "top", ACROSS),
    ("middle", "top", DOWN),
    ("low", "middle", DOWN),
    ("right-middle", "right", DOWN),
    ("right-low", "right-middle", DOWN),
)
# Fractions of the window's width or height.
_Sizes = tuple[tuple[Qt.Orientation, dict[Place, float]], ...]
_SIZES: _Sizes = (
    (ACROSS, {"list": 0.14, "bottom": 0.86}),
    (ACROSS, {"top": 0.53, "right": 0.33}),
    (DOWN, {"top": 0.20, "middle": 0.46, "low": 0.24, "bottom": 0.15}),
    (DOWN, {"right": 0.31, "right-middle": 0.23, "right-low": 0.36}),
)
LOW = 820  # pixels; in a lower window three panels on top of each other would show too little
_IN_LOW_WINDOW: dict[Place, Place] = {"right-middle": "right"}  # places that become tabs of others there
_LOW_SIZES: _Sizes = (*_SIZES[:-1], (DOWN, {"right": 0.32, "right-low": 0.50}))


class Docks(QObject):
    """One dock a panel; each can be moved, floated and closed. ``docks`` maps panel names to docks."""

    def __init__(self, window: QMainWindow, panels: Iterable[Panel]) -> None:
        super().__init__(window)
        self._window = window
        self._size = window.size()
        self._shares: dict[str, tuple[float, float]] = {}  # of the window's width and height
        self._changed = QTimer(self)
        self._changed.setSingleShot(True)
        self._changed.setInterval(0)  # after the layout
        self._changed.timeout.connect(self._remember_change)
        self.docks: dict[str, QDockWidget] = {}
        self._first: dict[Place, QDockWidget] = {}  # the dock in front at each place
        self._withdrawn: set[str] = set()  # hidden because the network has nothing to show there
        self._low = False  # whether the docks are arranged for a low window
        self._panels = list(panels)
        window.setDockNestingEnabled(True)
        window.setDockOptions(window.dockOptions() | QMainWindow.DockOption.GroupedDragging)
        for panel in self._panels:
            dock = QDockWidget(panel.title, window)
            dock.setObjectName(panel.name)  # the name in a saved layout
            dock.setWidget(panel)
            self.docks[panel.name] = dock
            dock.installEventFilter(self)
            dock.toggleViewAction().triggered.connect(self._changed.start)
        self.arrange()

    def arrange(self) -> None:
        """Restore the default layout."""
        window, first = self._window, self._first
        self._low = window.height() < LOW
        first.clear()
        for panel in self._panels:
            first.setdefault(self._place(panel), self.docks[panel.name])
        for dock in self.docks.values():
            if dock.isFloating():
                dock.setFloating(False)
            if window.dockWidgetArea(dock) != Qt.DockWidgetArea.NoDockWidgetArea:
                window.removeDockWidget(dock)
        substitute: dict[Place, Place] = {}  # a place without a panel is replaced by the one it would split
        placed: set[Place] = set()
        for new, old, along in (("list", "list", ACROSS), *_SPLITS):
            source = substitute.get(old, old)
            if new not in first:
                substitute[new] = source
                continue
            if source in placed:
                window.splitDockWidget(first[source], first[new], along)
            else:
                window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, first[new], along)
            first[new].show()
            placed.add(new)
        for panel in self._panels:
            dock = self.docks[panel.name]
            if dock is not first[self._place(panel)]:
                window.tabifyDockWidget(first[self._place(panel)], dock)
                dock.show()
        for dock in first.values():
            dock.raise_()
        self._hide_withdrawn()
        self.resize()

    def _place(self, panel: Panel) -> Place:
        return _IN_LOW_WINDOW.get(panel.place, panel.place) if self._low else panel.place

    def fit(self) -> None:
        """Arrange and size the docks for the window as it is first shown."""
        if self._low != (self._window.height() < LOW):
            self.arrange()
        else:
            self.resize()

    def resize(self) -> None:
        """Give every place its default share of the window."""
        width, height = self._window.width(), self._window.height()
        self._size = self._window.size()
        for along, shares in _LOW_SIZES if self._low else _SIZES:
            present = {place: share for place, share in shares.items() if place in self._first}
            whole = width if along is ACROSS else height
            docks = [self._first[place] for place in present]
            if len(docks) > 1:
                self._window.resizeDocks(docks, [int(share * whole) for share in present.values()], along)
        self._changed.start()

    def rescale(self) -> None:
        """Give every dock in view the share of the window that it had before the window changed its size."""
        window = self._window
        shown = [dock for name, dock in self.docks.items() if name in self._shares and _in_layout(dock)]
        for along, whole in ((ACROSS, window.width()), (DOWN, window.height())):
            sizes = [round(self._shares[dock.objectName()][along is DOWN] * whole) for dock in shown]
            window.resizeDocks(shown, sizes, along)
        self._size = window.size()

    def _remember_change(self) -> None:
        if self._window.size() == self._size:  # the docks did not follow the window
            self.remember()

    def remember(self) -> None:
        """Store the shares that `rescale` restores."""
        window = self._window
        self._size = window.size()
        self._hide_unused_tab_bars()
        for name, dock in self.docks.items():
            if _in_layout(dock):
                self._shares[name] = dock.width() / max(1, window.width()), dock.height() / max(1, window.height())

    def _hide_unused_tab_bars(self) -> None:
        """Hide the tab bars that Qt leaves where docks were while the window was built; they show between docks."""
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        for bar in self._window.findChildren(QTabBar, options=direct):
            titles = {bar.tabText(tab) for tab in range(bar.count())}
            group = [dock for dock in self.docks.values() if dock.windowTitle() in titles and _in_layout(dock)]
            places = [dock.geometry().bottomLeft() for dock in group]
            bar.setVisible(any(abs(bar.x() - at.x()) < NEXT and abs(bar.y() - at.y()) < NEXT for at in places))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Remember the sizes that the user gives docks by dragging; other changes follow from contents and window."""
        if event.type() == QEvent.Type.Resize and QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._changed.start()
        return False

    def set_available(self, name: str, available: bool) -> None:
        """Hide the dock of a panel that has nothing to show for the present network, and show it again afterwards."""
        dock = self.docks[name]
        if not available and not dock.isHidden():
            dock.hide()
            self._withdrawn.add(name)
        elif available and name in self._withdrawn:
            dock.show()
            self._withdrawn.discard(name)
        dock.toggleViewAction().setEnabled(available)

    def raise_panel(self, name: str) -> None:
        """Show a panel in front of its tab group and give it the keyboard focus."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()
        dock.widget().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def saved_layout(self) -> str:
        """Return the layout as base64 text after its checksum, because Qt crashes on some damaged layouts."""
        for name in self._withdrawn:  # hidden for the present network only
            self.docks[name].show()
        layout = bytes(self._window.saveState(VERSION).toBase64().data())
        self._hide_withdrawn()
        return f"{crc32(layout):08x}:{layout.decode()}"

    def restore(self, layout: str) -> bool:
        """Restore a saved layout; return False, and change nothing, if it is damaged or of another version."""
        checksum, _, text = layout.partition(":")
        encoded = text.encode(errors="replace")
        if checksum != f"{crc32(encoded):08x}":
            return False
        restored = self._window.restoreState(QByteArray.fromBase64(encoded), VERSION)
        self._hide_withdrawn()
        return restored

    def _hide_withdrawn(self) -> None:
        for name in self._withdrawn:
            self.docks[name].hide()


def _in_layout(dock: QDockWidget) -> bool:
    """Return whether a dock is in view and not floating."""
    return dock.isVisible() and not dock.isFloating() and not dock.visibleRegion().isEmpty()

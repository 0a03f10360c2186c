"""The main window: docks around one session, with menus, tool bar and keys from the table of actions."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import QByteArray, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu

from explorer.gui.docks import Docks
from explorer.gui.export.save import FILTERS, copy_picture, save
from explorer.gui.menus import fill_menus, make_actions
from explorer.gui.opening import Opening
from explorer.gui.panels.panel import Panel
from explorer.gui.panels.registry import PANELS
from explorer.gui.status import Status
from explorer.gui.text import safe
from explorer.gui.theme import DARK, THEMES, Theme, configure, style_sheet
from explorer.gui.transport import Transport
from explorer.session.action_dispatch import Handler
from explorer.session.filenames import free_path
from explorer.session.keymap import FOR_WINDOW, actions_with, load_keys
from explorer.session.launcher import Launcher, LaunchOptions
from explorer.session.menu_items import networks
from explorer.session.session import Session
from explorer.session.views.visible_range import VisibleRange

RATE = 60  # frames per second at most
REST = 0.25  # idle time after a frame, as a fraction of its cost, left to mouse and keys


class Window(Opening):
    """The main window; it implements `explorer.gui.host.Host`.

    The first frame needs no torch: `Launcher` loads the session in a thread.

    Parameters
    ----------
    options : LaunchOptions
        What to open.
    session : Session, optional
        An open session to show instead; its owner closes it.
    panels : tuple of Panel classes
        One dock each.
    show_rates : bool
        Show speeds and frame rates; off in pictures that are compared.
    """

    section = "window"  # of the saved state
    early = ("quit", "help", "light", "arrange", "full-screen")
    opened: ClassVar[Signal] = Signal()
    closed: ClassVar[Signal] = Signal()

    def __init__(
        self,
        options: LaunchOptions | None = None,
        *,
        session: Session | None = None,
        panels: tuple[type[Panel], ...] = PANELS,
        theme: Theme = DARK,
        show_rates: bool = True,
    ) -> None:
        super().__init__()
        configure()
        self.setWindowTitle("pinkx")
        self.session = session
        self.table = actions_with(load_keys(options.keys) if options is not None else {}, FOR_WINDOW)
        if session is not None:
            session.actions = self.table
        self.launcher = None if session is not None else Launcher(options or LaunchOptions())
        self.failure: Exception | None = None
        self.theme, self.show_rates = theme, show_rates
        self.hovered: int | None = None
        self.hovered_cell: int | None = None
        self.dragged: tuple[int, int] | None = None
        self.visible_range = VisibleRange()
        self.resize(1600, 1000)
        self.qt_actions = make_actions(self, self)
        self.menus = fill_menus(self.menuBar(), self.table, self.qt_actions)
        self.transport = Transport(self, self, self.qt_actions)
        self.addToolBar(self.transport)
        self.status = Status(self, self)
        self.setStatusBar(self.status)
        self.panels: dict[str, Panel] = {kind.name: kind(self) for kind in panels}
        self.docks = Docks(self, self.panels.values())
        self.menus["Panels"].addSeparator()
        for dock in self.docks.docks.values():
            self.menus["Panels"].addAction(dock.toggleViewAction())
        self._progress = QLabel(self)
        self._progress.setObjectName("progress")
        self._progress.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._drawn: deque[float] = deque(maxlen=RATE)  # times of the last frames
        self._ticks = 0
        self._cpu_time = time.thread_time()
        self._due = 0.0
        self._ready = False
        self._layout_before_zoom: str | None = None
        self._restored_layout = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tick)
        self._apply_theme()
        if self.launcher is not None:
            self._restore(self.launcher.state.window)
        self._show_progress()

    # ---- saved state ---------------------------------------------------------------------------------------------

    def own_state(self) -> dict[str, Any]:
        """Return the window's part of the saved state."""
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        panels = {name: part for name, panel in self.panels.items() if (part := panel.saved_state())}
        return {
            "docks": self._layout_before_zoom or self.docks.saved_layout(),
            "geometry": geometry,
            "theme": self.theme.name,
            "panels": panels,
        }

    def _restore(self, saved: Mapping[str, Any]) -> None:
        """Restore the parts of a saved state that are valid."""
        theme, geometry, layout = (saved.get(name) for name in ("theme", "geometry", "docks"))
        if isinstance(theme, str) and THEMES.get(theme, self.theme) is not self.theme:
            self._switch_theme()
        if isinstance(geometry, str):
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        self._restored_layout = isinstance(layout, str) and self.docks.restore(layout)
        panels = saved.get("panels")
        for name, part in panels.items() if isinstance(panels, dict) else ():
            if name in self.panels and isinstance(part, dict):
                self.panels[name].restore(part)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        used = time.thread_time()  # includes what Qt painted since the last tick
        spent, self._cpu_time = used - self._cpu_time, used
        if self.session is None:
            self._await_session()
        elif self.adopt_next():
            self._show_session()
        elif not self.isMinimized():
            self.draw()
        now = time.perf_counter()
        self._due = max(now, self._due + max(1 / RATE, (1 + REST) * spent))
        self._timer.start(max(1, round(1000 * (self._due - now))))

    def draw(self, *, every_panel: bool = False) -> None:
        """Draw the newest frame. While words arrive panels take turns, unless ``every_panel``."""
        session = self.session
        if session is None:
            return
        frame = session.update()
        if not self._ready:
            self._ready = True
            self.transport.set_networks(networks(session)[1])
        title = f"{safe(frame.snapshot.review.name, 60)} · {frame.snapshot.network.name} · pinkx"
        if title != self.windowTitle():
            self.setWindowTitle(title)
        self._ticks += 1
        moving = frame.snapshot.playing and not every_panel
        for number, panel in enumerate(self.panels.values()):
            if panel.in_view and (not moving or (self._ticks + number) % panel.every == 0):
                panel.show_frame(session, frame)
                panel.flush(moving)
        self.transport.show_frame(session, frame)
        self._drawn.append(time.perf_counter())
        if self.next_launcher is not None or self._progress.isVisible():
            self._show_progress()
        if not moving or self._ticks % 6 == 0:
            reduction = max(panel.reduction for panel in self.panels.values())
            self.status.show_frame(session, frame, self.fps, reduction)

    def redraw(self) -> None:
        """Draw every visible panel now."""
        self.draw(every_panel=True)

    @property
    def fps(self) -> float:
        """Frames per second over the last frames."""
        passed = self._drawn[-1] - self._drawn[0] if len(self._drawn) > 1 else 0.0
        return (len(self._drawn) - 1) / passed if passed else 0.0

    def _await_session(self) -> None:
        assert self.launcher is not None
        if self.launcher.error is not None:
            self.failure = self.launcher.error
            self.close()
        elif self.launcher.session is not None:
            self.session = self.launcher.session
            self.session.actions = self.table
            self.session.play()
            self._show_progress()
            self.opened.emit()
        else:
            if not self.launcher.running and not self.launcher.done:
                self.launcher.begin()  # the first frame is on the screen now
            self._show_progress()

    def _show_session(self) -> None:
        """Show a session that replaced another one."""
        self.visible_range, self._ready = VisibleRange(), False
        self.hovered = self.hovered_cell = self.dragged = None
        for panel in self.panels.values():
            panel.invalidate()
        self._show_progress()
        self.redraw()

    def _show_progress(self) -> None:
        launcher = self.launcher if self.session is None else self.next_launcher
        self._progress.setVisible(launcher is not None)
        if launcher is not None:
            self._progress.setText(f"<b style='color:{self.theme.pink.hex}'>pinkx</b><br><br>{launcher.progress} …")
            self._progress.adjustSize()
            self._progress.move(self.rect().center() - self._progress.rect().center())
            self._progress.raise_()

    def _apply_theme(self) -> None:
        self.setStyleSheet(style_sheet(self.theme))
        for panel in self.panels.values():
            panel.apply_theme(self.theme)

    # ---- what panels use (`Host`) --------------------------------------------------------------------------------

    def hover(self, word: int | None, cell: int | None = None) -> None:
        self.hovered, self.hovered_cell = word, cell

    def raise_panel(self, name: str) -> None:
        if name in self.panels:
            self.docks.raise_panel(name)
            self.redraw()

    def panel_in_view(self, name: str) -> bool:
        return name in self.panels and self.panels[name].in_view

    def add_action_item(self, menu: QMenu, name: str) -> None:
        menu.addAction(self.qt_actions[name])

    def add_panel_items(self, menu: QMenu, panel: str) -> None:
        shown = self.panels[panel]
        menu.addSeparator()
        menu.addAction("Copy picture", partial(copy_picture, shown))
        menu.addAction("Export as PNG, SVG or CSV …", partial(self.export_panel, shown))
        menu.addAction("Close panel", self.docks.docks[panel].close)

    # ---- actions -------------------------------------------------------------------------------------------------

    def handlers(self) -> Mapping[str, Handler]:
        raised = {a.id: a.id.removeprefix("focus-") for a in self.table if a.id.startswith("focus-")}
        raised |= {name: name for name in ("reviews", "corpus", "scaling")}
        return {
            **super().handlers(),
            **{name: partial(self.raise_panel, panel) for name, panel in raised.items()},
            "quit": self._quit,
            "export": lambda: self.export_panel(self.focused),
            "copy": self._copy,
            "zoom": self._zoom,
            "arrange": self._arrange,
            "light": self._switch_theme,
            "full-screen": self._switch_full_screen,
        }

    def export_panel(self, panel: Panel) -> None:
        """Ask for a file and save a panel's picture or numbers."""
        frame = self.opened_session.frame()
        path = free_path(Path.cwd(), frame.snapshot.network.name, f"{frame.snapshot.review.name}-{panel.name}", ".png")

        def chosen(name: str) -> None:
            def write() -> None:
                save(panel, Path(name))
                self.opened_session.note = f"saved {name}"

            self.run_guarded(write)

        dialog = QFileDialog(self, f"Export {panel.title}", str(path), FILTERS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.fileSelected.connect(chosen)
        dialog.open()

    @property
    def zoomed(self) -> bool:
        """Whether one panel fills the window."""
        return self._layout_before_zoom is not None

    @property
    def focused(self) -> Panel:
        """The panel with the keyboard focus, or else the first one in view."""
        widget: QObject | None = self.focusWidget()
        while widget is not None and not isinstance(widget, Panel):
            widget = widget.parent()
        return widget or next(panel for panel in self.panels.values() if panel.in_view)

    def _quit(self) -> None:
        self.close()

    def _copy(self) -> None:
        copy_picture(self.focused)
        self.opened_session.note = f"copied the picture of {self.focused.title} to the clipboard"

    def _zoom(self) -> None:
        if self._layout_before_zoom is not None:
            self.docks.restore(self._layout_before_zoom)
            self._layout_before_zoom = None
            return
        panel, self._layout_before_zoom = self.focused, self.docks.saved_layout()
        for name, dock in self.docks.docks.items():
            dock.setVisible(name == panel.name)

    def _arrange(self) -> None:
        self._layout_before_zoom = None
        self.docks.arrange()

    def _switch_theme(self) -> None:
        self.theme = next(theme for theme in THEMES.values() if theme is not self.theme)
        self._apply_theme()
        self.redraw()

    def _switch_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    # ---- Qt events -----------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._timer.isActive():
            if not self._restored_layout:
                self.docks.resize()
            if "heatmap" in self.panels:
                self.panels["heatmap"].setFocus()  # or Qt would focus the first text field, which takes every key
            self._timer.start(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_progress()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        super().closeEvent(event)
        self.closed.emit()

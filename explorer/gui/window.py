"""The main window: docks around one session, with menus, tool bar and keys from the table of actions."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import QByteArray, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from explorer.gui.dialogs.export import Export, ExportDialog
from explorer.gui.docks import Docks
from explorer.gui.export.save import copy_picture, save
from explorer.gui.introduction import Introduction
from explorer.gui.menus import fill_menus, make_actions
from explorer.gui.opening import Opening
from explorer.gui.panels.panel import Panel
from explorer.gui.panels.registry import PANELS
from explorer.gui.status import Status
from explorer.gui.text import safe
from explorer.gui.theme import DARK, LIGHT, THEMES, Theme, configure, style_sheet
from explorer.gui.transport import Transport
from explorer.session.action_dispatch import Handler
from explorer.session.actions import PANELS as PANEL_ACTIONS, key_of
from explorer.session.filenames import free_path
from explorer.session.keymap import FOR_WINDOW, actions_with, load_keys
from explorer.session.launcher import Launcher, LaunchOptions
from explorer.session.menu_items import networks
from explorer.session.session import Session
from explorer.session.views.introduction import something_to_introduce
from explorer.session.views.legend import sentence
from explorer.session.views.runs import Line, Run, join
from explorer.session.views.units import WORDS, UnitNames, unit_names
from explorer.session.views.visible_range import VisibleRange

RATE = 60  # frames per second at most
SIZE = 1600, 1000  # pixels, on a large screen
FRAME = 40  # pixels that the title bar and borders of a window may take
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
        self.introduction: Introduction | None = None
        self._fit_on_screen()
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
        self._named: tuple[object, ...] = ()  # what docks and menu entries are named after
        self._cpu_time = time.thread_time()
        self._due = 0.0
        self._focused: Panel | None = None
        self._hint_for: tuple[Panel, bool, UnitNames] | None = None
        self._hint_line: Line = ()
        self._ready = False
        self._acted = False  # whether the user has done something
        self._to_introduce = False
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

    def _fit_on_screen(self) -> None:
        """Resize to the default size, or as much of it as the screen has room for."""
        room = self.screen().availableSize()
        self.resize(QSize(*SIZE).boundedTo(QSize(room.width() - FRAME, room.height() - FRAME)))

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
        title = f"{safe(frame.snapshot.review.name, 60)} · {frame.snapshot.network.title} · pinkx"
        if title != self.windowTitle():
            self.setWindowTitle(title)
        self._name_units(session, unit_names(frame.snapshot.network))
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
            self.status.show_frame(session, frame, self.fps, reduction, self._hint())

        if self._to_introduce and something_to_introduce(frame):
            self._to_introduce = False
            if not (self._acted or QApplication.activeModalWidget() or QApplication.activePopupWidget()):
                self._introduce()

    def run_guarded(self, action: Callable[[], object]) -> None:
        self._acted = True
        super().run_guarded(action)

    def _name_units(self, session: Session, names: UnitNames) -> None:
        """Name docks and menu entries after what the network reads, and grey the entries that it cannot do."""
        network = session.stream.snapshot.network
        if (state := (names, session.replaying, network.stack is None, network.level)) == self._named:
            return
        self._named = state
        for name, panel in self.panels.items():
            available = not (panel.needs and session.refusal(panel.needs))
            self.docks.set_available(name, available)
            self.docks.docks[name].setWindowTitle(names.reword(panel.title) if available else panel.title)
        self.transport.name_units(names)
        for entry in self.table:
            action, why = self.qt_actions[entry.id], session.refusal(entry.id)
            action.setEnabled(not why)
            key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(why or names.reword(f"{entry.help}  ({key})" if key else entry.help))
            action.setStatusTip(why or names.reword(entry.help))

    def redraw(self) -> None:
        """Draw every visible panel now."""
        self.draw(every_panel=True)

    def _hint(self) -> Line:
        """Return a sentence about the focused panel and its keys; while it is zoomed, first the key that leads back."""
        panel, session = self.focused, self.session
        names = WORDS if session is None else unit_names(session.stream.snapshot.network)
        if self._hint_for == (panel, self.zoomed, names):
            return self._hint_line
        zoomed = ("zoom",) if self.zoomed else ()
        labels = {entry.id: "back" if entry.id == "zoom" else entry.label for entry in self.table}
        own = (*zoomed, *PANEL_ACTIONS.get(panel.name, ()))
        keys = [(Run(key_of(self.table, name), "value"), Run(f" {labels[name]}")) for name in own if name in labels]
        back, keys = keys[: len(zoomed)], keys[len(zoomed) :]
        self._hint_for = panel, self.zoomed, names
        self._hint_line = join((*back, (Run(sentence(panel.name, names) or panel.title),), *keys))
        return self._hint_line

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
            self._to_introduce = self.launcher.options.save and not self.session.introduced
            self.opened.emit()
        else:
            if not self.launcher.running and not self.launcher.done:
                self.launcher.begin()  # the first frame is on the screen now
            self._show_progress()

    def _introduce(self) -> None:
        """Explain the panels in view, until a key is pressed."""
        session, before = self.opened_session, self.focused

        def closed() -> None:
            self.introduction, session.introduced = None, True
            before.setFocus()

        if self.introduction is None:
            shown = [(name, panel) for name, panel in self.panels.items() if panel.in_view]
            self.introduction = Introduction(self, self, shown, closed)

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
        menu.addAction("Export …", partial(self.export_panel, shown))
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
            "introduction": self._introduce,
        }

    def export_panel(self, panel: Panel) -> None:
        """Ask for a file and save a panel's picture or numbers."""
        snapshot = self.opened_session.frame().snapshot

        def path_for(chosen: Panel, suffix: str) -> Path:
            return free_path(Path.cwd(), snapshot.network.title, f"{snapshot.review.name}-{chosen.name}", suffix)

        def write(chosen: Export) -> None:
            with self._on_light_ground() if chosen.light else nullcontext():
                save(chosen.panel, chosen.path, chosen.scale, every_signal=chosen.every_signal)
            self.opened_session.note = f"saved {chosen.path}"

        shown = {name: each for name, each in self.panels.items() if each.in_view or each is panel}
        ExportDialog(self, shown, panel, path_for, lambda chosen: self.run_guarded(lambda: write(chosen))).open()

    @contextmanager
    def _on_light_ground(self) -> Iterator[None]:
        """Draw every panel in the light theme, and then as before; Qt paints the window only afterwards."""
        before = self.theme
        self._use_theme(LIGHT)
        try:
            yield
        finally:
            self._use_theme(before)

    @property
    def zoomed(self) -> bool:
        """Whether one panel fills the window."""
        return self._layout_before_zoom is not None

    @property
    def focused(self) -> Panel:
        """The panel with the keyboard focus, or that had it last; if it is not in view, the first one that is."""
        widget: QObject | None = self.focusWidget()
        while widget is not None and not isinstance(widget, Panel):
            widget = widget.parent()
        self._focused = widget or self._focused
        if self._focused is not None and self._focused.in_view:
            return self._focused
        return next((panel for panel in self.panels.values() if panel.in_view), next(iter(self.panels.values())))

    def _quit(self) -> None:
        self.close()

    def _copy(self) -> None:
        copy_picture(self.focused)
        self.opened_session.note = f"copied the picture of {self.focused.title} to the clipboard"

    def _zoom(self) -> None:
        panel = self.focused
        if self._layout_before_zoom is not None:
            self.docks.restore(self._layout_before_zoom)
            self._layout_before_zoom = None
            self.docks.rescale()
        else:
            self._layout_before_zoom = self.docks.saved_layout()
            for name, dock in self.docks.docks.items():
                dock.setVisible(name == panel.name)
        panel.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _arrange(self) -> None:
        self._layout_before_zoom = None
        self.docks.arrange()

    def _switch_theme(self) -> None:
        self._use_theme(next(theme for theme in THEMES.values() if theme is not self.theme))

    def _use_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._apply_theme()
        self.redraw()

    def _switch_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    # ---- Qt events -----------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._timer.isActive():
            if not self._restored_layout:
                self.docks.fit()
            QTimer.singleShot(0, self, self.docks.remember)
            if "heatmap" in self.panels:
                self.panels["heatmap"].setFocus()  # or Qt would focus the first text field, which takes every key
            self._timer.start(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self.zoomed:
            for panel in self.panels.values():
                panel.release_room()
            self.docks.rescale()
            QTimer.singleShot(0, self, self._rescale)  # with the least sizes that panels have now
        self._show_progress()
        if self.introduction is not None:
            self.introduction.arrange()

    def _rescale(self) -> None:
        if not self.zoomed:
            self.docks.rescale()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        super().closeEvent(event)
        self.closed.emit()

"""The window: docks around one session, menus, tool bar and keys from the one table of actions."""

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

from explorer.gui.dialogs.action_dialogs import Choosing
from explorer.gui.docks import Docks
from explorer.gui.export.save import FILTERS, copy_picture, save
from explorer.gui.menus import fill_menus, make_actions
from explorer.gui.panels.panel import Panel
from explorer.gui.panels.registry import PANELS
from explorer.gui.status import Status
from explorer.gui.text import safe
from explorer.gui.theme import DARK, THEMES, Theme, configure, style_sheet
from explorer.gui.transport import Transport
from explorer.session.action_dispatch import Handler
from explorer.session.filenames import free_path
from explorer.session.keymap import ALL, actions_with, load_keys
from explorer.session.launcher import LaunchOptions, Opening
from explorer.session.menu_items import networks
from explorer.session.session import Session
from explorer.session.views.visible_range import Span

RATE = 60  # frames a second at most
REST = 0.25  # part of the time a frame took that is left to mouse and keys at least


class Window(Choosing):
    """The application's one window. The first frame needs no torch; `Opening` brings the session in a thread.

    Parameters
    ----------
    wishes : LaunchOptions
        What to open.
    session : Session, optional
        An open session instead, which its owner closes.
    panels : tuple of Panel classes
        What stands in the docks.
    show_rates : bool
        Whether speeds and frame rates are shown; pictures for comparison go without.

    ``hovered`` is the word, ``hovered_cell`` the cell that the mouse is over in any panel, None elsewhere; ``dragged``
    is the first and the last word of a brush that is being drawn; ``span`` says which words pictures over time show.
    """

    section = "window"  # of the state
    early = ("quit", "help", "light", "arrange")
    opened: ClassVar[Signal] = Signal()
    closed: ClassVar[Signal] = Signal()

    def __init__(
        self,
        wishes: LaunchOptions | None = None,
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
        self.table = actions_with(load_keys(wishes.keys) if wishes is not None else {}, ALL)
        if session is not None:
            session.actions = self.table
        self.opening = None if session is not None else Opening(wishes or LaunchOptions())
        self.failure: Exception | None = None
        self.theme, self.show_rates = theme, show_rates
        self.hovered: int | None = None
        self.hovered_cell: int | None = None
        self.dragged: tuple[int, int] | None = None
        self.span = Span()
        self.resize(1600, 1000)
        self.made = make_actions(self)
        self.menus = fill_menus(self, self.made)
        self.transport = Transport(self, self.made)
        self.addToolBar(self.transport)
        self.status = Status(self)
        self.setStatusBar(self.status)
        self.panels: dict[str, Panel] = {kind.name: kind(self) for kind in panels}
        self.docks = Docks(self, self.panels.values())
        self.menus["Panels"].addSeparator()
        for dock in self.docks.docks.values():
            self.menus["Panels"].addAction(dock.toggleViewAction())
        self._progress = QLabel(self)
        self._progress.setObjectName("progress")
        self._progress.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._drawn: deque[float] = deque(maxlen=RATE)
        self._ticks = 0
        self._used = time.thread_time()
        self._due = 0.0
        self._ready = False
        self._before_zoom: str | None = None
        self._arranged = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tick)
        self._dress()
        if self.opening is not None:
            self._continue(self.opening.state.window)
        self._say_opening()

    # ---- what is kept --------------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Any]:
        """The window's part of what is kept for the next visit."""
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        panels = {name: part for name, panel in self.panels.items() if (part := panel.kept())}
        return {
            "docks": self._before_zoom or self.docks.kept(),
            "geometry": geometry,
            "theme": self.theme.name,
            "panels": panels,
        }

    def _continue(self, told: Mapping[str, Any]) -> None:
        """Take what was kept, as far as it suits."""
        theme, geometry, docks = (told.get(name) for name in ("theme", "geometry", "docks"))
        if theme in THEMES and THEMES[theme] is not self.theme:
            self.do_light()
        if isinstance(geometry, str):
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        self._arranged = isinstance(docks, str) and self.docks.restore(docks)
        panels = told.get("panels")
        for name, part in panels.items() if isinstance(panels, dict) else ():
            if name in self.panels and isinstance(part, dict):
                self.panels[name].restore(part)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        used = time.thread_time()  # of this thread, with what Qt painted since the last tick
        spent, self._used = used - self._used, used
        if self.session is None:
            self._await_opening()
        elif not self.isMinimized():
            self.draw()
        now = time.perf_counter()
        self._due = max(now, self._due + max(1 / RATE, (1 + REST) * spent))  # painting comes before that
        self._timer.start(max(1, round(1000 * (self._due - now))))

    def draw(self, *, all: bool = False) -> None:
        """Draw the newest frame, as far as it changed; what is steady only now and then, or with ``all`` too."""
        session = self.session
        if session is None:
            return
        frame = session.update()
        if not self._ready:
            self._begin(session)
        title = f"{safe(frame.snapshot.review.name, 60)} · {frame.snapshot.network.name} · pinkx"
        if title != self.windowTitle():
            self.setWindowTitle(title)
        self._ticks += 1
        moving = frame.snapshot.playing and not all
        for number, panel in enumerate(self.panels.values()):
            if panel.in_view and (not moving or (self._ticks + number) % panel.every == 0):
                panel.show_frame(session, frame)
                panel.settle(moving)
        self.transport.show_frame(session, frame)
        self._drawn.append(time.perf_counter())
        if not moving or self._ticks % 6 == 0:
            reduction = max(panel.reduction for panel in self.panels.values())
            self.status.show_frame(session, frame, self.fps, reduction)

    def redraw(self) -> None:
        """Draw now, after something was done."""
        self.draw(all=True)

    @property
    def fps(self) -> float:
        """Frames a second lately."""
        passed = self._drawn[-1] - self._drawn[0] if len(self._drawn) > 1 else 0.0
        return (len(self._drawn) - 1) / passed if passed else 0.0

    def _begin(self, session: Session) -> None:
        """Once there is a session."""
        self._ready = True
        self.transport.fill(networks(session)[1])

    def _await_opening(self) -> None:
        assert self.opening is not None
        if self.opening.error is not None:
            self.failure = self.opening.error
            self.close()
        elif self.opening.session is not None:
            self.session = self.opening.session
            self.session.actions = self.table
            self.session.play()
            self._say_opening()
            self.opened.emit()
        else:
            if not self.opening.running and not self.opening.done:
                self.opening.begin()  # now that the first frame is on the screen
            self._say_opening()

    def _say_opening(self) -> None:
        self._progress.setVisible(self.session is None)
        if self.session is None and self.opening is not None:
            self._progress.setText(f"<b style='color:{self.theme.pink}'>pinkx</b><br><br>{self.opening.progress} …")
            self._progress.adjustSize()
            self._progress.move(self.rect().center() - self._progress.rect().center())
            self._progress.raise_()

    def _dress(self) -> None:
        self.setStyleSheet(style_sheet(self.theme))
        for panel in self.panels.values():
            panel.apply_theme(self.theme)

    # ---- actions -----------------------------------------------------------------------------------------------

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "quit": self.do_quit,
            "export": self.do_export,
            "copy": self.do_copy,
            "zoom": self.do_zoom,
            "arrange": self.do_arrange,
            "scaling": self.do_scaling,
            "light": self.do_light,
            **{a.id: partial(self.front, a.id.removeprefix("focus-")) for a in self.table if a.id.startswith("focus-")},
        }

    def hover(self, word: int | None, cell: int | None = None) -> None:
        """Link every panel to what the mouse is over; they show it at the next frame."""
        self.hovered, self.hovered_cell = word, cell

    def front(self, name: str) -> None:
        """Show a panel before those that share its place, and give it the keys."""
        if name in self.panels:
            self.docks.front(name)
            self.redraw()

    def offer_action(self, menu: QMenu, name: str) -> None:
        """Put an action of the table into a context menu."""
        menu.addAction(self.made[name])

    def offer(self, menu: QMenu, panel: Panel) -> None:
        """Put what can be done with any panel into its context menu."""
        menu.addSeparator()
        menu.addAction("Copy picture", partial(copy_picture, panel))
        menu.addAction("Save as PNG, SVG or CSV …", partial(self.save_panel, panel))
        menu.addAction("Close this panel", self.docks.docks[panel.name].close)

    def save_panel(self, panel: Panel) -> None:
        """Ask where to, and save a panel there: its picture or its numbers."""
        frame = self.opened_session.frame()
        path = free_path(Path.cwd(), frame.snapshot.network.name, f"{frame.snapshot.review.name}-{panel.name}", ".png")

        def chosen(name: str) -> None:
            self.run_guarded(lambda: save(panel, Path(name)))
            self.opened_session.note = self.opened_session.note or f"saved {name}"

        ask = QFileDialog(self, f"Save {panel.title}", str(path), FILTERS)
        ask.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ask.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        ask.setDefaultSuffix("png")
        ask.fileSelected.connect(chosen)
        ask.open()

    @property
    def focused(self) -> Panel:
        """The panel that has the keys, or else the first one in view."""
        widget: QObject | None = self.focusWidget()
        while widget is not None and not isinstance(widget, Panel):
            widget = widget.parent()
        return widget or next(panel for panel in self.panels.values() if panel.in_view)

    def do_quit(self) -> None:
        self.close()

    def do_export(self) -> None:
        self.save_panel(self.focused)

    def do_copy(self) -> None:
        copy_picture(self.focused)
        self.opened_session.note = f"the picture of {self.focused.title} is on the clipboard"

    def do_zoom(self) -> None:
        if self._before_zoom is not None:
            self.docks.restore(self._before_zoom)
            self._before_zoom = None
            return
        panel, self._before_zoom = self.focused, self.docks.kept()
        for name, dock in self.docks.docks.items():
            dock.setVisible(name == panel.name)

    def do_arrange(self) -> None:
        self._before_zoom = None
        self.docks.arrange()

    def do_scaling(self) -> None:
        self.front("scaling")

    def do_light(self) -> None:
        self.theme = next(theme for theme in THEMES.values() if theme is not self.theme)
        self._dress()
        self.redraw()

    # ---- the window itself ---------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._timer.isActive():
            if not self._arranged:
                self.docks.resize()
            if "heatmap" in self.panels:
                self.panels["heatmap"].setFocus()  # not the first text field, which would take the keys
            self._timer.start(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._say_opening()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        super().closeEvent(event)
        self.closed.emit()

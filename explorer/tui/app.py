"""The terminal front end: panels around one session, with keys from the table of actions."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from explorer.session.action_dispatch import Handler
from explorer.session.actions import key_of
from explorer.session.core import SessionError
from explorer.session.keymap import FOR_TERMINAL, actions_with, load_keys
from explorer.session.launcher import Launcher, LaunchOptions
from explorer.session.palette import DARK, RGB
from explorer.session.session import Session
from explorer.session.views.introduction import something_to_introduce
from explorer.tui.dialogs.introduction import IntroductionScreen
from explorer.tui.export import export
from explorer.tui.layout import BARS, HEIGHTS, STEP, WIDTHS, Shares, sizes, wide_factor
from explorer.tui.opening import Opening
from explorer.tui.panels.alpha import AlphaPanel
from explorer.tui.panels.bars import TABS, KeyBar, NoticeBar, StatusBar, TabBar
from explorer.tui.panels.cells import CellsPanel
from explorer.tui.panels.fixed_points import FixedPointsPanel
from explorer.tui.panels.heatmap import HeatmapPanel
from explorer.tui.panels.overview import OverviewPanel
from explorer.tui.panels.panel import BorderedWidget
from explorer.tui.panels.review import ReviewPanel
from explorer.tui.panels.spectrum import SpectrumPanel
from explorer.tui.terminal.direct_renderer import DirectDriver, DirectRenderer
from explorer.tui.terminal.hangup import terminal_closed
from explorer.tui.terminal.plotext_chart import load_soon
from explorer.tui.terminal.styles import as_markup, safe
from explorer.tui.terminal.textual_internals import driver_of, free_lines_of_closed_widgets, plain_textual
from explorer.tui.terminal.throttle import FRAME_RATES, Throttle

if TYPE_CHECKING:
    from engine.live.stream import Snapshot

SMALL = (100, 30)  # columns and rows below which panels become tabs
AFTER_INTRODUCTION = 0.1  # seconds
TINY = (60, 16)  # below which nothing is readable
MOVING = ("#heatmap", "#status", "#review", "#alpha", "#overview")  # the first one is sent before the others are drawn
STEADY = ("#tabs", "#points", "#spectrum", "#cells", "#notice", "#keys")
STEADY_EVERY = 4  # frames; while words go by, numbers that change faster cannot be read


class Explorer(Opening):
    """The application. The first frame needs no PyTorch; `Launcher` creates the session in a thread.

    Parameters
    ----------
    options : LaunchOptions
        What to open.
    session : Session, optional
        An open session to use instead.
    show_rates : bool
        Whether speeds and frame rates are shown; off in pictures that are compared.
    driver_class : type, optional
        The Textual driver to use instead of the one for this terminal.
    frame_rate : float
        Frames per second on a fast terminal.
    """

    CSS_PATH = "style.tcss"
    TITLE = "pinkx"
    section = "terminal"  # of the saved state
    ENABLE_COMMAND_PALETTE = False
    # They quit from everywhere, dialogs and text fields included.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c,ctrl+q", "perform('quit')", show=False, priority=True)]

    def __init__(
        self,
        options: LaunchOptions | None = None,
        *,
        session: Session | None = None,
        show_rates: bool = True,
        driver_class: type[Driver] | None = None,
        frame_rate: float = FRAME_RATES[0],
    ) -> None:
        self._no_colours = "NO_COLOR" in os.environ
        # With ansi_color, Textual omits colours under NO_COLOR instead of turning them grey.
        super().__init__(driver_class=driver_class, ansi_color=self._no_colours)
        free_lines_of_closed_widgets()
        self.session = session
        self.actions = actions_with(load_keys(options.keys) if options is not None else {}, FOR_TERMINAL)
        for entry in self.actions:
            self.bind(",".join(entry.keys), f"perform('{entry.id}')", description=entry.label, show=False)
        if session is not None:
            session.actions = self.actions
        self.launcher = None if session is not None else Launcher(options or LaunchOptions())
        self.show_rates = show_rates
        self.failure: Exception | None = None
        self.tab = "heatmap"
        self.zoomed: str | None = None
        self._acted = False  # whether the user has performed an action
        self._to_introduce = False
        self.held = False
        self.trace = False
        self.shares = Shares()
        self._comparing = False
        self._dragged: str | None = None  # the share that a dragged border changes
        self._frame_rate = frame_rate
        self._throttle = Throttle()
        self._checked_driver: object = None
        self._draws_directly = False
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._ticks = 0
        self._drawn: Snapshot | None = None

    def get_css_variables(self) -> dict[str, str]:
        """Return Textual's variables and the colours of the palette, as ``$pinkx-ground`` and so on."""
        colours = {f"pinkx-{name}": colour.hex for name, colour in vars(DARK).items() if isinstance(colour, RGB)}
        return super().get_css_variables() | colours

    @property
    def glyphs(self) -> bool:
        return self._no_colours or self.console.color_system in (None, "standard", "windows")

    @property
    def renderer(self) -> DirectRenderer | None:
        driver = self._direct_driver
        return driver.renderer if driver is not None else None

    @property
    def throttle(self) -> Throttle:
        driver = self._direct_driver
        return driver.throttle if driver is not None else self._throttle

    @property
    def output_pending(self) -> bool:
        driver = self._direct_driver
        return driver is not None and driver.pending

    @property
    def _direct_driver(self) -> DirectDriver | None:
        """The driver that draws directly; None in a browser, without a terminal, and with plain Textual."""
        driver = None if plain_textual() else driver_of(self)
        if driver is not self._checked_driver:  # the check of a protocol is slow
            self._checked_driver, self._draws_directly = driver, isinstance(driver, DirectDriver)
        return cast("DirectDriver", driver) if self._draws_directly else None

    @property
    def focused_panel(self) -> str:
        focused = self.screen_stack[0].focused
        return focused.id or "" if focused is not None else ""

    def stop(self, code: int) -> None:
        """Quit with an exit status; may be called from a signal handler."""
        if self._event_loop is None:
            sys.exit(code)
        self._event_loop.call_soon_threadsafe(lambda: self.exit(return_code=code))

    # ---- the screen ------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Static("", id="message")
        with Vertical(id="main"):
            yield StatusBar(id="status")
            yield ReviewPanel(id="review")
            yield TabBar(id="tabs")
            with Horizontal(id="body"):
                with Vertical(id="left"):
                    yield HeatmapPanel(id="heatmap")
                    yield AlphaPanel(id="alpha")
                with Vertical(id="right"):
                    yield FixedPointsPanel(id="points")
                    yield SpectrumPanel(id="spectrum")
                    yield CellsPanel(id="cells")
            yield OverviewPanel(id="overview")
            yield NoticeBar(id="notice")
            yield KeyBar(id="keys")

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        if driver.__name__ != "LinuxDriver" or plain_textual():
            return driver
        from explorer.tui.terminal.driver import DiffDriver

        return DiffDriver

    def on_load(self) -> None:
        self._event_loop = asyncio.get_running_loop()

    def on_mount(self) -> None:
        self.screen.set_class(self.session is None, "starting")
        self._fit()
        if self.launcher is not None:
            self._show_progress()
            self.call_after_refresh(self.launcher.begin)
        self.query_one("#heatmap").focus()
        self.set_interval(1 / self._frame_rate, self._tick)

    def on_resize(self, event: events.Resize) -> None:
        driver = self._direct_driver
        if driver is not None:
            driver.invalidate()
        self._fit(event.size)  # self.size is still the old one
        self.call_after_refresh(self.draw)

    def _fit(self, size: Size | None = None) -> None:
        """Choose the layout for a terminal size, by default the current one."""
        width, height = size or self.size
        tiny, small = width < TINY[0] or height < TINY[1], width < SMALL[0] or height < SMALL[1]
        screen = self.screen_stack[0]
        screen.set_class(tiny, "tiny")
        screen.set_class(small, "small")
        if tiny:
            self._show_message(f"pinkx needs {TINY[0]} × {TINY[1]} characters\nthis terminal has {width} × {height}")
        elif self.session is None:
            self._show_progress()
        for name in TABS:
            screen.query_one(f"#{name}").set_class(name != self.tab, "hidden")
        self._set_sizes(width, height)
        left = self.tab in ("heatmap", "alpha")
        screen.query_one("#left").set_class(not left, "hidden")
        screen.query_one("#right").set_class(left, "hidden")

    def _set_sizes(self, width: int, height: int) -> None:
        """Give the panels their shares; as tabs and while one is zoomed they have the sizes of the style sheet."""
        screen, found = self.screen_stack[0], None
        if not (screen.has_class("small") or screen.has_class("zoomed") or screen.has_class("tiny")):
            found = sizes(self.shares, width, height, comparing=self._comparing)
        for name in ("review", "overview", "alpha", "spectrum", "cells"):
            screen.query_one(f"#{name}").styles.height = None if found is None else getattr(found, name)
        screen.query_one("#right").styles.width = None if found is None else found.right

    # ---- drawing ---------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        driver = self._direct_driver
        if (driver is not None and driver.gone) or (not self.is_headless and terminal_closed()):
            self.exit(return_code=128 + getattr(signal, "SIGHUP", 1))  # Windows has none
            return
        self.adopt_next()
        if self.session is not None and len(self.screen_stack) > 1:
            if not self.held:  # while a dialog is open the panels are not drawn, so that typing is not delayed
                self.held = True
                self._show_status()
        elif self.throttle.frame_due(time.monotonic(), self.output_pending):
            self._ticks += 1
            snapshot = self.session.stream.snapshot if self.session is not None else None
            every = STEADY_EVERY * self.throttle.frame_rate / FRAME_RATES[0]  # a low frame rate skips enough
            numbers = self._ticks % max(1, round(every)) == 0
            if numbers or snapshot is None or snapshot is not self._drawn:
                self._drawn = snapshot
                self.draw(numbers=numbers or snapshot is None or not snapshot.playing)

    def draw(self, *, numbers: bool = True) -> None:
        if self.session is None:
            self._await_session()
            return
        self.held = len(self.screen_stack) > 1
        panels = self._panels((*MOVING, *STEADY) if numbers else MOVING)
        if not panels:
            return
        frame = self.session.update()
        if bool(self.session.comparison.name) != self._comparing:
            self._comparing = not self._comparing
            self._fit()
        driver = self._direct_driver
        for panel in panels:
            panel.show(self.session, frame)
            if driver is not None and (panel is panels[-1] or (panel is panels[0] and driver.throttle.fast)):
                driver.flush_cells()

        if self._to_introduce and something_to_introduce(frame):
            self._to_introduce = False
            self.call_after_refresh(self._introduce)

    def _show_status(self) -> None:
        assert self.session is not None
        frame = self.session.frame()
        for bar in self._panels(("#status", "#notice")):
            bar.show(self.session, frame)

    def _panels(self, names: tuple[str, ...]) -> list[BorderedWidget]:
        """The panels of these names, or none at the last tick, after they were removed."""
        try:
            return [self.screen_stack[0].query_one(name, BorderedWidget) for name in names]
        except (IndexError, NoMatches):
            return []

    def _await_session(self) -> None:
        assert self.launcher is not None
        if self.launcher.error is not None:
            self.failure = self.launcher.error
            self.exit(return_code=1)
        elif self.launcher.session is not None:
            self.session = self.launcher.session
            self.session.actions = self.actions
            self.screen_stack[0].remove_class("starting")
            self.session.play()
            self._restore(self.launcher.state.terminal)
            load_soon()
            self.call_after_refresh(self.draw)
            self._to_introduce = self.launcher.first_start and not self.screen_stack[0].has_class("tiny")
        elif not self.screen_stack[0].has_class("tiny"):
            self._show_progress()

    def perform(self, name: str) -> None:
        self._acted = True
        super().perform(name)

    def _introduce(self) -> None:
        """Show the introduction over the first words, or at the next start if the user already acts."""
        session = self.session
        if session is None or self._acted or len(self.screen_stack) > 1:
            return
        reading = session.stream.snapshot.playing
        session.stream.pause()
        session.introduced = True

        def closed(action: str | None) -> None:
            if reading:
                session.stream.play()
            if action is not None and action != "play":  # once the panels are drawn again
                self.set_timer(AFTER_INTRODUCTION, partial(self.perform, action))

        self.push_screen(IntroductionScreen(self.actions, self._names()), closed)

    def _restore(self, saved: Mapping[str, Any]) -> None:
        """Restore the tab and the zoomed panel of the last session."""
        screen = self.screen_stack[0]
        self.shares = Shares.from_saved(saved.get("shares"))
        self._fit()
        tab, zoomed = saved.get("tab"), saved.get("zoomed")
        if isinstance(tab, str) and tab in TABS:
            self.raise_panel(tab)
        if zoomed in ("review", *TABS):
            screen.set_focus(screen.query_one(f"#{zoomed}"))
            self.do_zoom()

    def own_state(self) -> dict[str, Any]:
        """Return what is saved for the next session."""
        return {"tab": self.tab, "zoomed": self.zoomed, "shares": self.shares.saved()}

    def _show_progress(self) -> None:
        assert self.launcher is not None
        key = as_markup(key_of(self.actions, "quit"))
        title, hint = DARK.pink.hex, DARK.subtitle.hex
        self._show_message(f"[b {title}]pinkx[/]\n\n{self.launcher.progress} …\n\n[{hint}]{key} quits[/]")

    def _show_message(self, text: str) -> None:
        message = self.screen_stack[0].query_one("#message", Static)
        if message.content != text:
            message.update(text)

    # ---- actions ---------------------------------------------------------------------------------------------

    def action_choose_signal(self, name: str) -> None:
        """Show the signal whose name was clicked."""
        if self.session is not None:
            session = self.session
            self.run_guarded(lambda: session.choose_signal(name))

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "quit": self.do_quit,
            "export": self.do_export,
            "zoom": self.do_zoom,
            "trace": self.do_trace,
            "arrange": lambda: self._set_shares(Shares()),
            "narrower": partial(self._resize_focused, WIDTHS, -STEP),
            "wider": partial(self._resize_focused, WIDTHS, STEP),
            "lower": partial(self._resize_focused, HEIGHTS, -STEP),
            "higher": partial(self._resize_focused, HEIGHTS, STEP),
            "suspend": self.action_suspend_process,
            **{f"focus-{name}": partial(self.raise_panel, name) for name in ("review", *TABS)},
        }

    def do_trace(self) -> None:
        """Show the selected cell in place of rolling α, or rolling α again."""
        assert self.session is not None
        if not self.trace and self.session.choices.cell is None:
            keys = self.session.key_of("select-up", "select-down")
            raise SessionError(f"no cell is selected: choose one with {keys} or a click, then show its trace")
        self.trace = not self.trace

    def do_quit(self) -> None:
        self.exit(return_code=0)

    def do_export(self) -> None:
        assert self.session is not None
        session = self.session
        panel = self.focused

        def save(what: str) -> None:
            if what == "run":
                session.perform("export-run")
            else:
                session.note = ""  # a passing notice is no part of the picture
                self._show_status()
                session.note = export(self, session, panel if what == "panel" else None)

        entries = [
            ("panel", "Focused panel   SVG, PNG, and its numbers as CSV"),
            ("screen", "Whole screen   SVG, PNG, and the signal at each word as CSV"),
            ("run", "This run   a recording that plays without the network"),
        ]

        def then(what: str) -> None:  # after the dialog has disappeared from the screen
            self.call_after_refresh(self.run_guarded, lambda: save(what))

        self.choose(f"Export to {safe(str(Path.cwd()), 60)}", entries, "", then)

    def do_zoom(self) -> None:
        panel = self.focused
        screen = self.screen_stack[0]
        if panel is None or not panel.id:
            return
        screen.toggle_class("zoomed")
        self.zoomed = panel.id if screen.has_class("zoomed") else None
        shown: set[Widget] = {panel, *(n for n in panel.ancestors if isinstance(n, Widget)), *panel.query("*")}
        for widget in screen.query("#review, #tabs, #overview, #body, #body > *, #left > *, #right > *"):
            widget.set_class(widget not in shown, "unzoomed")
            widget.set_class(widget in shown, "zoom")
        self._fit()
        self.call_after_refresh(self.draw)

    # ---- sizes ---------------------------------------------------------------------------------------------------

    def _resize_focused(self, table: Mapping[str, tuple[str, int]], by: float) -> None:
        name, sign = table[self.focused_panel or "heatmap"]
        self._set_shares(self.shares.changed(name, sign * by))

    def _set_shares(self, shares: Shares) -> None:
        self.shares = shares
        self._fit()
        self.call_after_refresh(self.draw)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag a border between panels."""
        screen, at = self.screen_stack[0], event.screen_offset
        self._dragged = None
        if len(self.screen_stack) > 1 or screen.has_class("small") or screen.has_class("zoomed"):
            return
        regions = {name: screen.query_one(f"#{name}").region for name in (*TABS, "review", "overview", "right")}
        right = regions.pop("right")
        edges = {
            "review": regions["review"].bottom - 1,
            "overview": regions["overview"].y,
            "alpha": regions["alpha"].y,
            "spectrum": regions["spectrum"].y,
            "cells": regions["cells"].y,
        }
        if right.y <= at.y < right.bottom and at.x in (right.x - 1, right.x):
            self._dragged = "right"
        else:
            self._dragged = next((n for n, y in edges.items() if at.y == y and regions[n].contains_point(at)), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag a border: the panel below or to the right of it takes the rest, above all for the review."""
        if self._dragged is None or not event.button:
            return
        screen, at, name = self.screen_stack[0], event.screen_offset, self._dragged
        body = screen.query_one("#body").region
        wanted = {
            "right": lambda: (self.size.width - at.x) / self.size.width,
            "review": lambda: (
                (at.y + 1 - screen.query_one("#review").region.y)
                / (self.size.height - BARS)
                / wide_factor(self.size.width)
            ),
            "overview": lambda: (screen.query_one("#overview").region.bottom - at.y) / (self.size.height - BARS),
            "spectrum": lambda: (screen.query_one("#spectrum").region.bottom - at.y) / body.height,
        }.get(name, lambda: (body.bottom - at.y) / body.height)()
        self._set_shares(self.shares.changed(name, wanted - getattr(self.shares, name)))

    def on_mouse_up(self) -> None:
        self._dragged = None

    def raise_panel(self, name: str) -> None:
        if name in TABS:
            self.tab = name
            self._fit()
        self.call_after_refresh(self.screen_stack[0].query_one(f"#{name}").focus)
        self.call_after_refresh(self.draw)

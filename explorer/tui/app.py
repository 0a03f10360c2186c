"""The terminal face: panels around one session, keys from the one table of actions."""

from __future__ import annotations

import gc
import math
import os
import signal
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

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
from explorer.session.actions import ACTIONS, key_of
from explorer.session.keymap import actions_with, load_keys
from explorer.session.launcher import LaunchOptions, Opening
from explorer.session.pacing import RATES, Pacer
from explorer.session.session import Session
from explorer.tui.dialogs.action_dialogs import Choosing
from explorer.tui.export import export
from explorer.tui.panels.alpha import AlphaPanel
from explorer.tui.panels.bars import TABS, KeyBar, StatusBar, TabBar
from explorer.tui.panels.cells import CellsPanel
from explorer.tui.panels.fixed_points import PointsPanel
from explorer.tui.panels.heatmap import HeatmapPanel
from explorer.tui.panels.overview import OverviewPanel
from explorer.tui.panels.review import ReviewPanel
from explorer.tui.panels.spectrum import SpectrumPanel
from explorer.tui.terminal.styles import as_markup

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from explorer.tui.terminal.direct_renderer import DirectRenderer

SMALL = (100, 30)  # below this the panels become tabs
TINY = (60, 16)  # below this nothing can be read
TALL, LOW = 48, 36
MOVING = ("#status", "#review", "#heatmap", "#alpha", "#overview")
STEADY = ("#tabs", "#points", "#spectrum", "#cells")
NUMBERS = 4  # while words go by, what is steady is drawn every fourth time: nobody reads numbers faster


class Explorer(Choosing):
    """The application. The first frame needs no torch; `Opening` brings the session in a thread.

    Parameters
    ----------
    wishes : LaunchOptions
        What to open.
    session : Session, optional
        An open session instead.
    show_rates : bool
        Whether speeds and frame rates are on the screen; pictures for comparison go without.
    """

    CSS_PATH = "style.tcss"
    TITLE = "pinkx"
    section = "terminal"  # of the state
    ENABLE_COMMAND_PALETTE = False
    # They leave from everywhere, dialogues and text fields too.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c,ctrl+q", "perform('quit')", show=False, priority=True)]

    def __init__(
        self, wishes: LaunchOptions | None = None, *, session: Session | None = None, show_rates: bool = True
    ) -> None:
        self._no_colours = "NO_COLOR" in os.environ
        super().__init__(ansi_color=self._no_colours)  # Textual then leaves colours out instead of greying them
        self.session = session
        self.actions = actions_with(load_keys(wishes.keys)) if wishes is not None else ACTIONS
        for entry in self.actions:
            self.bind(",".join(entry.keys), f"perform('{entry.id}')", description=entry.label, show=False)
        if session is not None:
            session.actions = self.actions
        self.opening = None if session is not None else Opening(wishes or LaunchOptions())
        self.pacer = Pacer()
        self.show_rates = show_rates
        self.failure: Exception | None = None
        self.tab = "heatmap"
        self.zoomed: str | None = None
        self._ticks = 0
        self._drawn: Snapshot | None = None

    @property
    def glyphs(self) -> bool:
        """Whether to draw with characters of more or less ink, for terminals of few colours or none."""
        return self._no_colours or self.console.color_system in (None, "standard", "windows")

    @property
    def ink(self) -> DirectRenderer | None:
        """Draws straight on the terminal; None where Textual draws everything: in a browser, and without a terminal."""
        return getattr(self._driver, "ink", None)

    @property
    def terminal_rate(self) -> float:
        """How many bytes a second the terminal takes, infinite for one that is not slow."""
        return getattr(self._driver, "rate", math.inf)

    # ---- the screen ------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Static("", id="message")
        with Vertical(id="face"):
            yield StatusBar(id="status")
            yield ReviewPanel(id="review")
            yield TabBar(id="tabs")
            with Horizontal(id="body"):
                with Vertical(id="left"):
                    yield HeatmapPanel(id="heatmap")
                    yield AlphaPanel(id="alpha")
                with Vertical(id="right"):
                    yield PointsPanel(id="points")
                    yield SpectrumPanel(id="spectrum")
                    yield CellsPanel(id="cells")
            yield OverviewPanel(id="overview")
            yield KeyBar(id="keys")

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        if driver.__name__ != "LinuxDriver":
            return driver
        from explorer.tui.terminal.driver import MeteredDriver

        return MeteredDriver

    def on_mount(self) -> None:
        self.screen.set_class(self.session is None, "opening")
        self._fit()
        if self.opening is not None:
            self._say_opening()
            self.call_after_refresh(self.opening.begin)
        self.query_one("#heatmap").focus()
        self.set_interval(1 / RATES[0], self._tick)

    def on_resize(self, event: events.Resize) -> None:
        forget = getattr(self._driver, "forget", None)
        if forget is not None:
            forget()
        self._fit(event.size)  # Textual takes it for its own only after this
        self.call_after_refresh(self.draw)

    def _fit(self, size: Size | None = None) -> None:
        """Choose the layout for the size of the terminal."""
        width, height = size or self.size
        tiny, small = width < TINY[0] or height < TINY[1], width < SMALL[0] or height < SMALL[1]
        screen = self.screen_stack[0]
        screen.set_class(tiny, "tiny")
        screen.set_class(small, "small")
        screen.set_class(height >= TALL, "tall")
        screen.set_class(height < LOW, "low")
        if tiny:
            self._say(f"pinkx needs {TINY[0]} × {TINY[1]} characters\nthis terminal has {width} × {height}")
        elif self.session is None:
            self._say_opening()
        for name in TABS:
            screen.query_one(f"#{name}").set_class(name != self.tab, "hidden")
        on_the_left = self.tab in ("heatmap", "alpha")
        screen.query_one("#left").set_class(not on_the_left, "hidden")
        screen.query_one("#right").set_class(on_the_left, "hidden")

    # ---- drawing ---------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if getattr(self._driver, "gone", False):
            self.exit(return_code=128 + signal.SIGHUP)
        elif self.session is not None and len(self.screen_stack) > 1:
            pass  # behind a dialogue the picture rests, so that typing is not held up
        elif self.pacer.due(time.monotonic(), bool(getattr(self._driver, "busy", False))):
            self._ticks += 1
            snapshot = self.session.stream.snapshot if self.session is not None else None
            every = NUMBERS * self.pacer.rate / RATES[0]  # a slow pacer leaves enough out itself
            all = self._ticks % max(1, round(every)) == 0
            if all or snapshot is None or snapshot is not self._drawn:  # at rest there is seldom anything new
                self._drawn = snapshot
                self.draw(numbers=all or snapshot is None or not snapshot.playing)

    def draw(self, *, numbers: bool = True) -> None:
        """Draw the newest frame, as far as it changed; without ``numbers`` only what moves."""
        if self.session is None:
            self._await_opening()
            return
        try:
            panels = [self.screen_stack[0].query_one(name) for name in ((*MOVING, *STEADY) if numbers else MOVING)]
        except (IndexError, NoMatches):  # the last tick of a face that is being left
            return
        frame = self.session.update()
        for panel in panels:
            panel.show(self.session, frame)  # type: ignore[attr-defined]
        if self.ink is not None:
            self._driver.send()  # type: ignore[union-attr]

    def _await_opening(self) -> None:
        assert self.opening is not None
        if self.opening.error is not None:
            self.failure = self.opening.error
            self.exit(return_code=1)
        elif self.opening.session is not None:
            self.session = self.opening.session
            self.session.actions = self.actions
            gc.freeze()  # what was loaded stays to the end: the collector need not walk through PyTorch again
            self.screen_stack[0].remove_class("opening")
            self.session.play()
            self._continue(self.opening.state.terminal)
            self.call_after_refresh(self.draw)
        elif not self.screen_stack[0].has_class("tiny"):
            self._say_opening()

    def _continue(self, told: Mapping[str, Any]) -> None:
        """Bring to the front what was there when the last visit ended."""
        screen = self.screen_stack[0]
        if told.get("tab") in TABS:
            self.show_tab(told["tab"])
        if told.get("zoomed") in ("review", *TABS):
            screen.set_focus(screen.query_one(f"#{told['zoomed']}"))
            self.do_zoom()

    def kept(self) -> dict[str, Any]:
        """The face's part of what is kept for the next visit."""
        return {"tab": self.tab, "zoomed": self.zoomed}

    def _say_opening(self) -> None:
        assert self.opening is not None
        key = as_markup(key_of(self.actions, "quit"))
        self._say(f"[b #ff8fc0]pinkx[/]\n\n{self.opening.progress} …\n\n[#6f7b88]{key} quits[/]")

    def _say(self, text: str) -> None:
        message = self.screen_stack[0].query_one("#message", Static)
        if message.content != text:
            message.update(text)

    # ---- actions ---------------------------------------------------------------------------------------------

    def action_choose_signal(self, name: str) -> None:
        """Show a signal that was clicked."""
        if self.session is not None:
            session = self.session
            self.run_guarded(lambda: session.choose_signal(name))

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "quit": self.do_quit,
            "export": self.do_export,
            "zoom": self.do_zoom,
            "focus-review": self.do_focus_review,
            **{f"focus-{name}": partial(self.show_tab, name) for name in TABS},
        }

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
                session.note = export(self, session, panel if what == "panel" else None)

        entries = [
            ("panel", "the panel in focus   SVG, PNG, and its numbers as CSV"),
            ("screen", "the whole screen   SVG, PNG, and the signal word by word as CSV"),
            ("run", "this run   a recording that plays without the network"),
        ]

        def then(what: str) -> None:  # once the dialogue is no longer in the picture
            self.call_after_refresh(self.run_guarded, lambda: save(what))

        self.choose("Save", entries, "", then)

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
        self.call_after_refresh(self.draw)

    def do_focus_review(self) -> None:
        self.screen_stack[0].query_one("#review").focus()

    def show_tab(self, name: str) -> None:
        """Bring a panel to the front where panels are tabs, and focus it."""
        self.tab = name
        self._fit()
        self.call_after_refresh(self.screen_stack[0].query_one(f"#{name}").focus)
        self.call_after_refresh(self.draw)

"""The status bar, the tab bar and the key bar."""

from __future__ import annotations

from rich.segment import Segment
from textual import events

from explorer.session.actions import PANELS, label_now, shown_key
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.legend import sentence
from explorer.session.views.readouts import status_parts
from explorer.session.views.units import unit_names
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.styles import DIM, PINK_BOLD, TEXT, WARN, Line, safe, styled, width_of

TABS = {
    "heatmap": "2 Cells × time",
    "points": "3 Points",
    "spectrum": "4 Spectrum",
    "alpha": "5 Rolling α",
    "cells": "6 Cells",
}


OPTIONAL = ("speed", "rates", "skipped", "lost")  # parts of the status that are left out where they do not fit
MAIN = ("play", "step", "signal")  # keys that the footer always shows, before those of the focused panel
ALWAYS = ("zoom", "legend", "help", "quit")  # and after them


class StatusBar(Panel):
    """Network, review, state, position, speed, and a badge when the terminal is too slow."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._review_columns = range(0)

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        throttle = self.host.throttle
        degraded = [f"{throttle.skipped} frames skipped"] if throttle.degraded else []
        degraded += ["fewer colours"] if throttle.fewer_colours else []
        parts = status_parts(
            frame,
            comparison=safe(session.comparison.name, 30),
            recorded=session.recorder.runs,
            fps=throttle.frame_rate if self.host.show_rates else None,
            degraded=degraded,
            held=self.host.held,
            skipped=session.skipped,
            restore_key=session.key_of("undo-ablation"),
        )
        line: Line = [Segment(" pinkx", PINK_BOLD)]
        narrow = self.size.width < 100
        gap = "  " if narrow else "   "
        for name, part in parts.items():
            runs = part[:1] if name == "network" and narrow else part  # without the task
            if name in OPTIONAL and width_of(line) + len(gap) + width_of(styled(runs)) > self.size.width:
                continue
            line += [Segment("  " if len(line) == 1 else gap), *styled(runs)]
            if name == "review":
                start = width_of(line) - width_of(styled(runs))
                self._review_columns = range(start, width_of(line))
        return [line]

    def on_click(self, event: events.Click) -> None:
        if event.x in self._review_columns:  # "review 17/1,871" opens the list of all of them
            session = self.host.session
            self.host.perform("reviews" if session is not None and session.refusal("corpus") else "corpus")


class NoticeBar(Panel):
    """The latest notice until it expires, else what the focused panel shows, in one sentence."""

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width = self.size.width - 1
        if frame.note:
            return [[Segment(f" {safe(frame.note, width)}", WARN)]]
        return [
            [Segment(f" {safe(sentence(self.host.focused_panel, unit_names(frame.snapshot.network)), width)}", DIM)]
        ]


class KeyBar(Panel):
    """The footer, made from the table of actions: the main keys, then those of the focused panel, then others as far
    as they fit. An entry can be clicked."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._entries: list[tuple[Line, str]] = []

    def state(self, session: Session, frame: Frame) -> tuple[object, ...]:
        host = self.host
        return host.actions, host.focused_panel, host.zoomed, frame.snapshot.playing

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        host = self.host
        actions = {action.id: action for action in host.actions}
        fixed = {*MAIN, *ALWAYS, *(name for name, action in actions.items() if action.label.startswith("Previous"))}
        own = PANELS.get(host.focused_panel, ())
        others = [name for name, action in actions.items() if action.footer]

        def entry(name: str) -> tuple[Line, str]:
            action = actions[name]
            label = label_now(action, playing=frame.snapshot.playing, zoomed=host.zoomed is not None)
            return [Segment(f" {shown_key(action.keys[0])}", PINK_BOLD), Segment(f" {label} ", TEXT)], name

        first, last = [entry(name) for name in MAIN], [entry(name) for name in ALWAYS]
        room = self.size.width - sum(width_of(line) for line, _ in (*first, *last))
        middle: list[tuple[Line, str]] = []
        for name in dict.fromkeys((*own, *others)):
            if name not in fixed:
                width = width_of(entry(name)[0])
                if width <= room:
                    middle.append(entry(name))
                    room -= width
        self._entries = [*first, *middle, *last]
        return [[segment for line, _ in self._entries for segment in line]]

    def on_click(self, event: events.Click) -> None:
        column = 0
        for entry, name in self._entries:
            column += width_of(entry)
            if event.x < column:
                self.host.perform(name)
                return


class TabBar(Panel):
    """The names of the panels that share a small terminal; a click shows one."""

    def state(self, session: Session, frame: Frame) -> tuple[object, ...]:
        return (self.host.tab,)

    def _entries(self) -> list[tuple[str, str]]:
        return [(name, f"  {label}  ") for name, label in TABS.items()]

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        current = self.host.tab
        return [[Segment(label, PINK_BOLD if name == current else DIM) for name, label in self._entries()]]

    def on_click(self, event: events.Click) -> None:
        column = 0
        for name, label in self._entries():
            column += len(label)
            if event.x < column:
                self.host.raise_panel(name)
                return

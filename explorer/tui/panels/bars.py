"""The status bar, the tab bar and the key bar."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from explorer.session.actions import shown_key
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.readouts import status_parts
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.styles import DIM, PINK_BOLD, TEXT, WARN, Line, safe, styled, width_of

TABS = {
    "heatmap": "2 Cells × time",
    "points": "3 Points",
    "spectrum": "4 Spectrum",
    "alpha": "5 Rolling α",
    "cells": "6 Cells",
}


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
        )
        line: Line = [Segment(" pinkx", PINK_BOLD)]
        if frame.note:
            return [[*line, Segment("  "), *styled(parts["badge"]), Segment(f"  {frame.note}", WARN)]]
        for name, part in parts.items():
            runs = part[:1] if name == "network" and self.size.width < 100 else part  # without the task
            line += [Segment("  " if len(line) == 1 else "   "), *styled(runs)]
            if name == "review":
                start = width_of(line) - width_of(styled(runs))
                self._review_columns = range(start, width_of(line))
        return [line]

    def on_click(self, event: events.Click) -> None:
        if event.x in self._review_columns:  # "review 17/1,871" opens the list of all of them
            self.host.perform("corpus")


class KeyBar(Panel):
    """The footer, made from the table of actions; an entry can be clicked."""

    def _entries(self) -> list[tuple[Line, str]]:
        entries = []
        for action in self.host.actions:
            if action.footer:
                key, label = shown_key(action.keys[0]), action.label
                entries.append(([Segment(f" {key}", PINK_BOLD), Segment(f" {label} ", TEXT)], action.id))
        while sum(width_of(line) for line, _ in entries) > self.size.width and len(entries) > 2:
            del entries[-3]  # keep the last two, help and quit
        return entries

    def render_line(self, y: int) -> Strip:
        line = [segment for entry, _ in self._entries() for segment in entry]
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def on_click(self, event: events.Click) -> None:
        column = 0
        for entry, name in self._entries():
            column += width_of(entry)
            if event.x < column:
                self.host.perform(name)
                return


class TabBar(Panel):
    """The names of the panels that share a small terminal; a click shows one."""

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

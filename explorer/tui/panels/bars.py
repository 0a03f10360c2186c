"""The status bar, the tab bar and the key bar."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from explorer.session.actions import shown_key
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.clamps import clamp_summary
from explorer.session.views.number_format import reading_speed
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.styles import (
    BRIGHT,
    DEAD,
    DIM,
    FAINT,
    GOOD,
    OTHER,
    PINK_BOLD,
    TEXT,
    WARN,
    Line,
    safe,
    width_of,
)

TABS = {
    "heatmap": "2 Cells × time",
    "points": "3 Points",
    "spectrum": "4 Spectrum",
    "alpha": "5 Rolling α",
    "cells": "6 Cells",
}
_BADGES = {
    "LIVE": ("● LIVE", GOOD + Style(bold=True)),
    "PAUSED": ("‖ PAUSED", WARN),
    "LOOKING": ("◂ LOOKING BACK", WARN),
    "END": ("■ END", DIM + Style(bold=True)),
}


class StatusBar(Panel):
    """Network, review, state, position, speed, and a badge when the terminal is too slow."""

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        snapshot, throttle = frame.snapshot, self.host.throttle
        badge, style = _BADGES[frame.status]
        line: Line = [
            Segment(" pinkx ", PINK_BOLD),
            Segment(f" {snapshot.network.name} ", BRIGHT),
            Segment(f"· {snapshot.network.task}  " if self.size.width >= 100 else "", DIM),
            Segment(f" {_place(frame)}   ", TEXT),
            Segment(badge, style),
            Segment(f"  word {frame.word + 1}/{snapshot.words}", BRIGHT),
            *self._changes(frame),
            *([Segment(f"   ⇄ {safe(session.comparison.name, 30)}", OTHER)] if session.comparison.name else []),
            *self._recording(session),
            Segment(f"   {reading_speed(snapshot.speed)}", DIM),
        ]
        if self.host.show_rates:
            measured = f" (now {snapshot.words_per_second:,.0f})" if snapshot.playing and not snapshot.speed else ""
            line.append(Segment(f"{measured}  {throttle.frame_rate:.0f} fps", FAINT + DIM))
        reductions = [f"{throttle.skipped} frames skipped"] if throttle.degraded else []
        reductions += ["fewer colours"] if throttle.fewer_colours else []
        if reductions:
            line.append(Segment(f"  slow terminal: {', '.join(reductions)}", WARN))
        if frame.note:
            line = [Segment(" pinkx ", PINK_BOLD), Segment(badge, style), Segment(f"  {frame.note}", WARN)]
        return [line]

    def on_click(self, event: events.Click) -> None:
        column = 0
        for segment in self._lines[0] if self._lines else []:
            column += segment.cell_length
            if event.x < column:
                if segment.text.startswith(" review "):  # "review 17/1871" opens the list of all of them
                    self.host.perform("corpus")
                return

    def _recording(self, session: Session) -> Line:
        runs = session.recorder.runs
        return [Segment(f"   ● REC {runs} run{'s'[: runs > 1]}", DEAD)] if runs else []

    def _changes(self, frame: Frame) -> Line:
        """Ablations and clamps: the numbers are not those of the trained network."""
        changed = clamp_summary(frame.snapshot)
        return [Segment(f"   ∅ {changed}", WARN)] if changed else []


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


def _place(frame: Frame) -> str:
    snapshot = frame.snapshot
    if snapshot.reviews == 1:
        return f"review {safe(snapshot.review.name, 30)}"
    return f"review {snapshot.index + 1}/{snapshot.reviews}"


class TabBar(Panel):
    """The names of the panels that share a small terminal; a click shows one."""

    def _entries(self) -> list[tuple[str, str]]:
        return [(name, f"  {label}  ") for name, label in TABS.items()]

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        front = self.host.tab
        return [[Segment(label, PINK_BOLD if name == front else DIM) for name, label in self._entries()]]

    def on_click(self, event: events.Click) -> None:
        column = 0
        for name, label in self._entries():
            column += len(label)
            if event.x < column:
                self.host.raise_panel(name)
                return

"""All reviews of the source: the histograms of β, which fill in, and a list from which any review can be opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from explorer.session.controllers.corpus import RANGE, SIGNALS, Entry, Histogram
from explorer.session.controllers.noise_band import Band
from explorer.session.core import Frame
from explorer.session.palette import BARS
from explorer.session.session import Session
from explorer.session.views.clamps import clamp_summary
from explorer.session.views.number_format import number
from explorer.tui.dialogs.rows import Rows
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.styles import (
    BRIGHT,
    DIM,
    FAINT,
    GOOD,
    PINK,
    PINK_BOLD,
    SELECTED,
    TEXT,
    Line,
    as_markup,
    safe,
)

PERIOD = 0.25  # seconds between two looks at what is measured
MANY = 1000  # reviews from which on a bin is one column wide, not two
NOISES = {0: "white", 1: "pink", 2: "Brownian"}
# What stands above the list: heading, columns, and the order that a click on it chooses.
COLUMNS = (
    ("review", 8, ""),
    ("β h", 6, "β of h"),
    ("β x", 6, "β of x"),
    ("words", 6, "length"),
    ("P+", 5, "confidence"),
    ("error", 6, "error"),
)
MARKS = {True: "+", False: "−", None: " "}


class PopulationScreen(ModalScreen[int]):
    """Returns the index of the review to open, None if none was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "back", "Back"),
        ("h", "dismiss", "Close"),
        ("o", "order", "Order"),
        ("O", "turn", "Turn"),
        ("g", "signal", "Signal"),
        ("left", "bin(-1)", "Bin before"),
        ("right", "bin(1)", "Next bin"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._listed: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._signal = SIGNALS[0]
        self._said = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="corpus", classes="dialog") as box:
            box.border_title = "Corpus"
            box.border_subtitle = "↑ ↓ enter opens   o O order   ← → bin   g of h, of x   esc back"
            yield Static(id="measured")
            with Horizontal():
                yield Histograms(id="histograms")
                with Vertical(id="ranking"):
                    yield Headings(id="headings")
                    yield Rows(self._row)

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
        self.set_interval(PERIOD, self.look)
        self.call_after_refresh(self.look)

    def on_resize(self) -> None:
        self.call_after_refresh(self.look)

    # ---- drawing ---------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Draw what is measured by now."""
        if not self.is_attached or getattr(self.app._driver, "busy", False):
            return
        frame, population, rows = self._session.update(), self._session.corpus, self.query_one(Rows)
        population.request(frame)
        listed = population.listed(frame)
        if listed is not self._listed:
            kept = self._listed[rows.highlighted] if 0 < rows.highlighted < len(self._listed) else -1
            place = np.flatnonzero(listed == kept)
            self._listed = listed
            rows.fill(len(listed), int(place[0]) if len(place) else 0)
        for panel in self.query(Panel):
            panel.show(self._session, frame)
        if (said := self._told(frame)) != self._said:
            self._said = said
            self.query_one("#measured", Static).update(as_markup(said))

    def _told(self, frame: Frame) -> str:
        population = self._session.corpus
        rows, total = population.rows(frame), population.total
        parts = [f"{len(rows):,} of {total:,} reviews measured" if len(rows) < total else f"all {total:,} reviews"]
        if missing := int(np.isnan(rows["beta"]).any(axis=1).sum()):
            parts.append(f"{missing:,} without β")
        if changed := clamp_summary(frame.snapshot):
            parts.append(f"{changed} in all")
        if population.narrowed is not None:
            signal, low, high = population.narrowed
            parts.append(f"listed: {len(self._listed):,} with β of {signal} from {number(low)} to {number(high)}")
        return "   ".join([*parts, population.trouble]) if population.trouble else "   ".join(parts)

    def _row(self, place: int, width: int) -> Line:
        frame, population, row = self._session.frame(), self._session.corpus, int(self._listed[place])
        if row >= len(population.rows(frame)):  # measured anew since the last look
            return []
        return _entry_line(population.entry(frame, row), width)

    # ---- what keys and the mouse do --------------------------------------------------------------------------

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        rows, row = self._session.corpus.rows(self._session.frame()), self._listed[event.row]
        if row < len(rows):
            self.dismiss(int(rows[row]["review"]))

    def on_histograms_clicked(self, event: Histograms.Clicked) -> None:
        self._signal = event.signal
        self._narrow(event.bin)

    def on_headings_clicked(self, event: Headings.Clicked) -> None:
        population = self._session.corpus
        if population.order == event.order:
            population.turn_order()
        population.order = event.order
        self.look()

    def action_back(self) -> None:
        """List all reviews again; if they are, leave."""
        if self._session.corpus.narrowed is None:
            self.dismiss()
        else:
            self._session.corpus.widen()
            self.look()

    def action_order(self) -> None:
        """List by the next of the orders."""
        self._session.corpus.next_order()
        self.look()

    def action_turn(self) -> None:
        """Lowest first, or highest."""
        self._session.corpus.turn_order()
        self.look()

    def action_signal(self) -> None:
        """Choose bins of the other histogram."""
        self._signal = SIGNALS[(SIGNALS.index(self._signal) + 1) % len(SIGNALS)]
        self._session.corpus.widen()
        self.action_bin(0)

    def action_bin(self, change: int) -> None:
        """List the reviews of a bin: the watched review's, or else the fullest; then those on either side."""
        found = self._histogram()
        if found.chosen is not None:
            self._narrow(max(0, min(found.chosen + change, len(found.counts) - 1)))
        elif found.counts.any():
            self._narrow(found.watched if found.watched is not None else int(found.counts.argmax()))

    def _narrow(self, bin: int) -> None:
        edges = self._histogram().edges
        self._session.corpus.narrow(self._signal, float(edges[bin]), float(edges[bin + 1]))
        self.look()

    def _histogram(self) -> Histogram:
        bins = self.query_one(Histograms).bins
        return self._session.corpus.histogram(self._session.frame(), self._signal, bins)


def _entry_line(entry: Entry, width: int) -> Line:
    style = PINK_BOLD if entry.watched else TEXT
    numbers = [f"{number(value):>6}" for value in (*entry.beta, entry.probability, entry.error)]
    numbers.insert(len(entry.beta), f"{entry.words:>6}")
    numbers[-2] = numbers[-2][1:]
    line = [
        Segment("▸" if entry.watched else " ", PINK_BOLD),
        Segment(f"{entry.index + 1:>5} ", style),
        Segment(MARKS[entry.label], GOOD if entry.label else PINK),
        Segment(f"{''.join(numbers)}  ", style),
    ]
    room = width - sum(segment.cell_length for segment in line)
    return [*line, Segment(safe(entry.name, room), DIM)] if room > 3 else line


class Headings(Panel):
    """What the list is ordered by; a click on a heading orders by it, another one turns the order."""

    class Clicked(Message):
        """A heading was clicked."""

        def __init__(self, order: str) -> None:
            super().__init__()
            self.order = order

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        population = session.corpus
        arrow = "▾" if population.falling else "▴"
        return [
            [
                Segment(
                    f"{label + arrow if order == population.order else label:>{width}}", self._style(session, order)
                )
                for label, width, order in COLUMNS
            ]
        ]

    def _style(self, session: Session, order: str) -> Style:
        return PINK_BOLD if order == session.corpus.order else DIM

    def on_click(self, event: events.Click) -> None:
        ends = np.cumsum([width for _, width, _ in COLUMNS])
        column = int(np.searchsorted(ends, event.x, side="right"))
        if column < len(COLUMNS) and COLUMNS[column][2]:
            self.post_message(self.Clicked(COLUMNS[column][2]))


class Histograms(Panel):
    """β of h above β of x, over the same range; a click chooses a bin."""

    class Clicked(Message):
        """A bin was clicked."""

        def __init__(self, signal: str, bin: int) -> None:
            super().__init__()
            self.signal, self.bin = signal, bin

    @property
    def bins(self) -> int:
        """How many bins there is room for."""
        return max(1, self.size.width // self._wide)

    @property
    def _wide(self) -> int:
        session = self.explorer.session
        return 1 if session is not None and session.corpus.total >= MANY else 2

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        population, lines = session.corpus, []
        band, watched = population.band(frame), population.watched(frame)
        noise = f"noise of {watched['words']} words" if band is not None and watched is not None else ""
        for signal in SIGNALS:
            found = population.histogram(frame, signal, self.bins)
            lines += _drawn(found, band, noise, self.size.height // len(SIGNALS), self._wide)
        return lines

    def on_click(self, event: events.Click) -> None:
        signal = event.y // max(1, self.size.height // len(SIGNALS))
        bin = event.x // self._wide
        if signal < len(SIGNALS) and bin < self.bins:
            self.post_message(self.Clicked(SIGNALS[signal], bin))


def _drawn(found: Histogram, band: Band | None, noise: str, height: int, wide: int) -> list[Line]:
    """A title, the bars, the bands of noise and what noise that is, and the scale of β."""
    rows = max(1, height - 3)
    peak = max(1, int(found.counts.max(initial=0)))
    eighths = np.ceil(found.counts / peak * rows * 8).astype(int)
    lines = [_title(found, len(found.counts) * wide)]
    for row in reversed(range(rows)):
        filled = (eighths - 8 * row).clip(0, 8)
        cells = [(" " + BARS)[eighth] * wide for eighth in filled.tolist()]
        styles = [GOOD] * len(cells)
        if found.watched is not None:
            styles[found.watched] = PINK_BOLD
            if not filled[found.watched] and (row == 0 or eighths[found.watched] > 8 * (row - 1)):
                cells[found.watched] = "▼".ljust(wide)
        if found.chosen is not None:
            styles[found.chosen] = styles[found.chosen] + SELECTED
        lines.append(_runs(cells, styles))
    return [*lines, _bands(found, band, noise, wide), _scale(len(found.counts) * wide)]


def _title(found: Histogram, columns: int) -> Line:
    line = [Segment(f"β of {found.signal}", BRIGHT)]
    if found.counts.any():
        line.append(Segment(f" median {number(found.median)}", TEXT))
    watched = number(found.beta) if found.watched is not None else found.reason or "…"
    mark = "  ▼ this review " if columns >= 42 else "  ▼ "
    return [*line, Segment(mark, PINK), Segment(watched, PINK_BOLD)]


def _bands(found: Histogram, band: Band | None, noise: str, wide: int) -> Line:
    """Between which β nine in ten series of white noise lie, and of pink; which bin is chosen."""
    middle = np.repeat((found.edges[:-1] + found.edges[1:]) / 2, wide)
    cells, styles = [" "] * len(middle), [FAINT] * len(middle)
    if band is not None:
        for (low, high), sign, style in ((band.white, "─", TEXT), (band.pink, "━", PINK)):
            for column in np.flatnonzero((middle >= low) & (middle <= high)).tolist():
                cells[column], styles[column] = sign, style
        end = int((middle <= band.pink[1]).sum()) + 1
        if end + len(noise) <= len(cells):
            cells[end : end + len(noise)], styles[end:] = noise, [DIM] * (len(cells) - end)
    if found.chosen is not None:
        for column in range(found.chosen * wide, (found.chosen + 1) * wide):
            cells[column], styles[column] = "▲", BRIGHT
    return _runs(cells, styles)


def _scale(columns: int) -> Line:
    text = [" "] * columns
    low, high = RANGE
    for beta, name in NOISES.items():
        at = int((beta - low) / (high - low) * columns)
        label = f"{beta} {name}" if at + len(name) + 2 <= columns else str(beta)
        text[at : at + len(label)] = label
    return [Segment("".join(text[:columns]), DIM)]


def _runs(cells: list[str], styles: list[Style]) -> Line:
    """Neighbours of one style as one segment."""

    def runs() -> Iterator[Segment]:
        start = 0
        for end in range(1, len(cells) + 1):
            if end == len(cells) or styles[end] != styles[start]:
                yield Segment("".join(cells[start:end]), styles[start])
                start = end

    return list(runs())

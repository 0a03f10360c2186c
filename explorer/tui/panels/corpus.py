"""The corpus: histograms of β over all reviews, filled in as they are measured, and a list that opens any of them."""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from explorer.session.controllers.corpus import RANGE, Entry, Histogram
from explorer.session.controllers.noise_band import Band
from explorer.session.core import Frame
from explorer.session.corpus_job import SIGNALS
from explorer.session.palette import BARS
from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.session.views.outputs import POSITIVE, output_of
from explorer.session.views.readouts import clamps_line, corpus_line, histogram_line
from explorer.session.views.runs import plain
from explorer.session.views.tables import corpus_table
from explorer.tui.dialogs.analysis import saved
from explorer.tui.dialogs.closing import Dialog
from explorer.tui.dialogs.rows import Rows
from explorer.tui.host import Host
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
    markup,
    runs,
    safe,
    styled,
)

PERIOD = 0.25  # seconds between updates
LARGE = 1000  # reviews; a larger corpus has bins of one column, not two
NOISES = {0: "white", 1: "pink", 2: "Brownian"}
# Columns of the list: heading, width, and the order that a click on the heading chooses.
COLUMNS = (
    ("review", 8, ""),
    ("β h", 6, "β of h"),
    ("β x", 6, "β of x"),
    ("words", 6, "length"),
    (POSITIVE.short, 5, "confidence"),
    ("error", 6, "error"),
)
HELP = """Every review of the source is read in the background, and its β is measured: of the layer sum of h above,
of the input x below. A histogram counts reviews; ▼ is the review on the screen, ━ and ─ are the ranges of 90% of all
series of exact pink and white noise of its length.

β h, β x   exponent of the power spectrum of the layer sum of h, and of the input
words      length of the review
P(+)       the network's probability that the review is positive, after its last word
error      distance of that probability from the label: 0 right, 1 wrong

↑ ↓ enter  choose a review and open it        o O     order by the next column, reverse the order
← →        list the reviews of a bin of β     g       bins of the other histogram
e          save the listed reviews as CSV     esc     list all reviews again, then close
h q        close                              mouse   click on a bin, on a heading or on a review"""
MARKS = {True: "+", False: "−", None: " "}


class CorpusScreen(Dialog[int]):
    """Screen of the corpus; it returns the index of the chosen review, None if none was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "back", "Back"),
        ("h,q", "dismiss", "Close"),
        ("e", "save", "Save"),
        ("question_mark,f1", "help", "Help"),
        ("o", "order", "Order"),
        ("O", "reverse", "Reverse"),
        ("g", "signal", "Signal"),
        ("left", "bin(-1)", "Bin before"),
        ("right", "bin(1)", "Next bin"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._listed: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._signal = SIGNALS[0]
        self._status = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="corpus", classes="dialog") as box:
            box.border_title = "Corpus"
            box.border_subtitle = "↑ ↓ enter open   o O order   ← → bin   g β of h or x   e save   ? help   q close"
            yield Static(id="measured")
            with Horizontal():
                yield Histograms(id="histograms")
                with Vertical(id="ranking"):
                    yield Headings(id="headings")
                    yield Rows(self._row)

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
        self.set_interval(PERIOD, self.update_results)
        self.call_after_refresh(self.update_results)

    def on_resize(self) -> None:
        self.call_after_refresh(self.update_results)

    # ---- drawing ---------------------------------------------------------------------------------------------

    def update_results(self) -> None:
        """Draw the results so far."""
        if not self.is_attached or cast("Host", self.app).output_pending:
            return
        # The application does not draw behind a screen, so this updates the session.
        frame, corpus, rows = self._session.update(), self._session.corpus, self.query_one(Rows)
        corpus.request(frame)
        listed = corpus.listed(frame)
        if listed is not self._listed:
            highlighted = self._listed[rows.highlighted] if 0 < rows.highlighted < len(self._listed) else -1
            place = np.flatnonzero(listed == highlighted)
            self._listed = listed
            rows.fill(len(listed), int(place[0]) if len(place) else 0)
        for panel in self.query(Panel):
            panel.show(self._session, frame)
        if (status := self._status_text(frame)) != self._status:
            self._status = status
            self.query_one("#measured", Static).update(status)

    def _status_text(self, frame: Frame) -> str:
        corpus = self._session.corpus
        rows = corpus.rows(frame)
        line = corpus_line(
            len(rows),
            corpus.total,
            missing=int(np.isnan(rows["beta"]).any(axis=1).sum()),
            changes=plain(clamps_line(frame.snapshot)),
            listed=None if corpus.narrowed is None else (len(self._listed), *corpus.narrowed),
            error=corpus.trouble or corpus.notice,
            summary=corpus.summary(frame),
            width=self.size.width - 4,
        )
        return markup(line)

    def _row(self, place: int, width: int) -> Line:
        frame, corpus, row = self._session.frame(), self._session.corpus, int(self._listed[place])
        if row >= len(corpus.rows(frame)):  # a new measurement has begun since the last update
            return []
        return _entry_line(corpus.entry(frame, row), width)

    # ---- keys and mouse --------------------------------------------------------------------------------------

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        rows, row = self._session.corpus.rows(self._session.frame()), self._listed[event.row]
        if row < len(rows):
            self.dismiss(int(rows[row]["review"]))

    def on_histograms_clicked(self, event: Histograms.Clicked) -> None:
        self._signal = event.signal
        self._narrow(event.bin)

    def on_headings_clicked(self, event: Headings.Clicked) -> None:
        corpus = self._session.corpus
        if corpus.order == event.order:
            corpus.turn_order()
        corpus.order = event.order
        self.update_results()

    def action_back(self) -> None:
        """List all reviews again; close the screen if they are listed."""
        if self._session.corpus.narrowed is None:
            self.dismiss()
        else:
            self._session.corpus.widen()
            self.update_results()

    def action_save(self) -> None:
        """Save the listed reviews as CSV, and show where."""
        session = self._session
        frame, corpus = session.frame(), session.corpus
        rows = [corpus.entry(frame, int(row)) for row in self._listed if row < len(corpus.rows(frame))]
        output = output_of(frame.snapshot.network)
        self.query_one("#corpus").border_subtitle = as_markup(
            saved(session, "corpus", lambda: corpus_table(rows, SIGNALS, output))
        )

    def action_help(self) -> None:
        """Explain the numbers and the keys."""
        self.app.push_screen(CorpusHelp())

    def action_order(self) -> None:
        """Sort by the next quantity."""
        self._session.corpus.next_order()
        self.update_results()

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._session.corpus.turn_order()
        self.update_results()

    def action_signal(self) -> None:
        """Choose bins in the other histogram."""
        self._signal = SIGNALS[(SIGNALS.index(self._signal) + 1) % len(SIGNALS)]
        self._session.corpus.widen()
        self.action_bin(0)

    def action_bin(self, change: int) -> None:
        """List the reviews of a bin: first the watched review's, or else the fullest; then its neighbours."""
        found = self._histogram()
        if found.chosen is not None:
            self._narrow(max(0, min(found.chosen + change, len(found.counts) - 1)))
        elif found.counts.any():
            self._narrow(found.watched if found.watched is not None else int(found.counts.argmax()))

    def _narrow(self, bin: int) -> None:
        edges = self._histogram().edges
        self._session.corpus.narrow(self._signal, float(edges[bin]), float(edges[bin + 1]))
        self.update_results()

    def _histogram(self) -> Histogram:
        bins = self.query_one(Histograms).bins
        return self._session.corpus.histogram(self._session.frame(), self._signal, bins)


class CorpusHelp(Dialog[None]):
    """Help about the corpus: its contents and its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,f1", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        with Vertical(id="corpus-help", classes="dialog") as box:
            box.border_title = "Corpus"
            box.border_subtitle = "esc close"
            yield Static(HELP)


def _entry_line(entry: Entry, width: int) -> Line:
    style = PINK_BOLD if entry.watched else TEXT
    numbers = [f"{number(value, 5):>6}" for value in (*entry.beta, entry.output, entry.error)]
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
    """The headings of the list. A click sorts by that column, a second click reverses the order."""

    class Clicked(Message):
        """A heading was clicked."""

        def __init__(self, order: str) -> None:
            super().__init__()
            self.order = order

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        corpus = session.corpus
        arrow = "▾" if corpus.falling else "▴"
        line: Line = []
        output = output_of(frame.snapshot.network)
        for label, width, order in COLUMNS:
            label = output.short if label == POSITIVE.short else label
            chosen = order == corpus.order
            line.append(Segment(f"{label + arrow if chosen else label:>{width}}", PINK_BOLD if chosen else DIM))
        return [line]

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
        """The number of bins that fit."""
        return max(1, self.size.width // self._bin_width)

    @property
    def _bin_width(self) -> int:
        session = self.host.session
        return 1 if session is not None and session.corpus.total >= LARGE else 2

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        corpus, lines = session.corpus, []
        band, watched = corpus.band(frame), corpus.watched(frame)
        noise = f"noise of {watched['words']} words" if band is not None and watched is not None else ""
        for signal in SIGNALS:
            found = corpus.histogram(frame, signal, self.bins)
            lines += _histogram_lines(found, band, noise, self.size.height // len(SIGNALS), self._bin_width)
        return lines

    def on_click(self, event: events.Click) -> None:
        signal = event.y // max(1, self.size.height // len(SIGNALS))
        bin = event.x // self._bin_width
        if signal < len(SIGNALS) and bin < self.bins:
            self.post_message(self.Clicked(SIGNALS[signal], bin))


def _histogram_lines(found: Histogram, band: Band | None, noise: str, height: int, width: int) -> list[Line]:
    """Draw a title, the bars (``width`` columns per bin), the bands of noise with their label, and the scale of β."""
    rows = max(1, height - 3)
    peak = max(1, int(found.counts.max(initial=0)))
    eighths = np.ceil(found.counts / peak * rows * 8).astype(int)
    title = histogram_line(found.signal, found.median, found.beta, found.reason, len(found.counts) * width)
    lines = [styled(title)]
    for row in reversed(range(rows)):
        filled = (eighths - 8 * row).clip(0, 8)
        cells = [(" " + BARS)[eighth] * width for eighth in filled.tolist()]
        styles = [GOOD] * len(cells)
        if found.watched is not None:
            styles[found.watched] = PINK_BOLD
            if not filled[found.watched] and (row == 0 or eighths[found.watched] > 8 * (row - 1)):
                cells[found.watched] = "▼".ljust(width)
        if found.chosen is not None:
            styles[found.chosen] = styles[found.chosen] + SELECTED
        lines.append(_runs(cells, styles))
    return [*lines, _bands(found, band, noise, width), _scale(len(found.counts) * width)]


def _bands(found: Histogram, band: Band | None, noise: str, width: int) -> Line:
    """Draw the ranges that contain β of 90 % of all series of white and of pink noise, and mark the chosen bin."""
    middle = np.repeat((found.edges[:-1] + found.edges[1:]) / 2, width)
    cells, styles = [" "] * len(middle), [FAINT] * len(middle)
    if band is not None:
        for (low, high), sign, style in ((band.white, "─", TEXT), (band.pink, "━", PINK)):
            for column in np.flatnonzero((middle >= low) & (middle <= high)).tolist():
                cells[column], styles[column] = sign, style
        end = int((middle <= band.pink[1]).sum()) + 1
        if end + len(noise) <= len(cells):
            cells[end : end + len(noise)], styles[end:] = noise, [DIM] * (len(cells) - end)
    if found.chosen is not None:
        for column in range(found.chosen * width, (found.chosen + 1) * width):
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
    """Return strings with one style each as a line."""
    return runs("".join(cells), [style for cell, style in zip(cells, styles, strict=True) for _ in cell])

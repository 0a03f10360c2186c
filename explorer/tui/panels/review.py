"""Panel 1: the review, its words coloured by the chosen signal, and the classification."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.segment import Segment
from textual import events

from explorer.session.controllers.brush import Pattern
from explorer.session.core import Frame
from explorer.session.palette import BARS, codes, glyph
from explorer.session.session import Session
from explorer.session.views.attribution import word_colours
from explorer.session.views.channels import meaning_line, output_lines, reads_steps, traces
from explorer.session.views.number_format import number
from explorer.session.views.outputs import output_of, outputs_at, scale_of
from explorer.session.views.readouts import review_rows
from explorer.session.views.runs import Run
from explorer.session.views.text_layout import TextLayout, lay_out, unknown_words
from explorer.session.views.traces import output_at
from explorer.session.views.units import unit_names
from explorer.tui.panels.panel import Panel
from explorer.tui.panels.sequence import Strips
from explorer.tui.terminal.styles import (
    CURRENT,
    DIM,
    EDGE,
    FAINT,
    FOUND,
    GOOD,
    NEGATIVE,
    TEXT,
    UNKNOWN,
    UNREAD,
    Line,
    as_markup,
    bar,
    fit,
    markup,
    on_colour,
    safe,
    styled,
    width_of,
)

VERDICT = 24  # columns for the output


class ReviewPanel(Panel, can_focus=True):
    """The words, scrolling with the reading, and the output next to them. A click on a word goes there."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._layout: TextLayout | None = None
        self._layout_key: tuple[int, int, int] = (-1, -1, -1)
        self._top = 0
        self._pressed: int | None = None
        self._strips: Strips | None = None  # of a sequence of vectors

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        width, height = self.size
        verdict_width = VERDICT if width >= 60 else 0
        room = width - (verdict_width + 3 if verdict_width else 0)
        if reads_steps(frame):
            return self._paint_steps(session, frame, room, verdict_width)
        self._strips = None
        layout = self._lay_out(frame, room)
        self._follow(layout.line(max(0, frame.word)), height, layout.lines)
        last = min(self._top + height, layout.lines)
        first_word = int(layout.starts[self._top])
        attribution = session.attribution.result(frame)
        strengths, low, high, meaning = word_colours(session, frame, attribution, first_word, int(layout.starts[last]))
        colours = codes(strengths, low, high)
        text = [
            self._line(session, frame, layout, line, colours, np.isfinite(strengths), first_word, room)
            for line in range(self._top, last)
        ]
        self._set_titles(session, frame, meaning)
        verdict = self._verdict(session, frame, verdict_width) if verdict_width else []
        return _beside(text, verdict, room) if verdict_width else text

    def _paint_steps(self, session: Session, frame: Frame, room: int, verdict_width: int) -> list[Line]:
        """Draw the inputs and outputs of a sequence of vectors."""
        found, brushed = traces(session, frame), session.brush.words
        self._strips = Strips(found, frame.word, frame.snapshot.time, room, self.size.height, brushed)
        lines = self._strips.lines()
        self._set_titles(session, frame, meaning_line(found))
        if not verdict_width:
            return lines
        return _beside(lines, [styled(line) for line in output_lines(found, frame.word)][: self.size.height], room)

    def _lay_out(self, frame: Frame, width: int) -> TextLayout:
        key = (frame.snapshot.run, id(frame.snapshot.review), width)  # another session counts runs from 1, too
        if self._layout is None or self._layout_key != key:
            self._layout = lay_out(frame.snapshot.review.surface, width, cell_len)
            self._layout_key = key
            self._top = 0
        return self._layout

    def _follow(self, line: int, height: int, lines: int) -> None:
        """Keep the current line in view; scroll by pages, so that few lines are drawn again."""
        if not self._top <= line < self._top + height:
            common = int(height > 1)  # line of the last page that stays in view
            self._top = line - common if line > self._top else line - height + 1 + common
        self._top = max(0, min(self._top, lines - height))

    def _line(
        self,
        session: Session,
        frame: Frame,
        layout: TextLayout,
        line: int,
        colours: NDArray[np.uint8],
        coloured: NDArray[np.bool_],
        offset: int,
        room: int,
    ) -> Line:
        glyphs, name = self.host.glyphs, frame.choices.colour_map
        surface, unknown = frame.snapshot.review.surface, unknown_words(frame)
        brushed, pattern = session.brush.words, session.brush.pattern
        opens, closes = _brackets(brushed, pattern)
        found = session.word_search.marked(frame.snapshot)
        out: Line = []
        before_current = False
        for word in range(int(layout.starts[line]), int(layout.starts[line + 1])):
            current, read = word == frame.word, bool(coloured[word - offset])
            code = int(colours[word - offset])
            text = surface[word] if cell_len(surface[word]) <= room - 2 else fit(surface[word], room - 2)
            style = UNREAD
            if current:
                style = CURRENT
            elif read:
                style = TEXT if glyphs else on_colour(name, code)
            if unknown[word]:
                style = style + UNKNOWN
            if word in found and not current:
                style = style + FOUND
            mark = " "
            if current:
                mark = "▐"
            elif before_current:
                mark = "▌"
            elif word in opens or word in closes:
                mark = opens.get(word) or closes[word]
            elif glyphs and read:
                mark = glyph(code, BARS)
            out += [Segment(mark, EDGE if mark in _MARKS else TEXT), Segment(text, style)]
            before_current = current
        end = int(layout.starts[line + 1])
        if before_current or end in closes:
            out.append(Segment("▌" if before_current else closes[end], EDGE))
        return out

    def _verdict(self, session: Session, frame: Frame, width: int) -> list[Line]:
        value, output = output_at(session, frame), output_of(frame.snapshot.network)
        scale = scale_of(output, session.read("probability", 0, frame.snapshot.time))
        known = np.isfinite(value)
        other = session.comparison.result(frame)
        there = None if other is None else other.at(frame.word)
        first, *rows = review_rows(frame, value, there, outputs_at(session, frame))
        ends = number(scale.low, 5), number(scale.high, 5)
        axis = "0" + "½".center(width - 2) + "1" if output.bounded else f"{ends[0]}{ends[1]:>{width - len(ends[0])}}"
        return [
            [Segment(f"{first.label} ", DIM), *styled(first.line)],
            [
                Segment(
                    bar(scale.fraction(value) if known else 0.0, width),
                    GOOD if known and value >= scale.middle else NEGATIVE,
                )
            ],
            [Segment(axis, DIM)],
            *([Segment(f"{row.label:<9}", DIM), *styled(_fitting(row.line, width - 9))] for row in rows),
        ]

    def _set_titles(self, session: Session, frame: Frame, colours: tuple[Run, ...]) -> None:
        brushed = session.brush.summary
        steps = reads_steps(frame)
        below = markup(colours) if steps else f"{markup(colours)}   [u i]word[/] unknown"
        if brushed:  # its cells and places stay in view as long as the brush does
            below = markup((Run(safe(brushed, self.size.width - 4), "pink"),))
        attributed = brushed and session.attribution.result(frame) is not None  # its method is always named
        above = markup(colours) if attributed else as_markup(safe(frame.snapshot.review.name, 40))
        self.set_title(f"1 {unit_names(frame.snapshot.network).reword('Review')}  {above}", below)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pressed = self._word_under(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        pressed, self._pressed = self._pressed, None
        word = self._word_under(event)
        if word is None or pressed is None:
            return
        if word == pressed:
            self.host.look_at(word)
        else:  # a drag brushes
            self.host.brush(pressed, word)

    def _word_under(self, event: events.MouseEvent) -> int | None:
        place = event.get_content_offset(self)
        if place is not None and self._strips is not None:
            return self._strips.step_at(place.x)
        if place is None or self._layout is None:
            return None
        return self._layout.word_at(self._top + place.y, place.x)


_MARKS = "▐▌[]‹›"


def _brackets(brushed: range, pattern: Pattern | None) -> tuple[dict[int, str], dict[int, str]]:
    """Return the marks in front of the first words of ranges, and in front of the words after ranges."""
    opens = {brushed.start: "["} if brushed else {}
    closes = {brushed.stop: "]"} if brushed else {}
    for first, last in pattern.places if pattern is not None else ():
        opens.setdefault(first, "‹")
        closes.setdefault(last, "›")
    return opens, closes


def _fitting(line: tuple[Run, ...], width: int) -> tuple[Run, ...]:
    """Return a line without its last word, the unit, if it is too long with it."""
    if len(line) != 1 or len(line[0].text) <= width:
        return line
    return (Run(line[0].text.rpartition(" ")[0], line[0].role),)


def _beside(left: list[Line], right: list[Line], room: int) -> list[Line]:
    """Put lines next to each other, with a rule between."""
    rows = max(len(left), len(right))
    left, right = ([*lines, *([] for _ in range(rows - len(lines)))] for lines in (left, right))
    return [
        [*line, Segment(" " * max(0, room - width_of(line))), Segment(" │ ", FAINT), *other]
        for line, other in zip(left, right, strict=True)
    ]

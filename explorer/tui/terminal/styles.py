"""Characters and colours of the terminal: styles by role, colour maps, bars, lines, and text cut to a width."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from explorer.session.palette import (
    DARK,
    LEVELS,
    LOOKS,
    ON_LIGHT,
    RGB,
    Look,
    Role,
    colour_map,
    glyph,
    hex_colours,
    text_on,
)
from explorer.session.views.runs import Run

Line = list[Segment]

TEXT = Style(color=DARK.text.hex)
DIM = Style(color=DARK.dim.hex)
FAINT = Style(color=DARK.faint.hex)
BRIGHT = Style(color=DARK.bright.hex, bold=True)
PINK = Style(color=DARK.pink.hex)
PINK_BOLD = Style(color=DARK.pink.hex, bold=True)
CURRENT = Style(color=DARK.on_pink.hex, bgcolor=DARK.pink.hex, bold=True)
EDGE = Style(color=DARK.pink.hex)
GOOD = Style(color=DARK.good.hex)
NEGATIVE = Style(color=DARK.bad.hex)
WARN = Style(color=DARK.warning.hex, bold=True)
DEAD = Style(color=DARK.dead.hex)
SELECTED = Style(color=DARK.bright.hex, bgcolor=DARK.selected.hex, bold=True)
UNREAD = DIM
OTHER = Style(color=DARK.other.hex, bold=True)
FOUND = Style(color=ON_LIGHT.hex, bgcolor=DARK.found.hex, bold=True)
UNKNOWN = Style(underline=True, italic=True)


def _style_of(look: Look) -> Style:
    colour: RGB = getattr(DARK, look.colour)
    return Style(color=colour.hex, bold=look.bold or None, italic=look.marked or None, underline=look.marked or None)


ROLES: Mapping[Role, Style] = {role: _style_of(look) for role, look in LOOKS.items()}


def styled(runs: Iterable[Run]) -> Line:
    """Convert runs of text with roles to a line."""
    return [Segment("".join(filter(str.isprintable, run.text)), ROLES[run.role]) for run in runs]


def markup(runs: Iterable[Run]) -> str:
    """Convert runs of text with roles to Textual markup, for titles."""
    parts = []
    for run in runs:
        look = LOOKS[run.role]
        text = as_markup("".join(filter(str.isprintable, run.text)))
        colour = getattr(DARK, look.colour).hex
        parts.append(text if run.role == "label" else f"[{'b ' if look.bold else ''}{colour}]{text}[/]")
    return "".join(parts)


@lru_cache(maxsize=4096)  # an entry takes about 600 bytes
def half_blocks(name: str, upper: int, lower: int) -> Segment:
    """Return one character that shows two colour-map positions, one above the other."""
    colours = hex_colours_of(name)
    return Segment("▀", Style(color=colours[upper], bgcolor=colours[lower]))


@lru_cache(maxsize=8)
def hex_colours_of(name: str) -> tuple[str, ...]:
    """Return `hex_colours` of a map, cached."""
    return hex_colours(name)


@lru_cache(maxsize=1024)
def on_colour(name: str, code: int) -> Style:
    """Return dark or light text, whichever has more contrast, on a colour-map position."""
    return Style(color=_text_on_map(name)[code], bgcolor=hex_colours_of(name)[code])


@lru_cache(maxsize=8)
def _text_on_map(name: str) -> tuple[str, ...]:
    """Return the colour of text on every position of a map."""
    return tuple(text_on(colour).hex for colour in colour_map(name).tolist())


@lru_cache(maxsize=8)
def gradient(name: str, width: int, glyphs: bool) -> Line:
    """Return the colour map as a scale ``width`` columns long."""
    positions = np.linspace(0, LEVELS - 1, width).astype(int).tolist()
    if glyphs:
        return [Segment("".join(glyph(code) for code in positions))]
    return [Segment(" ", Style(bgcolor=hex_colours_of(name)[code])) for code in positions]


NOTHING = "⠀"  # braille without a dot


def braille(values: NDArray[np.float64], rows: int, low: float, high: float) -> list[str]:
    """Draw a line through ``values`` (2·columns,) as ``rows`` strings of braille characters, four dots high each.

    Neighbouring dots are joined; a NaN breaks the line.
    """
    # This takes 0.1 ms, plotext 20, and sweeps with the heatmap above.
    columns, dots = len(values) // 2, rows * 4
    height = (values - low) / (high - low) * (dots - 1)
    there = np.isfinite(height)
    level = np.nan_to_num(height).clip(0, dots - 1).round().astype(int)
    before, after, joined = level[:-1], level[1:], there[:-1] & there[1:]
    # Each of the two columns of a step draws half of its height: the lower one the lower half.
    bottom, top = np.minimum(before, after), np.maximum(before, after)
    middle = (bottom + top) // 2
    rises = before <= after
    dot = np.arange(dots)[:, None]
    lower, upper = (dot >= bottom) & (dot <= middle) & joined, (dot > middle) & (dot <= top) & joined
    grid = (dot == level) & there
    grid[:, :-1] |= np.where(rises, lower, upper)
    grid[:, 1:] |= np.where(rises, upper, lower)
    grid = grid[::-1]
    lines = []
    for row in range(rows):
        block = grid[row * 4 : row * 4 + 4]
        pairs = block.reshape(4, columns, 2)
        bits = np.tensordot(_DOTS, pairs, axes=([0, 1], [0, 2]))
        lines.append("".join(map(chr, (0x2800 + bits).tolist())))
    return lines


_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


def bar(fraction: float, width: int) -> str:
    """Return a bar of eighth blocks, ``width`` columns long for 1."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[part] if part else "")).ljust(width)


def runs(text: str, styles: Sequence[Style]) -> Line:
    """Return a text with one style per character as a line; adjacent characters of one style form a segment."""
    line: Line = []
    start = 0
    for column in range(1, len(text) + 1):
        if column == len(text) or (styles[column] is not styles[start] and styles[column] != styles[start]):
            line.append(Segment(text[start:column], styles[start]))
            start = column
    return line


_CHARACTERS = 8  # in a column at most, with accents and joiners; a text from outside may have a million


def fit(text: str, width: int) -> str:
    """Return the text in exactly ``width`` columns, cut with an ellipsis or padded with blanks."""
    most = _CHARACTERS * max(width, 0)
    if len(text) > most or cell_len(text) > width:
        text = text[:most]
        while text and cell_len(text) > width - 1:
            text = text[:-1]
        text += "…" if width > 0 else ""
    return text + " " * (width - cell_len(text))


def padded(line: Line, width: int) -> Line:
    """Cut or pad a line to a width."""
    return list(Strip(line).adjust_cell_length(width))


def width_of(line: Sequence[Segment]) -> int:
    """Return the number of columns of a line."""
    return sum(segment.cell_length for segment in line)


def safe(text: str, width: int) -> str:
    """Return text from outside without control characters, cut to a width."""
    most = _CHARACTERS * max(width, 0) + 1  # one more, so that `fit` marks the cut
    return fit("".join(filter(str.isprintable, text[: 4 * most]))[:most], width).rstrip()


def as_markup(text: str) -> str:
    """Escape text for use inside markup."""
    return text.replace("[", "\\[")

"""How values become characters and colours in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from explorer.session.palette import DARK, LEVELS, ON_LIGHT, colour_map, glyph, hex_colours, text_on

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


@lru_cache(maxsize=65536)
def half_blocks(name: str, upper: int, lower: int) -> Segment:
    """One character that shows two map positions, one above the other."""
    colours = hex_colours_of(name)
    return Segment("▀", Style(color=colours[upper], bgcolor=colours[lower]))


@lru_cache(maxsize=8)
def hex_colours_of(name: str) -> tuple[str, ...]:
    """`hex_colours`, made once."""
    return hex_colours(name)


@lru_cache(maxsize=1024)
def on_colour(name: str, code: int) -> Style:
    """Text on a map position, dark or light, whichever is read better."""
    return Style(color=text_on(colour_map(name)[code].tolist()).hex, bgcolor=hex_colours_of(name)[code])


def gradient(name: str, width: int, glyphs: bool) -> Line:
    """The map itself, for a legend."""
    positions = np.linspace(0, LEVELS - 1, width).astype(int).tolist()
    if glyphs:
        return [Segment("".join(glyph(code) for code in positions))]
    return [Segment(" ", Style(bgcolor=hex_colours_of(name)[code])) for code in positions]


NOTHING = "⠀"  # braille without a dot


def braille(values: NDArray[np.float64], rows: int, low: float, high: float) -> list[str]:
    """A line through ``values`` (2·columns,) as ``rows`` strings of braille characters, four dots high each.

    Neighbouring dots are joined; a NaN breaks the line.
    """
    # An own chart instead of a plotting library: 0.1 ms instead of 20, and it sweeps with the heatmap above it.
    columns, dots = len(values) // 2, rows * 4
    height = (values - low) / (high - low) * (dots - 1)
    there = np.isfinite(height)
    level = np.nan_to_num(height).clip(0, dots - 1).round().astype(int)
    before, after, joined = level[:-1], level[1:], there[:-1] & there[1:]
    # A step is drawn half under each of the two columns: the lower half where the lower end is.
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
    """A bar of eighth blocks, ``width`` columns long at 1."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[part] if part else "")).ljust(width)


def runs(text: str, inks: Sequence[Style]) -> Line:
    """A text of which each character has its ink: neighbours of one ink together."""
    line: Line = []
    start = 0
    for column in range(1, len(text) + 1):
        if column == len(text) or (inks[column] is not inks[start] and inks[column] != inks[start]):
            line.append(Segment(text[start:column], inks[start]))
            start = column
    return line


def fit(text: str, width: int) -> str:
    """The text in exactly ``width`` columns, cut with an ellipsis or filled up."""
    if cell_len(text) > width:
        while text and cell_len(text) > width - 1:
            text = text[:-1]
        text += "…" if width > 0 else ""
    return text + " " * (width - cell_len(text))


def width_of(line: Sequence[Segment]) -> int:
    """Columns that a line takes."""
    return sum(segment.cell_length for segment in line)


def safe(text: str, width: int) -> str:
    """Foreign text of one line without characters that a terminal obeys, cut to a width."""
    return fit("".join(filter(str.isprintable, text)), width).rstrip()


def as_markup(text: str) -> str:
    """Text that means itself inside markup."""
    return text.replace("[", "\\[")

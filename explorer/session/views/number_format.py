"""Numbers, counts and names as columns and readouts show them; see also `engine.number_format`."""

from __future__ import annotations

import math

from engine.number_format import MINUS, MISSING, number, scientific
from explorer.session.moment import INPUT

__all__ = [
    "MINUS", "MISSING", "cell_name", "count", "interval", "number", "percent", "reading_speed", "row_name",
    "scientific",
]  # fmt: skip


def percent(share: float) -> str:
    """Format a share of 1: ``83%``, ``<1%`` for a small one that is not zero."""
    if not math.isfinite(share):
        return MISSING
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}".replace("-", MINUS)


def interval(low: float, high: float) -> str:
    """Format two ends: ``−0.12…0.34``."""
    return f"{number(low)}…{number(high)}"


def cell_name(cell: int) -> str:
    """Return the name of a cell, counted from 0: ``#018``."""
    return f"#{cell:03d}"


def row_name(signal: str, row: int) -> str:
    """Return the name of a row of a signal, counted from 0: ``#018`` for a cell, ``x3`` for an input."""
    return f"{signal}{row}" if signal == INPUT else cell_name(row)


def reading_speed(words_per_second: float | None, unit: str = "word") -> str:
    """Format a reading speed: ``8 words/s``, ``full speed`` for None."""
    if words_per_second is None:
        return "full speed"
    return f"{words_per_second:,.0f} {unit if words_per_second == 1 else unit + 's'}/s"


def count(items: int, singular: str, plural: str | None = None) -> str:
    """Format a count with its noun: ``1 word``, ``1,204 words``."""
    return f"{items:,} {singular if items == 1 else plural or singular + 's'}"

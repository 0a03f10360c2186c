"""Numbers and names as narrow columns and lines show them."""

from __future__ import annotations

import math

from explorer.session.moment import INPUT

MINUS = "−"
MISSING = "–"


def number(value: float, width: int | None = None) -> str:
    """Format a number with two decimals, or with three significant digits below 0.1.

    With a ``width``, digits are dropped until the text fits; from a width of 5 on every number below 1000 does.

    Examples
    --------
    >>> [number(value) for value in (0.9312, -1.2, 0.00312, 0.003, 3.12e-5, float("nan"))]
    ['0.93', '−1.20', '0.00312', '0.003', '3.12e−5', '–']
    >>> [number(value, 5) for value in (0.9312, -1.2, 0.00312, -0.0431, 3.12e-5, -123.456)]
    ['0.93', '−1.20', '0.003', '−0.04', '3e−5', '−123']
    """
    if not math.isfinite(value):
        return MISSING
    value += 0.0  # no negative zero
    texts = [*(_text(value, digits) for digits in (2, 1, 0)), scientific(value)]
    return next((text for text in texts if width is None or len(text) <= width), texts[-1])


def _text(value: float, digits: int) -> str:
    size = abs(value)
    if size >= 0.1 or not size:
        text = f"{value:.{digits}f}"
    elif size >= 0.001:
        text = f"{value:.{digits + 1}g}"
    else:
        mantissa, exponent = f"{value:.{digits}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", MINUS)


def scientific(value: float) -> str:
    """Format a tiny number by its order of magnitude: ``3e−13``."""
    if not math.isfinite(value):
        return MISSING
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", MINUS)


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


def reading_speed(words_per_second: float | None) -> str:
    """Format a reading speed: ``8 words/s``, ``full speed`` for None."""
    if words_per_second is None:
        return "full speed"
    return f"{words_per_second:,.0f} {'word' if words_per_second == 1 else 'words'}/s"


def count(items: int, singular: str, plural: str | None = None) -> str:
    """Format a count with its noun: ``1 word``, ``1,204 words``."""
    return f"{items:,} {singular if items == 1 else plural or singular + 's'}"

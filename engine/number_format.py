"""Numbers as text: a true minus sign, and a power of ten where a number is very small or large."""

from __future__ import annotations

import math

MINUS = "−"
MISSING = "–"


def number(value: float, width: int | None = None) -> str:
    """Format a number with two decimals, or with three significant digits below 0.1; for columns and readouts.

    With a ``width``, digits are dropped until the text fits; from a width of 5 on every number below 1000 does.

    Examples
    --------
    >>> [number(value) for value in (0.9312, -1.2, 0.00312, 0.003, 3.12e-5, float("nan"))]
    ['0.93', '−1.20', '0.00312', '0.003', '3.12e−5', '–']
    >>> [number(value, 5) for value in (0.9312, -1.2, 0.00312, 0.00099, -0.0431, 3.12e-5, -123.456)]
    ['0.93', '−1.20', '0.003', '0.001', '−0.04', '3e−5', '−123']
    """
    if not math.isfinite(value):
        return MISSING
    value += 0.0  # no negative zero
    texts = [*(_fixed(value, digits) for digits in (2, 1, 0)), scientific(value)]
    return next((text for text in texts if width is None or len(text) <= width), texts[-1])


def significant(value: float) -> str:
    """Format a number with three significant digits; for tables whose numbers differ by orders of magnitude.

    Examples
    --------
    >>> [significant(value) for value in (0.0, -1.5, 123.4, 1.234e-21, 4.5e7, float("inf"))]
    ['0', '−1.5', '123', '1.23e−21', '4.50e7', '∞']
    """
    if not math.isfinite(value):
        return MISSING if math.isnan(value) else "∞" if value > 0 else f"{MINUS}∞"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.3g}".replace("-", MINUS)
    return scientific(value, 2)


def scientific(value: float, digits: int = 0) -> str:
    """Format a number as a mantissa with ``digits`` decimals and a power of ten: ``3e−13``."""
    if not math.isfinite(value):
        return MISSING
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", MINUS)


def _fixed(value: float, digits: int) -> str:
    size = abs(value)
    if size >= 0.1 or not size:
        return f"{value:.{digits}f}".replace("-", MINUS)
    if float(f"{size:.{digits}e}") < 0.001:  # as rounded: 0.00099 with one digit is 0.001
        return scientific(value, digits)
    return f"{value:.{digits + 1}g}".replace("-", MINUS)

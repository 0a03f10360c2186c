"""Numbers as a narrow column shows them."""

from __future__ import annotations

import math


def number(value: float, digits: int = 2) -> str:
    """``.93``, ``-.07``, ``1.20``; ``–`` for a number that does not exist."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    sign, digits_only = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + digits_only.removeprefix("0") if digits_only.startswith("0.") else text


def pace(words_per_second: float | None) -> str:
    """A speed: ``8 words/s``, ``as fast as it goes`` where there is no limit."""
    if words_per_second is None:
        return "as fast as it goes"
    unit = "word" if words_per_second == 1 else "words"
    return f"{words_per_second:,.0f} {unit}/s"

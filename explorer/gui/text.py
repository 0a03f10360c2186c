"""Foreign text in a window: no control characters, nothing taken for markup, not longer than there is room for."""

from __future__ import annotations

from html import escape


def safe(text: str, length: int = 200) -> str:
    """Plain text on one line: what cannot be printed becomes �, and more than ``length`` characters are cut."""
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def as_html(text: str, length: int = 200) -> str:
    """The same for a place that takes HTML."""
    return escape(safe(text, length))

"""Make text from files safe to display: no control characters, no markup, limited length."""

from __future__ import annotations

from html import escape


def safe(text: str, length: int = 200) -> str:
    """Return ``text`` on one line, at most ``length`` characters, unprintable characters replaced by �."""
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def as_html(text: str, length: int = 200) -> str:
    """Return `safe` text escaped for HTML."""
    return escape(safe(text, length))

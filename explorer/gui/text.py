"""Text for Qt: text from files made safe to display, and runs of text with roles as rich text."""

from __future__ import annotations

import re
from html import escape

from explorer.gui.theme import Theme, role_colour
from explorer.session.palette import LOOKS
from explorer.session.views.runs import Line

_FIXED_SPACE = re.compile(" (?= |$)")  # HTML shows one of several spaces; a run's last one joins it to the next


def safe(text: str, length: int = 200) -> str:
    """Return ``text`` on one line, at most ``length`` characters, unprintable characters replaced by �."""
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def as_html(text: str, length: int = 200) -> str:
    """Return `safe` text escaped for HTML."""
    return escape(safe(text, length))


def rich_text(line: Line, theme: Theme) -> str:
    """Return runs as HTML for a `QLabel`, in the colours and fonts of their roles."""
    return "".join(
        f"<span style='color:{role_colour(theme, run.role).name()};"
        f"font-weight:{'bold' if LOOKS[run.role].bold else 'normal'}'>"
        f"{_FIXED_SPACE.sub('&nbsp;', as_html(run.text, 1000))}</span>"
        for run in line
    )

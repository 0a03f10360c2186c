"""Parts of the documentation pages that are written from measured numbers."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
MEASURED: Final = ROOT / "assets" / "measured"
WIDTH: Final = 125


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(cells)} |" for cells in (headings, *rows)]
    return "\n".join((lines[0], "|" + "---|" * len(headings), *lines[1:]))


def fill(text: str) -> str:
    """Fill the paragraphs of a page, and leave tables, headings and code as they are."""
    blocks = re.split(r"(```.*?```|\n\n+)", text, flags=re.DOTALL)
    return "".join(
        block
        if not block.strip() or block.lstrip().startswith(("|", "#", "```", "<"))
        else textwrap.fill(block, WIDTH, break_long_words=False, break_on_hyphens=False)
        for block in blocks
    )

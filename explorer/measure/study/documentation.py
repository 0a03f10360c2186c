"""Parts of the documentation pages that are written from measured numbers."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[3]
MEASURED: Final = ROOT / "assets" / "measured"
WIDTH: Final = 125


def shipped_results(study: str) -> dict[str, Any]:
    """Return the results of a study that ship with pinkx."""
    results: dict[str, Any] = json.loads((MEASURED / f"{study}.json").read_text(encoding="utf-8"))
    return results


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

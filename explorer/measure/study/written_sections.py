"""Sections of pages that a module writes between two comments."""

from __future__ import annotations

from pathlib import Path

END = "<!-- End of the written section. -->"


def begin(module: str) -> str:
    """Return the comment before the section that a module writes."""
    return f"<!-- Written by `python -m {module}`; change the text there. -->"


def with_section(page: str, module: str, section: str) -> str:
    """Return a page with the section of a module replaced."""
    head, rest = page.split(begin(module))
    _, tail = rest.split(END, 1)
    return f"{head}{begin(module)}\n\n{section}\n\n{END}{tail}"


def write_section(page: Path, module: str, section: str) -> None:
    """Replace the section of a module in a page."""
    page.write_text(with_section(page.read_text(encoding="utf-8"), module, section), encoding="utf-8")

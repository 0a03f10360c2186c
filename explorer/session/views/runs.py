"""Runs of text with roles: what a panel says, before a front end styles and places it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from explorer.session.palette import Role

GAP = "   "


class Run(NamedTuple):
    """Text of one role; see `explorer.session.palette.LOOKS`."""

    text: str
    role: Role = "label"


Line = tuple[Run, ...]


class Row(NamedTuple):
    """A label and its value."""

    label: str
    line: Line


def plain(line: Iterable[Run]) -> str:
    """The text of a line without its roles."""
    return "".join(run.text for run in line)


def join(parts: Iterable[Line], width: int | None = None, gap: str = GAP) -> Line:
    """Join the parts that are not empty, as far as they fit; the first always stays."""
    line: Line = ()
    for part in filter(None, parts):
        longer = (*line, Run(gap), *part) if line else part
        if line and width is not None and len(plain(longer)) > width:
            break
        line = longer
    return line

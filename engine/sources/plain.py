"""Plain texts: one review a file, one a line, and fastText's lines with labels."""

from __future__ import annotations

import re
from typing import Final

from engine.sources.collection import Collector
from engine.sources.labels import LabelColumn
from engine.sources.streams import Lines

_PREFIX: Final = "__label__"
_LABELLED: Final = re.compile(rf"((?:{_PREFIX}\S*[ \t,]+)*{_PREFIX}\S*)\s+(.*)", re.DOTALL)


def read_lines(collector: Collector, lines: Lines, name: str, label: bool | None) -> None:
    """Add each line as a review; blank lines are none."""
    collector.format = "a review a line"
    for line in lines:
        if line.strip():
            place = f"line {lines.number}"
            collector.add(f"{name}, {place}", place, line.strip("\r\n"), label)


def read_fasttext(collector: Collector, lines: Lines, name: str) -> None:
    """Add each line ``__label__2 text``; of several labels the first counts."""
    collector.format = "fastText"
    labels = LabelColumn("label")
    for line in lines:
        if not line.strip():
            continue
        place = f"line {lines.number}"
        found = _LABELLED.match(line.strip())
        value = found[1].split()[0].rstrip(",").removeprefix(_PREFIX) if found else ""
        if not found and line.startswith(_PREFIX):
            collector.skip(place, "a label without a text")
        elif collector.add(f"{name}, {place}", place, found[2] if found else line.strip("\r\n")):
            labels.add(value, place)
    collector.labels(labels)


def label_of_name(name: str) -> bool | None:
    """Return the label in a file's name with the ending .pos or .neg, as in ``rt-polarity.pos`` or ``a.neg.txt``."""
    parts = name.lower().split(".")
    ending = parts[-1] if parts[-1] in ("pos", "neg") else parts[-2] if len(parts) > 2 and parts[-1] == "txt" else ""
    return {"pos": True, "neg": False}.get(ending)

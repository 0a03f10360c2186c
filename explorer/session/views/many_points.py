"""Many points selected at once: what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.session.views.number_format import number
from explorer.session.views.point_map import PointMap


@dataclass(frozen=True)
class Many:
    """The selected entries by falling |logit|, their names, and one line about them."""

    entries: tuple[int, ...]
    names: tuple[str, ...]
    summary: str


def many(map: PointMap, entries: Sequence[int]) -> Many:
    """What is known of several entries of a map together."""
    listed = sorted(entries, key=lambda entry: -abs(float(map.logit[entry])))
    points, logit, memory = sum(entry < map.certified for entry in listed), map.logit[listed], map.memory[listed]
    if not listed:
        return Many((), (), "nothing selected")
    summary = (
        f"{len(listed):,} selected: {points:,} points, {len(listed) - points:,} words; "
        f"logit {number(float(logit.min()))} to {number(float(logit.max()))}, "
        f"slowest τ {memory.min():,.0f} to {memory.max():,.0f} words"
    )
    return Many(tuple(listed), tuple(map.names[entry] for entry in listed), summary)

"""Selecting many points at once: what lies inside an outline, and what those points have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.point_map import PointMap
from explorer.session.text import number

Floats = NDArray[np.float64]


def inside(places: Floats, outline: Floats) -> NDArray[np.intp]:
    """The numbers of the ``places`` (entry, 2) inside a closed ``outline`` (corner, 2), by the even–odd rule.

    An outline of two corners is a rectangle between them.
    """
    if len(outline) == 2:
        low, high = outline.min(axis=0), outline.max(axis=0)
        return np.flatnonzero(((places >= low) & (places <= high)).all(axis=1))
    x, y = places[:, 0], places[:, 1]
    crossings = np.zeros(len(places), dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 != y1:  # a ray to the right crosses no edge that lies along it
            crossings ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.flatnonzero(crossings)


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

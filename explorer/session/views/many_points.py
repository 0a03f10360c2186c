"""Several points selected at once: what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.session.views.number_format import count, interval
from explorer.session.views.point_map import PointMap


@dataclass(frozen=True)
class PointSelection:
    """The selected entries by falling |logit|, their names, and a summary in one line."""

    entries: tuple[int, ...]
    names: tuple[str, ...]
    summary: str


def point_selection(points: PointMap, entries: Sequence[int]) -> PointSelection:
    """Summarise several entries of a map."""
    if not entries:
        return PointSelection((), (), "nothing selected")
    listed = sorted(entries, key=lambda entry: -abs(float(points.logit[entry])))
    certified = sum(entry < points.certified for entry in listed)
    cycles = sum(points.certified <= entry < points.first_word for entry in listed)
    counts = [count(certified, "point"), *([f"{count(cycles, 'state')} of cycles"] if cycles else [])]
    counts.append(count(len(listed) - certified - cycles, "word"))
    logit, slowest = points.logit[listed], points.time_constant[listed]
    slowest = slowest[~np.isnan(slowest)]
    times = f"slowest τ {slowest.min():,.0f}…{slowest.max():,.0f} words" if len(slowest) else "no time constant"
    summary = (
        f"{len(listed):,} selected: {', '.join(counts)}; "
        f"{points.output.logit} {interval(float(logit.min()), float(logit.max()))}, {times}"
    )
    return PointSelection(tuple(listed), tuple(points.names[entry] for entry in listed), summary)

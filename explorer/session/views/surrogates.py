"""β of one series beside that of its surrogates and of its halves: lines of text, and places of a chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import SessionError
from explorer.session.views.number_format import count, interval, number, percent
from explorer.session.views.runs import Line, Run, join
from explorer.session.views.tables import Table

Floats = NDArray[np.float64]
Interval = tuple[float, float]

AXIS: Final = "β"
NAMES: Final[Mapping[str, str]] = {"shuffled": "shuffled", "ar1": "AR(1)", "iaaft": "IAAFT"}
ROWS: Final = ("series", "first half", "second half", *NAMES.values())
"""Rows of the chart from top to bottom."""
MEANING: Final = (
    "Shuffled: the same values in random order, without memory. AR(1): the same mean, variance and lag-one "
    "correlation, a memory of one time constant. IAAFT: the same values and power spectrum, with random phases. "
    "A β outside nearly all surrogates of a kind is more than what they preserve. Halves that differ: not stationary."
)


@dataclass(frozen=True, eq=False)
class SurrogateComparison:
    """β of a series of ``words`` words, of its ``halves``, and of its surrogates by kind, (surrogate,).

    The intervals contain 90 % of the estimates of noise; NaN where there is no β. ``straight``: the series has one
    exponent, as far as noise of its length can show.
    """

    series: str
    words: int
    beta: float
    interval: Interval
    straight: bool
    halves: tuple[float, float]
    half_intervals: tuple[Interval, Interval]
    surrogates: Mapping[str, Floats]

    def share_below(self, kind: str) -> float:
        """Return the fraction of the surrogates of a kind whose β lies below that of the series."""
        return float(np.mean(self.surrogates[kind] < self.beta))

    def places(self) -> list[tuple[int, Floats]]:
        """Return the row of `ROWS` and β of every dot of the chart."""
        single = [np.array([value]) for value in (self.beta, *self.halves)]
        dots = [*single, *(self.surrogates[kind] for kind in NAMES)]
        return [(row, values[np.isfinite(values)]) for row, values in enumerate(dots)]

    def spans(self) -> list[tuple[int, Interval]]:
        """Return the rows that have an interval, and its ends."""
        ends = (self.interval, *self.half_intervals)
        return [(row, one) for row, one in enumerate(ends) if np.isfinite(one).all()]

    def reach(self) -> Interval:
        """Return the ends of the axis of β."""
        values = np.concatenate([part for _, part in self.places()] + [np.array(ends) for _, ends in self.spans()])
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        margin = 0.05 * max(high - low, 0.1)
        return low - margin, high + margin


def surrogate_lines(found: SurrogateComparison | None, progress: str, width: int | None = None) -> tuple[Line, ...]:
    """Return lines for the series, its halves and every kind of surrogates; or one with the ``progress``."""
    if found is None:
        return ((Run(progress or "nothing is measured yet", "warning"),),)
    flag: Line = () if found.straight else (Run("no single exponent", "warning"),)
    head = join(
        (
            (Run(f"{found.series}  β "), Run(number(found.beta), "accent"), Run(f" ({interval(*found.interval)})")),
            flag,
            (Run(count(found.words, "word")),),
        ),
        width,
    )
    moved = _differ(*found.half_intervals)
    first, second = (
        f"{number(beta)} ({interval(*ends)})" for beta, ends in zip(found.halves, found.half_intervals, strict=True)
    )
    halves: Line = (Run(f"{'halves':<10}"), Run(f"first {first}, second {second}", "text"))
    if not np.isfinite(found.halves).all():
        halves = (Run(f"{'halves':<10}"), Run("too short", "warning"))
    elif moved:
        halves = (*halves, Run("   not stationary", "warning"))
    lines = [head, halves]
    for kind, name in NAMES.items():
        beta = found.surrogates[kind]
        lines.append(
            join(
                (
                    (Run(f"{name:<10}"), Run(f"{number(beta.mean())} ± {number(beta.std(ddof=1))}", "text")),
                    (Run(f"β of the series is above {percent(found.share_below(kind))} of {len(beta)}"),),
                ),
                width,
            )
        )
    return tuple(lines)


def _differ(first: Interval, second: Interval) -> bool:
    return first[1] < second[0] or second[1] < first[0]


def surrogate_table(found: SurrogateComparison | None) -> Table:
    """Return β of the series, its halves and every surrogate."""
    if found is None:
        raise SessionError("nothing is measured yet: save the surrogates when they are")
    rows: list[tuple[object, ...]] = [
        (kind, 0, beta, low, high)
        for kind, beta, (low, high) in zip(
            ("series", "first_half", "second_half"),
            (found.beta, *found.halves),
            (found.interval, *found.half_intervals),
            strict=True,
        )
    ]
    nan = float("nan")
    rows += [(kind, k, float(beta), nan, nan) for kind in NAMES for k, beta in enumerate(found.surrogates[kind])]
    return Table(("series", "number", "beta", "low", "high"), rows)

"""Texts of the panels about fixed points and word attractors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from explorer.session.palette import Role
from explorer.session.reading import Comparison
from explorer.session.views.attractors import Share
from explorer.session.views.eigenvalues import LONGEST
from explorer.session.views.number_format import (
    count,
    number,
    percent,
    scientific,
)
from explorer.session.views.point_map import STATES, PointDetails, PointMap, PointView
from explorer.session.views.runs import GAP, Line, Run, join, plain

_ROUNDING: Final = 1e-15
"""Newton steps below this are errors of rounding: a few times the distance between neighbouring numbers at 1."""


def point_lines(
    point: PointDetails, explained: Mapping[int, float] | None = None, width: int | None = None
) -> tuple[Line, ...]:
    """Everything known of one point, the most important first.

    ``explained`` maps words ahead to the variance that the linear prediction from the point explains.
    """
    lines = [
        (Run(point_name(point), "accent"), Run(f" {_origin(point)}")),
        *_kind_lines(point),
        _output_line(point),
    ]
    if explained is not None:
        lines.append(prediction_line(explained, width))
    lines += basin_lines(point)
    q, step = _above(_ROUNDING**2, point.q), _above(_ROUNDING, point.newton_step)
    lines.append((Run(f"q {q}  Newton step {step}"),))
    if point.radius == point.radius:  # not NaN
        lines.append((Run(f"the only root within {scientific(point.radius)}"),))
    elif point.certified and point.kind == "fixed":
        lines.append((Run("not proved to be the only root nearby: an eigenvalue is too close to 1", "warning"),))
    return tuple(lines)


def _above(least: float, value: float) -> str:
    """Format a number; one below ``least`` is an error of rounding, whose digits differ between processors."""
    return f"<{scientific(least)}" if value < least else scientific(value)


def _output_line(point: PointDetails) -> Line:
    if not point.output.exists:
        return (Run("no output of this state alone"),)
    logit = (Run("  logit "), Run(number(point.logit), "text")) if point.output.bounded else ()
    return (Run(f"{point.output.name} "), Run(number(point.value), "value"), *logit)


def _origin(point: PointDetails) -> str:
    if not point.certified:
        return "repeated forever"
    return f"cycle {point.number}" if point.kind == "cycle" else f"#{point.number}  {point.hits}/{point.starts} starts"


def _kind_lines(point: PointDetails) -> tuple[Line, ...]:
    """Return the kind of the entry and its slowest mode. A state without a certified attractor has no time constant."""
    stability = Run(point.stability.split()[0], "pink" if point.unstable else "good")
    if point.kind in ("drifting", "moving"):
        return ((Run(point.kind, "warning"), Run("  no certified attractor")),)
    slowest = (Run("|μ| " if point.kind == "cycle" else "|λ| "), Run(f"{abs(point.eigenvalues[0]):.4f}", "value"))
    if point.kind == "cycle":
        what = (Run(f"cycle of period {point.period}", "other"), Run(f"  amplitude {number(point.amplitude)}"))
        if not point.certified:
            return (what,)
        return (what, (stability, Run("  "), *slowest, Run("  τ "), Run(time_constant(point.time_constant), "value")))
    unstable = f"{point.unstable} ± {point.uncertain}" if point.uncertain else str(point.unstable)
    return (
        (Run(f"{point.kind} ", "text"), stability, Run(f"  {unstable} of {len(point.eigenvalues)} unstable")),
        (*slowest, Run("  τ "), Run(time_constant(point.time_constant), "value")),
    )


def basin_lines(point: PointDetails) -> tuple[Line, ...]:
    """The shares of states that end at a point, with their 95% intervals; nothing if they are not known."""
    if point.basin is None:
        return ()
    return (
        (Run("basin "), *share_runs(point.basin.visited), Run(" visited")),
        (Run("      "), *share_runs(point.basin.uniform), Run(" uniform")),
    )


def share_runs(share: Share) -> Line:
    """A share with its 95% interval: ``62% (53–70)``."""
    return (Run(percent(share.share), "value"), Run(f" ({share.low:.0%}…{share.high:.0%})".replace("%…", "…")))


def point_name(point: PointDetails) -> str:
    """The input of a point: ``zero input``, ``mean input``, or a word in quotes."""
    if point.certified and point.name in ("zero", "mean"):
        return f"{point.name} input"
    return f"“{point.name}”"


def time_constant(words: float) -> str:
    """A time constant with its unit: ``9.5 words``, ``208 words``, ``over 1,000,000 words``; ``none`` for NaN."""
    if math.isnan(words):
        return "none"
    if words >= LONGEST:
        return f"over {LONGEST:,} words"
    return f"{words:,.0f} words" if words >= 100 else f"{words:.1f} words"


PREDICTION_MEANING = (
    "Linear prediction: the share of the variance of h, 1, 5 and 10 words ahead, that the linear map at the selected "
    "fixed point explains, or, with none selected, that at the point nearest to each state. 100% is all of "
    "it, 0% no more than assuming that nothing moves; over the last words read."
)


def prediction_line(explained: Mapping[int, float], width: int | None = None) -> Line:
    """The verdict of the linear prediction: ``linear prediction +1 98% +5 81% +10 <0``."""
    numbers: list[Run] = []
    for ahead, share in explained.items():
        text = "<0" if share < 0 else percent(share)
        numbers += [Run(f" +{ahead} "), Run(text, "warning" if share <= 0 else "text")]
    line = (Run("linear prediction"), *numbers)
    return line if width is None or len(plain(line)) <= width else (Run("linear"), *numbers)


def other_trajectory_line(other: Comparison | None, size: int) -> Line:
    """Return which second trajectory is drawn for a network with ``size`` cells, or why none is; empty without one.

    Both lie in one space only if they have equally many cells.
    """
    if other is None:
        return ()
    cells = other.reading.h.shape[1]
    if cells != size:
        return (Run(f"{other.name} is not drawn here: it has {count(cells, 'cell')}, this network {size}", "warning"),)
    return (Run(f"◇ {other.name}", "other"),)


def spectrum_title(selected: bool) -> str:
    """Return the title of the spectrum, which names its point."""
    return f"Spectrum of the {'selected point' if selected else 'point nearest to the current state'}"


def points_line(points: PointMap, view: PointView, progress: str = "", width: int | None = None) -> Line:
    """Return the ``progress``, a summary of the points, the variance of h that the picture shows, and its angles."""
    shares = " + ".join(f"{part:.0%}" for part in points.projection.explained)
    angles = f"azimuth {view.azimuth:.0f}°, elevation {view.elevation:.0f}°".replace("-", "−")
    return join(
        (
            (Run(progress, "warning"),) if progress else (),
            index_line(points),
            cycles_line(points),
            elsewhere_line(points),
            (Run(f"PC1–3 of h: {shares}"),),
            (Run(angles),),
        ),
        width,
    )


def index_line(points: PointMap) -> Line:
    """The sum Σ of the indices of the fixed points: 1, or proof that points are missing."""
    found = points.found.points
    if found is None:
        return ()
    if not len(found):
        return (Run(f"search ended: no point from {count(found.starts, 'start')}", "warning"),)
    if not found.indexed:
        return (Run("no index: points may be missing", "warning"),)
    wrong = [total for total in found.index_sum.values() if total != 1]
    if not wrong:
        return (Run("Σ 1 ✓", "good"),)
    return (Run(f"Σ {wrong[0]}: points are missing".replace("-", "−"), "warning"),)


def cycles_line(points: PointMap) -> Line:
    """The cycles at which states end, each with its input, period, amplitude and basin; nothing if there is none."""
    if not points.cycles:
        return ()
    listed = (
        f"{each.name}: period {each.cycle.period}, amplitude {number(each.cycle.amplitude)}, "
        f"{percent(each.basin.visited.share)} of visited states"
        for each in points.cycles
    )
    return (Run(f"◇ {count(len(points.cycles), 'cycle')}", "other"), Run(f" ({'; '.join(listed)})"))


def elsewhere_line(points: PointMap) -> Line:
    """The largest share of visited states, over the inputs, that end at no certified attractor; nothing below 1%."""
    shares = {name: ends.visited.elsewhere / max(ends.visited.states, 1) for name, ends in points.found.ends.items()}
    name = max(shares, key=lambda name: shares[name], default="")
    if not name or shares[name] < 0.01:
        return ()
    return (Run(f"{name}: {percent(shares[name])} of visited states end at no certified attractor", "warning"),)


def no_points_line(progress: str, replaying: bool, points: PointMap | None = None) -> Line:
    """Return the reason why there is no point to see; ``points`` is what was found."""
    found = None if points is None else points.found.points
    none = "none found yet" if found is None else f"none found from {count(found.starts, 'start')}"
    why = progress or ("a recording has no network to search" if replaying else none)
    return (Run("fixed points: "), Run(why, "warning"))


def point_legend(by_stability: bool, *, cycles: bool = False, basins: bool = False) -> Line:
    """Return the legend of the points' marks, which have their own colours if the points are coloured by stability."""
    roles: tuple[Role, ...] = ("good", "pink", "warning") if by_stability else ("value",) * 3
    names = zip(POINT_MARKS, ("stable", "saddle", "slow"), roles, strict=False)
    parts = [(Run(mark, role), Run(f" {name}")) for mark, name, role in names]
    more: list[Line] = [(Run("◇", "other"), Run(" cycle"))] if cycles else []
    more += [(Run("size: basin"),)] if basins else []
    return join((*parts, *more, (Run("◆", "accent"), Run(" now")), (Run("─"), Run(" predicted"))), gap="  ")


POINT_MARKS = "●○◌◌◇"  # by `point_map.STATES`
assert len(POINT_MARKS) == len(STATES)


def entry_line(points: PointMap, entry: int) -> Line:
    """One entry of a map in one line: name, logit, slowest time constant or what it is instead, and its basin."""
    basin = points.basins.get(entry)
    share = "" if basin is None else f"{GAP}basin {percent(basin.visited.share)} of visited states"
    logit = f"{GAP}{points.output.logit} {number(float(points.logit[entry]))}" if points.output.exists else ""
    return (Run(points.names[entry], "accent"), Run(f"{logit}{GAP}{_memory(points, entry)}{share}", "text"))


def _memory(points: PointMap, entry: int) -> str:
    """The slowest time constant, and for a state that does not rest what it does."""
    words, row = points.found.words, entry - points.first_word
    slowest = f"slowest τ {time_constant(float(points.time_constant[entry]))}"
    if entry < points.certified or (words is not None and row >= 0 and words.fixed[row]):
        return slowest
    if row < 0:
        cycle = points.cycles[points.cycle_at(entry)[0]].cycle
        return f"cycle of period {cycle.period}, amplitude {number(cycle.amplitude)}{GAP}{slowest}"
    assert words is not None, "an entry from `first_word` on"
    if words.kind[row] == "cycle":
        return f"cycle of period {words.period[row]}, amplitude {number(float(words.amplitude[row]))}"
    return f"{words.kind[row]}: no certified attractor"


def word_map_line(words: int, colour: str, kinds: Mapping[str, int] | None = None, hidden: int = 0) -> Line:
    """Return the number of words in the map, the meaning of their colours, and the numbers without a fixed point.

    ``kinds`` counts words by what the network does; ``hidden`` words are not drawn, for they have no time constant.
    """
    restless = {kind: n for kind, n in (kinds or {}).items() if n and kind != "fixed"}
    named = {"cycle": "in a cycle", "drifting": "drifting", "moving": "moving"}
    parts = ", ".join(f"{n:,} {named[kind]}" for kind, n in restless.items())
    return join(
        (
            (Run(f"{count(words, 'word')}, each repeated forever; colour: {colour}"),),
            (Run(parts, "warning"),) if parts else (),
            (Run(f"{hidden:,} without a time constant are not drawn"),) if hidden else (),
        )
    )

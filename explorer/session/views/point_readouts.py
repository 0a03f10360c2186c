"""What the panels say about fixed points and word attractors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from explorer.session.palette import Role
from explorer.session.views.eigenvalues import LONGEST
from explorer.session.views.number_format import (
    count,
    number,
    percent,
    scientific,
)
from explorer.session.views.point_map import STATES, PointDetails, PointMap, PointView
from explorer.session.views.runs import GAP, Line, Run, join, plain

if TYPE_CHECKING:
    pass


def point_lines(
    point: PointDetails, explained: Mapping[int, float] | None = None, width: int | None = None
) -> tuple[Line, ...]:
    """Everything known of one point, the most important first.

    ``explained`` maps words ahead to the variance that the linear prediction from the point explains.
    """
    origin = f"#{point.number}  {point.hits}/{point.starts} starts" if point.certified else "repeated forever"
    stable = not point.unstable
    lines = [
        (Run(point_name(point), "accent"), Run(f" {origin}")),
        (
            Run(f"{point.kind} ", "text"),
            Run(point.stability.split()[0], "good" if stable else "pink"),
            Run(f"  {point.unstable} of {len(point.eigenvalues)} unstable"),
        ),
        (
            Run("|λ| "),
            Run(f"{abs(point.eigenvalues[0]):.4f}", "value"),
            Run("  τ "),
            Run(time_constant(point.time_constant), "value"),
        ),
        (
            Run("P(positive) "),
            Run(number(point.probability), "value"),
            Run("  logit "),
            Run(number(point.logit), "text"),
        ),
    ]
    if explained is not None:
        lines.append(prediction_line(explained, width))
    lines.append((Run(f"q {scientific(point.q)}  Newton step {scientific(point.newton_step)}"),))
    if point.radius == point.radius:  # not NaN
        lines.append((Run(f"the only root within {scientific(point.radius)}"),))
    return tuple(lines)


def point_name(point: PointDetails) -> str:
    """The input of a point: ``zero input``, ``mean input``, or a word in quotes."""
    if point.certified and point.name in ("zero", "mean"):
        return f"{point.name} input"
    return f"“{point.name}”"


def time_constant(words: float) -> str:
    """A time constant with its unit: ``9.5 words``, ``208 words``, ``over 1,000,000 words``."""
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


def spectrum_title(selected: bool) -> str:
    """Which point the spectrum belongs to."""
    return f"Spectrum of the {'selected point' if selected else 'point nearest to the current state'}"


def points_line(points: PointMap, view: PointView, progress: str = "", width: int | None = None) -> Line:
    """How much of the variance of h the picture shows, from which side, and what the search does."""
    shares = " + ".join(f"{part:.0%}" for part in points.projection.explained)
    angles = f"azimuth {view.azimuth:.0f}°, elevation {view.elevation:.0f}°".replace("-", "−")
    return join(
        (
            (Run(progress, "warning"),) if progress else (),
            index_line(points),
            (Run(f"PC1–3 of h: {shares}"),),
            (Run(angles),),
        ),
        width,
    )


def index_line(points: PointMap) -> Line:
    """The sum Σ of the indices of the fixed points: 1, or proof that points are missing."""
    found = points.found.points
    if found is None or not len(found):
        return ()
    wrong = [total for total in found.index_sum.values() if total != 1]
    if not wrong:
        return (Run("Σ 1 ✓", "good"),)
    return (Run(f"Σ {wrong[0]}: points are missing".replace("-", "−"), "warning"),)


def no_points_line(progress: str, replaying: bool) -> Line:
    """Why there is no point to see."""
    why = progress or ("a recording has no network to search" if replaying else "none found yet")
    return (Run("fixed points: "), Run(why, "warning"))


def point_legend(by_stability: bool) -> Line:
    """What the marks of the points mean; the marks have colours of their own where colour means stability."""
    roles: tuple[Role, ...] = ("good", "pink", "warning") if by_stability else ("value",) * 3
    names = zip(POINT_MARKS, ("stable", "saddle", "slow"), roles, strict=False)
    parts = [(Run(mark, role), Run(f" {name}")) for mark, name, role in names]
    return join((*parts, (Run("◆", "accent"), Run(" now")), (Run("─"), Run(" predicted"))), gap="  ")


POINT_MARKS = "●○◌◌"  # by `point_map.STATES`
assert len(POINT_MARKS) == len(STATES)


def entry_line(points: PointMap, entry: int) -> Line:
    """One entry of a map in one line: name, logit, slowest time constant."""
    logit, slowest = float(points.logit[entry]), float(points.time_constant[entry])
    return (
        Run(points.names[entry], "accent"),
        Run(f"{GAP}logit {number(logit)}{GAP}slowest τ {time_constant(slowest)}", "text"),
    )


def word_map_line(words: int, colour: str) -> Line:
    """How many words the map shows, and what their colours mean."""
    return (Run(f"{count(words, 'word')}, each repeated forever; colour: {colour}"),)

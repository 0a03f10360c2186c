"""What the panels say, as runs of text with roles: written once here, styled and placed by each front end.

Every function takes what it shows and returns a `Line`, or several. Parts of a line stand in order of importance: with
a ``width`` in characters, the last parts that do not fit are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np

from engine.activity import participation_ratio
from explorer.session.palette import Role
from explorer.session.session import Frame
from explorer.session.views.eigenvalues import LONGEST
from explorer.session.views.number_format import (
    MISSING,
    cell_name,
    count,
    interval,
    number,
    percent,
    reading_speed,
    scientific,
)
from explorer.session.views.point_map import STATES, PointDetails, PointMap, PointView
from explorer.session.views.scaling import Scaling
from explorer.session.views.traces import CellRow

if TYPE_CHECKING:
    from engine.live.snapshot import Snapshot

GAP = "   "


class Run(NamedTuple):
    """Text of one role; see `explorer.session.palette.LOOKS`."""

    text: str
    role: Role = "label"


Line = tuple[Run, ...]


class NoiseBand(Protocol):
    """The central 90% of the exponents of exact noise: `explorer.session.controllers.noise_band.Band`."""

    @property
    def white(self) -> tuple[float, float]: ...

    @property
    def pink(self) -> tuple[float, float]: ...


class Row(NamedTuple):
    """A label, and what stands beside it."""

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


# ---- exponents ---------------------------------------------------------------------------------------------------


def alpha_line(
    frame: Frame,
    alpha: float,
    noise: NoiseBand | None = None,
    other: tuple[str, float] | None = None,
    width: int | None = None,
) -> Line:
    """Rolling α and β of the chosen layer sum at the word looked at.

    ``noise`` is the band of exact noise; ``other`` the name of the other side of a comparison and its α there.
    """
    snapshot, signal = frame.snapshot, frame.choices.signal
    known = not math.isnan(alpha)
    return join(
        (
            _exponent(f"Σ{signal}", alpha, snapshot.r2[signal] if frame.following and known else None),
            () if known else _no_exponent(frame),
            _cell_exponent(frame),
            () if other is None else _compared(f"{other[0]} α", alpha, other[1]),
            _noise(noise) if known and noise is not None else (),
        ),
        width,
    )


def scaling_line(found: Scaling, width: int | None = None) -> Line:
    """The exponent of F(s), its r², and the scales of the fit; or why there is none."""
    ends = f"{found.scales.min():.0f}…{found.scales.max():.0f} words" if len(found.scales) else ""
    scales = (Run(f"{len(found.scales)} scales {ends}"),)
    known = not math.isnan(found.alpha)
    return join(
        (_exponent(found.series, found.alpha, found.r2), scales if known else (Run(found.reason, "warning"),)), width
    )


def estimator_line(snapshot: Snapshot) -> Line:
    """Window, scales and method behind the rolling exponents."""
    scales = snapshot.scales
    text = f"window {snapshot.window} words, {len(scales)} scales {min(scales)}…{max(scales)} words, unbiased DFA"
    return (Run(text),)


def too_short(window: int, read: int) -> str:
    """Why there is no exponent before the window is full."""
    return f"needs {window} words, {read} read"


def _exponent(series: str, alpha: float, r2: float | None) -> Line:
    line = (Run(f"{series}  α "), Run(number(alpha), "value"), Run("  β "), Run(number(2 * alpha - 1), "accent"))
    return line if r2 is None else (*line, Run("  r² "), Run(number(r2), "text"))


def _no_exponent(frame: Frame) -> Line:
    snapshot = frame.snapshot
    if 0 <= frame.word + 1 < snapshot.window:
        return (Run(too_short(snapshot.window, frame.word + 1), "warning"),)
    if frame.following:
        return (Run(f"no exponent: {snapshot.reason[frame.choices.signal]}", "warning"),)
    return ()


def _cell_exponent(frame: Frame) -> Line:
    snapshot, cell = frame.snapshot, frame.choices.selected
    if cell is None or snapshot.watched != frame.choices.signal or cell >= len(snapshot.cell_alpha):
        return ()
    return (Run(f"{cell_name(cell)} β "), Run(number(2 * float(snapshot.cell_alpha[cell]) - 1), "value"))


def _compared(name: str, here: float, there: float) -> Line:
    return (
        Run(f"━ {name} ", "other"),
        Run(number(there), "value"),
        Run("  difference "),
        Run(number(here - there), "value"),
    )


def _noise(noise: NoiseBand) -> Line:
    return (
        Run("90% interval: "),
        Run("pink", "pink"),
        Run(f" {interval(*noise.pink)}, white {interval(*noise.white)}"),
    )


# ---- fixed points ------------------------------------------------------------------------------------------------


def point_lines(
    point: PointDetails, explained: Mapping[int, float] | None = None, width: int | None = None
) -> tuple[Line, ...]:
    """Everything known of one point, the most important first.

    ``explained`` maps words ahead to the variance that the linear prediction from the nearest point explains.
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
    return (*lines, (Run(f"q {scientific(point.q)}  Newton step {scientific(point.newton_step)}"),))


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
    "Linear prediction: the share of the variance of h, 1, 5 and 10 words ahead, that the linear map at the nearest "
    "fixed point explains. 100% is all of it, 0% no more than assuming that nothing moves; over the last words read."
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


def points_line(map: PointMap, view: PointView, progress: str = "", width: int | None = None) -> Line:
    """How much of the variance of h the picture shows, from which side, and what the search does."""
    shares = " + ".join(f"{part:.0%}" for part in map.projection.explained)
    angles = f"azimuth {view.azimuth:.0f}°, elevation {view.elevation:.0f}°".replace("-", "−")
    return join(
        ((Run(progress, "warning"),) if progress else (), (Run(f"PC1–3 of h: {shares}"),), (Run(angles),)), width
    )


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


def entry_line(map: PointMap, entry: int) -> Line:
    """One entry of a map in one line: name, logit, slowest time constant."""
    logit, slowest = float(map.logit[entry]), float(map.memory[entry])
    return (
        Run(map.names[entry], "accent"),
        Run(f"{GAP}logit {number(logit)}{GAP}slowest τ {time_constant(slowest)}", "text"),
    )


def word_map_line(words: int, colour: str) -> Line:
    """How many words the map shows, and what their colours mean."""
    return (Run(f"{count(words, 'word')}, each repeated forever; colour: {colour}"),)


# ---- cells -------------------------------------------------------------------------------------------------------


def cells_line(frame: Frame) -> Line:
    """How many cells are alive, dead, and active in effect (the participation ratio)."""
    dead, effective = int(frame.snapshot.dead.sum()), float(participation_ratio(frame.snapshot.activity))
    alive = len(frame.snapshot.dead) - dead
    return (
        Run(f"{alive}", "value"),
        Run(" alive  "),
        Run(f"† {dead}", "dead"),
        Run(" dead  "),
        Run(MISSING if math.isnan(effective) else f"{effective:.1f}", "value"),
        Run(" effective cells"),
    )


def dead_line(snapshot: Snapshot) -> Line:
    """When a cell counts as dead."""
    return (Run(f"† σ of h < {snapshot.threshold:.3g} over {snapshot.window} words"),)


class CellText(NamedTuple):
    """One line of the table of cells as text, each number at most as wide as its entry of `CELL_WIDTHS`."""

    name: str
    mark: str
    mark_role: Role
    numbers: tuple[str, str, str, str, str]


CELL_HEADINGS = ("value", "β", "σ", "sat", "weight")
CELL_WIDTHS = (5, 5, 5, 4, 6)
CELL_MEANINGS = (
    "the chosen signal at the word looked at",
    "rolling exponent of the chosen signal, β = 2α − 1",
    "activity: standard deviation of h over the window",
    "saturation: share of the window's words at which the signal is in the outer tenths of its range",
    "weight in the readout",
)
MARKS_MEANING = "∅ ablated, = clamped, † dead, * pinned"


def cell_text(row: CellRow) -> CellText:
    """The texts of one cell: name, mark, and value, β, σ, saturation and weight."""
    values = (row.value, 2 * row.alpha - 1, row.activity, row.saturation, row.weight)
    value, beta, activity, _, weight = map(number, values, CELL_WIDTHS)
    role: Role = "warning" if row.clamps else "dead" if row.dead else "accent"
    return CellText(cell_name(row.cell), row.mark, role, (value, beta, activity, percent(row.saturation), weight))


def cell_line(row: CellRow) -> Line:
    """One cell in one line, for a tooltip."""
    text = cell_text(row)
    named = zip(CELL_HEADINGS[1:], text.numbers[1:], strict=True)
    states = [state_text(row)] if row.clamps else []
    states += ["dead"] if row.dead else []
    return (
        Run(text.name, "accent"),
        Run("".join(f"{GAP}{name} {value}" for name, value in named), "text"),
        *(Run(f"{GAP}{state}", "warning") for state in states),
    )


def state_text(row: CellRow) -> str:
    """How a cell is changed: ``ablated``, ``f, o clamped``, or nothing."""
    return f"{', '.join(row.clamps)} clamped" if row.state == "clamped" else row.state


def heatmap_line(frame: Frame, cells_per_row: int) -> Line:
    """The order of the rows, and how many cells share one."""
    how = "mean" if frame.choices.bins == "mean" else "strongest"
    shared = (Run(f"up to {cells_per_row} cells/row ({how})", "warning"),) if cells_per_row > 1 else ()
    ordered = (Run(f"order: {frame.choices.order}"),) if frame.choices.order != "number" else ()
    return join((shared, ordered))


def value_line(cell: int, word: int, value: float) -> Line:
    """The value of one cell at one word."""
    return (Run(f"{cell_name(cell)} at word {word + 1}: "), Run(number(value), "value"))


def changes_line(snapshot: Snapshot) -> Line:
    """How the network differs from the trained one: ``∅ ablated 2, f clamped 1``; empty if it does not."""
    counts = {name: int((~np.isnan(values)).sum()) for name, values in snapshot.clamps.items()}
    changes = [f"ablated {cells}" if name == "h" else f"{name} clamped {cells}" for name, cells in counts.items()]
    return (Run(f"∅ {', '.join(changes)}", "warning"),) if changes else ()


# ---- the review --------------------------------------------------------------------------------------------------


def review_rows(frame: Frame, probability: float, other: float | None = None) -> tuple[Row, ...]:
    """P(positive), the network's class, the label, unknown words, and P(positive) of the ``other`` side if any."""
    snapshot = frame.snapshot
    known = math.isfinite(probability)
    positive = known and probability >= 0.5
    role: Role = "label" if not known else "good" if positive else "bad"
    predicted = MISSING if not known else "positive" if positive else "negative"
    label = {True: "positive", False: "negative", None: "none"}[snapshot.review.label]
    rows = [
        Row("P(positive)", (Run(number(probability), "value"),)),
        Row("network", (Run(predicted, role),)),
        Row("label", (Run(label, "text"),)),
        Row("unknown", (Run(f"{snapshot.unknown:,} of {count(snapshot.words, 'word')}", "text"),)),
    ]
    if other is not None:
        rows.append(
            Row("━ other", (Run(number(other), "value"), Run("  Δ "), Run(number(probability - other), "value")))
        )
    return tuple(rows)


def word_colours_line(frame: Frame, low: float, high: float) -> Line:
    """What the colours of the words mean."""
    cell = frame.choices.selected
    source = "mean of all cells" if cell is None else cell_name(cell)
    ends = interval(low, high) if frame.snapshot.time else "nothing read yet"
    return (Run(f"colour: {frame.choices.signal}, {source} ({ends})"),)


def overview_line(
    frame: Frame,
    probability: float,
    other: tuple[str, float] | None = None,
    reach: float | None = None,
    width: int | None = None,
) -> Line:
    """P(positive) at the word looked at, beside that of the ``other`` side; ``reach`` is the end of the axis of
    differences."""
    compared: Line = ()
    if other is not None:
        ends = () if reach is None else (Run(f" (axis ±{reach:g})"),)
        compared = (*_compared(other[0], probability, other[1]), *ends)
    place = f"word {frame.word + 1:,} of {frame.snapshot.words:,}"
    return join(((Run("P(positive) "), Run(number(probability), "value")), compared, (Run(place),)), width)


# ---- the corpus --------------------------------------------------------------------------------------------------


def corpus_line(
    measured: int,
    total: int,
    *,
    missing: int = 0,
    changes: str = "",
    listed: tuple[int, str, float, float] | None = None,
    error: str = "",
    width: int | None = None,
) -> Line:
    """How many reviews are measured, how many have no exponent, and what the list shows.

    ``changes`` is the text of `changes_line`; ``listed`` the count of a narrowed list, its signal and its ends of β.
    """
    if measured < total:
        progress = (Run(f"{measured:,}", "value"), Run(f" of {count(total, 'review')} measured"))
    else:
        progress = (Run(f"{total:,}", "value"), Run(f" {'review' if total == 1 else 'reviews'} measured"))
    narrowed = ""
    if listed is not None:
        narrowed = f"listed: {listed[0]:,} with β of {listed[1]} {interval(*listed[2:])}"
    return join(
        (
            progress,
            (Run(error, "warning"),) if error else (),
            (Run(narrowed, "text"),) if narrowed else (),
            (Run(f"{missing:,} without β"),) if missing else (),
            (Run(f"{changes} in all reviews", "warning"),) if changes else (),
        ),
        width,
    )


def histogram_line(signal: str, median: float, beta: float, reason: str = "", width: int | None = None) -> Line:
    """The median of β over the corpus, and β of the watched review or the ``reason`` why it has none."""
    watched = number(beta) if math.isfinite(beta) else reason or "…"
    return join(
        (
            (Run(f"β of {signal}", "value"),),
            (Run("▼ this review ", "pink"), Run(watched, "accent")),
            (Run(f"median {number(median)}", "text"),) if math.isfinite(median) else (),
        ),
        width,
    )


# ---- the state of the run ----------------------------------------------------------------------------------------

BADGES: Mapping[str, Run] = {
    "LIVE": Run("● LIVE", "good"),
    "PAUSED": Run("‖ PAUSED", "warning"),
    "LOOKING": Run("◂ LOOKING BACK", "warning"),
    "END": Run("■ END", "label"),
}

Part = Literal["network", "review", "badge", "word", "changes", "comparison", "recording", "speed", "rates", "lost"]


def status_parts(
    frame: Frame,
    *,
    comparison: str = "",
    recorded: int = 0,
    cells_per_row: int = 1,
    lost: int = 0,
    fps: float | None = None,
    degraded: Sequence[str] = (),
) -> dict[Part, Line]:
    """Where the run stands, part by part, so that a click can find the part it hit.

    ``comparison`` names the other side; ``recorded`` counts runs of a recording; ``cells_per_row`` and ``lost`` words
    are what the pictures leave out; ``fps`` shows measured rates too; ``degraded`` lists what a slow terminal omits.
    """
    snapshot = frame.snapshot
    badge = BADGES[frame.status]
    place = (
        f"review {snapshot.index + 1:,}/{snapshot.reviews:,}"
        if snapshot.reviews > 1
        else f"review {snapshot.review.name}"
    )
    rates = ""
    if fps is not None:
        rates = f"now {snapshot.words_per_second:,.0f} words/s  " if snapshot.playing else ""
        rates += f"{fps:.0f} fps"
    losses = [f"up to {cells_per_row} cells/row"] if cells_per_row > 1 else []
    losses += [f"{count(lost, 'word')} no longer stored"] if lost > 0 else []
    losses += [f"slow terminal: {', '.join(degraded)}"] if degraded else []
    parts: dict[Part, Line] = {
        "network": (Run(snapshot.network.name, "value"), Run(f" · {snapshot.network.task}")),
        "review": (Run(place, "text"),),
        "badge": (badge,),
        "word": (Run("word "), Run(f"{frame.word + 1:,}", "value"), Run(f"/{snapshot.words:,}")),
        "changes": changes_line(snapshot),
        "comparison": (Run(f"⇄ {comparison}", "other"),) if comparison else (),
        "recording": (Run(f"● REC {count(recorded, 'run')}", "dead"),) if recorded else (),
        "speed": (Run(reading_speed(snapshot.speed)),),
        "rates": (Run(rates, "faint"),) if rates else (),
        "lost": (Run(", ".join(losses), "warning"),) if losses else (),
    }
    return {name: line for name, line in parts.items() if line}

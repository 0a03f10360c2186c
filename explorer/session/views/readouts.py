"""Texts of the panels about exponents, the review, the corpus and the state of the run.

Every function takes what it shows and returns a `Line`, or several. Parts of a line are in order of importance: with
a ``width`` in characters, the last parts that do not fit are left out. `point_readouts` and `cell_readouts` work alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame
from explorer.session.moment import INPUT
from explorer.session.palette import Role
from explorer.session.views.clamps import clamp_summary
from explorer.session.views.corpus_summary import CorpusSummary
from explorer.session.views.number_format import (
    MISSING,
    cell_name,
    count,
    interval,
    number,
    reading_speed,
)
from explorer.session.views.outputs import output_of
from explorer.session.views.runs import Line, Row, Run, join
from explorer.session.views.scaling import Scaling, interval_of_beta, too_short
from explorer.session.views.steering import steering_summary
from explorer.session.views.units import WORDS, UnitNames, unit_names

if TYPE_CHECKING:
    from engine.live.snapshot import Snapshot
    from engine.network import Network


# ---- exponents ----------------------------------------------------------------------------------------------------


class NoiseBand(Protocol):
    """The central 90% of the exponents of exact noise: `explorer.session.controllers.noise_band.Band`."""

    @property
    def white(self) -> tuple[float, float]: ...

    @property
    def pink(self) -> tuple[float, float]: ...


def alpha_line(
    frame: Frame,
    alpha: float,
    noise: NoiseBand | None = None,
    other: tuple[str, float] | None = None,
    width: int | None = None,
) -> Line:
    """Rolling α and β of the chosen layer sum at the word looked at.

    In brackets is the 90 % interval of β. ``noise`` is the band of exact noise; ``other`` the name of the other side of
    a comparison and its α there.
    """
    signal, known = frame.choices.signal, not math.isnan(alpha)
    snapshot, names = frame.snapshot, unit_names(frame.snapshot.network)
    error = interval_of_beta(2 * alpha - 1, snapshot.window, snapshot.scales)
    return join(
        (
            _exponent(f"Σ{signal}", alpha, frame.moment.r2 if known else None, error),
            () if known else names.line(_no_exponent(frame)),
            _cell_exponent(frame),
            () if other is None else _compared(f"{other[0]} α", alpha, other[1]),
            _noise(noise) if known and noise is not None else (),
        ),
        width,
    )


def scaling_line(found: Scaling, width: int | None = None, names: UnitNames = WORDS) -> Line:
    """The exponent of F(s), its interval and r², whether it is a single one, and the scales of the fit; or why there is
    none."""
    if math.isnan(found.alpha):
        reason = Run(names.reword(found.reason), "warning")
        return join((_exponent(found.series, found.alpha, found.r2), (reason,)), width)
    scales = (Run(f"{len(found.scales)} scales {found.scales.min():.0f}…{found.scales.max():.0f} {names.units}"),)
    curvature: Line = ()
    if found.halves is not None:
        curvature = (Run(f"β short {number(found.halves[0])}, long {number(found.halves[1])}"),)
    flag: Line = (Run("no single exponent", "warning"),) if found.straight is False else ()
    return join((_exponent(found.series, found.alpha, found.r2, found.interval), flag, curvature, scales), width)


def estimator_line(snapshot: Snapshot) -> Line:
    """Window, scales and method behind the rolling exponents."""
    scales, units = snapshot.scales, unit_names(snapshot.network).units
    text = f"window {snapshot.window} {units}, {len(scales)} scales {min(scales)}…{max(scales)} {units}, unbiased DFA"
    return (Run(text),)


def _exponent(series: str, alpha: float, r2: float | None, error: tuple[float, float] | None = None) -> Line:
    line: Line = (Run(f"{series}  α "), Run(number(alpha), "value"), Run("  β "), Run(number(2 * alpha - 1), "accent"))
    if error is not None:
        line = (*line, Run(f" ({interval(*error)})"))
    return line if r2 is None else (*line, Run("  r² "), Run(number(r2), "text"))


def _no_exponent(frame: Frame) -> Line:
    snapshot = frame.snapshot
    if 0 <= frame.word + 1 < snapshot.window:
        return (Run(too_short(snapshot.window, frame.word + 1), "warning"),)
    return (Run(f"no exponent: {frame.moment.reason}", "warning"),)


def _cell_exponent(frame: Frame) -> Line:
    cell = frame.choices.cell
    if cell is None or cell >= len(frame.moment.cell_alpha):
        return ()
    return (Run(f"{cell_name(cell)} β "), Run(number(2 * float(frame.moment.cell_alpha[cell]) - 1), "value"))


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


# ---- the review ---------------------------------------------------------------------------------------------------


def review_rows(
    frame: Frame, value: float, other: float | None = None, outputs: NDArray[np.float64] | None = None
) -> tuple[Row, ...]:
    """The first output, the network's class, the label, unknown words, and the output of the ``other`` side if any.

    ``outputs`` (k,) are all outputs; only a softmax needs them. A linear output has no class.
    """
    snapshot, output, names = frame.snapshot, output_of(frame.snapshot.network), unit_names(frame.snapshot.network)
    known = math.isfinite(value)
    role: Role = "label" if not known else "good" if value >= output.middle else "bad"
    predicted: Line = (Run("positive" if value >= output.middle else "negative", role),)
    if not output.positive and outputs is not None and len(outputs):
        predicted = (Run(f"class {int(outputs.argmax())}", "text"), Run(f"  {number(float(outputs.max()))}"))
    label = {True: "positive", False: "negative", None: "unlabelled"}[snapshot.review.label]
    rows = [
        Row(output.name, (Run(number(value), "value"),)),
        *([Row("network", predicted if known else (Run(MISSING, role),))] if _has_class(snapshot.network) else []),
        Row("label", (Run(label, "text"),)),
        Row("unknown", (Run(f"{snapshot.unknown:,} of {names.count(snapshot.words)}", "text"),)),
    ]
    if other is not None:
        rows.append(
            Row("━ other", (Run(number(other, 5), "value"), Run("  Δ "), Run(number(value - other, 6), "value")))
        )
    return tuple(rows)


def _has_class(network: Network) -> bool:
    return network.output == "softmax" or output_of(network).positive


def word_colours_line(frame: Frame, low: float, high: float) -> Line:
    """Return the meaning of the colours of the words."""
    choices = frame.choices
    rows = "inputs" if choices.signal == INPUT else "cells"
    source = f"mean of all {rows}" if choices.cell is None else cell_name(choices.cell)
    ends = interval(low, high) if frame.snapshot.time else "nothing read yet"
    return (Run(f"colour: {frame.choices.signal}, {source} ({ends})"),)


def overview_line(
    frame: Frame,
    value: float,
    other: tuple[str, float] | None = None,
    reach: float | None = None,
    width: int | None = None,
) -> Line:
    """The first output at the word looked at, next to that of the ``other`` side; ``reach`` is the end of the axis of
    differences."""
    compared: Line = ()
    if other is not None:
        ends = () if reach is None else (Run(f" (axis ±{reach:g})"),)
        compared = (*_compared(other[0], value, other[1]), *ends)
    place = f"{unit_names(frame.snapshot.network).unit} {frame.word + 1:,} of {frame.snapshot.words:,}"
    name = output_of(frame.snapshot.network).name
    return join(((Run(f"{name} "), Run(number(value), "value")), compared, (Run(place),)), width)


# ---- the corpus ---------------------------------------------------------------------------------------------------


def corpus_line(
    measured: int,
    total: int,
    *,
    missing: int = 0,
    changes: str = "",
    listed: tuple[int, str, float, float] | None = None,
    error: str = "",
    summary: CorpusSummary | None = None,
    width: int | None = None,
) -> Line:
    """Return the number of reviews measured, how well they are classified, and what the list shows.

    ``changes`` is what `clamp_summary` returns; ``listed`` the count of a narrowed list, its signal and its ends of β.
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
            *(() if summary is None else _summary(summary)),
            (Run(narrowed, "text"),) if narrowed else (),
            (Run(f"{missing:,} without β"),) if missing else (),
            (Run(f"{changes} in all reviews", "warning"),) if changes else (),
        ),
        width,
    )


def _summary(summary: CorpusSummary) -> tuple[Line, Line]:
    """Accuracy, with that before the changes, and dead cells."""
    accuracy: Line = ()
    if summary.labelled:
        accuracy = (Run("accuracy "), Run(f"{100 * summary.accuracy:.1f}%", "value"))
        if not math.isnan(summary.intact):
            accuracy = (*accuracy, Run(f", {100 * summary.intact:.1f}% unchanged", "text"))
    dead: Line = () if summary.dead is None else (Run(f"† {summary.dead}", "dead"), Run(" dead"))
    return accuracy, dead


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


# ---- the state of the run -----------------------------------------------------------------------------------------

BADGES: Mapping[str, Run] = {
    "LIVE": Run("● LIVE", "good"),
    "REPLAY": Run("▸ REPLAY", "good"),
    "PAUSED": Run("‖ PAUSED", "warning"),
    "LOOKING": Run("◂ LOOKING BACK", "warning"),
    "END": Run("■ END", "label"),
    "LOST": Run("✖ ENGINE LOST", "dead"),
}
HELD = Run("‖ HELD: dialog open", "warning")

Part = Literal[
    "network", "review", "badge", "word", "changes", "comparison", "recording", "speed", "rates", "skipped", "lost"
]


def status_parts(
    frame: Frame,
    *,
    comparison: str = "",
    recorded: int = 0,
    cells_per_row: int = 1,
    lost: int = 0,
    fps: float | None = None,
    degraded: Sequence[str] = (),
    held: bool = False,
    skipped: int = 0,
    restore_key: str = "",
) -> dict[Part, Line]:
    """Return the state of the run, part by part, so that a click can find the part it hit.

    ``comparison`` names the other side; ``recorded`` counts runs of a recording; ``cells_per_row`` and ``lost`` words
    are what the pictures leave out; ``fps`` shows the frame rate, and the measured speed where it differs
    from the set one; ``degraded`` lists what a slow terminal omits; ``held``: while words are read, the pictures are
    not updated; ``skipped`` counts what could not be read of the source; ``restore_key`` is that of the action that
    restores all ablated and clamped cells.
    """
    snapshot, names = frame.snapshot, unit_names(frame.snapshot.network)
    badge = HELD if held and snapshot.playing else BADGES[frame.status]
    place = (
        f"{names.sequence} {snapshot.index + 1:,}/{snapshot.reviews:,}"
        if snapshot.reviews > 1
        else f"{names.sequence} {snapshot.review.name}"
    )
    rates = ""
    if fps is not None:
        measured = reading_speed(snapshot.words_per_second, names.unit)
        differs = snapshot.playing and measured != reading_speed(snapshot.speed, names.unit)
        rates = f"now {measured}  " if differs else ""
        rates += f"{fps:.0f} fps"
    losses = [f"up to {cells_per_row} cells/row"] if cells_per_row > 1 else []
    losses += [f"{names.count(lost)} no longer stored"] if lost > 0 else []
    losses += [f"slow terminal: {', '.join(degraded)}"] if degraded else []
    task = snapshot.network.task  # that of any imported network of words is "sentiment"
    shows_task = task != "sentiment" or output_of(snapshot.network).positive
    parts: dict[Part, Line] = {
        "network": (Run(snapshot.network.title, "value"), *((Run(f" · {task}"),) if shows_task else ())),
        "review": (Run(place, "text"),),
        "badge": (badge, *_device(snapshot)),
        "word": (Run(f"{names.unit} "), Run(f"{frame.word + 1:,}", "value"), Run(f"/{snapshot.words:,}")),
        "changes": names.line(changes_line(snapshot, restore_key)),
        "comparison": (Run(f"⇄ {comparison}", "other"),) if comparison else (),
        "recording": (Run(f"● REC {count(recorded, 'run')}", "dead"),) if recorded else (),
        "speed": (Run(reading_speed(snapshot.speed, names.unit)),),
        "rates": (Run(rates, "faint"),) if rates else (),
        "skipped": (Run(f"{skipped:,} skipped", "warning"),) if skipped else (),
        "lost": (Run(", ".join(losses), "warning"),) if losses else (),
    }
    return {name: line for name, line in parts.items() if line}


def _device(snapshot: Snapshot) -> Line:
    """Return the device on which the network steps; empty for the CPU, unless the GPU failed."""
    if snapshot.device_problem:
        return (Run(" on the CPU: the GPU failed", "warning"),)
    return () if snapshot.device == "cpu" else (Run(" on the GPU", "good"),)


def clamps_line(snapshot: Snapshot) -> Line:
    """Return the clamps in every review: ``∅ 2 ablated, f clamped in 1``; empty if there are none."""
    return (Run(f"∅ {clamp_summary(snapshot.clamps)}", "warning"),) if snapshot.clamps else ()


def changes_line(snapshot: Snapshot, restore_key: str = "") -> Line:
    """Return the changes of the trained network: ``∅ 2 ablated, f clamped in 1, steered after word 57``, and the
    ``restore_key``; empty if there are none."""
    changes = ", ".join(filter(None, (clamp_summary(snapshot.clamps), steering_summary(snapshot.pushes))))
    how = f" · {restore_key} restores" if restore_key else ""
    return (Run(f"∅ {changes}{how}", "warning"),) if changes else ()

"""Texts of the panels about cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

from engine.activity import participation_ratio
from explorer.session.core import Frame
from explorer.session.palette import Role
from explorer.session.views.number_format import (
    MISSING,
    cell_name,
    number,
    percent,
)
from explorer.session.views.runs import GAP, Line, Run, join
from explorer.session.views.traces import CellRow
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.live.snapshot import Snapshot


def cells_line(frame: Frame) -> Line:
    """Return the numbers of live, dead and effective cells (the participation ratio) at the word looked at."""
    moment, window, units = frame.moment, frame.snapshot.window, unit_names(frame.snapshot.network).units
    cells, dead, effective = len(moment.dead), int(moment.dead.sum()), float(participation_ratio(moment.activity))
    known = frame.word + 1 >= window
    return (
        Run(f"{cells - dead if known else cells}", "value"),
        *((Run(" alive  "), Run(f"† {dead}", "dead"), Run(" dead  ")) if known else (Run(" cells  "),)),
        *(() if known else (Run(f"† needs {window} {units}  ", "warning"),)),
        Run(MISSING if math.isnan(effective) else f"{effective:.1f}", "value"),
        Run(" effective cells" if known else " effective"),  # fits the terminal's panel
    )


def dead_line(snapshot: Snapshot) -> Line:
    """Return the criterion by which a cell counts as dead."""
    return (Run(f"† σ of h < {snapshot.threshold:.3g} over {snapshot.window} {unit_names(snapshot.network).units}"),)


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
ACCURACY_HEADING = "w/o"
ACCURACY_WIDTH = 5
ACCURACY_MEANING = "accuracy over the labelled reviews without this cell: its h clamped at its mean"
MARKS_MEANING = "∅ ablated, = clamped, + high or − low in the brushed words, † dead, * pinned"


def cell_text(row: CellRow) -> CellText:
    """The texts of one cell: name, mark, and value, β, σ, saturation and weight."""
    values = (row.value, 2 * row.alpha - 1, row.activity, row.saturation, row.weight)
    value, beta, activity, _, weight = map(number, values, CELL_WIDTHS)
    role: Role = "warning" if row.clamps else "dead" if row.mark == "†" else "accent"
    return CellText(cell_name(row.cell), row.mark, role, (value, beta, activity, percent(row.saturation), weight))


class Accuracy(Protocol):
    """The accuracy over the corpus: `explorer.session.controllers.ablation_accuracy.CellAccuracy`."""

    @property
    def reviews(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def intact(self) -> float: ...


def accuracy_line(found: Accuracy | None, progress: str, width: int | None = None) -> Line:
    """The accuracy with all cells, over how many reviews, and what is being measured."""
    measured: Line = ()
    if found is not None:
        of = "" if found.reviews == found.total else f" of {found.total:,}"
        measured = (
            Run("accuracy "),
            Run(f"{100 * found.intact:.1f}%", "value"),
            Run(f" of n = {found.reviews:,}{of} reviews, w/o: without the cell"),
        )
    return join((measured, (Run(progress, "warning"),) if progress else ()), width)


def accuracy_text(row: CellRow) -> str:
    """The accuracy without one cell, at most ``ACCURACY_WIDTH`` wide."""
    return MISSING if math.isnan(row.accuracy_without) else f"{100 * row.accuracy_without:.1f}"


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
    """Return the change of a cell: ``ablated``, ``f, o clamped``, or an empty text."""
    return f"{', '.join(row.clamps)} clamped" if row.state == "clamped" else row.state


def heatmap_line(frame: Frame, cells_per_row: int) -> Line:
    """The order of the rows, and how many cells share one."""
    how = "mean" if frame.choices.bins == "mean" else "strongest"
    shared = (Run(f"up to {cells_per_row} cells/row ({how})", "warning"),) if cells_per_row > 1 else ()
    ordered = (Run(f"order: {frame.choices.order}"),) if frame.choices.order != "number" else ()
    return join((shared, ordered))


def value_line(signal: str, cell: int, word: int, value: float, unit: str = "word") -> Line:
    """The value of a signal of one cell at one word."""
    return (Run(f"{signal} of {cell_name(cell)} at {unit} {word + 1}: "), Run(number(value), "value"))

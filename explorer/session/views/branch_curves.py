"""Branches of fixed points as curves: a readout or a principal component against the weight of a word."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from explorer.session.palette import Role
from explorer.session.views.number_format import count
from explorer.session.views.outputs import Output
from explorer.session.views.runs import Line, Run, join

if TYPE_CHECKING:
    from engine.branches import Branch
    from engine.projection import Projection

Floats = NDArray[np.float64]

AXES = ("readout", "PC1")


@dataclass(frozen=True, eq=False)
class Branches:
    """The branches between zero input and the input ``word``."""

    word: str
    branches: tuple[Branch, ...]


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a curve, (place,) each, on which the points are stable or not."""

    x: Floats
    y: Floats
    stable: bool


@dataclass(frozen=True, eq=False)
class BranchCurves:
    """``pieces`` of all curves, the places (k, 2) of ``folds`` and of other ``crossings`` of |λ| = 1, and the names of
    the axes."""

    pieces: tuple[Piece, ...]
    folds: Floats
    crossings: Floats
    x_label: str
    y_label: str

    @property
    def y_range(self) -> tuple[float, float]:
        """The ends of the vertical axis, with a margin."""
        values = np.concatenate([piece.y for piece in self.pieces]) if self.pieces else np.zeros(1)
        low, high = float(values.min()), float(values.max())
        margin = 0.05 * (high - low) or 1.0
        return low - margin, high + margin


def branch_curves(found: Branches, axis: str, projection: Projection, size: int, output: Output) -> BranchCurves:
    """Return the branches along one of ``AXES``; ``size`` is the number of cells."""
    pieces: list[Piece] = []
    folds, crossings = [np.empty((0, 2))], [np.empty((0, 2))]
    for branch in found.branches:
        y = branch.readout[:, 0] if axis == "readout" else projection.transform(branch.states[:, :size])[:, 0]
        places = np.stack([branch.weight, y], axis=1)
        stable = branch.unstable == 0
        cuts = [0, *(np.flatnonzero(np.diff(stable)) + 1).tolist(), len(y)]
        for begin, end in pairwise(cuts):
            part = slice(begin, min(end + 1, len(y)))  # to the first place of the next piece, so that no gap is left
            pieces.append(Piece(branch.weight[part], y[part], bool(stable[begin])))
        folds.append(places[branch.folds])
        crossings.append(places[branch.crossings])
    label = output.logit if axis == "readout" else "PC1 of h"
    return BranchCurves(
        tuple(pieces), np.concatenate(folds), np.concatenate(crossings), f"weight of “{found.word}”", label
    )


def branches_line(found: Branches | None, progress: str, width: int | None = None) -> Line:
    """How many branches there are and how they end; or what is being computed."""
    if found is None:
        return (Run(progress or "nothing is followed yet", "warning"),)
    folds = sum(len(branch.folds) for branch in found.branches)
    crossings = sum(len(branch.crossings) for branch in found.branches)
    stuck = sum(branch.ended == "stuck" for branch in found.branches)
    branches = count(len(found.branches), "branch", "branches")
    return join(
        (
            (Run(branches, "value"), Run(f" from zero input to “{found.word}”")),
            (Run(f"{FOLD} {count(folds, 'fold')}", "warning"),) if folds else (),
            (Run(f"{CROSSING} {count(crossings, 'other crossing')} of |λ| = 1", "other"),) if crossings else (),
            (Run(f"{stuck} could not be followed to an end", "warning"),) if stuck else (),
        ),
        width,
    )


FOLD, CROSSING = "◂", "×"


def branches_legend() -> Line:
    """What the curves and marks mean."""
    parts: tuple[tuple[str, Role, str], ...] = (
        ("──", "good", "stable"), ("╌╌", "pink", "unstable"), (FOLD, "warning", "fold"),
        (CROSSING, "other", "|λ| = 1"),
    )  # fmt: skip
    return join(tuple((Run(mark, role), Run(f" {name}")) for mark, role, name in parts))

"""Branches of fixed points as curves: a readout or a principal component against a word's weight or a channel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.session.palette import Role
from explorer.session.views.number_format import count
from explorer.session.views.outputs import Output
from explorer.session.views.runs import Line, Run, join

if TYPE_CHECKING:
    from engine.branches import Branch
    from engine.projection import Projection
    from explorer.session.views.point_map import PointMap

Floats = NDArray[np.float64]

AXES = ("readout", "PC1")


class Target(NamedTuple):
    """Input that is varied: the weight of a word that the present network reads, or a channel of a network with a task.

    Attributes
    ----------
    what : str
        The word, or the number of the channel, from 1.
    network : str
        Name of the network with the channel; "" for a word.
    """

    what: str
    network: str = ""

    @property
    def change(self) -> str:
        """Description of the varied input, as the end of a title."""
        if self.network:
            return f"of {self.network}, channel {self.what} from −1 to 1"
        return f"from zero input to “{self.what}”"

    @property
    def x_label(self) -> str:
        return f"input of channel {self.what}" if self.network else f"weight of “{self.what}”"

    @property
    def x_range(self) -> tuple[float, float]:
        return (-1.0, 1.0) if self.network else (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Axes:
    """The components of h, the number of cells and the first output of the network whose points are followed."""

    projection: Projection
    size: int
    output: Output


@dataclass(frozen=True, eq=False)
class Branches:
    """The branches of a target; ``axes`` are given if they are not those of the present network."""

    target: Target
    branches: tuple[Branch, ...]
    axes: Axes | None = None


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a curve, (place,) each, on which the points are stable or not."""

    x: Floats
    y: Floats
    stable: bool


@dataclass(frozen=True, eq=False)
class BranchCurves:
    """``pieces`` of all curves, the places (k, 2) of ``folds`` and of other ``crossings`` of |λ| = 1, the names of the
    axes, and the ends of the horizontal one."""

    pieces: tuple[Piece, ...]
    folds: Floats
    crossings: Floats
    x_label: str
    y_label: str
    x_range: tuple[float, float]

    @property
    def y_range(self) -> tuple[float, float]:
        """The ends of the vertical axis, with a margin."""
        values = np.concatenate([piece.y for piece in self.pieces]) if self.pieces else np.zeros(1)
        low, high = float(values.min()), float(values.max())
        margin = 0.05 * (high - low) or 1.0
        return low - margin, high + margin


def branch_curves(found: Branches, axis: str, present: PointMap | None) -> BranchCurves | None:
    """Return the branches along one of ``AXES``, or None as long as the axes are those of a map that is not there."""
    axes = found.axes
    if axes is None:
        if present is None:
            return None
        axes = Axes(present.projection, present.size, present.output)
    pieces: list[Piece] = []
    folds, crossings = [np.empty((0, 2))], [np.empty((0, 2))]
    for branch in found.branches:
        y = (
            branch.readout[:, 0]
            if axis == "readout"
            else axes.projection.transform(branch.states[:, : axes.size])[:, 0]
        )
        places = np.stack([branch.weight, y], axis=1)
        stable = branch.unstable == 0
        cuts = [0, *(np.flatnonzero(np.diff(stable)) + 1).tolist(), len(y)]
        for begin, end in pairwise(cuts):
            part = slice(begin, min(end + 1, len(y)))  # to the first place of the next piece, so that no gap is left
            pieces.append(Piece(branch.weight[part], y[part], bool(stable[begin])))
        folds.append(places[branch.folds])
        crossings.append(places[branch.crossings])
    return BranchCurves(
        *(tuple(pieces), np.concatenate(folds), np.concatenate(crossings)),
        found.target.x_label,
        axes.output.logit if axis == "readout" else "PC1 of h",
        found.target.x_range,
    )


def branches_line(found: Branches | None, progress: str, width: int | None = None) -> Line:
    """Return a line with the number of branches, folds and crossings; or with the ``progress``."""
    if found is None:
        return (Run(progress or "nothing is followed yet", "warning"),)
    folds = sum(len(branch.folds) for branch in found.branches)
    crossings = sum(len(branch.crossings) for branch in found.branches)
    stuck = sum(branch.ended == "stuck" for branch in found.branches)
    branches = count(len(found.branches), "branch", "branches")
    return join(
        (
            (Run(branches, "value"), Run(f" {found.target.change}")),
            (Run(f"{FOLD} {count(folds, 'fold')}", "warning"),) if folds else (),
            (Run(f"{CROSSING} {count(crossings, 'other crossing')} of |λ| = 1", "other"),) if crossings else (),
            (Run(f"{stuck} could not be followed to an end", "warning"),) if stuck else (),
        ),
        width,
    )


FOLD, CROSSING = "◂", "×"


def branches_legend() -> Line:
    """Return the legend of the curves and marks."""
    parts: tuple[tuple[str, Role, str], ...] = (
        ("──", "good", "stable"), ("╌╌", "pink", "unstable"), (FOLD, "warning", "fold"),
        (CROSSING, "other", "|λ| = 1"),
    )  # fmt: skip
    return join(tuple((Run(mark, role), Run(f" {name}")) for mark, role, name in parts))

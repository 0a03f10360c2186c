"""Results as text tables and as matplotlib figures, for notebooks and the interactive interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

ROWS = 20
"""Rows that a table shows before it counts the others."""


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], total: int) -> str:
    """Return a title line and aligned columns; ``rows`` may be the first of ``total``."""
    cells = [list(headings), *map(list, rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(headings))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    more = [f"… {total - len(rows):,} more rows"] if total > len(rows) else []
    return "\n".join([title, *(lines if rows else []), *more])


def new_axes(ax: Axes | None) -> Axes:
    """Return the axes to draw into: the given ones, or those of a new figure."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def plot_fluctuations(ax: Axes | None, F: Array, scales: Sequence[int], alpha: Array) -> Axes:
    """Draw F(s) of each series (series, scale) on log-log axes as dots, and its fit of slope α as a line."""
    ax = new_axes(ax)
    s = np.asarray(scales, dtype=np.float64)
    for k, (values, slope) in enumerate(zip(F, alpha, strict=True)):
        name = f"series {k}: " if len(F) > 1 else ""
        (dots,) = ax.plot(s, np.where(values > 0, values, np.nan), "o", markersize=4)
        if np.isfinite(slope):
            fit = np.exp(np.log(values).mean() + slope * (np.log(s) - np.log(s).mean()))
            ax.plot(s, fit, color=dots.get_color(), label=f"{name}α = {slope:.2f}, β = {2 * slope - 1:.2f}")
        else:
            dots.set_label(f"{name}no exponent")
    ax.set(xscale="log", yscale="log", xlabel="scale s (words)", ylabel="F(s)")
    if len(F):
        ax.legend()
    return ax


def plot_points(ax: Axes | None, places: Array, explained: Array, kind: NDArray[np.str_]) -> Axes:
    """Draw points (P, 2) with one colour for each kind of stability; axes carry the explained variance."""
    ax = new_axes(ax)
    for name in sorted(set(kind.tolist()), key=lambda name: (name == "slow", name != "stable", name)):
        chosen = kind == name
        x, y = places[chosen].T
        unit = f" unstable direction{'s' * (name != 'saddle with 1')}" if name.startswith("saddle") else ""
        dots = ax.scatter(x, y, label=f"{len(x)} {name}{unit}")
        if name == "slow":
            dots.set(facecolor="none", edgecolor="grey")
    labels = [f"PC{k + 1} ({100 * part:.0f} % of the variance)" for k, part in enumerate(explained.tolist())]
    ax.set(xlabel=labels[0], ylabel=labels[1])
    if len(places):
        ax.legend()
    return ax

"""Sizes of the panels: shares of the terminal that the user can change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

LIMITS: Final = (0.1, 0.8)  # of a share
STEP: Final = 0.04  # by which a key changes a share
SMALLEST: Final = 3  # rows of a panel with its border
NARROWEST: Final = 38  # columns of the right-hand panels: a row of the table of cells
BARS: Final = 3  # rows of status, notices and keys
FULL_REVIEW: Final = 160  # columns up to which the review has its whole share
COMPARING: Final = 3  # rows that the overview gains for a difference


@dataclass(frozen=True)
class Shares:
    """Shares of the width (``right``), of the height (``review``, ``overview``), and of the height between these two
    (``alpha`` on the left, ``spectrum`` and ``cells`` on the right; heatmap and fixed points take the rest)."""

    right: float = 0.38
    review: float = 0.22
    overview: float = 0.1
    alpha: float = 0.36
    spectrum: float = 0.27
    cells: float = 0.36

    @classmethod
    def from_saved(cls, saved: object) -> Shares:
        """Return the shares of a saved state, as far as they are valid."""
        known = saved if isinstance(saved, dict) else {}
        valid = {
            name: float(value)
            for name, value in known.items()
            if name in cls.__dataclass_fields__
            and isinstance(value, int | float)
            and LIMITS[0] / 4 <= value <= LIMITS[1]
        }
        return cls(**valid)

    def saved(self) -> dict[str, Any]:
        """Return what is saved."""
        return {name: round(value, 3) for name, value in vars(self).items()}

    def changed(self, name: str, by: float) -> Shares:
        """Return the shares with one of them larger by ``by``; those beside it leave room for the rest."""
        low = LIMITS[0] / 2 if name == "overview" else LIMITS[0]
        share = max(low, min(getattr(self, name) + by, LIMITS[1]))
        others = {"spectrum": self.cells, "cells": self.spectrum, "review": self.overview, "overview": self.review}
        if name in others:
            share = max(low, min(share, 0.85 - others[name]))
        return replace(self, **{name: share})


@dataclass(frozen=True)
class Sizes:
    """Columns of the right-hand panels, and rows of the others with their borders."""

    right: int
    review: int
    overview: int
    alpha: int
    spectrum: int
    cells: int
    body: int


def sizes(shares: Shares, width: int, height: int, *, comparing: bool = False) -> Sizes:
    """Return the sizes of the panels in a terminal that shows all of them."""
    rows = height - BARS
    overview = max(SMALLEST, round(shares.overview * rows)) + (COMPARING if comparing else 0)
    review = max(SMALLEST + 2, round(shares.review * rows * wide_factor(width)))
    body = max(4 * SMALLEST, rows - review - overview)
    spectrum = max(SMALLEST + 1, round(shares.spectrum * body))
    cells = max(SMALLEST + 1, round(shares.cells * body))
    spectrum -= max(0, spectrum + cells + SMALLEST + 1 - body)
    right = max(NARROWEST + 2, min(round(shares.right * width), width - NARROWEST))
    alpha = max(SMALLEST + 1, min(round(shares.alpha * body), body - SMALLEST - 2))
    return Sizes(right, review, overview, alpha, max(SMALLEST, spectrum), cells, body)


def wide_factor(width: int) -> float:
    """Return the factor of the review's share: a wide terminal shows its words in fewer lines."""
    return min(1.0, FULL_REVIEW / width)


# Which share a key changes for the focused panel, and the sign with which it grows. Growing the heatmap shrinks alpha.
WIDTHS: Final[Mapping[str, tuple[str, int]]] = {
    **dict.fromkeys(("heatmap", "alpha", "review", "overview"), ("right", -1)),
    **dict.fromkeys(("points", "spectrum", "cells"), ("right", 1)),
}
HEIGHTS: Final[Mapping[str, tuple[str, int]]] = {
    "review": ("review", 1),
    "heatmap": ("alpha", -1),
    "alpha": ("alpha", 1),
    "points": ("cells", -1),
    "spectrum": ("spectrum", 1),
    "cells": ("cells", 1),
    "overview": ("overview", 1),
}

"""A claim of a paper: what was published, what was measured, and the verdict that a stated criterion gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HOLDS: Final = "holds"
DEPENDS: Final = "depends on a choice"
FAILS: Final = "does not hold"
UNDECIDED: Final = "undecided"
OPEN: Final = "not measured"


@dataclass(frozen=True)
class Claim:
    """A claim, its place in the paper, the published and the measured value, the criterion and the verdict."""

    claim: str
    place: str
    published: str
    criterion: str
    measured: str
    verdict: str


def verdict(met: Sequence[bool], otherwise: bool = False) -> str:
    """Return the verdict for a criterion that each network meets or not.

    Parameters
    ----------
    met : sequence of bool
        All true: *holds*; some: *depends on a choice*; none: *does not hold*; empty: *not measured*.
    otherwise : bool
        Another reasonable way to measure meets the criterion, which turns *does not hold* into *depends on a choice*.
    """
    if not met:
        return OPEN
    return HOLDS if all(met) else DEPENDS if any(met) or otherwise else FAILS

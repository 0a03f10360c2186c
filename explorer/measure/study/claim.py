"""A paper's claim, decided: published and measured side by side, with the criterion that code applies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HOLDS: Final = "holds"
DEPENDS: Final = "depends on a choice"
FAILS: Final = "does not hold"
OPEN: Final = "not measured"


@dataclass(frozen=True)
class Claim:
    """One claim: what was published and where, what decides, what was measured, and the verdict."""

    claim: str
    place: str
    published: str
    criterion: str
    measured: str
    verdict: str


def verdict(met: Sequence[bool], otherwise: bool = False) -> str:
    """*holds* where all meet the criterion, *depends* where some do, or another way to measure does (``otherwise``)."""
    if not met:
        return OPEN
    return HOLDS if all(met) else DEPENDS if any(met) or otherwise else FAILS

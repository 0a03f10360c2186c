"""Ablated and clamped cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.live.stream import Snapshot


def clamped_cells(snapshot: Snapshot) -> dict[int, tuple[str, ...]]:
    """Return the names of the clamped signals of every cell that has any; a clamped ``h`` is an ablation."""
    found: dict[int, tuple[str, ...]] = {}
    for name, values in snapshot.clamps.items():
        for cell in np.flatnonzero(~np.isnan(values)).tolist():
            found[cell] = (*found.get(cell, ()), name)
    return found


def clamp_summary(clamps: Mapping[str, NDArray[np.float32]]) -> str:
    """Return the clamps (signal → values (n,), NaN where there is none) in a few words, such as ``2 ablated, f clamped
    in 1``; empty if there are none."""
    counts = {name: int((~np.isnan(values)).sum()) for name, values in clamps.items()}
    return ", ".join(
        f"{count} ablated" if name == "h" else f"{name} clamped in {count}" for name, count in counts.items()
    )

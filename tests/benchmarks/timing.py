"""Time several computations in turns, so that changes in the load of the machine affect all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

TURNS = 9


def measure(
    sides: Mapping[str, Callable[[], object]], turns: int = TURNS, clock: Callable[[], float] = time.process_time
) -> dict[str, NDArray[np.float64]]:
    """Return the seconds of each computation in each turn, without a first turn that warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns + 1):
        for name, side in sides.items():
            start = clock()
            side()
            if turn:
                seconds[name].append(clock() - start)
    return {name: np.array(values) for name, values in seconds.items()}

"""Compile the kernels before the tests run: else each worker of pytest-xdist compiles all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PARTS: Final = ("steps", "exponents")


@contextmanager
def compile_side_by_side() -> Iterator[None]:
    """Compile the parts in forked processes while the block runs, and wait for them."""
    processes = []
    for part in PARTS:
        if not (process := os.fork()):
            try:
                compile_part(part)
            finally:
                os._exit(0)  # what fails here fails in a test, too
        processes.append(process)
    yield
    for process in processes:
        os.waitpid(process, 0)


def compile_part(part: str) -> None:
    """Compile the kernels of a part, or load their machine code."""
    import numpy as np

    if part == "steps":
        from engine.recording import record
        from tests.explorer.small import small_network

        record(small_network(), [np.array([2, 3])])
    else:
        from engine.fluctuation import RollingExponent, default_scales, fluctuations, rolling_scales
        from engine.live.ring import Ring

        values = np.zeros((100, 2))
        fluctuations(values.T, default_scales(100))
        RollingExponent(rolling_scales(64), 64, 2).push(values)
        Ring({"h": 2}, 8).write({"h": values})

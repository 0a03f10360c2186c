"""Compile the kernels before the tests run, in two processes: else each worker of pytest-xdist compiles all of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_LOCK = "PINKX_TESTS_COMPILING"  # a file that is locked while kernels are compiled
PARTS = ("steps", "exponents")


def start() -> list[subprocess.Popen[bytes]]:
    """Start the processes. They hold a lock, which ends with them."""
    import fcntl

    descriptor, os.environ[_LOCK] = tempfile.mkstemp(prefix="pinkx-compiling-")
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        command, root = [sys.executable, "-m", "tests.compiling"], Path(__file__).parents[1]
        return [subprocess.Popen([*command, part], cwd=root, pass_fds=[descriptor]) for part in PARTS]
    finally:
        os.close(descriptor)


def wait() -> None:
    """Wait in a worker until the kernels are compiled."""
    if path := os.environ.get(_LOCK):
        import fcntl

        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)


def finish(processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait for the processes, and delete their lock."""
    for process in processes:
        process.wait()
    Path(os.environ.pop(_LOCK)).unlink()


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


if __name__ == "__main__":
    compile_part(sys.argv[1])

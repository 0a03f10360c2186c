"""Check in another process that an HDF5 file can be read: some damaged ones never return from the HDF5 library.

The library holds Python's lock meanwhile, so that no thread of this process could end the reading.  For others it takes
as much memory as the file claims, which the other process is not given.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from engine.catalogue import NetworkError

VARIABLE: Final = "PINKX_HDF5_SECONDS"
"""Environment variable with the time limit; 0 reads without the check."""

_SECONDS: Final = 20.0
_BYTES_PER_SECOND: Final = 5_000_000  # of a slow network drive
_CODE: Final = "from engine.importers.keras_file import try_reading; print(try_reading(sys.argv[1]), end='')"
_MEMORY: Final = 1 << 29  # bytes that reading takes besides the weights, with those of the libraries that it loads


def check_readable(path: Path) -> None:
    """Read a file in another process and wait for it.

    Raises
    ------
    NetworkError
        If the file is refused, takes longer than the limit, or ends the process.
    """
    seconds = _limit(path)
    if not seconds:
        return
    code = f"import sys; sys.path[:] = {sys.path!r}; {_CODE}"
    quiet = subprocess.DEVNULL
    try:
        found = subprocess.run(
            [sys.executable, "-c", code, str(path.absolute())],
            stdin=quiet,
            stdout=subprocess.PIPE,
            stderr=quiet,
            timeout=seconds,
            check=False,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
    except subprocess.TimeoutExpired:
        raise NetworkError(
            f"refused after {seconds:g} s, in which it could not be read: a damaged HDF5 file; save or fetch it again "
            f"(set {VARIABLE} to wait longer)"
        ) from None
    if found.returncode < 0:
        raise NetworkError(f"damaged: the HDF5 library ended with signal {-found.returncode}; save or fetch it again")
    if found.stdout:
        raise NetworkError(found.stdout)


def limit_memory(size: int) -> None:
    """Let this process take ``size`` bytes more than it has, and those of libraries; on Linux only."""
    if sys.platform != "linux":
        return
    import resource

    taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = taken + _MEMORY + size
    resource.setrlimit(resource.RLIMIT_AS, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _limit(path: Path) -> float:
    try:
        given = float(os.environ.get(VARIABLE, "nan"))
    except ValueError:
        given = math.nan
    return given if given >= 0 else round(_SECONDS + path.stat().st_size / _BYTES_PER_SECOND)

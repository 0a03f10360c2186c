"""Number of threads of the CPU kernels.

It is not numba's own number: numba starts a thread pool to answer, and that sets the number of OpenMP threads of the
whole process. PyTorch then uses all cores for every small product, which is many times slower where the cores are busy.
"""

from __future__ import annotations

from numba import config

_count: int = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]


def thread_count() -> int:
    """Return the number of threads; at first NUMBA_NUM_THREADS, or the number of cores."""
    return _count


def set_thread_count(count: int) -> None:
    """Set the number of threads.

    Raises
    ------
    ValueError
        If ``count`` is not positive.
    """
    global _count
    if count < 1:
        raise ValueError(f"{count} threads; expected at least 1")
    _count = count

"""Interrupt a long computation from another thread, between two of its steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_thread = threading.local()


@contextmanager
def interruptible(check: Callable[[], object]) -> Iterator[None]:
    """Call ``check`` in every step of the computations of this thread within the block; what it raises ends them."""
    _thread.check = check
    try:
        yield
    finally:
        del _thread.check


def allow() -> None:
    """Mark a place at which a computation may end, in each of the loops that can take a second or more."""
    check: Callable[[], object] | None = getattr(_thread, "check", None)
    if check is not None:
        check()

"""End the process within two seconds of SIGTERM or SIGHUP, whatever its main thread is doing."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

LIMIT: Final = 0.3
"""Seconds for an orderly exit. On a busy machine this thread may wait much longer for the interpreter's lock, which
loading PyTorch holds for a third of a second of computing time."""


class SignalWatch:
    """A thread that ends the process when a signal has not done so within a limit.

    Python calls its signal handlers between two bytecodes of the main thread, which may be compiling a kernel or
    multiplying matrices for a minute. Here the number of the signal arrives at once.

    Attributes
    ----------
    end : callable
        Ends the process with an exit code; a front end puts its own here, which restores the terminal first.
    limit : float
        Seconds; a front end, which saves the user's choices, puts a longer one here.
    """

    def __init__(self) -> None:
        self.end: Callable[[int], object] = os._exit
        self.limit = LIMIT
        self._numbers, self._source = socket.socketpair()
        self._source.setblocking(False)
        signal.set_wakeup_fd(self._source.fileno(), warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, name="pinkx signals", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while numbers := self._numbers.recv(64):
            for number in {int(getattr(signal, name, signal.SIGTERM)) for name in ("SIGTERM", "SIGHUP")}:
                if number in numbers:
                    time.sleep(self.limit)
                    self.end(128 + number)

    def close(self) -> None:
        """Stop watching."""
        signal.set_wakeup_fd(-1)
        self._source.close()
        self._thread.join()
        self._numbers.close()


current: SignalWatch | None = None
"""The watch of this process, once `explorer.cli.main` has started it."""


def end_now(code: int) -> NoReturn:
    """End the process without waiting for its threads; all files must have been written.

    An orderly exit takes seconds on a busy machine, because PyTorch and numba clean up. A thread that is importing or
    compiling cannot be stopped at all, and one inside PyTorch aborts the process during interpreter shutdown.
    """
    with suppress(OSError):  # the terminal may be gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)

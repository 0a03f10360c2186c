"""The end of a face: the engine stopped, a reason not to have opened raised, the process ended at once."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Any

import click

CLOSING = 1.0  # seconds the engine may take to stop; it looks at its commands every few milliseconds


def leave(face: Any, code: int) -> None:
    """End the session of a face (``session``, ``opening``, ``failure``), and the process with an exit code.

    Raises
    ------
    Exception
        ``face.failure``, if there is one.
    """
    close_session(face)
    if face.failure is not None:
        raise face.failure
    # Nothing is left to write. Taking PyTorch and numba down in order lasts seconds on a busy machine, and a thread
    # inside an import or a compilation cannot be stopped at all.
    with contextlib.suppress(OSError):  # the terminal may be gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def close_session(face: Any) -> None:
    """Stop the engine and all that works for it, waiting only for a moment."""
    session = face.session or (face.opening.session if face.opening is not None else None)
    if session is None:
        return
    closing = threading.Thread(target=session.close, name="pinkx closing", daemon=True)
    closing.start()
    closing.join(CLOSING)
    if closing.is_alive():
        with contextlib.suppress(OSError):
            click.echo("the engine was still busy; left without waiting for it", err=True)

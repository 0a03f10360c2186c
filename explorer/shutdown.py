"""The end of a face: the engine stopped, a reason not to have opened raised, the process ended at once."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from dataclasses import replace
from typing import Any, NoReturn

import click

from explorer.session.saved_state import remembered, save_state

CLOSING = 1.0  # seconds the engine may take to stop; it looks at its commands every few milliseconds
WRITING = 20.0  # seconds it may take if a recording is to be written first


def leave(face: Any, code: int) -> None:
    """End the session of a face (``session``, ``opening``, ``failure``), and the process with an exit code.

    Raises
    ------
    Exception
        ``face.failure``, if there is one.
    """
    keep(face)
    close_session(face)
    if face.failure is not None:
        raise face.failure
    end_now(code)


def end_now(code: int) -> NoReturn:
    """End the process without waiting for its threads; nothing must be left to write.

    Taking PyTorch and numba down in order lasts seconds on a busy machine. A thread inside an import or a compilation
    cannot be stopped at all, and one inside PyTorch aborts the process as the interpreter is taken down.
    """
    with contextlib.suppress(OSError):  # the terminal may be gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def keep(face: Any) -> None:
    """Keep what the person chose for the next visit; each face has a part of its own, ``section`` and ``kept()``."""
    if face.session is None or face.opening is None or not face.opening.wishes.keep:
        return
    try:
        state = replace(remembered(face.session, face.opening.state), **{face.section: face.kept()})
        save_state(state)
    except OSError as error:
        click.echo(f"this visit could not be kept for the next: {error}", err=True)


def close_session(face: Any) -> None:
    """Stop the engine and all that works for it, waiting only for a moment."""
    session = face.session or (face.opening.session if face.opening is not None else None)
    if session is None:
        return
    closing = threading.Thread(target=session.close, name="pinkx closing", daemon=True)
    closing.start()
    closing.join(WRITING if session.recorder.busy else CLOSING)
    if closing.is_alive():
        with contextlib.suppress(OSError):
            click.echo("the engine was still busy; left without waiting for it", err=True)

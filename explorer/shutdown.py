"""Shutting down a front end: save the user's choices, stop the engine, raise a start-up error."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import click

from explorer.session.saved_state import captured, save_state
from explorer.signal_watch import end_now

if TYPE_CHECKING:
    from explorer.session.launcher import Launcher
    from explorer.session.session import Session

STOP_LIMIT = 1.0  # seconds the engine may take to stop; it reads its commands every few milliseconds
WRITE_LIMIT = 20.0  # seconds it may take if a recording has to be written first


class FrontEnd(Protocol):
    """Interface of the terminal or the desktop application that shutting down needs."""

    session: Session | None
    launcher: Launcher | None
    failure: Exception | None
    """Reason why no session could be opened."""

    @property
    def section(self) -> str:
        """Field of the saved state that belongs to this front end."""

    def own_state(self) -> dict[str, Any]:
        """Return the front end's own part of the saved state."""


def shut_down(front_end: FrontEnd, code: int) -> NoReturn:
    """Save the user's choices, close the session and end the process with an exit code.

    Raises
    ------
    Exception
        ``front_end.failure``, if there is one.
    """
    save_choices(front_end)
    close_session(front_end)
    if front_end.failure is not None:
        raise front_end.failure
    end_now(code)


def save_choices(front_end: FrontEnd) -> None:
    """Save the user's choices for the next start, unless the front end was opened not to."""
    if front_end.session is None or front_end.launcher is None or not front_end.launcher.options.save:
        return
    try:
        parts: dict[str, Any] = {front_end.section: front_end.own_state()}
        state = replace(captured(front_end.session, front_end.launcher.state), **parts)
        save_state(state)
    except OSError as error:
        click.echo(f"your choices could not be saved for the next start: {error}", err=True)


def close_session(front_end: FrontEnd) -> None:
    """Stop the engine and its workers, within a time limit."""
    session = front_end.session or (front_end.launcher.session if front_end.launcher is not None else None)
    if session is None:
        return
    writes = session.recorder.busy
    closing = threading.Thread(target=session.close, name="pinkx shutdown", daemon=True)
    closing.start()
    closing.join(WRITE_LIMIT if writes else STOP_LIMIT)
    # Without a file to write nothing is lost: the engine, which may be compiling, ends with this process.
    if closing.is_alive() and writes:
        with contextlib.suppress(OSError):
            click.echo(
                f"the recording was not written within {WRITE_LIMIT:.0f} s; pinkx ended without waiting for it",
                err=True,
            )

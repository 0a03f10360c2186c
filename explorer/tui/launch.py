"""Start the face on a terminal, and leave the terminal as it was, whatever ends the program."""

from __future__ import annotations

import os
import signal
import sys
import termios
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from explorer.session.launcher import LaunchOptions
from explorer.shutdown import shut_down

PATIENCE = 1.5  # seconds a signalled program may take to end by itself
# Mouse and focus reports, bracketed paste and kitty keys off; line wrap and cursor on; the alternate screen left.
_SANE = "\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h"


def run(wishes: LaunchOptions) -> None:
    """Show the face until it is left, then end the process.

    Raises
    ------
    click.UsageError
        If standard input or output is not a terminal.
    ValueError, OSError
        Whatever kept the session from opening.
    """
    if "TEXTUAL_DRIVER" in os.environ:  # what draws is no terminal but, by `textual serve`, a browser
        _run_served(wishes)
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise click.UsageError(
            "pinkx tui draws on a terminal, but its input or output is a pipe or a file; "
            "run it in a terminal (for scripts there are `pinkx networks --json` and `pinkx reviews --json`)"
        )
    from explorer.tui.app import Explorer

    app = Explorer(wishes)
    attributes = termios.tcgetattr(sys.stdin.fileno())
    code = 0

    def heed(number: int, _: Any) -> None:
        nonlocal code
        code = 128 + number
        # A terminal that is gone or stuck may block the orderly way out.
        watchdog = threading.Timer(PATIENCE, _leave_now, (code, attributes))
        watchdog.daemon = True
        watchdog.start()
        loop = app._loop
        if loop is not None:
            loop.call_soon_threadsafe(lambda: app.exit(return_code=code))
        else:
            sys.exit(code)

    before = {number: signal.signal(number, heed) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    try:
        app.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    shut_down(app, code or app.return_code or 0)


def _run_served(wishes: LaunchOptions) -> None:
    from explorer.tui.app import Explorer

    app = Explorer(wishes)
    app.run()
    shut_down(app, app.return_code or 0)


def take_picture(wishes: LaunchOptions, path: Path, after: float, size: tuple[int, int]) -> None:
    """Save the screen as it is some seconds after the reading began; needs no terminal.

    Raises
    ------
    ValueError, OSError
        Whatever kept the session from opening, or the picture from being written.
    """
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")  # there is no terminal to ask
    from explorer.tui.app import Explorer
    from explorer.tui.terminal.screenshot import save_picture

    app = Explorer(replace(wishes, fresh=True, keep=False), show_rates=False)

    async def wait_and_save(pilot: Any) -> None:
        while app.session is None and app.failure is None:
            await pilot.pause(0.05)
        await pilot.pause(after)
        if app.failure is None:
            save_picture(app, path)
        app.exit(return_code=0)

    app.run(headless=True, size=size, auto_pilot=wait_and_save)
    shut_down(app, app.return_code or 0)


def _leave_now(code: int, attributes: list[Any]) -> None:
    """End the process without waiting for anything; the terminal is put right first, as far as it still takes it."""
    try:
        termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, attributes)  # type: ignore[union-attr]
        os.set_blocking(2, False)
        os.write(2, _SANE.encode())
    except (OSError, termios.error):
        pass
    os._exit(code)

"""Start the terminal front end, and restore the terminal however the program ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from explorer import signal_watch
from explorer.session.launcher import LaunchOptions
from explorer.session.network_folder import NetworkFolder
from explorer.shutdown import shut_down

if TYPE_CHECKING:
    from explorer.tui.app import Explorer

COMPILING = 180.0  # seconds that compiling the kernels may take, only the first time
PATIENCE = 1.0  # seconds for an orderly exit after a signal
# Mouse and focus reports, bracketed paste and kitty keys off; line wrap and cursor on; leave the alternate screen.
_RESET = "\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h"


def run(options: LaunchOptions) -> None:
    """Run the front end until the user quits, then end the process.

    Raises
    ------
    click.UsageError
        If standard input or output is not a terminal.
    ValueError, OSError
        If the session cannot be opened.
    """
    if "TEXTUAL_DRIVER" in os.environ:  # `textual serve` draws in a browser
        _run_served(options)
    if options.reviews == "-" and not os.isatty(0):
        _take_keys_from_the_terminal()
    if not (os.isatty(0) and sys.stdout.isatty() and sys.stderr.isatty()):
        raise click.UsageError(
            "pinkx tui needs a terminal, but its input or output is a pipe or a file; "
            "run it in a terminal (scripts can use `pinkx read FILE --json`)"
        )
    _check_terminal()
    _measure_the_terminal_itself()
    from explorer.tui.app import Explorer

    app = Explorer(options)
    attributes = _terminal_attributes()
    code = 0

    if signal_watch.current is not None:
        signal_watch.current.end = partial(_exit_now, attributes=attributes)
        signal_watch.current.limit = PATIENCE

    def stop(number: int, _: Any) -> None:
        nonlocal code
        code = 128 + number
        # A terminal that was closed or takes no output may block the orderly exit.
        watchdog = threading.Timer(PATIENCE, _exit_now, (code, attributes))
        watchdog.daemon = True
        watchdog.start()
        app.stop(code)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name)]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        app.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    shut_down(app, code or app.return_code or 0)


def run_table(folder: NetworkFolder) -> None:
    """Show the table of a folder of networks until the user quits.

    Raises
    ------
    click.UsageError
        If standard input or output is not a terminal that can draw.
    """
    if not (os.isatty(0) and sys.stdout.isatty()):
        raise click.UsageError("pinkx table needs a terminal for its keys; --csv prints the rows")
    _check_terminal("`pinkx table DIR --csv` needs no screen")
    _measure_the_terminal_itself()
    from explorer.tui.network_table import NetworkTable

    NetworkTable(folder).run()


def _take_keys_from_the_terminal() -> None:
    """Make the terminal the process's input, for keys, and what was its input ``sys.stdin``, for the reviews.

    Raises
    ------
    click.UsageError
        If the process has no terminal.
    """
    reviews = os.dup(0)
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        os.close(reviews)
        raise click.UsageError(
            "pinkx tui reads reviews from standard input and needs a terminal for the keys, but /dev/tty cannot be "
            f"opened ({error.strerror}); give the reviews as a file, or use `pinkx read -`"
        ) from None
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = open(reviews, encoding="utf-8")  # noqa: SIM115 # open until the process ends


def _terminal_attributes() -> list[Any]:
    """Return the modes of the terminal; none on Windows, whose console Textual restores."""
    try:
        import termios
    except ImportError:
        return []
    return termios.tcgetattr(0)


def _check_terminal(other: str = "`pinkx read FILE` needs no screen") -> None:
    """Check that the terminal can draw; ``other`` says what to do where it cannot.

    Raises
    ------
    click.UsageError
        If it has no cursor, or its encoding lacks the characters.
    """
    kind = os.environ.get("TERM", "")
    if kind in ("", "dumb", "unknown"):
        raise click.UsageError(
            f"this terminal cannot move its cursor (TERM={kind or 'is not set'}): use another, or set TERM to "
            f"its kind, such as xterm-256color; {other}"
        )
    encoding = sys.stdout.encoding or "unknown"
    if "utf" not in encoding.lower():
        raise click.UsageError(
            f"the terminal's encoding is {encoding}, which has no block characters: set LC_ALL to a UTF-8 locale, "
            f"such as C.UTF-8; {other}"
        )


def _measure_the_terminal_itself() -> None:
    """Remove COLUMNS and LINES where the terminal reports its size: Textual would prefer them, and ignore a resize."""
    for name, size in zip(("COLUMNS", "LINES"), os.get_terminal_size(sys.stdout.fileno()), strict=True):
        if size > 0:
            os.environ.pop(name, None)


def _run_served(options: LaunchOptions) -> None:
    from explorer.tui.app import Explorer

    app = Explorer(options)
    app.run()
    shut_down(app, app.return_code or 0)


def take_picture(options: LaunchOptions, path: Path, after: float, size: tuple[int, int]) -> None:
    """Save a picture of the screen ``after`` seconds of reading; needs no terminal.

    Raises
    ------
    ValueError, OSError
        If the session cannot be opened or the picture cannot be written.
    """
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")  # there is no terminal to ask
    from explorer.tui.app import Explorer
    from explorer.tui.terminal.screenshot import save_picture

    app = Explorer(options.for_picture(), show_rates=False)

    async def wait_and_save(pilot: Any) -> None:
        while app.session is None and app.failure is None:
            await pilot.pause(0.05)
        await _first_word(app, pilot)
        await pilot.pause(after)
        if app.failure is None:
            save_picture(app, path)
        app.exit(return_code=0)

    app.run(headless=True, size=size, auto_pilot=wait_and_save)
    shut_down(app, app.return_code or 0)


async def _first_word(app: Explorer, pilot: Any) -> None:
    """Wait until the kernels are compiled and a word is read, so that a picture shows some."""
    end = time.monotonic() + COMPILING
    while app.session is not None and not app.failure:
        snapshot = app.session.stream.snapshot
        if snapshot.time or snapshot.finished:
            return
        if time.monotonic() > end:
            app.failure = OSError(f"no picture: no word was read within {COMPILING:.0f} s; see `pinkx doctor`")
        await pilot.pause(0.05)


def _exit_now(code: int, attributes: list[Any]) -> None:
    """End the process without waiting; restore the terminal first as far as it takes output."""
    try:
        if attributes:
            import termios

            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, attributes)  # type: ignore[union-attr]
        os.set_blocking(2, False)
        os.write(2, _RESET.encode())
    except Exception:  # whatever the terminal refuses, the process ends
        pass
    os._exit(code)

"""The command line: ``pinkx VERB …``.

A verb's module is imported only when the verb runs, so that ``pinkx --help`` responds at once; its text comes from the
table below.
"""

from __future__ import annotations

import atexit
import errno
import gc
import io
import signal
import sys
import threading
from importlib import import_module
from importlib.util import find_spec
from os.path import samefile
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from explorer import signal_watch, torch_loading

# Numbers of new objects between garbage collections. With Python's 700, a fifth of the time in which modules load and
# reviews are read goes into collections that find nothing.
_GC_THRESHOLD: Final = 50_000, 20, 20

# Each verb is `command` in the module of the same name in explorer.commands; `import` is in import_.
VERBS = {
    "tui": "Explore a network in the terminal.",
    "gui": "Explore a network on the desktop.",
    "read": "Read a text and print one line a word, without a screen.",
    "networks": "List the networks that ship with pinkx.",
    "table": "Sort, filter and plot a folder of networks, and open one.",
    "reviews": "List reviews, or download the IMDb archive.",
    "train": "Train a network.",
    "import": "Import a network of PyTorch, Keras or ONNX.",
    "points": "Find a network's fixed points, or the attractor of every word.",
    "lyapunov": "Measure a network's Lyapunov exponents and memory while it reads.",
    "measure": "Reproduce a paper's tables and figures, or measure networks on your reviews.",
    "calibrate": "Tabulate what the estimator of α gives for exact 1/f noise.",
    "bench": "Measure the speed of this machine's CPU and GPU.",
    "keys": "Print all key bindings as a file you can edit.",
    "man": "Print the manual page.",
    "doctor": "Check what works on this machine, and how to fix what does not.",
}


class UserError(click.ClickException):
    """An error that the user can act on: its message is printed without a traceback."""

    def show(self, file: Any = None) -> None:
        # The message may quote a file, whose control characters must not reach the terminal.
        shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in self.message)
        click.echo(f"error: {shown}", file=file, err=True)


class Verbs(click.Group):
    """The verbs of the table, each imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in VERBS:
            module = "import_" if cmd_name == "import" else cmd_name  # a word of Python is no module's name
            command: click.Command = import_module(f"explorer.commands.{module}").command
            return command
        if ctx.resilient_parsing:
            return None
        ctx.fail(f"no verb {cmd_name!r}; the verbs are {', '.join(VERBS)}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(128 + signal.SIGINT) from None
        except (ValueError, OSError) as error:
            # click itself ends silently when the reader of our output is gone (EPIPE).
            if ctx.params["debug"] or getattr(error, "errno", None) == errno.EPIPE:
                raise
            raise UserError(error_message(error)) from error


def error_message(error: Exception) -> str:
    """Return one line for an error; one of the system names its file first, and what to do."""
    if not isinstance(error, OSError) or error.errno is None or not isinstance(error.filename, str):
        return str(error)
    advice = {
        errno.ENOSPC: "; free some space, or name another folder",
        errno.EDQUOT: "; your quota is used up: delete files, or name another folder",
        errno.EROFS: "; name another folder",
        errno.EACCES: "; name another folder, or change its permissions",
    }
    return f"{error.filename}: {error.strerror}{advice.get(error.errno, '')}"


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="VERB …",
    epilog="`pinkx VERB --help` lists the options of a verb.",
)
@click.version_option(package_name="pinkx", prog_name="pinkx", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def pinkx(debug: bool) -> None:
    """See inside a trained recurrent network while it reads: which gates open, whether its activity is 1/f noise,
    which cells are dead, and along which attractor its state moves."""


def hiding_file(name: str) -> str | None:
    """Return the file of another package of this name that Python finds instead of pinkx's; None if it finds ours."""
    ours = Path(__file__).parents[1] / name / "__init__.py"
    found = find_spec(name)
    origin = None if found is None else found.origin
    return None if origin is not None and ours.exists() and samefile(origin, ours) else origin or "no file"


def _exit_in_order(number: int, frame: FrameType | None) -> None:
    """Raise SystemExit; during an import, whose C++ code it could abort, end the process: nothing is written then."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            signal_watch.end_now(128 + number)
        frame = frame.f_back
    sys.exit(128 + number)


def main() -> None:
    """Run the program. SIGTERM and SIGHUP end it like an interrupt: every ``finally`` runs if there is time."""
    for name in ("engine", "assets"):
        if file := hiding_file(name):
            sys.exit(
                f"error: the package {name!r} of pinkx is hidden by {file}: take that off PYTHONPATH or uninstall it, "
                "or install pinkx in an environment of its own (uv tool install, pipx)"
            )
    gc.set_threshold(*_GC_THRESHOLD)
    atexit.register(gc.freeze)  # else Python visits every object once more, for a second after a study
    torch_loading.install()
    signal_watch.current = signal_watch.SignalWatch()
    ending = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for number in ending:
        signal.signal(number, _exit_in_order)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an ASCII locale has no α: better a ? than an error
    try:
        pinkx(prog_name="pinkx")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if code in [128 + number for number in ending] or threading.active_count() > 2:  # this thread, the signals'
            signal_watch.end_now(code)
        raise

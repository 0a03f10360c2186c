"""``pinkx bench``: one table of speeds to run and to send."""

from __future__ import annotations

import json
import math
import os
import platform
import select
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from engine.benchmark import Timing


@click.command
@click.option(
    "--device", type=click.Choice(["all", "cpu", "cuda"]), default="all", show_default=True, help="What to measure."
)
@click.option(
    "--reviews",
    type=click.IntRange(1),
    metavar="N",
    help="Number of reviews of 500 words.  [default: CPU 128, GPU 1871]",
)
@click.option("--turns", type=click.IntRange(1), default=5, show_default=True, help="Repetitions; the median counts.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Number of CPU threads.")
@click.option("--start/--no-start", default=True, help="Time the start of the terminal's front end.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(device: str, reviews: int | None, turns: int, threads: int, start: bool, as_json: bool) -> None:
    """Measure the speed of recording, DFA, fixed points and the live run on this machine.

    RATIO is the number of times by which a speed exceeds its reference: PyTorch's forward pass, which records nothing,
    and filling as much memory.

    Where both devices are measured, `--device auto` takes the faster one from then on; see `pinkx doctor`.
    """
    import torch

    from engine.benchmark import FAILED, Timing, rates, timings
    from engine.device_speeds import store_speeds
    from engine.devices import cuda_problem, kernel_problem, triton_version
    from explorer.measure.study.options import set_threads

    set_threads(threads)
    problem = kernel_problem()  # plain steps on a GPU would take hours for the corpus
    if device == "cuda" and problem:
        raise ValueError(f"--device cuda: {problem}; use --device cpu")
    devices = ["cpu"] * (device != "cuda") + ["cuda"] * (device != "cpu" and not problem)
    card = "" if cuda_problem() else torch.cuda.get_device_name()
    head = {
        "date": date.today().isoformat(),
        "cpu": f"{platform.machine()}, {threads} thread{'s' * (threads > 1)}",
        "gpu": f"{card}, not measured: {problem}".removeprefix(", ") if problem else card,
        "torch": torch.__version__,
        "triton": triton_version() or "none",
        "python": platform.python_version(),
    }
    if not as_json:  # row by row: a bench that is stopped has printed what it measured
        for name, value in head.items():
            click.echo(f"{name:<8} {value}")
        click.echo(f"\n{'':<46} {'DEVICE':<6} {'SPEED':>24} {'RATIO':>7}  TO")
    rows: list[Timing] = []

    def add(row: Timing) -> None:
        rows.append(row)
        if not as_json:
            click.echo(_line(row))
            sys.stdout.flush()
        elif sys.stderr.isatty():
            click.echo(f"\r{row.what:<60}", nl=False, err=True)

    for on in devices:
        corpus = None if on == "cpu" or reviews else 25_000
        for timing in timings(on, reviews or (128 if on == "cpu" else 1871), turns=turns, corpus=corpus):
            add(timing)
    first = first_frame_seconds() if start else math.nan
    if not math.isnan(first):
        add(Timing("time to the first frame, terminal", "cpu", first, "s"))
    try:
        stored = store_speeds(rates(rows))
    except OSError as error:
        click.echo(f"the speeds cannot be stored for --device auto: {error}", err=True)
    else:
        if stored is not None:
            click.echo(f"--device auto decides by these speeds, stored in {stored}", err=True)
    if as_json:
        values = [{k: None if v != v else v for k, v in asdict(row).items()} for row in rows]
        click.echo(json.dumps(head | {"timings": values}, indent=2))
    failed = sum(row.what.startswith(FAILED) for row in rows)
    if failed:
        raise ValueError(f"{failed} of {len(rows)} speeds could not be measured; the table says why")


def _line(row: Timing) -> str:
    ratio = "" if math.isnan(row.compared) else f"{row.compared:.2f}"
    value = "—" if math.isnan(row.value) else f"{row.value:.3g}"
    return f"{row.what:<46} {row.device:<6} {value:>10} {row.unit:<13} {ratio:>7}  {row.reference}".rstrip()


LIMIT: Final = 60.0  # seconds until a front end must have drawn


def first_frame_seconds() -> float:
    """Return the time from the start of a process to its first frame in a terminal of 100 × 30; NaN without one.

    The process gets settings and a state of its own, so that nothing of the user's is read or written.
    """
    try:
        import fcntl
        import pty
        import termios
    except ImportError:  # Windows
        return math.nan
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    with tempfile.TemporaryDirectory() as folder:
        own = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_STATE_HOME"), folder)
        environment = os.environ | own | {"TERM": "xterm-256color"}
        begin = time.perf_counter()
        command = [sys.executable, "-c", "from explorer.cli import main; main()", "tui"]
        process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        seen, found = b"", math.nan
        try:
            while (left := begin + LIMIT - time.perf_counter()) > 0 and select.select([ours], [], [], left)[0]:
                seen += os.read(ours, 1 << 16)
                if b"pinkx" in seen:
                    found = time.perf_counter() - begin
                    break
        except OSError:  # the process ended
            pass
        finally:
            process.kill()
            process.wait()
            os.close(ours)
    return found

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
from typing import Final

import click


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
    """
    import torch

    from engine.benchmark import Timing, timings
    from engine.devices import cuda_problem, kernel_problem
    from explorer.measure.study.options import set_threads

    set_threads(threads)
    problem = cuda_problem()
    if device == "cuda" and problem:
        raise ValueError(f"--device cuda: {problem}; use --device cpu")
    devices = ["cpu"] * (device != "cuda") + ["cuda"] * (device != "cpu" and not problem)
    card = "" if problem else torch.cuda.get_device_name()
    head = {
        "cpu": f"{platform.machine()}, {threads} thread{'s' * (threads > 1)}",
        "gpu": card or f"not measured: {problem}",
        "kernels": kernel_problem() or "ready",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    rows = []
    for on in devices:
        corpus = None if on == "cpu" or reviews else 25_000
        for timing in timings(on, reviews or (128 if on == "cpu" else 1871), turns=turns, corpus=corpus):
            rows.append(timing)
            if sys.stderr.isatty():
                click.echo(f"\r{timing.what:<60}", nl=False, err=True)
    first = first_frame_seconds() if start else math.nan
    if not math.isnan(first):
        rows.append(Timing("time to the first frame, terminal", "cpu", first, "s"))
    if as_json:
        values = [{k: None if v != v else v for k, v in asdict(row).items()} for row in rows]
        click.echo(json.dumps(head | {"timings": values}, indent=2))
        return
    for name, value in head.items():
        click.echo(f"{name:<8} {value}")
    click.echo(f"\n{'':<46} {'DEVICE':<6} {'SPEED':>24} {'RATIO':>7}  TO")
    for row in rows:
        ratio = "" if math.isnan(row.compared) else f"{row.compared:.2f}"
        click.echo(
            f"{row.what:<46} {row.device:<6} {row.value:>10.3g} {row.unit:<13} {ratio:>7}  {row.reference}".rstrip()
        )


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

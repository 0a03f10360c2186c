"""``pinkx bench``: one table of speeds to run and to send."""

from __future__ import annotations

import json
import math
import platform
import sys
from dataclasses import asdict

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
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(device: str, reviews: int | None, turns: int, threads: int, as_json: bool) -> None:
    """Measure the speed of recording, DFA, fixed points and the live run on this machine.

    RATIO is the number of times by which a speed exceeds its reference: PyTorch's forward pass, which records nothing,
    and filling as much memory.
    """
    import torch

    from engine.benchmark import timings
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
        for timing in timings(on, reviews or (128 if on == "cpu" else 1871), turns=turns):
            rows.append(timing)
            if sys.stderr.isatty():
                click.echo(f"\r{timing.what:<60}", nl=False, err=True)
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

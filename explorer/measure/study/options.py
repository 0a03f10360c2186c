"""Command-line options of both studies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def whole_numbers(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Parse the numbers of an option ``K,K,…``."""
    try:
        return tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise click.BadParameter(f"expected whole numbers separated by commas, got {text!r}") from None


def study_options(
    networks: str, published_way: str, out: str, threads: int | None = 1
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a study.

    Parameters
    ----------
    networks : str
        Which networks are measured by default.
    published_way : str
        Help of ``--published-way``.
    out : str
        Default folder of the results.
    threads : int, optional
        Default number of threads; None: one for each core.
    """
    options: tuple[Callable[[Any], Any], ...] = (
        click.option(
            "--networks", multiple=True, metavar="GLOB",
            help=f"Network files, or names of shipped networks; can be repeated.  [default: {networks}]",
        ),
        click.option("--seeds", callback=whole_numbers, metavar="K,K,…", help="Use only networks of these seeds."),
        click.option("--published-way", type=click.IntRange(1), metavar="COUNT", help=published_way),
        click.option(
            "--threads", type=click.IntRange(1), default=threads or usable_cores(),
            help=f"Number of CPU threads.  [default: {threads or 'one for each core'}]",
        ),
        click.option(
            "--out", type=click.Path(path_type=Path, file_okay=False), default=out, show_default=True,
            help="Folder for the report, the figures and the numbers.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the numbers as a JSON object, not the verdicts."),
    )  # fmt: skip

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(threads: int) -> None:
    """Set the number of threads of PyTorch and of the CPU kernels."""
    import torch

    from engine.kernels.cpu.threads import set_thread_count

    torch.set_num_threads(threads)
    set_thread_count(threads)

"""The option ``--on`` of commands whose work is split into shards, and the progress of the shards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from engine.sweeps.shards import Progress

_LINE: Final = 10.0  # seconds between two lines where there is no terminal


def _checked(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:  # nothing to import
        return None
    from engine.sweeps.executors import check

    check(value)
    return value


on_option: Final = click.option(
    "--on", callback=_checked, metavar="WHERE",
    help="Where to compute: local:N (N processes), dask://HOST:PORT (a running scheduler) or slurm:KEY=VALUE,… "
    "(docs/sweeps.md).  [default: this process]",
)  # fmt: skip


@contextmanager
def shard_progress(console: Console, unit: str) -> Iterator[tuple[Callable[[Progress], None], Callable[[str], None]]]:
    """Yield functions that show the progress of shards, with rate and time left, and a sentence about them.

    On a terminal the progress is a bar, elsewhere a line every ten seconds.
    """
    columns: tuple[Any, ...] = (TextColumn(unit), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(
        *columns, TextColumn("{task.fields[speed]}"), console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("", total=None, speed="")
        printed = time.monotonic()

        def show(now: Progress) -> None:
            nonlocal printed
            bar.update(task, total=now.total, completed=now.done, speed=speed(now))
            if not console.is_terminal and time.monotonic() - printed >= _LINE:
                printed = time.monotonic()
                console.print(f"{now.done:,} of {now.total:,} {unit}{speed(now) and ', ' + speed(now)}")

        def say(text: str) -> None:
            console.print(text, highlight=False)

        yield show, say


def speed(now: Progress) -> str:
    """Return ``3.2/s, 40 s left``, or ``5.1/min, 12 min left``; empty before the first shard."""
    if now.rate is None or now.left is None:
        return ""
    rate = f"{now.rate:.1f}/s" if now.rate >= 1 else f"{60 * now.rate:.1f}/min"
    left = f"{now.left:.0f} s" if now.left < 120 else f"{now.left / 60:.0f} min"
    return f"{rate}, {left} left" if now.done < now.total else rate

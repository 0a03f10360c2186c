"""``pinkx measure fixed-points``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from explorer.measure.study.options import time_left, whole_numbers

if TYPE_CHECKING:
    from engine.catalogue import NetworkInfo

SHIPPED = ("*-100-*", "*-64")


@click.command
@click.option(
    "--networks",
    multiple=True,
    metavar="GLOB",
    help="Files, or names of shipped ones.  [default: the nine tasks' of 100 cells, and sentiment's of 64]",
)
@click.option("--starts", type=click.IntRange(8), default=256, show_default=True, help="Visited states, for an input.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws the starts.")
@click.option("--seeds", callback=whole_numbers, metavar="K,K,…", help="Only networks trained from these.")
@click.option(
    "--published-way", type=click.IntRange(1), metavar="COUNT", help="Search COUNT starts by the paper's method, too."
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="fixed-points", show_default=True)
def command(
    networks: tuple[str, ...],
    starts: int,
    seed: int,
    seeds: tuple[int, ...],
    published_way: int | None,
    threads: int,
    out: Path,
) -> None:
    """Remake the figures of Cheng, Schmid & Lange (2021), and decide which of its claims hold.

    Networks that perform a task are searched under five inputs; those that read reviews are asked whether
    they are line attractors. What is measured of a network is kept in OUT/kept: the same command given again
    goes on where it was stopped.
    """
    import torch

    from engine.network import Network
    from explorer.measure.fixed_points.claims import claims
    from explorer.measure.fixed_points.measured import choose_networks, measure
    from explorer.measure.fixed_points.numbers import write_numbers
    from explorer.measure.fixed_points.report import write_page
    from explorer.measure.fixed_points.searched import both_ways
    from explorer.measure.line_attractor import measure_line

    torch.set_num_threads(threads)
    chosen = choose_networks(networks or SHIPPED, seeds)
    with _bar(len(chosen)) as begin:
        found = [
            measure(info, starts, seed, out / "kept", begin(info.name)) for info in chosen if info.task != "sentiment"
        ]
        lines = [
            measure_line(info, starts, seed, out / "kept", begin(info.name))
            for info in chosen
            if info.task == "sentiment"
        ]
        ways = []
        if published_way is not None and (tried := _tried(chosen)) is not None:
            ways = both_ways(Network.load(tried.path), published_way, seed)
    verdicts = claims(found, lines)
    write_numbers(found, lines, verdicts, ways, starts, seed, out)
    page = write_page(found, lines, verdicts, ways, out)
    for claim in verdicts:
        click.echo(f"{claim.verdict:<20}{claim.claim}")
    click.echo(str(page))


def _tried(chosen: list[NetworkInfo]) -> NetworkInfo | None:
    """Which network the paper's method is tried on: the paper looks at GRUs, and their flip-flop is our yardstick."""
    able = [info for info in chosen if info.task != "sentiment"]
    return min(able, key=lambda info: (not info.task.startswith("flip-flop"), info.cell != "gru"), default=None)


@contextmanager
def _bar(networks: int) -> Iterator[Callable[[str], Callable[[float], None]]]:
    """One bar on standard error; each network begun gets a function that takes the fraction of it that is done."""
    with time_left(Console(stderr=True)) as bar:
        task = bar.add_task("", total=networks)
        begun = -1

        def begin(name: str) -> Callable[[float], None]:
            nonlocal begun
            begun += 1
            place = begun
            bar.update(task, description=f"{name} ({place + 1} of {networks})", completed=place)
            return lambda fraction: bar.update(task, completed=place + fraction)

        yield begin
        bar.update(task, completed=networks)

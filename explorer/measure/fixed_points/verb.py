"""``pinkx measure fixed-points``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from explorer.commands.device_option import device_option
from explorer.commands.on_option import on_option
from explorer.measure.study.cache import FOLDER
from explorer.measure.study.options import set_threads, study_options
from explorer.measure.study.progress import NetworkProgress, time_left

if TYPE_CHECKING:
    from engine.catalogue import NetworkInfo
    from explorer.measure.fixed_points.results import NetworkResult
    from explorer.measure.line_attractor import LineAttractor


@click.command
@click.option(
    "--starts", type=click.IntRange(8), default=256, show_default=True, help="Number of start states for each input."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the start states.")
@study_options(
    "the nine of 100 cells that perform a task, and the three of 64 cells that read reviews",
    "Also search from COUNT starts by the paper's method.",
    "fixed-points",
)
@device_option
@on_option
def command(
    networks: tuple[str, ...],
    starts: int,
    seed: int,
    seeds: tuple[int, ...],
    published_way: int | None,
    threads: int,
    out: Path,
    as_json: bool,
    device: str,
    on: str | None,
) -> None:
    """Reproduce the figures of Cheng, Schmid & Lange (2021), and decide which of its claims hold.

    Networks that perform a task are searched for fixed points under five inputs. Networks that read reviews are tested
    for a line attractor. Results are cached in OUT/cache: to resume an interrupted run, run the same command again.
    """
    from engine.devices import choose
    from engine.network import Network
    from explorer.measure.fixed_points.claims import decide_claims
    from explorer.measure.fixed_points.numbers import document, tables
    from explorer.measure.fixed_points.report import report
    from explorer.measure.fixed_points.results import measure as measure_task, select_networks
    from explorer.measure.fixed_points.searches import compare_methods
    from explorer.measure.study.output import publish, write_study

    set_threads(threads)
    selected = select_networks(networks, seeds)
    if on is not None:
        _spread(selected, starts, seed, out / FOLDER, on)
    with time_left(Console(stderr=True)) as bar:
        measure = partial(measure_task, device=choose(device, "points").device)
        results, lines = measure_networks(selected, starts, seed, out, bar, measure)
        compared = _for_comparison(selected)
        methods = []
        if published_way is not None and compared is not None:
            methods = compare_methods(Network.load(compared.path), published_way, seed)
    claims = decide_claims(results, lines)
    document_ = document(results, lines, claims, methods, starts, seed)
    write_study(out, "fixed_points", document_, tables(results, lines), claims)
    page = report(results, lines, claims, methods)
    publish(page, claims, out, out / "fixed_points.json" if as_json else None)


def _spread(selected: Sequence[NetworkInfo], starts: int, seed: int, folder: Path, on: str) -> None:
    """Measure networks elsewhere, on CPUs, into the cache."""
    from engine.network import Network
    from engine.points_cache import content_hash
    from explorer.measure import line_attractor
    from explorer.measure.fixed_points import results
    from explorer.measure.study.spread import Call, fill_cache

    calls = []
    for info in selected:
        module = line_attractor if info.task == "sentiment" else results
        measure = line_attractor.measure_line if info.task == "sentiment" else results.measure
        contents = (module.VERSION, content_hash(Network.load(info.path)), info.task, starts, seed)
        calls.append(Call(info.name, contents, measure, (info, starts, seed)))
    fill_cache(folder, on, calls)


def measure_networks(
    selected: Sequence[NetworkInfo],
    starts: int,
    seed: int,
    out: Path,
    bar: Progress,
    measure: Callable[..., NetworkResult] | None = None,
) -> tuple[list[NetworkResult], list[LineAttractor]]:
    """Measure networks, or read their cached results; ``measure`` measures one that performs a task."""
    from explorer.measure.fixed_points import results
    from explorer.measure.line_attractor import measure_line

    measure = measure or results.measure
    tasks = [info for info in selected if info.task != "sentiment"]
    readers = [info for info in selected if info.task == "sentiment"]
    progress = NetworkProgress(bar, [info.name for info in (*tasks, *readers)])
    cache = out / FOLDER
    return (
        [progress.measure(k, partial(measure, info, starts, seed, cache)) for k, info in enumerate(tasks)],
        [
            progress.measure(k, partial(measure_line, info, starts, seed, cache))
            for k, info in enumerate(readers, len(tasks))
        ],
    )


def _for_comparison(selected: Sequence[NetworkInfo]) -> NetworkInfo | None:
    """Choose a network for the paper's method: a GRU, as in the paper, and if possible one with the flip-flop task."""
    tasks = [info for info in selected if info.task != "sentiment"]
    return min(tasks, key=lambda info: (not info.task.startswith("flip-flop"), info.cell != "gru"), default=None)

"""``pinkx train --grid``: train the networks of a grid into a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from explorer.commands.on_option import shard_progress

if TYPE_CHECKING:
    from engine.recipes import Recipe
    from engine.sweeps.grid import Grid
    from engine.sweeps.sweep import Splits
    from engine.task_training import TaskRecipe

FOLDER = Path("runs")


def train_reviews(
    base: Recipe,
    other: Recipe,
    text: str,
    splits: Callable[[], Splits],
    on: str | None,
    device: str,
    out: Path | None,
    every_epoch: bool,
    console: Console,
    as_json: bool,
) -> None:
    """Train a grid of sentiment networks around a recipe; ``splits`` returns the reviews."""
    from engine.sweeps.grid import sentiment_grid

    grid = sentiment_grid(text, base, other)
    console.print(f"reading reviews to train {_count(grid)}")
    _train(grid, splits(), on, device, out or FOLDER, every_epoch, console, as_json)


def train_tasks(
    base: TaskRecipe, text: str, on: str | None, device: str, out: Path | None, console: Console, as_json: bool
) -> None:
    """Train a grid of networks on synthetic tasks."""
    from engine.cells import TRAINED
    from engine.sweeps.grid import grid_of

    grid = grid_of(text, base, {"cell": tuple(TRAINED)})
    console.print(f"training {_count(grid)}")
    _train(grid, None, on, device, out or FOLDER, False, console, as_json)


def _count(grid: Grid[Any]) -> str:
    return f"{len(grid.recipes):,} network{'s' * (len(grid.recipes) > 1)}"


def _train(
    grid: Grid[Any],
    splits: Splits | None,
    on: str | None,
    device: str,
    out: Path,
    every_epoch: bool,
    console: Console,
    as_json: bool,
) -> None:
    from engine.sweeps.sweep import train_sweep

    start = time.perf_counter()
    with shard_progress(console, "groups of networks") as (show, say):
        rows = train_sweep(out, grid, splits, on=on, every_epoch=every_epoch, device=device, progress=show, report=say)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    seconds = time.perf_counter() - start
    console.print(f"{out}: {_count(grid)}, {seconds:.0f} s; measure them with `pinkx measure sweep {out}`")

"""``pinkx measure sweep``: measure the networks of a sweep, or of any folder, into one table."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from explorer.commands.device_option import device_option
from explorer.commands.on_option import on_option, shard_progress


@click.command
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--reviews", "source", default="imdb:test", show_default=True, metavar="SOURCE",
    help="Reviews to read, as for `pinkx tui`.",
)  # fmt: skip
@click.option(
    "--words", type=click.IntRange(80), default=500, show_default=True,
    help="Measure β of reviews of at least this many words, cut there.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Use at most this many reviews, evenly spaced.")
@click.option(
    "--starts", type=click.IntRange(0), default=128, show_default=True,
    help="Number of start states of the search for fixed points under zero input; 0 for none.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the start states.")
@device_option
@on_option
@click.option("--json", "as_json", is_flag=True, help="Print the rows as a JSON array.")
def command(
    folder: Path,
    source: str,
    words: int,
    limit: int | None,
    starts: int,
    seed: int,
    device: str,
    on: str | None,
    as_json: bool,
) -> None:
    """Measure every network of FOLDER, which `pinkx train --grid` wrote, into its table: one row a network.

    Columns are the mean β of each signal's layer sum over reviews with its 95 % interval (beta_h, beta_h_low,
    beta_h_high, …), accuracy and loss on these reviews, the share of dead cells, and of the fixed points their number,
    those that are stable, the sum Σ of their indices and the largest |λ|.

    FOLDER can be any folder of networks. An interrupted run resumes when the same command runs again.
    """
    from engine.devices import choose
    from engine.reviews import open_reviews
    from engine.sweeps.measuring import MeasureOptions, measure_sweep, table_rows
    from engine.sweeps.table import table_file
    from explorer.measure.one_over_f.sample import evenly

    chosen = choose(device, "reviews").device
    count = len(table_rows(folder))  # an error before the reviews are read
    console = Console(stderr=True)
    with console.status("reading reviews"):
        reviews = evenly(list(open_reviews(source)), limit)
    with shard_progress(console, "networks") as (show, say):
        options = MeasureOptions(words, starts, seed, chosen)
        rows = measure_sweep(folder, reviews, options, on=on, progress=show, report=say)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        click.echo(f"{count:,} networks: {table_file(folder)}")

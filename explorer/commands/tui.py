"""``pinkx tui``: watch a network read, in the terminal."""

from __future__ import annotations

import click

from explorer.session.opening import DEFAULT_SPEED, Wishes


@click.command()
@click.option("--network", metavar="NAME", help="A shipped network (see `pinkx networks`) or a .safetensors file.")
@click.option(
    "--reviews",
    metavar="SOURCE",
    help="A folder, a .txt, .csv or .jsonl file, an archive, or imdb:test; the reviews that come with pinkx otherwise.",
)
@click.option("--review", type=click.IntRange(min=1), default=1, metavar="N", help="Begin with review N, from 1.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where the network runs.")
@click.option(
    "--speed", type=click.FloatRange(min=0, min_open=True), default=DEFAULT_SPEED, show_default=True, metavar="WORDS",
    help="Words a second to begin with.",
)  # fmt: skip
def command(network: str | None, reviews: str | None, review: int, device: str, speed: float) -> None:
    """Watch a network read, in the terminal. Press ? for every key."""
    from explorer.tui.launch import run

    run(Wishes(network, reviews, review, device, speed))

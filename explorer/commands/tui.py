"""``pinkx tui``: watch a network read, in the terminal."""

from __future__ import annotations

from pathlib import Path

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
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Play a recording (key R or E), without its network.",
)
@click.option(
    "--screenshot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Without a terminal: save a picture, .svg or .png, and end.",
)
@click.option(
    "--after",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="When to take the picture.",
)
@click.option("--size", default="120x40", show_default=True, metavar="WxH", help="Characters in the picture.")
def command(
    network: str | None,
    reviews: str | None,
    review: int,
    device: str,
    speed: float,
    replay: Path | None,
    screenshot: Path | None,
    after: float,
    size: str,
) -> None:
    """Watch a network read, in the terminal. Press ? for every key."""
    from explorer.tui.launch import run, take_picture

    if replay is not None and (network or reviews):
        raise click.UsageError("--replay plays what was recorded: it goes without --network and --reviews")
    wishes = Wishes(network, reviews, review, device, speed, replay)
    if screenshot is None:
        run(wishes)
    else:
        take_picture(wishes, screenshot, after, _parsed(size))


def _parsed(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 0 < int(width) <= 500 and 0 < int(height) <= 200):
        raise click.BadParameter(f"{size!r}: expected WIDTHxHEIGHT in characters, such as 120x40", param_hint="--size")
    return int(width), int(height)

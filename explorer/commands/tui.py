"""``pinkx tui``: watch a network read, in the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.opening import opens, parsed_size
from explorer.session.opening import Wishes

LARGEST = (500, 200)


@click.command()
@opens
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
def command(wishes: Wishes, screenshot: Path | None, after: float, size: str) -> None:
    """Watch a network read, in the terminal. Press ? for every key."""
    from explorer.tui.launch import run, take_picture

    if screenshot is None:
        run(wishes)
    else:
        take_picture(wishes, screenshot, after, parsed_size(size, LARGEST, "120x40"))

"""``pinkx gui``: watch a network read, in a window."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.opening import opens, parsed_size
from explorer.session.opening import Wishes

LARGEST = (16_000, 16_000)


@click.command()
@opens
@click.option(
    "--screenshot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Without a display: save a picture, .png or .svg, and end.",
)
@click.option(
    "--after",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="When to take the picture.",
)
@click.option("--size", default="1600x1000", show_default=True, metavar="WxH", help="Pixels of the picture.")
def command(wishes: Wishes, screenshot: Path | None, after: float, size: str) -> None:
    """Watch a network read, in a window. Press ? for every key."""
    from explorer.gui.launch import run, take_picture

    if screenshot is None:
        run(wishes)
    else:
        take_picture(wishes, screenshot, after, parsed_size(size, LARGEST, "1600x1000"))

"""``pinkx gui``: explore a network on the desktop."""

from __future__ import annotations

import click

from explorer.commands.launch_options import Screenshot, launch_options, screenshot_options
from explorer.session.launcher import LaunchOptions


@click.command()
@launch_options
@screenshot_options("1600x1000", (16_000, 16_000), "pixels", "display")
def command(options: LaunchOptions, screenshot: Screenshot | None) -> None:
    """Explore a network on the desktop. Press ? for a list of all keys."""
    from explorer.gui.launch import run, take_picture

    if screenshot is None:
        run(options)
    else:
        take_picture(options, *screenshot)

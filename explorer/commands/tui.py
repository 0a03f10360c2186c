"""``pinkx tui``: explore a network in the terminal."""

from __future__ import annotations

import click

from explorer.commands.launch_options import Screenshot, launch_options, screenshot_options
from explorer.session.launcher import LaunchOptions


@click.command()
@launch_options
@screenshot_options("120x40", (500, 200), "characters", "terminal")
def command(options: LaunchOptions, screenshot: Screenshot | None) -> None:
    """Explore a network in the terminal. Press ? for a list of all keys."""
    from explorer.tui.launch import run, take_picture

    if screenshot is None:
        run(options)
    else:
        take_picture(options, *screenshot)

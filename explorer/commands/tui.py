"""``pinkx tui``: watch a network read, in the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.launch_options import opens, pictured
from explorer.session.launcher import LaunchOptions


@click.command()
@opens
@pictured("120x40", (500, 200), "Characters", "terminal")
def command(wishes: LaunchOptions, picture: tuple[Path, float, tuple[int, int]] | None) -> None:
    """Watch a network read, in the terminal. Press ? for every key."""
    from explorer.tui.launch import run, take_picture

    if picture is None:
        run(wishes)
    else:
        take_picture(wishes, *picture)

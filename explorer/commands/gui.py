"""``pinkx gui``: watch a network read, in a window."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.launch_options import opens, pictured
from explorer.session.launcher import LaunchOptions


@click.command()
@opens
@pictured("1600x1000", (16_000, 16_000), "Pixels", "display")
def command(wishes: LaunchOptions, picture: tuple[Path, float, tuple[int, int]] | None) -> None:
    """Watch a network read, in a window. Press ? for every key."""
    from explorer.gui.launch import run, take_picture

    if picture is None:
        run(wishes)
    else:
        take_picture(wishes, *picture)

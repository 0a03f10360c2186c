"""``pinkx tui``: watch a network read, in the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.opening import opens, pictured
from explorer.session.opening import Wishes


@click.command()
@opens
@pictured("120x40", (500, 200), "Characters", "terminal")
def command(wishes: Wishes, picture: tuple[Path, float, tuple[int, int]] | None) -> None:
    """Watch a network read, in the terminal. Press ? for every key."""
    from explorer.tui.launch import run, take_picture

    if picture is None:
        run(wishes)
    else:
        take_picture(wishes, *picture)

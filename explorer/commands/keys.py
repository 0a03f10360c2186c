"""``pinkx keys``: every key, as a file to change."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.session.keymap import ALL, actions_with, as_toml, load_keys


@click.command()
@click.option("--keys", type=click.Path(path_type=Path), metavar="FILE", help="Another file of keys than your own.")
def command(keys: Path | None) -> None:
    """Print every action with its keys as TOML, your own keys among them.

    Change what you like and save it where the first lines say; `pinkx tui --keys FILE` takes any other file.
    """
    click.echo(as_toml(actions_with(load_keys(keys), ALL)), nl=False)

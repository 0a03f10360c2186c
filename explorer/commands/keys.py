"""``pinkx keys``: all key bindings, as a file to edit."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.session.keymap import ALL_ACTIONS, KeysError, actions_with, as_toml, load_keys


@click.command()
@click.option(
    "--keys", type=click.Path(path_type=Path), metavar="FILE", help="Read key bindings from this file instead of yours."
)
def command(keys: Path | None) -> None:
    """Print every action with its keys as TOML, including your own bindings.

    If your file of keys cannot be used, the reason and the default keys are printed.

    Edit the output and save it under the name given in its first lines, or anywhere for `pinkx tui --keys FILE`.
    """
    try:
        own = load_keys(keys)
    except KeysError as error:
        if keys is not None:
            raise
        click.echo(f"error: {error}; these are the default keys", err=True)  # a table to repair the file from
        own = {}
    click.echo(as_toml(actions_with(own, ALL_ACTIONS)), nl=False)

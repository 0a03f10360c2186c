"""``pinkx keys``: all key bindings, as a file to edit."""

from __future__ import annotations

import json
from pathlib import Path

import click

from explorer.session.keymap import ALL_ACTIONS, KeysError, actions_with, as_toml, load_keys


@click.command()
@click.option(
    "--keys", type=click.Path(path_type=Path), metavar="FILE", help="Read key bindings from this file instead of yours."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object: the keys of every action.")
def command(keys: Path | None, as_json: bool) -> None:
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
    actions = actions_with(own, ALL_ACTIONS)
    if as_json:
        click.echo(json.dumps({action.id: list(action.keys) for action in actions}, indent=2))
    else:
        click.echo(as_toml(actions), nl=False)

"""``pinkx networks``: the networks that ship with pinkx."""

from __future__ import annotations

import json

import click

from engine.catalogue import shipped_networks


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print a list of JSON objects.")
def command(as_json: bool) -> None:
    """List the networks that ship with pinkx.

    ACCURACY is the fraction of correct answers on the whole test set.
    """
    networks = shipped_networks()
    if as_json:
        click.echo(json.dumps([network.json() for network in networks], indent=2))
    elif networks:
        row = "{:<24}{:<6}{:>5}  {:<16}{:>8}{:>6}  {}".format
        click.echo(row("NAME", "CELL", "CELLS", "TASK", "ACCURACY", "SEED", "DATE"))
        for info in networks:
            accuracy = "—" if info.accuracy is None else f"{info.accuracy:.4f}"
            seed = "—" if info.seed is None else info.seed
            click.echo(row(info.name, info.cell, info.size, info.task, accuracy, seed, info.date or "—"))
    else:
        click.echo("no network ships with this copy of pinkx; `pinkx train` trains one")

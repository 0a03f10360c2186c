"""``pinkx table``: list, sort and filter a folder of networks, and open one."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import click

from explorer.session.network_folder import open_folder
from explorer.session.views.network_table import Sorting, chosen_rows, export_table, text_lines


@click.command
@click.argument("source", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--where", metavar="FILTER", default="",
    help="Only rows that fulfil every term: size>=32 cell=lstm,gru beta_h<1.2, or a text to find.",
)  # fmt: skip
@click.option("--sort", metavar="COLUMN", help="Order by a column; with a minus sign before it, descending.")
@click.option(
    "--atlas", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html",
    help="Write a page with one point a network: β, dead cells, Σ of the points, accuracy.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a list of JSON objects.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def command(source: Path, where: str, sort: str | None, atlas: Path | None, as_json: bool, as_csv: bool) -> None:
    """List the networks of DIR, one row a network: sort, filter, plot, and open one in the terminal or the desktop.

    DIR is the folder of a sweep, with table.parquet or table.csv; any folder of .safetensors networks; or a table.
    With --where, --sort, --atlas, --json or --csv, or where standard output is not a terminal, the rows are printed.
    """
    folder = open_folder(source)
    for note in folder.notes:
        click.echo(f"skipped {note}", err=True)
    if not (where or sort or atlas or as_json or as_csv) and sys.stdout.isatty():
        from explorer.tui.launch import run_table

        run_table(folder)
        return
    column = sort.removeprefix("-") if sort else None
    order = chosen_rows(folder.rows, where, Sorting(column, bool(sort) and sort != column))
    if atlas is not None:
        from explorer.session.network_folder import write_atlas

        write_atlas(folder, order, atlas)
        click.echo(str(atlas))
        return
    if as_json:
        table = export_table(folder.rows, order)
        rows = [dict(zip(table.columns, map(_json_value, row), strict=True)) for row in table.rows]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif as_csv:
        import csv

        table = export_table(folder.rows, order)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(table.rows)
    else:
        click.echo("\n".join(text_lines(folder.rows, order)))


def _json_value(value: object) -> object:
    """Return None for a number that JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value

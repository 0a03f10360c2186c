"""Command-line options that say what the files of a source do not; see ``docs/reviews.md``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from engine.sources.options import FORMATS, ReadOptions, parsed_columns, parsed_labels

_OPTIONS = (
    click.option(
        "--format", "source_format", type=click.Choice(FORMATS), help="Format of the reviews.  [default: as they look]"
    ),
    click.option(
        "--encoding", metavar="NAME", help="Encoding of the reviews, such as cp1252 or utf-16.  [default: as they look]"
    ),
    click.option(
        "--columns", metavar="text=A,label=B", help="Columns of a table, by name or by number from 0."
    ),
    click.option("--header/--no-header", default=None, help="Whether the first row of a table names its columns."),
    click.option(
        "--labels", metavar="VALUE=pos,…", help="Meaning of the labels of a table: pos, neg or none, as in 2=pos,1=neg."
    ),
    click.option("--strict", is_flag=True, help="Refuse reviews of which any cannot be read, instead of skipping it."),
)  # fmt: skip


def read_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and call it with the `ReadOptions` made from them as ``reading``."""

    @functools.wraps(command)
    def with_options(
        source_format: str | None,
        encoding: str | None,
        columns: str | None,
        header: bool | None,
        labels: str | None,
        strict: bool,
        **others: Any,
    ) -> None:
        reading = ReadOptions(
            source_format,
            encoding,
            parsed_columns(columns) if columns else {},
            header,
            parsed_labels(labels) if labels else {},
            strict,
        )
        command(reading=reading, **others)

    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options

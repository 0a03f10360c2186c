"""``pinkx reviews``: list reviews, and download the IMDb archive."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from engine.download import MD5, URL, fetch, is_fetched
from engine.imdb import ENVIRONMENT, FILE_NAME, SPLITS, cache_path
from engine.reviews import Review, open_reviews
from engine.sources.options import ReadOptions
from engine.text import printable
from explorer.commands.read_options import read_options

ROWS = 50  # default length of a table
BEGINNING = 60  # columns for a review's first words


class _ListByDefault(click.Group):
    """A group whose default verb is ``list``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListByDefault)
def command() -> None:
    """List reviews, or download the IMDb archive.

    `pinkx reviews SOURCE` is short for `pinkx reviews list SOURCE`.
    """


@command.command("list")
@click.argument("source", required=False)
@click.option(
    "--imdb", type=click.Path(path_type=Path), help=f"The IMDb archive, {FILE_NAME}.  [default: ${ENVIRONMENT}]"
)
@click.option(
    "--limit", type=click.IntRange(min=1), help=f"Maximum number of reviews.  [default: {ROWS} in a terminal, else all]"
)
@click.option("--split", type=click.Choice(SPLITS), help="Part of the IMDb dataset.  [default: test]")
@click.option("--json", "as_json", is_flag=True, help="Print a list of JSON objects.")
@read_options
def list_(
    source: str | None, imdb: Path | None, limit: int | None, split: str | None, as_json: bool, reading: ReadOptions
) -> None:
    """List the reviews of SOURCE: number (as --review takes it), name, label, number of words, first words.

    SOURCE is a folder or an archive of texts, a table (.csv, .tsv, .jsonl, .json, .parquet and others), a text, `-`
    (standard input), or `imdb:test`, `imdb:train`, `imdb:unsup`. The default is the reviews that ship with pinkx, or
    with --imdb those of the archive. What was read, and what was skipped, is printed to standard error.
    """
    reviews = open_reviews(source or ("imdb" if imdb else None), imdb=imdb, split=split or "", options=reading)
    if source is not None:
        click.echo(printable(reviews.report.line()), err=True)
    if as_json:
        click.echo(json.dumps([as_object(index, review) for index, review in enumerate(reviews[:limit])], indent=2))
    elif sys.stdout.isatty():
        _draw_table(reviews, limit or ROWS)
    else:
        for index, review in enumerate(reviews[:limit]):
            click.echo("\t".join(_cells(index, review)))


@command.command("fetch")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), help=f"Folder to download to.  [default: {cache_path().parent}]"
)
@click.option("--url", default=URL, show_default=True, help="Address to download from.")
def fetch_(folder: Path | None, url: str) -> None:
    """Download the IMDb archive (84 MB) unless it exists already."""
    path = (folder or cache_path().parent) / FILE_NAME
    if is_fetched(path, MD5):
        click.echo(f"{path} exists already")
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(FILE_NAME, total=None)
        fetch(path.parent, url, MD5, progress=lambda done, total: bar.update(task, completed=done, total=total or None))
    click.echo(f"downloaded {path}" + (f"; to use it: export {ENVIRONMENT}={path}" if folder else ""))


def as_object(index: int, review: Review) -> dict[str, object]:
    """Return a review's row in JSON types."""
    return {
        "review": index + 1,
        "name": review.name,
        "label": _label(review) or None,
        "words": len(review.words),
        "beginning": _beginning(review),
    }


def _label(review: Review) -> str:
    return "" if review.label is None else "pos" if review.label else "neg"


def _beginning(review: Review) -> str:
    from rich.text import Text

    beginning = Text(printable(review.text[: 10 * BEGINNING].replace("<br />", " ")))
    beginning.truncate(BEGINNING, overflow="ellipsis")  # counts columns: a wide character takes two
    return beginning.plain


def _cells(index: int, review: Review) -> tuple[str, ...]:
    return str(index + 1), printable(review.name), _label(review), str(len(review.words)), _beginning(review)


def _draw_table(reviews: Sequence[Review], limit: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", expand=True)
    table.add_column(justify="right")
    table.add_column("review", max_width=36, no_wrap=True)
    table.add_column("label")
    table.add_column("words", justify="right")
    table.add_column("beginning", ratio=1, no_wrap=True)  # takes the remaining width
    for index, review in enumerate(reviews[:limit]):
        table.add_row(*map(Text, _cells(index, review)))  # as Text, so that brackets in a review are not read as markup
    console = Console()
    console.print(table)
    if len(reviews) > limit:
        console.print(f"… and {len(reviews) - limit:,} more; use --limit {len(reviews)} to list all", highlight=False)

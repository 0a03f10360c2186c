"""``pinkx measure reviews``: β, accuracy, dead and saturated cells of networks on the user's reviews."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.sources.options import DEFAULTS, ReadOptions
from explorer.commands.read_options import read_options
from explorer.measure.study.options import set_threads

if TYPE_CHECKING:
    from engine.source_measurement import Progress as Report
    from engine.sweeps.table import Value


@click.command
@click.argument("networks", nargs=-1, required=True, metavar="NETWORK…")
@click.option(
    "--reviews", "source", metavar="SOURCE", required=True,
    help="A table (.jsonl, .csv, .parquet and others), a folder or an archive of texts, or imdb:test.",
)  # fmt: skip
@click.option(
    "--imdb", type=click.Path(path_type=Path), help="The IMDb archive.  [default: $PINKX_IMDB, or the downloaded one]"
)
@click.option("--signals", metavar="S,S,…", help="Signals to measure, such as h,x.  [default: all]")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Number of CPU threads.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default="measured", show_default=True,
    help="Folder for the table; `pinkx table` opens it.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the rows as a list of JSON objects.")
@read_options
def command(
    networks: tuple[str, ...],
    source: str,
    imdb: Path | None,
    signals: str | None,
    threads: int,
    out: Path,
    as_json: bool,
    reading: ReadOptions,
) -> None:
    """Measure NETWORKs on the reviews of SOURCE: β of every signal, accuracy, dead and saturated cells.

    A NETWORK is a shipped network, a file, or a folder of networks. The reviews are read as a stream, so that there may
    be millions. β is measured on reviews of 80 words or more; intervals cover the mean over reviews at 95 %.
    """
    from engine.catalogue import describe
    from engine.number_format import MISSING, significant
    from engine.sweeps.rows import header_row, varying
    from engine.sweeps.table import write_table
    from engine.text import printable

    if source == "-" and len(networks) > 1:
        raise click.UsageError("--reviews -: standard input can be read once; give one network, or a file")
    set_threads(threads)
    files = _files(networks)
    heads = varying([header_row(describe(file)) for file in files])
    chosen = tuple(signals.split(",")) if signals else None
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Value]] = []
    with _progress() as bar:
        for number, (file, head) in enumerate(zip(files, heads, strict=True), 1):
            show = _Shown(bar, f"{file.stem} ({number} of {len(files)})" if len(files) > 1 else file.stem)
            row, line = measure_file(file, source, imdb, chosen, reading, show)
            if not rows:
                bar.console.print(printable(line), highlight=False, markup=False, soft_wrap=True)
            rows.append({**head, **row, "file": os.path.relpath(file, out)})
            write_table(out, rows)  # an interrupted run leaves what was measured
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        beta, low, high, accuracy, dead = (
            significant(value) if isinstance(value := row.get(key), float) else MISSING
            for key in ("beta_h", "beta_h_low", "beta_h_high", "accuracy", "dead")
        )
        click.echo(f"{row['name']}: β of h {beta} ({low} … {high}), accuracy {accuracy}, dead cells {dead}")
    click.echo(f"{out}: {len(rows)} rows; `pinkx table {out}` opens them")


class _Shown:
    """The bar of one network: reviews, rate, and the time left."""

    def __init__(self, bar: Progress, name: str) -> None:
        self._bar, self._start = bar, time.perf_counter()
        self._task = bar.add_task(name, total=1.0, rate="")

    def __call__(self, done: int, fraction: float | None) -> None:
        rate = done / (time.perf_counter() - self._start)
        self._bar.update(self._task, completed=fraction or 0.0, rate=f"{done:,} reviews, {rate:,.0f} reviews/s")


def _files(networks: tuple[str, ...]) -> list[Path]:
    """Return the files of networks and of folders of networks, each once."""
    from engine.catalogue import find

    files: list[Path] = []
    for name in networks:
        folder = Path(name)
        if folder.is_dir():
            found = sorted([*folder.glob("*.safetensors"), *folder.glob("networks/*.safetensors")])
            if not found:
                raise ValueError(f"{folder}: no network; expected .safetensors files in it or in {folder / 'networks'}")
            files += found
        else:
            files.append(find(name))
    return list(dict.fromkeys(files))


def measure_file(
    file: Path,
    source: str,
    imdb: Path | None = None,
    signals: tuple[str, ...] | None = None,
    options: ReadOptions = DEFAULTS,
    progress: Report = lambda done, fraction: None,
) -> tuple[dict[str, Value], str]:
    """Measure a network file on a source; return the columns of its row, and one line about what was read."""
    from engine.network import Network
    from engine.review_stream import ReviewStream
    from engine.source_measurement import measure_source

    stream = ReviewStream(source, imdb=imdb, options=options)
    found = measure_source(Network.load(file), stream, signals, progress=progress)
    return found.row(), stream.report.line()


@contextmanager
def _progress() -> Iterator[Progress]:
    """Yield bars with the rate and the time left; hidden if standard error is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn())
    with Progress(
        *columns, TextColumn("left:"), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as bar:
        yield bar

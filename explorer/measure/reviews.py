"""``pinkx measure reviews``: β, accuracy, dead and saturated cells of networks on the user's reviews."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.catalogue import describe, find
from engine.sources.options import ReadOptions
from engine.sweeps.rows import header_row, varying
from explorer.commands.device_option import device_option
from explorer.commands.on_option import on_option, shard_progress
from explorer.commands.read_options import read_options

if TYPE_CHECKING:
    from engine.sweeps.shards import Result, Shard

VERSION: Final = 2  # of the measurements: increase it when the numbers change


@click.command
@click.argument("networks", nargs=-1, required=True, metavar="NETWORK…")
@click.option(
    "--reviews", "source", metavar="SOURCE", required=True,
    help="A table (.jsonl, .csv, .parquet and others), a folder or an archive of texts, imdb:test, or bundled.",
)  # fmt: skip
@click.option(
    "--imdb", type=click.Path(path_type=Path), help="The IMDb archive.  [default: $PINKX_IMDB, or the downloaded one]"
)
@click.option("--signals", metavar="S,S,…", help="Signals to measure, such as h,x.  [default: all]")
@device_option
@on_option
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
    device: str,
    on: str | None,
    out: Path,
    as_json: bool,
    reading: ReadOptions,
) -> None:
    """Measure NETWORKs on the reviews of SOURCE: β of every signal, accuracy, dead and saturated cells.

    A NETWORK is a shipped network, a file, or a folder of networks. The reviews are read as a stream, so that there may
    be millions. β is measured on reviews of 80 words or more; intervals cover the mean over reviews at 95 %.

    With --on, each network is measured by a worker, which must see the files under the same paths. An interrupted run
    resumes when the same command runs again.
    """
    from engine.devices import choose
    from engine.number_format import MISSING, significant
    from engine.sweeps.shards import Store, run_shards
    from engine.sweeps.table import write_table
    from engine.text import printable

    if source == "-" and (len(networks) > 1 or on is not None):
        raise click.UsageError("--reviews -: standard input can be read once: give one network without --on, or a file")
    chosen = choose(device, "reviews").device
    files = _files(networks)
    heads = varying([header_row(describe(file)) for file in files])
    shards = _shards(files, (source, imdb, tuple(signals.split(",")) if signals else None, reading, chosen))
    store = None if source == "-" else Store(out / "shards", out / "shards")
    console = Console(stderr=True)
    if on is None:
        with _progress(console) as bar:
            found = run_shards(shards, None, store, shared=(_Bars(bar, len(files)),), report=bar.console.print)
    else:
        with shard_progress(console, "networks") as (count, say):
            found = run_shards(shards, on, store, progress=count, report=say)
    console.print(printable(found[0]["source"]), highlight=False, markup=False, soft_wrap=True)
    out.mkdir(parents=True, exist_ok=True)
    rows = [
        {**head, **one["row"], "file": os.path.relpath(file, out)}
        for head, one, file in zip(heads, found, files, strict=True)
    ]
    write_table(out, rows)
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


class _Bars:
    """A bar for each network: reviews, rate, and the time left."""

    def __init__(self, bar: Progress, count: int) -> None:
        self._bar, self._count = bar, count
        self._tasks: dict[str, tuple[TaskID, float]] = {}

    def __call__(self, file: str, done: int, fraction: float | None) -> None:
        if file not in self._tasks:
            place = f" ({len(self._tasks) + 1} of {self._count})" if self._count > 1 else ""
            task = self._bar.add_task(f"{Path(file).stem}{place}", total=1.0, rate="")
            self._tasks[file] = task, time.perf_counter()
        task, start = self._tasks[file]
        seconds = time.perf_counter() - start
        rate = f", {done / seconds:,.0f} reviews/s" if done and seconds > 0 else ""
        self._bar.update(task, completed=fraction or 0.0, rate=f"{done:,} reviews{rate}")


def _shards(
    files: Sequence[Path], options: tuple[str, Path | None, tuple[str, ...] | None, ReadOptions, str]
) -> list[Shard]:
    """Return a shard for each network; its digest covers the network, the reviews and the options."""
    from engine.sweeps.shards import Shard, digest_of

    source, imdb, signals, reading, device = options
    content = digest_of(VERSION, _digest_of_source(source, imdb), signals, asdict(reading), device)
    return [
        Shard(file.stem, digest_of(content, _sha256(file)), measure_file, (str(file.absolute()), *options))
        for file in files
    ]


def _digest_of_source(source: str, imdb: Path | None) -> str:
    """Return a digest of a file's content; of a folder, of the names, sizes and times of its files."""
    from engine.reviews import BUNDLED

    path = BUNDLED if source == "bundled" else Path(source)
    if path.is_file():
        return _sha256(path)
    if source.partition(":")[0] == "imdb" and not path.exists():
        from engine.imdb import find_archive

        path = find_archive(imdb)
    elif not path.exists():
        path = Path(source.rpartition(":")[0] or source)
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    facts = [[str(one.relative_to(path)), one.stat().st_size, one.stat().st_mtime_ns] for one in files]
    return hashlib.sha256(json.dumps([source, facts]).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(networks: tuple[str, ...]) -> list[Path]:
    """Return the files of networks and of folders of networks, each once."""
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
    file: str,
    source: str,
    imdb: Path | None,
    signals: tuple[str, ...] | None,
    reading: ReadOptions,
    device: str = "cpu",
    show: Callable[[str, int, float | None], None] | None = None,
) -> Result:
    """Measure a network file on a source: the columns of its ``row``, and one line about the ``source``."""
    from engine.devices import or_on_the_cpu
    from engine.network import Network
    from engine.review_stream import ReviewStream
    from engine.source_measurement import measure_source
    from engine.sweeps.shards import Result

    report = partial(show, file) if show is not None else lambda done, fraction: None

    def compute(name: str) -> Result:
        stream = ReviewStream(source, imdb=imdb, options=reading)
        found = measure_source(Network.load(file).to(device=name), stream, signals, progress=report)
        return Result({"row": found.row(), "source": stream.report.line()})

    return or_on_the_cpu(device, compute)


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """Yield bars with the rate and the time left; hidden if standard error is not a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn())
    with Progress(
        *columns, TextColumn("left:"), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as bar:
        yield bar

"""``pinkx measure one-over-f``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from explorer.measure.study.options import time_left, whole_numbers

if TYPE_CHECKING:
    from explorer.measure.one_over_f.choosing import Candidate, Corpus
    from explorer.measure.one_over_f.findings import Findings
    from explorer.measure.one_over_f.measured import Measured, Options


@click.command
@click.option(
    "--networks", multiple=True, metavar="GLOB", help="Files, or names of shipped ones.  [default: all shipped]"
)
@click.option(
    "--reviews", "source", default="imdb:test", show_default=True, help="As for `pinkx tui`; `bundled`: ours."
)
@click.option(
    "--words", type=click.IntRange(80), default=500, show_default=True, help="Least length; reviews are cut there."
)
@click.option("--limit", type=click.IntRange(1), help="At most so many long reviews, evenly chosen.")
@click.option("--signals", metavar="S,S,…", help="Only these, besides h and x.  [default: all]")
@click.option(
    "--scales", callback=whole_numbers, metavar="S,S,…", help="DFA's box lengths.  [default: 20 from 10 to WORDS/4]"
)
@click.option("--seeds", callback=whole_numbers, metavar="K,K,…", help="Only networks trained from these.")
@click.option("--paper-only", is_flag=True, help="Leave out what the paper leaves open.")
@click.option(
    "--published-way", type=click.IntRange(1), metavar="COUNT", help="Time COUNT reviews the paper's way, too."
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="one-over-f", show_default=True)
def command(
    networks: tuple[str, ...],
    source: str,
    words: int,
    limit: int | None,
    signals: str | None,
    scales: tuple[int, ...],
    seeds: tuple[int, ...],
    paper_only: bool,
    published_way: int | None,
    threads: int,
    out: Path,
) -> None:
    """Remake the tables and figures of Chong & Ling (2024), and decide which of its claims hold.

    Networks kept during training (`pinkx train --every-epoch`) get a figure of their own.  What is measured of a
    network is kept in OUT/kept: the same command given again goes on where it was stopped.
    """
    import numba
    import torch

    from engine.fluctuation import default_scales
    from explorer.measure.one_over_f.choosing import Corpus, choose_networks
    from explorer.measure.one_over_f.claims import claims
    from explorer.measure.one_over_f.findings import Findings
    from explorer.measure.one_over_f.measured import Options
    from explorer.measure.one_over_f.numbers import write_numbers
    from explorer.measure.one_over_f.report import write_page

    torch.set_num_threads(threads)
    numba.set_num_threads(min(threads, numba.get_num_threads()))
    start = time.perf_counter()
    if scales and not 5 <= min(scales) <= max(scales) <= words:
        raise ValueError(f"--scales: from 5 to the reviews' {words} words, got {min(scales)} to {max(scales)}")
    chosen = choose_networks(networks, seeds)
    asked = _signals(chosen, signals)
    options = Options(scales or default_scales(words), asked, not paper_only)

    console = Console(stderr=True)
    with time_left(console) as bar:
        reading = bar.add_task("reading reviews", total=None)

        def show(done: int, total: int) -> None:
            bar.update(reading, completed=done, total=total, visible=done < total)

        corpus = Corpus.of(None if source == "bundled" else source, words, limit, show)
        results = list(_measured(bar, chosen, corpus, options, out / "kept"))
    found = Findings.of(results, corpus, options)
    verdicts = claims(found)
    write_numbers(found, verdicts, out)
    with console.status("drawing the figures"):
        page = write_page(found, verdicts, out, _speed(found, published_way))
    for claim in verdicts:
        click.echo(f"{claim.verdict:<20}{claim.claim}")
    console.print(f"{len(results)} networks, {time.perf_counter() - start:.0f} s", highlight=False)
    click.echo(str(page))


def _signals(chosen: Sequence[Candidate], text: str | None) -> tuple[str, ...]:
    """The signals asked for; ValueError if no network has one."""
    asked = tuple(text.split(",")) if text else ()
    known = {signal.name for candidate in chosen for signal in candidate.network.signals}
    if set(asked) - known:
        raise ValueError(
            f"no signal {', '.join(sorted(set(asked) - known))} in these networks; there are {', '.join(sorted(known))}"
        )
    return asked


def _measured(
    bar: Progress, chosen: Sequence[Candidate], corpus: Corpus, options: Options, folder: Path
) -> Iterator[Measured]:
    """Each network's numbers, with the time left for all; what is done is kept in the folder."""
    from explorer.measure.one_over_f.measured import measure

    costs = [candidate.size + 40 for candidate in chosen]  # the time that a network takes goes about like this
    task = bar.add_task("networks", total=sum(costs))
    for number, (candidate, cost) in enumerate(zip(chosen, costs, strict=True)):
        before = sum(costs[:number])
        bar.update(task, description=f"{candidate.name} ({number + 1} of {len(chosen)})", completed=before)

        def show(done: int, total: int, before: int = before, cost: int = cost) -> None:
            bar.update(task, completed=before + cost * done / total)

        yield measure(candidate, corpus, options, folder, show)


def _speed(found: Findings, published_way: int | None) -> str:
    """How long it took, and how long the paper's way would take, from a sample."""
    seconds = sum(network.seconds for network in found.networks)
    words = len(found.networks) * len(found.corpus.long) * found.corpus.length
    said = (
        f"Measuring took {seconds:,.0f} seconds of one processor for {len(found.networks)} networks and "
        f"{words / 1e6:,.1f} million words" + (", controls included." if found.options.controls else ".")
    )
    if published_way is None:
        return said
    from explorer.measure.one_over_f.published_way import seconds_for

    each, hours = seconds_for(found, published_way)
    return said + (
        f" A NumPy step loop for each review with fathon's unbiased DFA, the paper's way, takes {each:.2f} seconds a "
        f"review and network ({published_way} reviews timed in the smallest and in the largest network): "
        f"{hours:.1f} hours for all, without any control."
    )

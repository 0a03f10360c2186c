"""``pinkx measure one-over-f``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from explorer.commands.device_option import device_option
from explorer.commands.on_option import on_option
from explorer.commands.plots import Curve, curves, histogram, plot_option
from explorer.measure.study.cache import FOLDER
from explorer.measure.study.options import set_threads, study_options, whole_numbers
from explorer.measure.study.progress import NetworkProgress, time_left

if TYPE_CHECKING:
    from explorer.measure.one_over_f.aggregates import StudyResults
    from explorer.measure.one_over_f.results import NetworkResult, Options
    from explorer.measure.one_over_f.sample import ReviewSample
    from explorer.measure.one_over_f.selection import TrainedNetwork


@click.command
@click.option(
    "--reviews",
    "source",
    default="imdb:test",
    show_default=True,
    metavar="SOURCE",
    help="Reviews to read, as for `pinkx tui`.",
)
@click.option(
    "--words",
    type=click.IntRange(80),
    default=500,
    show_default=True,
    help="Use reviews of at least this many words, and cut them there.",
)
@click.option("--limit", type=click.IntRange(1), help="Use at most this many reviews, evenly spaced.")
@click.option("--signals", metavar="S,S,…", help="Measure only these signals besides h and x.  [default: all]")
@click.option(
    "--scales", callback=whole_numbers, metavar="S,S,…", help="Box lengths of DFA.  [default: 20 from 10 to WORDS/4]"
)
@click.option(
    "--surrogates", type=click.IntRange(1), metavar="COUNT",
    help="Also measure COUNT shuffled, AR(1) and IAAFT surrogates of each layer sum of h, and its halves.",
)  # fmt: skip
@click.option("--paper-only", is_flag=True, help="Skip the controls that the paper lacks.")
@study_options("all shipped", "Also time COUNT reviews with the paper's implementation.", "one-over-f", None)
@device_option
@on_option
@plot_option
def command(
    networks: tuple[str, ...],
    source: str,
    words: int,
    limit: int | None,
    signals: str | None,
    scales: tuple[int, ...],
    seeds: tuple[int, ...],
    surrogates: int | None,
    paper_only: bool,
    published_way: int | None,
    threads: int,
    out: Path,
    as_json: bool,
    device: str,
    on: str | None,
    plot: bool,
) -> None:
    """Reproduce the tables and figures of Chong & Ling (2024), and decide which of its claims hold.

    Networks saved during training (`pinkx train --every-epoch`) get a figure of their own. Results are cached in
    OUT/cache: to resume an interrupted run, run the same command again.
    """  # fmt: skip
    from engine.sweeps.executors import open_pool

    start = time.perf_counter()
    if scales and not 5 <= min(scales) <= max(scales) <= words:
        raise ValueError(
            f"--scales: expected 5 to {words} (the length of the reviews), got {min(scales)} to {max(scales)}"
        )
    console = Console(stderr=True)
    # Another process reads the archive while this one loads PyTorch; then it draws.
    with open_pool("local:1") if threads > 1 and source.partition(":")[0] == "imdb" else nullcontext() as pool:
        processes = None if pool is None else pool.executor
        reading = None if processes is None else processes.submit(_sample, source, words, limit)

        from engine.devices import choose
        from engine.fluctuation import default_scales
        from explorer.measure.one_over_f.aggregates import StudyResults
        from explorer.measure.one_over_f.claims import decide_claims
        from explorer.measure.one_over_f.numbers import document, tables
        from explorer.measure.one_over_f.report import report
        from explorer.measure.one_over_f.results import Options
        from explorer.measure.one_over_f.selection import select_networks
        from explorer.measure.study.output import publish, write_study
        from explorer.measure.study.page import prepare_drawing

        selected = select_networks(networks, seeds)
        wanted = _checked_signals(selected, signals)
        chosen = choose(device, "reviews").device
        options = Options(scales or default_scales(words), wanted, not paper_only, chosen, surrogates or 0)
        sample = _read(console, reading, source, words, limit)
        if processes:
            prepare_drawing(processes)
        if on is not None:
            _spread(selected, sample, options, out / FOLDER, on)
        with time_left(console) as bar:
            results = StudyResults.of(
                measure_networks(selected, sample, options, out, bar, threads=threads), sample, options
            )
        claims = decide_claims(results)
        write_study(out, "one_over_f", document(results, claims), tables(results), claims)
        with console.status("drawing the figures"):
            page = report(results, claims, _speed(results, published_way), processes)
        publish(page, claims, out, out / "one_over_f.json" if as_json else None)
    console.print(f"{len(results.every)} networks, {time.perf_counter() - start:.0f} s", highlight=False)
    if plot and not as_json:
        _plot(results)


def _sample(source: str, words: int, limit: int | None, show: Callable[[int, int], None] | None = None) -> ReviewSample:
    from explorer.measure.one_over_f.sample import ReviewSample

    return ReviewSample.read(source, words, limit, show)


def _read(
    console: Console, reading: Future[ReviewSample] | None, source: str, words: int, limit: int | None
) -> ReviewSample:
    """Return what another process reads, or read the reviews here, also if it has ended, such as for its memory."""
    if reading is not None:
        with console.status("reading reviews"), suppress(BrokenExecutor):
            return reading.result()
    with time_left(console) as bar:
        task = bar.add_task("reading reviews", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=done < total)

        return _sample(source, words, limit, show)


def _spread(selected: Sequence[TrainedNetwork], sample: ReviewSample, options: Options, folder: Path, on: str) -> None:
    """Measure networks elsewhere into the cache."""
    from explorer.measure.one_over_f.results import VERSION, measure
    from explorer.measure.study.spread import Call, fill_cache

    numbers = (VERSION, sample.digest, options.scales, options.signals, options.controls, options.surrogates)
    calls = [Call(one.name, (one.digest, one.epoch, *numbers), measure, (one,)) for one in selected]
    fill_cache(folder, on, calls, (sample, options))


def measure_networks(
    selected: Sequence[TrainedNetwork],
    sample: ReviewSample,
    options: Options,
    out: Path,
    bar: Progress,
    measure: Callable[..., NetworkResult] | None = None,
    threads: int = 1,
) -> list[NetworkResult]:
    """Measure networks, or read their cached results; ``measure`` measures one, see `results.measure`.

    Every thread measures a network of its own; threads that are left over share the work of each network. On a GPU
    all networks are measured at once.
    """
    from explorer.measure.one_over_f import results

    measure = measure or results.measure
    if options.device != "cpu":  # on streams of their own, small networks fill the card together
        threads = max(threads, len(selected))
    costs = [one.size**1.5 + 400 for one in selected]  # roughly proportional to the time for a network
    progress = NetworkProgress(bar, [one.name for one in selected], costs)
    workers = min(threads, len(selected))
    set_threads(threads // workers)

    def work(number: int) -> NetworkResult:
        return progress.measure(number, partial(measure, selected[number], sample, options, out / FOLDER))

    if workers == 1:
        return [work(number) for number in range(len(selected))]
    longest_first = sorted(range(len(selected)), key=lambda number: -costs[number])
    pool = ThreadPoolExecutor(workers)
    try:
        found = dict(zip(longest_first, pool.map(work, longest_first), strict=True))
    finally:
        pool.shutdown(cancel_futures=True)
    return [found[number] for number in range(len(selected))]


def _checked_signals(selected: Sequence[TrainedNetwork], text: str | None) -> tuple[str, ...]:
    """Parse the names of signals; ValueError if no network has one of them."""
    signals = tuple(text.split(",")) if text else ()
    known = {signal.name for trained in selected for signal in trained.network.signals}
    if unknown := set(signals) - known:
        raise ValueError(
            f"no signal {', '.join(sorted(unknown))} in these networks; their signals are {', '.join(sorted(known))}"
        )
    return signals


def _speed(results: StudyResults, published_way: int | None) -> str:
    """Describe how long the measurement took, and how long the paper's implementation would take."""
    seconds = sum(network.seconds for network in results.networks)
    words = len(results.networks) * len(results.sample.long) * results.sample.length
    text = (
        f"The measurement took {seconds:,.0f} seconds of one processor for {len(results.networks)} networks and "
        f"{words / 1e6:,.1f} million words" + (", controls included." if results.options.controls else ".")
    )
    if published_way is None:
        return text
    from explorer.measure.one_over_f.published_way import seconds_for

    each, hours = seconds_for(results, published_way)
    return text + (
        f" The paper's implementation, a NumPy step loop for each review with fathon's unbiased DFA, takes {each:.2f} "
        f"seconds per review and network ({published_way} reviews timed in the smallest and in the largest network): "
        f"{hours:.1f} hours for all, without any control."
    )


def _plot(results: StudyResults) -> None:
    """Draw β of h and of the input over reviews, and F(s) of a bundled review, for the network of Figure 3."""
    from engine.fluctuation import exponents, fluctuations
    from engine.recording import record
    from explorer.measure.one_over_f.report import bundled_review

    shown, scales = results.shown, results.options.scales
    betas = {"h": shown.of("h"), "x": shown.of("x")}
    click.echo("\n" + histogram(f"β of the layer sum, {shown.trained.name}", betas, "β", "reviews"))
    series = record(shown.trained.network, bundled_review(results), ("h",)).layer_sum("h")[0]
    F = fluctuations(series, scales)
    label = f"Σ h of one review: α = {exponents(F, scales).alpha:.2f}"
    drawn = [
        Curve(label, scales, F, marks=True),
        Curve("slope 1: 1/f noise", scales, [F[0] * s / scales[0] for s in scales]),
    ]
    click.echo(curves("F(s)", drawn, "scale s, words", "F(s)", log_log=True), nl=False)

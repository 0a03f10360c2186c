"""``pinkx calibrate``: what the estimators of α and β give for noise of known exponent."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from engine.devices import choose
from engine.fluctuation import default_scales, exponents, fluctuations, rolling_scales
from engine.noise import power_law_noise
from engine.null import BETAS, COUNT, Null, band
from engine.scales import ORDERS
from engine.sweeps.shards import map_shards
from explorer.commands.device_option import device_option
from explorer.commands.on_option import on_option, shard_progress
from explorer.commands.plots import plot_option

PLOTTED = {0.0: "white noise", 1.0: "1/f noise"}


def _scales(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"expected whole numbers separated by commas, such as 10,20,40, got {text!r}"
        ) from None


@click.command
@click.option("--length", default=500, show_default=True, metavar="WORDS", help="Length of each series.")
@click.option("--window", type=int, metavar="WORDS", help="Use the length and the scales of a rolling window instead.")
@click.option("--scales", callback=_scales, metavar="S,S,…", help="Box lengths.  [default: 20 from 10 to LENGTH/4]")
@click.option(
    "--order", type=click.Choice([str(order) for order in ORDERS]), default="1", show_default=True,
    help="Order of the polynomial removed from each box.",
)  # fmt: skip
@click.option("--standard", is_flag=True, help="Use standard instead of unbiased DFA.")
@click.option("--count", default=COUNT, show_default=True, type=click.IntRange(2), help="Number of series for each β.")
@device_option
@on_option
@plot_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.option(
    "--write-intervals", type=click.Path(path_type=Path), metavar="FILE",
    help="Instead, simulate the quantiles from which pinkx takes the 90 % interval of a single β, check their "
    "coverage, and write both as JSON, on the CPU. An interrupted run continues; --count 4000 takes 15 minutes.",
)  # fmt: skip
def command(
    length: int,
    window: int | None,
    scales: tuple[int, ...] | None,
    order: str,
    standard: bool,
    count: int,
    device: str,
    on: str | None,
    plot: bool,
    as_json: bool,
    write_intervals: Path | None,
) -> None:
    """Tabulate α by DFA, and β from the spectrum, for exact 1/f^β noise: mean ± standard deviation over many series.

    Compare an exponent of a network only with a table for the same length and the same scales.
    """
    if write_intervals is not None:
        if on is not None:
            raise ValueError("--on spreads the table of α; --write-intervals runs in this process")
        _write_intervals(write_intervals, count)
        return
    length = window or length
    chosen = scales or (rolling_scales(window) if window else default_scales(length))
    if len(chosen) < 3:
        raise ValueError(f"--scales: a slope needs three scales or more, got {len(chosen)}")
    if max(chosen) > length:
        raise ValueError(f"a scale of {max(chosen)} words is longer than a series of {length} words")
    simulate = partial(
        band, length, chosen, int(order), not standard, count=count, device=choose(device, "reviews").device
    )
    with shard_progress(Console(stderr=True), "values of β") as (show, say):
        tables = map_shards(_of_one_beta, {f"β = {beta:.2f}": (simulate, beta) for beta in BETAS}, on, show, say)
    rows = [row for table in tables for row in table]
    if as_json:
        head = {"length": length, "scales": chosen, "order": int(order), "unbiased": not standard, "count": count}
        click.echo(json.dumps(head | {"rows": [asdict(row) for row in rows]}, indent=2))
        return
    kind = "standard" if standard else "unbiased"
    click.echo(
        f"{count} series of {length} words · {kind} DFA of order {order} · scales {' '.join(map(str, chosen))}\n"
    )
    line = "{:>6}{:>7}{:>17}{:>17}{:>17}{:>17}".format
    click.echo(line("β", "α", "α by DFA", "90 % interval", "β = 2α − 1", "β by spectrum"))
    for r in rows:
        cells = (
            f"{r.beta:.2f}",
            f"{(r.beta + 1) / 2:.3f}",
            f"{r.alpha:.3f} ± {r.alpha_spread:.3f}",
            f"{r.low:.3f} … {r.high:.3f}",
            f"{2 * r.alpha - 1:.3f} ± {2 * r.alpha_spread:.3f}",
            f"{r.spectral:.3f} ± {r.spectral_spread:.3f}",
        )
        click.echo(line(*cells).replace("-", "−"))
    if plot:
        _plot(length, chosen, int(order), not standard, count)


def _of_one_beta(simulate: Callable[..., tuple[Null, ...]], beta: float) -> tuple[Null, ...]:
    return simulate(betas=(beta,))


FEWEST = 32  # of --write-intervals, which uses fewer of them at long lengths


def _write_intervals(path: Path, count: int) -> None:
    """Simulate the table into a file after every length; continue a file that was interrupted."""
    from engine import intervals
    from engine.files import atomic_write

    if count < FEWEST:
        raise ValueError(f"--count: quantiles need {FEWEST} series for each β or more, got {count}")
    known = None
    if path.exists():
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(known, dict):
                raise ValueError
        except ValueError:
            raise ValueError(f"{path} is no table of intervals to continue; delete it, or name another file") from None
    label = f"{count} series for each β"
    with click.progressbar(length=intervals.STEPS, label=label, file=sys.stderr) as bar:
        for document in intervals.tabulate(count, known):
            with atomic_write(path) as temporary:
                temporary.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
            bar.update(
                sum(len(document[kind]["lengths"]) for kind in intervals.LENGTHS)
                + len({(row["scales"], row["length"]) for row in document["coverage"]})
                - bar.pos
            )
    click.echo(path)


def _plot(length: int, scales: Sequence[int], order: int, unbiased: bool, count: int) -> None:
    """Draw F(s) of white and 1/f noise, averaged over series, and the histograms of β."""
    import numpy as np

    from explorer.commands.plots import Curve, curves, histogram

    drawn, estimates = [], {}
    for beta, name in PLOTTED.items():
        series = power_law_noise(beta, length, count, np.random.default_rng((length, round(1000 * (beta + 1)))))
        F = fluctuations(series, scales, order, unbiased)
        estimates[name] = exponents(F, scales).beta
        drawn.append(Curve(name, scales, np.exp(np.log(F).mean(axis=0)), marks=True))
    click.echo("\n" + curves("F(s), geometric mean", drawn, "scale s, words", "F(s)", log_log=True))
    click.echo(histogram("β = 2α − 1", estimates, "β", "series"), nl=False)

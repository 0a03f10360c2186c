"""``pinkx calibrate``: what the estimators give when the answer is known."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from engine.fluctuation import ORDERS, default_scales, rolling_scales
from engine.null import BETAS, COUNT, Null, band


def _scales(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"expected whole numbers with commas between them, such as 10,20,40, got {text!r}"
        ) from None


@click.command
@click.option("--length", default=500, show_default=True, metavar="WORDS", help="Length of every series.")
@click.option("--window", type=int, metavar="WORDS", help="A rolling window instead: its length and its scales.")
@click.option("--scales", callback=_scales, metavar="S,S,…", help="Box lengths.  [default: 20 from 10 to LENGTH/4]")
@click.option("--order", type=click.Choice([str(order) for order in ORDERS]), default="1", show_default=True)
@click.option("--standard", is_flag=True, help="Standard DFA instead of the unbiased one.")
@click.option("--count", default=COUNT, show_default=True, type=click.IntRange(2), help="Series of each β.")
@click.option("--json", "as_json", is_flag=True, help="One object, for scripts.")
def command(
    length: int,
    window: int | None,
    scales: tuple[int, ...] | None,
    order: str,
    standard: bool,
    count: int,
    as_json: bool,
) -> None:
    """Tabulate DFA's α, and β from the spectrum, for exact 1/f^β noise: mean ± spread over many series.

    An exponent of a network means little beside a table for another length or other scales.
    """
    length = window or length
    chosen = scales or (rolling_scales(window) if window else default_scales(length))
    rows: list[Null] = []
    with click.progressbar(BETAS, label="β", file=sys.stderr, hidden=not sys.stderr.isatty()) as betas:
        for beta in betas:
            rows += band(length, chosen, int(order), not standard, betas=(beta,), count=count)
    if as_json:
        head = {"length": length, "scales": chosen, "order": int(order), "unbiased": not standard, "count": count}
        click.echo(json.dumps(head | {"rows": [asdict(row) for row in rows]}, indent=2))
        return
    kind = "standard" if standard else "unbiased"
    click.echo(
        f"{count} series of {length} words · {kind} DFA of order {order} · scales {' '.join(map(str, chosen))}\n"
    )
    line = "{:>6}{:>7}{:>17}{:>17}{:>17}{:>17}".format
    click.echo(line("β", "α", "α by DFA", "9 in 10", "β = 2α − 1", "β by spectrum"))
    for r in rows:
        click.echo(
            line(
                f"{r.beta:.2f}",
                f"{(r.beta + 1) / 2:.3f}",
                f"{r.alpha:.3f} ± {r.alpha_spread:.3f}",
                f"{r.low:.3f} … {r.high:.3f}",
                f"{2 * r.alpha - 1:.3f} ± {2 * r.alpha_spread:.3f}",
                f"{r.spectral:.3f} ± {r.spectral_spread:.3f}",
            )
        )

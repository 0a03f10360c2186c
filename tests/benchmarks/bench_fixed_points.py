"""Certified fixed points and their cost: ``python -m tests.benchmarks.bench_fixed_points``.

First compares Newton with the paper's method (Adam on q, 2,000 steps) on the same 1,024 starts of the GRU flip-flop
network, then searches the nine task networks under five inputs. Times are processor seconds on one thread, which other
processes affect little.
"""

from __future__ import annotations

import pytest
import torch
from rich.console import Console
from rich.table import Table

from engine.network import Network
from explorer.measure.fixed_points.results import select_networks
from explorer.measure.fixed_points.searches import INPUTS, SearchRow, compare_methods, search_input

HEADINGS = (
    *("input", "starts", "→ fixed", "→ slow", "moving", "fixed points with 0, 1, … unstable", "slow points"),
    *("q", "step", "slow q", "slope", "PC1–3", "s"),
)


def table(title: str, rows: list[SearchRow]) -> Table:
    result = Table(title=title)
    for heading in HEADINGS:
        result.add_column(heading, justify="left" if heading == "input" else "right")
    for one in rows:
        worst = ("–" if value is None else f"{value:.0e}" for value in (one.q, one.step, one.slow_q, one.slope))
        result.add_row(
            *(one.input, f"{one.starts:,}", f"{one.fixed:,}", f"{one.slow:,}", f"{one.moving:,}"),
            *(" ".join(map(str, one.by_unstable)), str(one.slow_points), *worst),
            *(" ".join(f"{part:.0%}" for part in one.explained), f"{one.seconds:.1f}"),
        )
    return result


def headline(console: Console, count: int = 1024) -> None:
    """Compare both methods on the GRU-100 flip-flop; Newton must certify ≥ 95 % with q < 1e-20 at fixed points."""
    rows = compare_methods(Network.load("gru-100-flip-flop-3"), count, 0)
    console.print(table("GRU-100 flip-flop, both methods from the same starts (Adam's slow points: by q alone)", rows))
    newton = rows[0]
    assert newton.certified >= 0.95
    assert newton.q is not None
    assert newton.q < 1e-20


def main(count: int = 256) -> None:
    torch.set_num_threads(1)
    console = Console(width=160)
    headline(console)
    for info in select_networks(["*-100-*"]):
        network = Network.load(info.path)
        console.print(table(info.name, [search_input(network, name, count, 0)[1] for name in INPUTS]))


@pytest.mark.benchmark
def test_fixed_points() -> None:
    main()


if __name__ == "__main__":
    main()

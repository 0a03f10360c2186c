"""How many starts end at a certified point, and how fast: ``python -m tests.benchmarks.bench_fixed_points``.

First Newton beside the paper's method (Adam on q, 2,000 steps) on the same 1,024 starts of the GRU's flip-flop; then
the nine task networks under five inputs.  Seconds are the processor's, on one thread, which other work on the machine
moves little.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from rich.console import Console
from rich.table import Table

from engine.catalogue import shipped
from engine.fixed_points import Method, find_fixed_points
from engine.network import Network
from engine.points import FixedPoints
from engine.projection import Projection
from engine.visits import held_input, visited_states

INPUTS = ("zero", "+1", "-1", "+0.1", "-0.1")


def search(network: Network, name: str, count: int, method: Method = "newton") -> tuple[FixedPoints, float]:
    """The points under one input, and the processor seconds it took."""
    starts = visited_states(network, count)
    readout = (network.readout_weight, network.readout_bias)
    begin = time.process_time()
    found = find_fixed_points(network.cell, held_input(network, name), starts, method=method, readout=readout)
    return found, time.process_time() - begin


def row(network: Network, name: str, found: FixedPoints, seconds: float) -> list[str]:
    fixed, slow = found[found.fixed], found[~found.fixed]
    by_unstable = np.bincount(fixed.unstable).tolist() if len(fixed) else []
    explained = Projection.of(found.states).explained if len(found) > 1 else []
    return [
        network.name,
        name,
        f"{found.starts:,}",
        f"{fixed.hits.sum():,}",
        f"{slow.hits.sum():,}",
        f"{found.lost:,}",
        " ".join(map(str, by_unstable)),
        str(len(slow)),
        f"{fixed.q.max():.0e}" if len(fixed) else "",
        f"{fixed.newton_step.max():.0e}" if len(fixed) else "",
        f"{slow.q.max():.0e}" if len(slow) else "",
        " ".join(f"{part:.0%}" for part in explained),
        f"{seconds:.1f}",
    ]


def table(title: str) -> Table:
    result = Table(title=title)
    for heading in (
        "network",
        "input",
        "starts",
        "→ fixed",
        "→ slow",
        "lost",
        "fixed points with 0, 1, … unstable",
        "slow points",
        "worst q",
        "worst step",
        "slow q",
        "PC1–3",
        "s",
    ):
        result.add_column(heading, justify="left" if heading in ("network", "input") else "right")
    return result


def headline(console: Console, count: int = 1024) -> None:
    """GRU-100 flip-flop: ≥95 % certified, fixed ones with q < 1e-20, beside the paper's method."""
    network = Network.load("gru-100-flip-flop-3")
    methods: tuple[Method, ...] = ("newton", "adam")
    found = {method: search(network, "zero", count, method) for method in methods}
    result = table("the same starts: Newton, and the paper's method")
    for method, (points, seconds) in found.items():
        result.add_row(*row(network, method, points, seconds))
    console.print(result)
    newton, _ = found["newton"]
    assert newton.hits.sum() >= 0.95 * count
    assert newton.q[newton.fixed].max() < 1e-20


def nine_networks() -> Iterator[Network]:
    for info in shipped():
        if info.size == 100 and info.task != "sentiment":
            yield Network.load(info.path)


def main(count: int = 256) -> None:
    torch.set_num_threads(1)
    console = Console(width=160)
    headline(console)
    for network in nine_networks():
        result = table(f"{network.name}, five inputs")
        for name in INPUTS:
            result.add_row(*row(network, name, *search(network, name, count)))
        console.print(result)


@pytest.mark.benchmark
def test_fixed_points() -> None:
    main()


if __name__ == "__main__":
    main()

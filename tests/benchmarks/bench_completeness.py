"""Completing every search by its index, and what it costs: ``python -m tests.benchmarks.bench_completeness``.

Prints a Markdown table: each shipped network under each input from 256 starts, without and with completion. Times are
processor seconds on one thread, which other processes affect little. ``zero`` comes first for all networks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from engine.catalogue import shipped_networks
from engine.fixed_points import find_fixed_points
from engine.network import Network
from engine.points import FixedPoints
from engine.reviews import CUT, open_reviews
from engine.start_states import input_from_name, visited_states

STARTS = 256
HEADINGS = "| network | input | points | Σ | s | completed: points | with 0, 1, … unstable | slow | Σ | s | ratio |"
DIVIDER = "|---|---|--:|--:|--:|--:|---|--:|--:|--:|--:|"


def search(network: Network, name: str, starts: torch.Tensor, complete: bool) -> tuple[FixedPoints, float]:
    """Search under one input; return the points and the processor seconds."""
    begin = time.process_time()
    x = input_from_name(network, name)
    found = find_fixed_points(network.cell, x, starts, input_names=[name], complete=complete)
    return found, time.process_time() - begin


def row(network: Network, name: str, starts: torch.Tensor) -> str:
    """Compare both searches under one input, as a line of the table."""
    (before, first), (after, second) = (search(network, name, starts, complete) for complete in (False, True))
    assert after.index_sum[name] == 1 or not after.fixed.any()
    cells: Sequence[object] = (
        *(network.name, name, int(before.fixed.sum()), before.index_sum.get(name, 0), f"{first:.1f}"),
        *(int(after.fixed.sum()), " ".join(map(str, np.bincount(after[after.fixed].unstable).tolist()))),
        *(int((~after.fixed).sum()), after.index_sum.get(name, 0), f"{second:.1f}", f"{second / first:.1f}"),
    )
    return f"| {' | '.join(map(str, cells))} |".replace("-1 |", "−1 |")


def main() -> None:
    torch.set_num_threads(1)
    networks = [Network.load(info.path) for info in shipped_networks()]
    print(HEADINGS, DIVIDER, sep="\n", flush=True)
    texts = [review.words[:CUT] for review in open_reviews(None)[:100]]
    for names in (("zero",), ("+1", "-1", "mean")):
        for network in networks:
            read = network.vocabulary
            reviews = [read.encode(words) for words in texts] if read is not None else None
            starts = visited_states(network, STARTS, reviews=reviews)
            for name in names:
                if name == "zero" or (name == "mean") == (read is not None):
                    print(row(network, name, starts), flush=True)


@pytest.mark.benchmark
def test_completeness() -> None:
    main()


if __name__ == "__main__":
    main()

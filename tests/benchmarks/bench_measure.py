"""How fast the 1/f paper is remade: ``python -m tests.benchmarks.bench_measure``.

β of every signal of every review, and the deviation of every cell, beside the paper's way: a NumPy step loop for each
review and fathon's unbiased DFA of each layer sum.  Both sides take turns in one process on one thread, warmed, and are
timed by the processor's clock; the paper's way on a sample.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before fathon comes in: its threads gain it nothing

import time

import numba
import numpy as np
import pytest
import torch
from rich.console import Console
from rich.table import Table

from engine.corpus_statistics import corpus_statistics
from engine.fluctuation import SCALES
from engine.network import Network
from explorer.measure.one_over_f.published_way import betas

SIZES = (8, 16, 32, 48, 64, 80, 96, 112, 128)
REVIEWS = 1871  # of the IMDb test set have 500 words or more
SAMPLE = 2  # reviews the paper's way
MANY = 256  # reviews ours
TURNS = 5


def main(console: Console) -> float:
    """How many times faster, over nine networks."""
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    table = Table(title=f"a review of 500 words, every signal and every cell: {SAMPLE} reviews beside {MANY}")
    for heading in ("cells", "the paper's way, ms", "pinkx, ms", "times"):
        table.add_column(heading, justify="right")
    both = []
    for size in (SIZES[0], SIZES[4], SIZES[-1]):
        network = Network.load(f"lstm-{size}")
        assert network.vocabulary is not None
        ids = np.random.default_rng(0).integers(2, len(network.vocabulary), (MANY, 500))
        turns = []
        for _ in range(TURNS + 1):
            start = time.process_time()
            for review in ids[:SAMPLE]:
                betas(network, review, SCALES)
            between = time.process_time()
            corpus_statistics(network, ids)
            turns.append(((between - start) / SAMPLE, (time.process_time() - between) / MANY))
        theirs, ours = np.array(turns[1:]).T  # the first warms
        both.append((np.median(theirs), np.median(ours)))
        table.add_row(
            *(str(size), f"{1e3 * both[-1][0]:,.0f}", f"{1e3 * both[-1][1]:.2f}", f"{np.median(theirs / ours):,.0f}")
        )
    console.print(table)
    theirs, ours = (np.interp(SIZES, (SIZES[0], SIZES[4], SIZES[-1]), side).sum() for side in zip(*both, strict=True))
    console.print(
        f"nine networks, {REVIEWS:,} reviews: {theirs * REVIEWS / 3600:.1f} hours the paper's way, "
        f"{ours * REVIEWS:.0f} seconds by pinkx (sizes between by interpolation): {theirs / ours:,.0f} times"
    )
    return float(theirs / ours)


@pytest.mark.benchmark
def test_bench_measure() -> None:
    pytest.importorskip("fathon", reason="no fathon on this machine, the library to compare with")
    assert main(Console(width=100)) > 60


if __name__ == "__main__":
    main(Console())

"""Speed of the measurements of the 1/f paper: ``python -m tests.benchmarks.bench_measure``.

Compares pinkx (β of every signal of every review and the standard deviation of every cell) with the paper's method, a
NumPy step loop for each review and fathon's unbiased DFA of each layer sum. Both alternate in one process on one
thread, after a warm-up, and are timed in processor seconds; the paper's method runs on a sample.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before fathon is imported: it gains nothing from threads

import time

import numpy as np
import pytest
import torch
from rich.console import Console
from rich.table import Table

from engine.beta import series_beta
from engine.beta_controls import beta_of_ranges
from engine.corpus_statistics import corpus_statistics
from engine.fluctuation import SCALES, log_spaced_scales
from engine.kernels.cpu.threads import set_thread_count
from engine.network import Network
from explorer.measure.one_over_f.published_way import betas
from explorer.measure.one_over_f.results import CONTROL_REVIEWS, ranges
from tests.benchmarks.timing import measure

SIZES = (8, 16, 32, 48, 64, 80, 96, 112, 128)
REVIEWS = 1871  # of the IMDb test set have 500 words or more
SAMPLE = 2  # reviews measured by the paper's method
MANY = 256  # reviews measured by pinkx
TURNS = 5


def main(console: Console) -> float:
    """Return the speed-up over nine networks."""
    torch.set_num_threads(1)
    set_thread_count(1)
    table = Table(title=f"one review of 500 words, every signal and every cell: {SAMPLE} reviews against {MANY}")
    for heading in ("cells", "paper's method, ms", "pinkx, ms", "ratio"):
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
        theirs, ours = np.array(turns[1:]).T  # the first turn warms up
        both.append((np.median(theirs), np.median(ours)))
        table.add_row(
            *(str(size), f"{1e3 * both[-1][0]:,.0f}", f"{1e3 * both[-1][1]:.2f}", f"{np.median(theirs / ours):,.0f}")
        )
    console.print(table)
    theirs, ours = (np.interp(SIZES, (SIZES[0], SIZES[4], SIZES[-1]), side).sum() for side in zip(*both, strict=True))
    console.print(
        f"nine networks, {REVIEWS:,} reviews: {theirs * REVIEWS / 3600:.1f} hours by the paper's method, "
        f"{ours * REVIEWS:.0f} seconds by pinkx (other sizes interpolated): ratio {theirs / ours:,.0f}"
    )
    return float(theirs / ours)


@pytest.mark.benchmark
def test_bench_measure() -> None:
    pytest.importorskip("fathon", reason="fathon, the library to compare with, is not installed")
    assert main(Console(width=100)) > 60


def gain_of_shared_scales() -> float:
    """Return how many times faster the exponents of all ranges are than those of one range after the other."""
    set_thread_count(1)
    series = np.random.default_rng(0).standard_normal((CONTROL_REVIEWS, 500)).astype(np.float32)
    chosen = {str(pair): log_spaced_scales(*pair) for pair in ranges(500)}
    sides = {
        "each": lambda: [series_beta(series, scales) for scales in chosen.values()],
        "together": lambda: beta_of_ranges(series, chosen),
    }
    seconds = measure(sides)
    return float(np.median(seconds["each"] / seconds["together"]))


@pytest.mark.benchmark
def test_ranges_share_scales() -> None:
    assert gain_of_shared_scales() > 1.2


if __name__ == "__main__":
    main(Console())

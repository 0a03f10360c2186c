"""Time of a word against cells, reviews and length: ``python -m tests.benchmarks.growth FILE.svg``.

Records all signals of a random LSTM and draws nanoseconds a word, on the CPU or, with --device cuda, on a GPU. Times
are processor seconds on the CPU, and the least of several turns: other processes only add to them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from engine.benchmark import WORDS, random_network
from engine.recording import record

CELLS = (8, 16, 32, 64, 128, 256, 512)
REVIEWS = (1, 2, 4, 8, 16, 64, 256, 1024, 4096, 25000)
LENGTHS = (100, 300, 1000, 3000, 10000)
LEAST = 0.5  # seconds of turns


def per_word(size: int, reviews: int, length: int, device: str, signals: tuple[str, ...] | None = None) -> float:
    """Return nanoseconds per word of recording."""
    network = random_network(size).to(device=device)
    ids = list(np.random.default_rng(0).integers(2, WORDS, (reviews, length)))
    clock = time.process_time if device == "cpu" else time.perf_counter
    times: list[float] = []
    while len(times) < 6 or (len(times) < 30 and sum(times) < LEAST):
        start = clock()
        record(network, ids, signals)
        if device != "cpu":
            torch.cuda.synchronize()
        times.append(clock() - start)
    return min(times[1:]) / (reviews * length) * 1e9


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = options.device
    curves = {
        "cells (64 reviews of 100 words)": (CELLS, [per_word(n, 64, 100, device) for n in CELLS]),
        "reviews of 100 words (32 cells, only h)": (REVIEWS, [per_word(32, r, 100, device, ("h",)) for r in REVIEWS]),
        "words of a review (32 cells, 16 reviews)": (LENGTHS, [per_word(32, 16, t, device) for t in LENGTHS]),
    }
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for axes, (name, (values, times)) in zip(figure.subplots(1, 3), curves.items(), strict=True):
        axes.loglog(values, times, "o-", color="#1b6ca8", markersize=4)
        axes.set_xlabel(name, fontsize=8)
        axes.set_ylabel("ns a word", fontsize=8)
        axes.grid(alpha=0.3)
        print(name, *(f"{value}: {t:.0f}" for value, t in zip(values, times, strict=True)), sep="  ")
    figure.savefig(options.file, metadata={"Date": None})


if __name__ == "__main__":
    main()

"""Speed of recording every signal: ``python -m tests.benchmarks.bench_recording``.

Compares `record` with a NumPy loop over reviews and words, as in Chong & Ling (2024), and with ``nn.LSTM``, which
records nothing. All alternate in one process on one thread, after a warm-up, and are timed in processor seconds, which
other processes affect little. Times are medians; ratios are medians of the ratios of the turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from engine.cells import LstmCell
from engine.network import Network, Vocabulary, pad
from engine.recording import Stepper, record, record_with_sums
from tests.benchmarks.timing import measure

WORDS = 4002


def network_of(size: int) -> Network:
    torch.manual_seed(size)
    return Network(
        LstmCell.from_torch(torch.nn.LSTM(8, size)),
        torch.randn(1, size),
        torch.zeros(1),
        embedding=torch.randn(WORDS, 8),
        vocabulary=Vocabulary([str(k) for k in range(WORDS - 2)]),
    )


def reviews_of(count: int, words: int | None) -> list[NDArray[np.int64]]:
    """Reviews with word frequencies of Zipf's law, of equal length or with the lengths of IMDb reviews cut at 500."""
    random = np.random.default_rng(0)
    lengths = np.full(count, words) if words else random.lognormal(5.2, 0.68, count).clip(10, 500).astype(int)
    frequency = 1 / np.arange(1, WORDS)
    return [random.choice(np.arange(1, WORDS), n, p=frequency / frequency.sum()) for n in lengths]


def numpy_loop(network: Network, reviews: list[NDArray[np.int64]]) -> list[dict[str, NDArray[np.float32]]]:
    """Record every signal, review by review, word by word, gate by gate."""
    W, U, b = (network.cell.weights()[key].numpy() for key in ("weight_ih", "weight_hh", "bias"))
    n = network.cell.size
    gates = [(W[k : k + n], U[k : k + n], b[k : k + n]) for k in range(0, 4 * n, n)]
    embedding = network.embed(np.arange(WORDS)).numpy()
    recordings = []
    for ids in reviews:
        signals: dict[str, list[NDArray[np.float32]]] = {name: [] for name in ("i", "f", "g", "o", "c", "c_out", "h")}
        h = c = np.zeros(n, dtype=np.float32)
        for token in ids:
            x = embedding[token]
            i, f, g, o = (W @ x + U @ h + b for W, U, b in gates)
            i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
            c = f * c + i * g
            c_out = np.tanh(c)
            h = o * c_out
            for name, value in (("i", i), ("f", f), ("g", g), ("o", o), ("c", c), ("c_out", c_out), ("h", h)):
                signals[name].append(value)
        recordings.append({name: np.array(values) for name, values in signals.items()})
    return recordings


def ratio(slow: NDArray[np.float64], fast: NDArray[np.float64]) -> float:
    return float(np.median(slow / fast))


def compare(size: int, words: int | None) -> dict[str, float]:
    """Return nanoseconds per word of each method, and how many times faster ``record`` is than the others."""
    network, reviews = network_of(size), reviews_of(128, words)
    few = reviews[:8]  # the loop takes minutes for all; its time is proportional to the number of words
    layer, padded = network.cell.to_torch(), network.embed(pad([ids.astype(np.int32) for ids in reviews]).T)
    sides = {
        "loop": lambda: numpy_loop(network, few),
        "record": lambda: record(network, reviews),
        "record h": lambda: record(network, reviews, ["h"]),
        "nn.LSTM": lambda: layer(padded),
    }
    with torch.inference_mode():
        seconds = measure(sides)
    per_word = {name: s / sum(map(len, few if name == "loop" else reviews)) for name, s in seconds.items()}
    result = {f"{name} ns": float(np.median(value)) * 1e9 for name, value in per_word.items()}
    result["× loop"] = ratio(per_word["loop"], per_word["record"])
    result["× nn.LSTM"] = ratio(per_word["nn.LSTM"], per_word["record"])
    result["h × nn.LSTM"] = ratio(per_word["nn.LSTM"], per_word["record h"])
    return result


def step_times(size: int) -> tuple[float, float]:
    """Return microseconds per word, for single words and in blocks of 64, the call included."""
    stepper, (ids,) = Stepper(network_of(size)), reviews_of(1, 64)
    one, block = measure({"one": lambda: stepper.advance(ids[:1]), "block": lambda: stepper.advance(ids)}, 500).values()
    return float(np.median(one)) * 1e6, float(np.median(block)) / 64 * 1e6


def gain_of_sums(size: int) -> float:
    """Return how many times faster layer sums are if the kernel adds them than if all signals are recorded first."""
    network, reviews = network_of(size), reviews_of(32, 500)
    names = [signal.name for signal in network.cell.signals]

    def recorded() -> list[NDArray[np.floating]]:
        recording = record(network, reviews)
        return [recording.layer_sum(name) for name in names]

    sides = {"recorded": recorded, "added": lambda: record_with_sums(network, reviews, ["h"], names)}
    seconds = measure(sides)
    return ratio(seconds["recorded"], seconds["added"])


def compile_seconds() -> float:
    """Return the processor seconds of compiling the kernel, with an empty cache."""
    code = (
        "import time; from tests.benchmarks.bench_recording import *; s = Stepper(network_of(8))\n"
        "start = time.process_time(); s.advance([1]); print(time.process_time() - start)"
    )
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "NUMBA_CACHE_DIR": empty, "PYTHONPATH": os.getcwd()}
        run = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    return float(run.stdout)


def show_comparison(console: Console) -> dict[int, float]:
    """Print the table; return by size how many times faster than the loop reviews of full length are recorded."""
    table = Table(title="128 reviews on one thread, ns per word; nn.LSTM records nothing and also reads the padding")
    for heading in ("cells", "words", "NumPy loop", "all signals", "h alone", "nn.LSTM"):
        table.add_column(heading, justify="right")
    for heading in ("all × loop", "all × nn.LSTM", "h × nn.LSTM"):
        table.add_column(heading, justify="right")
    times_loop: dict[int, float] = {}
    for size in (8, 32, 128):
        for words in (500, None):
            r = compare(size, words)
            numbers = [f"{r[key]:,.0f}" for key in ("loop ns", "record ns", "record h ns", "nn.LSTM ns", "× loop")]
            ratios = [f"{r[key]:.2f}" for key in ("× nn.LSTM", "h × nn.LSTM")]
            table.add_row(str(size), str(words or "IMDb's"), *numbers, *ratios)
            times_loop.setdefault(size, r["× loop"])
    console.print(table)
    return times_loop


def main() -> dict[int, float]:
    torch.set_num_threads(1)
    console = Console(width=120)
    times_loop = show_comparison(console)
    for size in (8, 128):
        one, block = step_times(size)
        console.print(f"Stepper, {size} cells: one word {one:.1f} µs, in blocks of 64 {block:.2f} µs per word")
        console.print(f"layer sums of {size} cells without a recording: {gain_of_sums(size):.2f} times faster")
    console.print(f"compiling the kernel: {compile_seconds():.1f} processor seconds")
    return times_loop


@pytest.mark.benchmark
def test_recording() -> None:
    times_loop = main()
    assert times_loop[8] >= 50
    assert times_loop[128] >= 6


@pytest.mark.benchmark
def test_sums_need_no_recording() -> None:
    torch.set_num_threads(1)
    for size in (8, 128):
        assert gain_of_sums(size) >= 1.2


if __name__ == "__main__":
    main()

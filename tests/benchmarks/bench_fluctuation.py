"""Speed of the fluctuation functions: ``python -m tests.benchmarks.bench_fluctuation``.

Compares them with fathon, series by series. Both alternate in one process on one thread, after a warm-up, and are timed
in processor seconds, which other processes affect little. Times are medians; ratios are medians of the ratios of the
turns. The gain of a second thread is measured in wall-clock time and needs an idle machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial

os.environ["OMP_NUM_THREADS"] = "1"  # before fathon is imported: its threads gain nothing and use processor time

import numpy as np
import pytest
from numba import config
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from engine.fluctuation import RollingExponent, fluctuations, rolling_scales
from engine.kernels.cpu.threads import set_thread_count
from tests.benchmarks.timing import TURNS, measure

fathon = pytest.importorskip("fathon", reason="fathon, the library to compare with, is not installed")
from fathon import fathonUtils  # noqa: E402

Array = NDArray[np.float64]
SCALES = tuple(int(s) for s in np.unique(np.geomspace(10, 125, 20).round()))


def by_fathon(series: Array, scales: Sequence[int], order: int, unbiased: bool) -> Callable[[], object]:
    runs = [fathon.DFA(fathonUtils.toAggregated(one)) for one in series]
    lengths = np.array(scales)
    return lambda: [run.computeFlucVec(lengths, polOrd=order, unbiased=unbiased) for run in runs]


def whole_series(console: Console) -> None:
    table = Table(title="N = 500, 20 scales 10 … 125, one thread: processor time per series")
    for heading in ("DFA", "order", "fathon, µs", "one of 1,024, µs", "ratio", "a single one, µs"):
        table.add_column(heading, justify="right")
    series = np.random.default_rng(0).standard_normal((1024, 500))
    set_thread_count(1)
    for order in (1, 2, 3):
        for unbiased in (True, False):
            few = series[: 2 if unbiased else 40]
            many = series[: 1024 if order == 1 or not unbiased else 128]
            seconds = measure(
                {
                    "fathon": by_fathon(few, SCALES, order, unbiased),
                    "many": partial(fluctuations, many, SCALES, order, unbiased),
                    "one": partial(fluctuations, series[0], SCALES, order, unbiased),
                }
            )
            theirs, ours = seconds["fathon"] / len(few), seconds["many"] / len(many)
            numbers = (np.median(theirs), np.median(ours), np.median(theirs / ours) / 1e6, np.median(seconds["one"]))
            name = "unbiased" if unbiased else "standard"
            table.add_row(name, str(order), *(f"{1e6 * n:,.{0 if n > 1e-4 else 1}f}" for n in numbers))
    console.print(table)


def threads(console: Console) -> None:
    series = np.random.default_rng(0).standard_normal((8192, 500))

    def run(count: int) -> None:
        set_thread_count(count)
        fluctuations(series, SCALES)

    most = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    seconds = measure({"one": lambda: run(1), "all": lambda: run(most)}, clock=time.perf_counter)
    gain = seconds["one"].min() / seconds["all"].min()
    console.print(f"{most} threads: {gain:.2f} times as fast as one (wall-clock time, best of {TURNS} turns)")
    set_thread_count(1)


def push_one_by_one(state: RollingExponent, words: Array) -> None:
    for word in words:
        state.push(word)


def rolling(console: Console) -> None:
    table = Table(title="1,024 series × 16 scales 4 … 19, pushed word by word on one thread: processor time per word")
    for heading in ("window", "push, µs", "in blocks of 64, µs", "fathon on the window, µs", "ratio"):
        table.add_column(heading, justify="right")
    scales = range(4, 20)
    for window in (64, 256, 1024):
        words = np.random.default_rng(0).standard_normal((window + 64, 1024))
        state, blocks = (RollingExponent(scales, window, 1024) for _ in range(2))
        state.push(words)
        blocks.push(words)
        few = words[-window:, :4].T
        seconds = measure(
            {
                "push": partial(push_one_by_one, state, words[:64]),
                "block": partial(blocks.push, words[:64]),
                "fathon": by_fathon(few, scales, 1, True),
            },
            turns=2 * TURNS,
        )
        push, block, theirs = seconds["push"] / 64, seconds["block"] / 64, seconds["fathon"] / len(few) * 1024
        numbers = (np.median(push), np.median(block), np.median(theirs), np.median(theirs / push) / 1e6)
        table.add_row(f"{window:,}", *(f"{1e6 * n:,.0f}" for n in numbers))
    console.print(table)


def live(console: Console) -> None:
    """Print the cost per word of a stream of 128 cells: all cells of one signal and eight layer sums."""
    random = np.random.default_rng(0)
    cells, sums = random.standard_normal((64, 128)), random.standard_normal((64, 8))
    scales = rolling_scales(64)
    each, layer = RollingExponent(scales, 64, 128), RollingExponent(scales, 64, 8)

    def word_by_word() -> None:
        for cell, total in zip(cells, sums, strict=True):
            each.push(cell)
            layer.push(total)
            _ = layer.alpha

    def in_a_block() -> None:
        each.push(cells)
        layer.trace(sums)
        _ = each.alpha

    seconds = measure({"word by word": word_by_word, "in blocks of 64": in_a_block}, turns=50)
    shown = ", ".join(f"{name} {1e6 * np.median(s) / 64:.1f} µs" for name, s in seconds.items())
    console.print(f"128 cells and 8 layer sums, window 64, α of the sums at every word: {shown} per word")


def compile_seconds(call: str) -> float:
    """Return the processor seconds of a first call with an empty cache, minus those of a second call."""
    code = (
        "import time, numpy as np; from engine.fluctuation import *\n"
        f"def call(): {call}\n"
        "start = time.process_time(); call(); first = time.process_time() - start\n"
        "start = time.process_time(); call(); print(first - (time.process_time() - start))"
    )
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "NUMBA_CACHE_DIR": empty, "PYTHONPATH": os.getcwd()}
        run = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    return float(run.stdout)


def main() -> None:
    console = Console(width=120)
    whole_series(console)
    threads(console)
    rolling(console)
    live(console)
    whole = compile_seconds("fluctuations(np.zeros(200), (8, 16, 32))")
    word = compile_seconds("RollingExponent((8, 16, 32), 64, 1).push(np.zeros(1))")
    console.print(f"compiling: fluctuations {whole:.1f}, RollingExponent {word:.1f} processor seconds")


@pytest.mark.benchmark
def test_fluctuation() -> None:
    main()


if __name__ == "__main__":
    main()

"""Speed of a live run during other work: ``python -m tests.benchmarks.bench_stream``.

A stream reads at full speed, alone and during the first search for fixed points or the corpus statistics, each in a
thread of the same interpreter and in a worker process; then during a front end that draws all the time, with the engine
in a thread and in its own process. All cases alternate in one run. Ratios are medians over the turns, each relative to
the two turns alone before and after it. The benchmark needs two cores.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from statistics import median
from typing import Any
from unittest.mock import patch

import pytest
import torch
from rich.console import Console
from rich.table import Table

from engine.live.engine_process import EngineProcess
from engine.live.stream import Stream
from engine.network import Network
from engine.reviews import Review, open_reviews
from explorer.session.controllers.point_search import survey
from explorer.session.corpus_job import Numbers, send_rows
from explorer.session.jobs import JobRunner

SECONDS = 3.0
TURNS = 3
WORDS = 3_000_000

Work = tuple[Callable[..., None], tuple[Any, ...]]


@contextmanager
def in_a_thread(work: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """Run the work in a thread of this interpreter."""
    wanted, begun = threading.Event(), threading.Event()
    wanted.set()

    def report(_: object) -> bool:
        begun.set()
        return wanted.is_set()

    def again() -> None:
        while wanted.is_set():
            work(report, *arguments)

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    begun.wait()
    yield
    wanted.clear()
    thread.join()


@contextmanager
def in_a_process(work: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """Run the work in a worker process."""
    other, begun = JobRunner(), threading.Event()

    def again(_: str = "") -> None:
        other.start(work, *arguments, on_result=lambda _: begun.set(), on_end=again)

    again()
    begun.wait()
    yield
    other.close()


def drawing(report: Callable[[object], bool]) -> None:
    """Compute in Python for some milliseconds at a time, as a front end does."""
    while report("drawn"):
        sum(index % 7 for index in range(50_000))


def words_read(stream: Stream) -> int:
    """Return the number of words read since the stream began; all runs before the current one are complete."""
    snapshot = stream.snapshot
    return (snapshot.run - 1) * snapshot.words + snapshot.time


def speed(stream: Stream, work: AbstractContextManager[None]) -> float:
    """Return the words per second of one turn."""
    with work:
        time.sleep(0.2)
        begun, first = time.perf_counter(), words_read(stream)
        time.sleep(SECONDS)
        return (words_read(stream) - first) / (time.perf_counter() - begun)


def long_run(network: Network, reviews: Sequence[Review], engine: EngineProcess | None) -> Stream:
    """Start a run at full speed that does not end."""
    text = " ".join(review.text for review in reviews)
    stream = Stream(network, continuous=True, engine=engine)
    stream.open(Review("long", f"{text} " * (WORDS // len(text.split()))))
    stream.play()
    while not stream.snapshot.time:
        time.sleep(0.01)
    return stream


def compare(name: str) -> dict[str, tuple[float, float]]:
    """Return words per second, and their ratio to the speed alone, by the other work."""
    network, reviews = Network.load(name), list(open_reviews(None))
    works: dict[str, Work] = {
        "search": (survey, (network,)),
        "corpus": (send_rows, (network, {}, reviews, Numbers(0, tuple(range(len(reviews)))), "cpu")),
    }
    sides: dict[str, Callable[[], AbstractContextManager[None]]] = {
        f"{what}, {where.__name__.replace('_', ' ')}": partial(where, work, *arguments)
        for what, (work, arguments) in works.items()
        for where in (in_a_thread, in_a_process)
    }
    speeds: dict[str, list[tuple[float, float]]] = {}
    for engine in ("a thread", "a process"):
        stream = long_run(network, reviews, EngineProcess() if engine == "a process" else None)
        alone = speed(stream, nullcontext())
        for _ in range(TURNS):
            turns: dict[str, Callable[[], AbstractContextManager[None]]]
            turns = {f"front end, engine in {engine}": partial(in_a_thread, drawing)}
            if engine == "a thread":
                turns |= sides
            for what, start_work in turns.items():
                rate = speed(stream, start_work())
                before, alone = alone, speed(stream, nullcontext())
                speeds.setdefault(what, []).append((rate, 2 * rate / (before + alone)))
        stream.close()
    return {key: (median(s for s, _ in turns), median(r for _, r in turns)) for key, turns in speeds.items()}


def main(names: tuple[str, ...] = ("lstm-32", "lstm-128")) -> dict[str, dict[str, tuple[float, float]]]:
    torch.set_num_threads(1)
    table = Table(title="a stream at full speed during other work")
    for heading in ("network", "other work", "words/s", "relative to alone"):
        table.add_column(heading, justify="right")
    found = {}
    with tempfile.TemporaryDirectory() as empty, patch.dict(os.environ, XDG_CACHE_HOME=empty):
        for name in names:
            found[name] = compare(name)
            for key, (words, part) in found[name].items():
                table.add_row(name, key, f"{words:,.0f}", f"{part:.2f}")
    Console(width=120).print(table)
    return found


@pytest.mark.benchmark
def test_stream() -> None:
    for sides in main().values():
        for what in ("search", "corpus"):
            assert sides[f"{what}, in a process"][1] > sides[f"{what}, in a thread"][1]
        assert sides["front end, engine in a process"][1] > sides["front end, engine in a thread"][1]


if __name__ == "__main__":
    main()

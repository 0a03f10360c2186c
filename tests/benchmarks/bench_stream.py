"""What work beside a live run costs it: ``python -m tests.benchmarks.bench_stream``.

A stream reads as fast as it goes, alone and then with the first search for fixed points, or with the population,
running in a thread of the same interpreter and in the process aside; and beside a face that never rests, with the
engine as a thread and as a process of its own. All sides take turns in one run; ratios are the medians of the turns,
each to the two turns alone around it. It needs a second core to say anything.
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
from explorer.session.controllers import corpus as population
from explorer.session.controllers.point_search import survey
from explorer.session.jobs import JobRunner

SECONDS = 3.0
TURNS = 3
WORDS = 3_000_000

Work = tuple[Callable[..., None], tuple[Any, ...]]


@contextmanager
def in_a_thread(work: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """The work in this interpreter."""
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
def aside(work: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """The work in the process aside."""
    other, begun = JobRunner(), threading.Event()

    def again(_: str = "") -> None:
        other.start(work, *arguments, on_result=lambda _: begun.set(), on_end=again)

    again()
    begun.wait()
    yield
    other.close()


def drawing(report: Callable[[object], bool]) -> None:
    """What a face does: Python, for some milliseconds at a time."""
    while report("drawn"):
        sum(index % 7 for index in range(50_000))


def words_read(stream: Stream) -> int:
    """Words read since the stream began: every run but the present one was read to its end."""
    snapshot = stream.snapshot
    return (snapshot.run - 1) * snapshot.words + snapshot.time


def speed(stream: Stream, beside: AbstractContextManager[None]) -> float:
    """Words a second, of one turn."""
    with beside:
        time.sleep(0.2)
        begun, first = time.perf_counter(), words_read(stream)
        time.sleep(SECONDS)
        return (words_read(stream) - first) / (time.perf_counter() - begun)


def long_run(network: Network, reviews: Sequence[Review], engine: EngineProcess | None) -> Stream:
    """A run at full speed that does not end."""
    text = " ".join(review.text for review in reviews)
    stream = Stream(network, continuous=True, engine=engine)
    stream.open(Review("long", f"{text} " * (WORDS // len(text.split()))))
    stream.play()
    while not stream.snapshot.time:
        time.sleep(0.01)
    return stream


def compare(name: str) -> dict[str, tuple[float, float]]:
    """Words a second and the part of the speed alone that is left, by what runs beside."""
    network, reviews = Network.load(name), list(open_reviews(None))
    works: dict[str, Work] = {
        "search": (survey, (network,)),
        "corpus": (population.send_rows, (network, {}, reviews)),
    }
    sides: dict[str, Callable[[], AbstractContextManager[None]]] = {
        f"{what}, {where.__name__.replace('_', ' ')}": partial(where, work, *arguments)
        for what, (work, arguments) in works.items()
        for where in (in_a_thread, aside)
    }
    speeds: dict[str, list[tuple[float, float]]] = {}
    for engine in ("a thread", "a process"):
        stream = long_run(network, reviews, EngineProcess() if engine == "a process" else None)
        alone = speed(stream, nullcontext())
        for _ in range(TURNS):
            turns: dict[str, Callable[[], AbstractContextManager[None]]]
            turns = {f"a face, engine {engine}": partial(in_a_thread, drawing)}
            if engine == "a thread":
                turns |= sides
            for what, beside_it in turns.items():
                beside = speed(stream, beside_it())
                before, alone = alone, speed(stream, nullcontext())
                speeds.setdefault(what, []).append((beside, 2 * beside / (before + alone)))
        stream.close()
    return {key: (median(s for s, _ in turns), median(r for _, r in turns)) for key, turns in speeds.items()}


def main(names: tuple[str, ...] = ("lstm-32", "lstm-128")) -> dict[str, dict[str, tuple[float, float]]]:
    torch.set_num_threads(1)
    table = Table(title="a stream at full speed with work beside it")
    for heading in ("network", "beside", "words/s", "of its speed alone"):
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
            assert sides[f"{what}, aside"][1] > sides[f"{what}, in a thread"][1]
        assert sides["a face, engine a process"][1] > sides["a face, engine a thread"][1]


if __name__ == "__main__":
    main()

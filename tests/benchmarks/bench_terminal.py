"""Delays of the terminal front end and its cost for the engine: ``python -m tests.benchmarks.bench_terminal``.

A pseudo-terminal of 200 × 64 characters shows 128 cells over three links: unlimited, 300 kB/s and 60 kB/s. The delay of
a key is measured to the first and to the last byte of the response, at rest and while words are read.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
import torch
from rich.console import Console
from rich.table import Table

from engine.live.stream import Stream
from engine.network import Network
from engine.reviews import open_reviews
from tests.benchmarks.link import Link, long_review

NETWORK = "lstm-128"
LINKS: tuple[float | None, ...] = (None, 300_000, 60_000)
SECONDS = 4.0
KEYS = {
    "signal": b"g", "colours": b"v", "order": b"o", "contrast": b"k", "back": b"\x1b[D", "cell": b"\x1b[B", "pin": b"p",
    "turn": b",", "F(s)": b"s", "zoom": b"z", "help": b"?", "leave": b"\x1b",
}  # fmt: skip
TITLES = (b"gate", b"forget gate", b"candidate", b"output gate", b"cell state", b"tanh of")


def shown(rate: float | None) -> str:
    return "fast" if rate is None else f"{rate / 1000:.0f} kB/s"


def keys_at_rest(rate: float | None) -> dict[str, tuple[float, float, int]]:
    """Return the worst of three responses to each key at the end of a review: first byte, last byte (s), bytes."""
    link = Link("--network", NETWORK, "--speed", "inf", rate=None)
    try:
        link.wait_for(b"END")
        link.wait_for(b"PC1")
        while link.take(3.0):  # until all searches are finished
            pass
        link.rate = rate
        answers: dict[str, list[tuple[float, float, int]]] = {name: [] for name in KEYS}
        for _ in range(3):
            for name, key in KEYS.items():
                answers[name].append(link.press(key))
                if name in ("F(s)", "zoom"):
                    link.press(key)  # and back
        return {name: tuple(map(max, zip(*times, strict=True))) for name, times in answers.items()}
    finally:
        link.close()


def while_reading(rate: float | None, speed: str, review: Path) -> dict[str, float]:
    """Return draws, bytes and words per second, the delay of a key that redraws everything, and of quitting."""
    link = Link("--network", NETWORK, "--reviews", str(review), "--speed", speed, rate=None, again=True)
    try:
        link.wait_for(b"LIVE")
        link.take(3.0)
        link.rate = rate
        link.take(2.0)
        link.draws()
        bytes_taken = link.take(SECONDS)
        draws = link.draws()
        delays = []
        os.write(link.master, b"gg")  # h, x, i
        link.wait_for(TITLES[0])
        for title in TITLES[1:]:
            link.take(0.7)
            before, pressed = len(link.output), time.monotonic()
            os.write(link.master, b"g")
            delays.append(link.wait_for(title, before) - pressed)
        gaps = [b - a for (a, _), (b, _) in pairwise(draws)]
        return {
            "draws": len(draws) / SECONDS,
            "gap": max(gaps, default=SECONDS),
            "bytes": bytes_taken / SECONDS,
            "words": median([words for _, words in draws] or [0.0]),
            "key": max(delays),
            "quit": link.quit(),
        }
    except BaseException:
        link.close()
        raise


def words_without_front_end(review: Path) -> float:
    """Return the words per second of the stream alone."""
    torch.set_num_threads(1)
    stream = Stream(Network.load(NETWORK), continuous=True)
    try:
        stream.open(open_reviews(review))
        stream.play()
        time.sleep(2.0)
        rates = []
        for _ in range(20):
            time.sleep(0.2)
            rates.append(stream.snapshot.words_per_second)
        return median(rates)
    finally:
        stream.close()


def show(console: Console, title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def main() -> dict[str, float]:
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        review = long_review(Path(folder), 20_000)
        rows = []
        worst: dict[str, float] = {}
        for rate in LINKS:
            for speed in ("32", "inf"):
                r = while_reading(rate, speed, review)
                worst |= {f"{shown(rate)} {speed} {name}": value for name, value in r.items()}
                rows.append(
                    [shown(rate), speed, f"{r['draws']:.1f}", f"{1000 * r['gap']:.0f}", f"{r['bytes'] / 1000:.1f}",
                     f"{1000 * r['key']:.0f}", f"{r['quit']:.2f}", f"{r['words']:,.0f}"]
                )  # fmt: skip
        headings = (
            "link",
            "words/s requested",
            "draws/s",
            "longest gap, ms",
            "kB/s",
            "key, ms",
            "quit, s",
            "words/s read",
        )
        show(console, "While reading; the key is the worst of five that redraw everything", headings, rows)
        alone = [words_without_front_end(review) for _ in range(2)]
        with_front_end = worst["fast inf words"]
        console.print(
            f"words/s without the front end {median(alone):,.0f}, with it {with_front_end:,.0f}: "
            f"ratio {with_front_end / median(alone):.2f}"
        )
        worst["engine"] = with_front_end / median(alone)
    found = {rate: keys_at_rest(rate) for rate in LINKS}
    rows = []
    for name in KEYS:
        answers = [found[rate][name] for rate in LINKS]
        rows.append(
            [
                name,
                f"{answers[0][2] / 1000:.1f}",
                *(f"{1000 * first:.0f} … {1000 * last:.0f}" for first, last, _ in answers),
            ]
        )
    show(console, "At rest: ms to the first … last byte, worst of three", ("key", "kB", *map(shown, LINKS)), rows)
    return worst


@pytest.mark.benchmark
def test_terminal() -> None:
    worst = main()
    assert worst["fast 32 draws"] >= 15
    assert worst["fast inf quit"] <= 1.5
    assert worst["engine"] >= 0.8


if __name__ == "__main__":
    main()

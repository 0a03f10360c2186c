"""Corpus statistics after an ablation: ``python -m tests.benchmarks.bench_corpus [SOURCE] [--network NAME]``.

A session without a front end measures all reviews of a source, then ablates one cell after the other, and at the end
one while the statistics of the last are still being measured. Seconds of the clock from the ablation to the first row,
to 1,000 rows and to all, as a front end sees them at 30 frames a second.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from engine.live.stream import Stream
from engine.network import Network
from engine.reviews import open_reviews
from explorer.session.session import Session

FRAME = 1 / 30
CELLS = (0, 1, 2)
LIMIT = 1800.0  # seconds


def wait_for(session: Session, count: int, start: float) -> float:
    """Return the seconds since ``start`` when ``count`` reviews are measured, or all if the source has fewer."""
    while time.perf_counter() - start < LIMIT:
        frame = session.update()
        session.corpus.request(frame)
        if len(session.corpus.rows(frame)) >= min(count, session.corpus.total):
            return time.perf_counter() - start
        time.sleep(FRAME)
    raise TimeoutError(session.corpus.trouble or f"{count} reviews take more than {LIMIT} s")


def ablate(session: Session, cell: int) -> float:
    """Clamp h of one cell at 0 and wait until the stream has it; return the time of the request."""
    start = time.perf_counter()
    clamps = np.where(np.arange(session.stream.snapshot.network.cell.size) == cell, 0.0, np.nan)
    before = session.stream.snapshot.clamps
    session.stream.clamp({"h": clamps.astype(np.float32)})
    while session.stream.snapshot.clamps is before:
        time.sleep(0.001)
    return start


def main(source: str = "bundled", network: str = "lstm-128", console: Console | None = None) -> float:
    """Print the table; return the longest time to a first row after an ablation."""
    session = Session(Stream(Network.load(network), speed=10), open_reviews(source))
    table = Table(title=f"{network}, {len(session.reviews):,} reviews: seconds to …")
    for heading in ("", "the first row", "1,000 rows", "all"):
        table.add_column(heading, justify="right")
    longest = 0.0
    try:
        while session.stream.snapshot.run != 1:
            time.sleep(0.001)
        start = time.perf_counter()
        table.add_row(
            "opened", *(f"{wait_for(session, count, start):.2f}" for count in (1, 1000, len(session.reviews)))
        )
        for cell in CELLS:
            start = ablate(session, cell)
            first, thousand = (wait_for(session, count, start) for count in (1, 1000))
            complete = f"{wait_for(session, len(session.reviews), start):.2f}" if cell < CELLS[-1] else "interrupted"
            table.add_row(f"cell {cell} ablated", f"{first:.2f}", f"{thousand:.2f}", complete)
            longest = max(longest, first)
        first = wait_for(session, 1, ablate(session, len(CELLS)))
        table.add_row("one more meanwhile", f"{first:.2f}")
    finally:
        session.close()
    (console or Console()).print(table)
    return max(longest, first)


@pytest.mark.benchmark
def test_first_numbers_within_a_second() -> None:
    assert main() < 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="?", default="bundled")
    parser.add_argument("--network", default="lstm-128")
    options = parser.parse_args()
    main(options.source, options.network)

"""Memory over ten million words: ``python -m tests.benchmarks.bench_soak [WORDS]``.

The terminal explorer reads one text repeatedly at full speed in a pseudo-terminal that accepts all output; memory is
sampled every two seconds. It must not grow, and the program must quit at once and leave no process or thread. Memory is
Pss, in which a page that processes share counts once; the sum of Rss counts the libraries once for each process.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.benchmarks.link import Link, long_review
from tests.explorer.small import open_session, wait

WORDS = 10_000_000
TEXT = 20_000  # words of the text: more than the ring buffer of a run holds
EVERY = 2.0  # seconds between samples
MIB = 1 << 20


def soak(words: int, console: Console) -> tuple[float, float, float]:
    """Return the growth of memory in the second half (MiB), its maximum (MiB) and the seconds to quit."""
    with tempfile.TemporaryDirectory() as folder:
        review = long_review(Path(folder), TEXT)
        link = Link("--network", "lstm-128", "--reviews", str(review), "--speed", "inf", again=True)
        try:
            link.wait_for(b"LIVE")
            began, read, memory = time.monotonic(), 0.0, []
            while read < words:
                link.take(EVERY)
                link.output.clear()
                draws = link.draws()
                read += EVERY * float(np.mean([rate for _, rate in draws])) if draws else 0.0
                memory.append(link.memory / MIB)
                if len(memory) % 10 == 1:
                    used = f"{memory[-1]:6.0f} MiB (Rss {link.resident / MIB:.0f})"
                    console.print(f"{read:12,.0f} words  {time.monotonic() - began:6.0f} s  {used}")
            half = memory[len(memory) // 2 :]
            pid = link.process.pid
            took = link.quit()
            assert not Path(f"/proc/{pid}").exists(), "the program still runs"
            return half[-1] - half[0], max(memory), took
        finally:
            if link.process.poll() is None:
                link.close()


def threads_left() -> list[str]:
    """Return the names of threads that still run after a session is closed."""
    before = set(threading.enumerate())
    session = open_session(search=True)
    session.play()
    wait(lambda: session.stream.snapshot.finished)
    session.frame()
    session.close()
    time.sleep(1.0)
    return [thread.name for thread in threading.enumerate() if thread not in before]


def main(words: int = WORDS) -> tuple[float, float, float]:
    console = Console(width=120)
    left = threads_left()
    console.print(f"threads left by a closed session: {', '.join(left) or 'none'}")
    growth, highest, took = soak(words, console)
    console.print(
        f"memory grew by {growth:.1f} MiB in the second half, maximum {highest:.0f} MiB; quit in {took:.2f} s"
    )
    assert not left
    return growth, highest, took


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_soak() -> None:
    growth, _, took = main(int(os.environ.get("PINKX_SOAK_WORDS", WORDS)))
    assert growth < 20
    assert took < 2


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else WORDS)

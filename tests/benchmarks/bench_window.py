"""Cost of the window: ``python -m tests.benchmarks.bench_window``; ``--long`` also reads ten million words.

The window shows 128 cells × 500 words × 6 signals, 10 traces and 3,000 points, with every panel visible. Each frame
adds one word; drawing and painting are timed by the processor clock of the window's thread, which other processes
affect little. The speed of the stream is measured alternately with and without the window, in one process.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from rich.table import Table

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtWidgets import QApplication

from engine.live.engine_process import EngineProcess
from engine.live.stream import Stream
from engine.reviews import Review
from engine.word_attractors import WordAttractors
from explorer.gui.panels.panel import Panel
from explorer.gui.window import RATE, Window
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.point_map import FoundPoints
from tests.explorer.small import REVIEWS, small_network, wait

CELLS, WORDS, TRACES, POINTS = 128, 500, 10, 3000
SIZE = (1600, 1000)  # pixels; in a small window some panels are behind tabs
FRAMES = 60
TURNS, SECONDS = 3, 1.5
LONG = 10_000_000


def open_session(
    cells: int = CELLS, words: int = 720, *, continuous: bool = False, engine: EngineProcess | None = None
) -> Session:
    """Open a session with a long review and the attractors of 3,000 words."""
    text = " ".join((REVIEWS[0].words * (words // len(REVIEWS[0].words) + 1))[:words])
    stream = Stream(small_network(cells), speed=None, continuous=continuous, engine=engine)
    session = Session(stream, [Review("long", text)])
    wait(lambda: stream.snapshot.run == 1)
    session.fixed_points.close()
    random = np.random.default_rng(0)
    states = np.tanh(random.standard_normal((POINTS, 3)) @ random.standard_normal((3, 2 * cells)))
    names = tuple(f"word{k}" for k in range(POINTS))
    logit = states[:, :8].sum(axis=1)
    fixed, period = np.ones(POINTS, bool), np.ones(POINTS, int)
    found = WordAttractors(
        names, states, fixed, np.zeros(POINTS), logit, 1 + 50 * np.abs(logit), period, np.zeros(POINTS)
    )
    network, search = stream.snapshot.network, session.fixed_points.search
    search.found, search._network = FoundPoints(network, states[:1000, :cells], words=found), network
    return session


def thread_ms(deed: Callable[[], object]) -> float:
    began = time.thread_time()
    deed()
    return 1000 * (time.thread_time() - began)


def show_every_panel(window: Window) -> None:
    """Make every panel visible: panels behind a tab float beside the window."""
    for name in ("scaling", "word-map", "corpus"):
        window.docks.docks[name].setFloating(True)
        window.docks.docks[name].resize(480, 320)
        window.docks.docks[name].show()


def frame_costs(app: QApplication) -> dict[str, tuple[float, float]]:
    """Return the median milliseconds to draw and to paint one more word, by panel and for a whole frame (``all``)."""
    session = open_session()
    session.stream.seek(WORDS)
    wait(lambda: session.stream.snapshot.time == WORDS)
    window = Window(session=session)
    window.resize(*SIZE)
    window.show()
    for cell in range(TRACES - 1):
        session.select(cell)
        session.perform("pin")
    session.select(TRACES)
    show_every_panel(window)
    for _ in range(20):
        window.redraw()
        app.processEvents()
    window._timer.stop()
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in (*window.panels, "all")}
    for count in range(FRAMES):
        session.stream.seek(WORDS + 1 + count)
        wait(lambda: session.stream.snapshot.time == WORDS + 1 + count)
        frame = session.frame()
        if count % 2:
            draw = thread_ms(window.redraw)
            costs["all"].append((draw, thread_ms(app.processEvents)))
        for name, panel in window.panels.items() if not count % 2 else ():
            assert panel.in_view, f"{name} is not visible"

            def show(panel: Panel = panel, frame: Frame = frame) -> None:
                panel.show_frame(session, frame)
                panel.flush(moving=False)

            draw = thread_ms(show)
            costs[name].append((draw, thread_ms(app.processEvents)))
    window.close()
    session.close()
    return {name: tuple(np.median(np.array(c), axis=0).tolist()) for name, c in costs.items() if c}


def stream_speeds(app: QApplication) -> dict[str, float]:
    """Return the words per second at full speed without and with the window, and the frames per second."""
    session = open_session(words=4000, continuous=True, engine=EngineProcess())
    window = Window(session=session)
    window._timer.stop()
    rates: dict[str, list[float]] = {"alone": [], "with the window": [], "fps": []}
    session.play()
    read = session.stream
    for turn in range(2 * TURNS):
        shown = bool(turn % 2)
        if shown:
            window.show()
        end = time.perf_counter() + SECONDS
        begun, run_words, frames = time.perf_counter(), _words(session), window._ticks
        while time.perf_counter() < end:
            if shown:
                app.processEvents()
            time.sleep(0.001)
        passed = time.perf_counter() - begun
        rates["with the window" if shown else "alone"].append((_words(session) - run_words) / passed)
        if shown:
            rates["fps"].append((window._ticks - frames) / passed)
            window.hide()
            window._timer.stop()
    read.pause()
    window.close()
    session.close()
    return {name: float(np.median(values)) for name, values in rates.items()}


def _words(session: Session) -> int:
    """Return the number of words read since the session began; all runs before the current one are complete."""
    snapshot = session.stream.snapshot
    return (snapshot.run - 1) * snapshot.words + snapshot.time


def memory_growth(app: QApplication) -> tuple[float, float, float]:
    """Return the memory (MB) after a fifth of ten million words and after all of them, and the minutes taken."""
    session = open_session(cells=8, words=4000, continuous=True, engine=EngineProcess())
    window = Window(session=session)
    window.show()
    session.play()
    began, early = time.perf_counter(), 0.0
    while _words(session) < LONG:
        app.processEvents()
        time.sleep(0.001)
        if not early and _words(session) > LONG // 5:
            early = _megabytes()
    late = _megabytes()
    window.close()
    session.close()
    return early, late, (time.perf_counter() - began) / 60


def _megabytes() -> float:
    """Return the resident memory of the process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main(long: bool = False) -> dict[str, float]:
    torch.set_num_threads(1)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([])
    console = Console(width=100)
    costs = frame_costs(app)
    table = Table(title=f"{CELLS} cells × {WORDS} words × 6 signals, {TRACES} traces, {POINTS} points: ms per frame")
    for heading in ("panel", "drawn at every", "draw", "paint", "both"):
        table.add_column(heading, justify="right")
    from explorer.gui.panels.registry import PANELS

    every = {kind.name: kind.every for kind in PANELS}
    shared = 0.0
    for name, (draw, paint) in costs.items():
        shared += (draw + paint) / every[name] if name in every else 0.0
        table.add_row(name, str(every.get(name, "")), f"{draw:.1f}", f"{paint:.1f}", f"{draw + paint:.1f}")
    console.print(table)
    console.print(
        f"a frame, with panels taking turns: {shared:.1f} ms on average; {RATE} fps allow {1000 / RATE:.1f} ms"
    )
    speeds = stream_speeds(app)
    console.print(
        f"{CELLS} cells at full speed: {speeds['alone']:,.0f} words/s alone, {speeds['with the window']:,.0f} with the "
        f"window at {speeds['fps']:.0f} fps ({speeds['with the window'] / speeds['alone']:.0%})"
    )
    if long:
        early, late, minutes = memory_growth(app)
        console.print(
            f"{LONG:,} words with the window open: {early:.0f} MB after a fifth, {late:.0f} MB at the end, "
            f"{minutes:.1f} min"
        )
    return {"frame": shared, "speed": speeds["with the window"] / speeds["alone"]}


@pytest.mark.benchmark
def test_window() -> None:
    measured = main()
    assert measured["frame"] < 40
    assert measured["speed"] > 0.3


if __name__ == "__main__":
    main("--long" in sys.argv)

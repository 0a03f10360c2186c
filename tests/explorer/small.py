"""A small random network, three reviews and sessions of them, for tests of the session and the front ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import explorer.session.jobs
from engine.cells import LstmCell, build_cell
from engine.fixed_points import find_fixed_points
from engine.live.stream import Stream
from engine.network import Network, Vocabulary
from engine.reviews import Review
from explorer.session.controllers.point_search import PointSearch
from explorer.session.jobs import Job, JobRunner
from explorer.session.launcher import Launcher, LaunchOptions
from explorer.session.session import Session
from explorer.session.views.point_map import FoundPoints, PointMap

TEXT = "The film starts slowly, but then it becomes a wonderful, warm and very human story about a town. " * 8
REVIEWS = (
    Review("first", TEXT, True),
    Review("second", "A dull film. I would not see it again, and neither should you.", False),
    Review("third", "Zyzzyva qwertyuiop xylophonist.", None),
)


def small_network(size: int = 12, seed: int = 0) -> Network:
    """Return a random LSTM whose vocabulary holds the words of the first two reviews."""
    torch.manual_seed(seed)
    words = sorted({word for review in REVIEWS[:2] for word in review.words})
    return Network(
        LstmCell.from_torch(torch.nn.LSTM(4, size)),
        torch.randn(1, size),
        torch.zeros(1),
        embedding=torch.randn(len(words) + 2, 4),
        vocabulary=Vocabulary(words),
        name=f"lstm-{size}",
    )


def deep_network(bidirectional: bool = False) -> Network:
    """Return a random stack of two LSTMs over the words of the small network, watched at the top."""
    torch.manual_seed(0)
    known = small_network().vocabulary
    assert known is not None
    module = {
        "embedding": torch.nn.Embedding(len(known), 4),
        "rnn": torch.nn.LSTM(4, 6, num_layers=2, bidirectional=bidirectional),
        "out": torch.nn.Linear(12 if bidirectional else 6, 1),
    }
    options = {"reads": "final"} if bidirectional else {}
    return Network.from_torch(torch.nn.ModuleDict(module), vocabulary=known, name="deep", **options)


def unbounded_network() -> Network:
    """Return a relu network over the words of the small one whose h only grows: it has no fixed point."""
    torch.manual_seed(0)
    known = small_network().vocabulary
    assert known is not None
    cell = build_cell(
        "rnn",
        {"weight_ih": torch.rand(6, 2), "weight_hh": torch.eye(6), "bias": torch.full((6,), 0.2)},
        {"activation": "relu"},
    )
    embedding = torch.rand(len(known), 2)
    return Network(cell, torch.randn(1, 6) / 20, torch.zeros(1), embedding=embedding, vocabulary=known, name="grows")


def unbounded_session(starts: int = 32) -> Iterator[Session]:
    """Yield a session of that network with 20 words read and a search from this many starts, which found no point."""
    session = Session(Stream(unbounded_network(), speed=None, window=32), REVIEWS, jobs=SHARED_JOBS)
    wait(lambda: session.stream.snapshot.run == 1)
    session.fixed_points.close()
    session.stream.seek(20)
    wait(lambda: session.stream.snapshot.time == 20)
    network = session.stream.snapshot.network
    visited = 30 * np.random.default_rng(0).random((starts, 6))
    readout = network.readout_weight, network.readout_bias
    points = find_fixed_points(network.cell, torch.ones(2), visited, readout=readout, input_names=["zero"])
    assert not len(points)
    show_found(session, PointMap(FoundPoints(network, visited, points)))
    yield session
    session.close()


def small_file(folder: Path, size: int = 12) -> Path:
    """Save the same network to a file."""
    path = folder / f"lstm-{size}.safetensors"
    small_network(size).save(path)
    return path


explorer.session.jobs.NICE = 0  # on a busy machine a low priority would delay the tests


class SharedRunner(JobRunner):
    """One worker process for the sessions of all tests, because each would load PyTorch first."""

    def close(self) -> None:
        """Leave it running: it ends with the tests."""


SHARED_JOBS = SharedRunner()


class CountingJobs(JobRunner):
    """Runner that lists the names of the jobs it is given; the shared worker runs them."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[str] = []

    def start(
        self,
        work: Callable[..., None],
        *arguments: Any,
        on_result: Callable[[Any], None],
        on_end: Callable[[str], None],
    ) -> Job:
        self.started.append(work.__name__)
        return SHARED_JOBS.start(work, *arguments, on_result=on_result, on_end=on_end)

    def cancel(self, job: Job) -> None:
        SHARED_JOBS.cancel(job)


def open_session(
    size: int = 12,
    speed: float | None = None,
    *,
    search: bool | PointSearch = False,
    jobs: JobRunner = SHARED_JOBS,
    **options: Any,
) -> Session:
    """Open a session whose first review is not read yet; with ``search`` fixed points can be requested."""
    session = Session(
        Stream(small_network(size), speed=speed, **options),
        REVIEWS,
        jobs=jobs,
        search=search if isinstance(search, PointSearch) else None,
    )
    wait(lambda: session.stream.snapshot.run == 1)
    if not search:
        session.fixed_points.close()
    return session


def read_session(**options: Any) -> Iterator[Session]:
    """Yield a paused session in which 100 of 144 words are read; close it afterwards. For fixtures."""
    opened = open_session(**options)
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    yield opened
    opened.close()


def settle(session: Session) -> PointMap:
    """Wait for the search and for the linear prediction at the word looked at; return the map of all that was found."""
    points = session.fixed_points
    points.request(session.frame())
    wait(lambda: points.search.progress == "" and points.search.found is not None)

    def predicted() -> bool:
        frame = session.frame()
        points.request(frame)
        prediction = points.prediction(frame)
        return prediction is not None and prediction.at == frame.word

    points.request(session.frame())
    assert points.point_map is not None
    selected = points.view.selected  # a selected word has no prediction
    if session.frame().word >= 0 and (0 if selected is None else selected) < points.point_map.certified:
        wait(predicted)
    assert points.point_map is not None
    return points.point_map


def show_found(session: Session, points: PointMap) -> PointMap:
    """Let a session without a search show what was found of a network, as if its own search had found it."""
    session.fixed_points.search.found, session.fixed_points.point_map = points.found, points
    return points


def wait(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until a condition holds; fail after some seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"the condition did not hold within {seconds:g} seconds"
        time.sleep(0.005)


def replayed(path: Path) -> Session:
    """Open a recording as the command line does."""
    opening = Launcher(LaunchOptions(replay=path))
    opening.begin()
    wait(lambda: opening.done)
    assert opening.error is None, opening.error
    session = opening.session
    assert session is not None
    wait(lambda: session.stream.snapshot.run == 1)
    return session

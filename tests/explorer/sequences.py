"""A session of the smallest network that ships with a task, for tests of sequences of vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from engine.live.stream import Stream
from engine.network import Network
from engine.sequences import InputSequence, open_sequences
from engine.text import Review
from explorer.session.jobs import JobRunner
from explorer.session.session import Session
from tests.explorer.small import SHARED_JOBS, wait

READ = 120  # of 200 steps


@lru_cache(maxsize=1)
def flip_flop() -> Network:
    """Return a flip-flop network of three channels."""
    return Network.load("rnn-16-flip-flop-3")


@lru_cache(maxsize=1)
def drawn() -> Sequence[InputSequence]:
    """Return the sequences of its task."""
    return open_sequences(flip_flop())


def flip_flop_session(sequences: Sequence[Review] | None = None, jobs: JobRunner = SHARED_JOBS) -> Iterator[Session]:
    """Yield a paused session, by default with 120 of 200 steps read; close it afterwards. For fixtures."""
    session = Session(Stream(flip_flop()), sequences or drawn(), jobs=jobs)
    session.fixed_points.close()
    wait(lambda: session.stream.snapshot.run == 1)
    session.stream.seek(READ)
    wait(lambda: session.stream.snapshot.time == min(READ, session.stream.snapshot.words))
    yield session
    session.close()

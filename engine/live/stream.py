"""A live run: reviews go word by word through a network, and any number of views look on.

Commands go down a queue and return at once.  Up come three things, none of which a view can hold up: a ring of every
signal (`Stream.read`), one frozen `Snapshot` where the latest wins, and a queue of rare `events`.  The engine never
waits for a view, and nothing is ever computed from what a view drew.

The engine is a thread, or, with `engine.live.engine_process.Apart`, a process: then views cannot even
take the interpreter from it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.activity import THRESHOLD
from engine.live.replay import RecordedReview
from engine.live.ring import Ring
from engine.live.run import LiveRun, Settings
from engine.live.snapshot import Event, Snapshot
from engine.network import Network
from engine.reviews import Review

__all__ = ["Event", "Snapshot", "Stream"]

_STOP_SECONDS: Final = 5.0


class Engine(Protocol):
    """What a stream needs of the thread or the process that runs: the newest state of things, and obedience."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def ring(self) -> Ring: ...

    def start(self, network: Network, settings: Settings, events: queue.SimpleQueue[Event]) -> None: ...

    def give(self, name: str, *arguments: Any) -> None: ...

    def close(self) -> None: ...


class Stream:
    """One live run.

    Parameters
    ----------
    network : Network
    window : int
        Recent words that the rolling analyses look at.
    scales : sequence of int, optional
        DFA box lengths in words; `engine.fluctuation.rolling_scales` of the window by default.
    speed : float, optional
        Words a second; None is as fast as it goes.
    capacity : int
        Words of a run that stay readable.
    continuous : bool
        Whether the next review begins where one ends.
    device : str
        Where the network steps: ``"cpu"``, which is the fast one for one review at a time, or a torch device.
    engine : engine.live.engine_process.Apart, optional
        The process that runs; a thread of this one by default.  The stream closes it.

    Every command returns at once and may be given from any thread.
    """

    def __init__(
        self,
        network: Network,
        *,
        window: int = 64,
        scales: Sequence[int] | None = None,
        speed: float | None = None,
        capacity: int = 4096,
        threshold: float = THRESHOLD,
        continuous: bool = False,
        device: str = "cpu",
        engine: Engine | None = None,
    ) -> None:
        boxes = tuple(scales) if scales is not None else None
        settings = Settings(window, boxes, _checked_speed(speed), capacity, threshold, continuous, device)
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._engine = engine or _Thread()
        self._engine.start(network, settings, self.events)

    # ---- commands --------------------------------------------------------------------------------------------

    def open(self, reviews: Review | Sequence[Review], index: int = 0) -> None:
        """Begin a review: a single one, or one of a source that `turn` then walks through."""
        self._engine.give("open", (reviews,) if isinstance(reviews, Review) else reviews, index)

    def turn(self, count: int = 1) -> None:
        """Begin the next review of the source, or with a negative count an earlier one; wraps around."""
        self._engine.give("turn", count)

    def play(self) -> None:
        """Read on; from the beginning if the review is at its end."""
        self._engine.give("play")

    def pause(self) -> None:
        """Stop after the present block of words."""
        self._engine.give("pause")

    def step(self, count: int = 1) -> None:
        """Pause, and read ``count`` words more, or go back as many."""
        self._engine.give("step", count)

    def seek(self, time: int) -> None:
        """Go to where ``time`` words are read; goes on playing if it was."""
        self._engine.give("seek", time)

    def speed(self, words_per_second: float | None) -> None:
        """Set the pace; None is as fast as it goes.  ValueError unless it is positive."""
        self._engine.give("speed", _checked_speed(words_per_second))

    def threshold(self, deviation: float) -> None:
        """Call a cell dead where the rolling standard deviation of its h is below this; ValueError if negative."""
        if not deviation >= 0:
            raise ValueError(f"the threshold is a standard deviation, 0 or more; got {deviation}")
        self._engine.give("threshold", float(deviation))

    def continuous(self, on: bool) -> None:
        """Whether the next review begins where one ends."""
        self._engine.give("continuous", on)

    def use(self, network: Network | str | Path) -> None:
        """Change the network, or load one by path or name; the review begins anew and is read to where it stood."""
        self._engine.give("use", network)

    def clamp(self, clamps: Mapping[str, ArrayLike]) -> None:
        """Hold signals of cells at values, (n,) with NaN where a cell is free, and nothing else.

        The review begins anew and is read to where it stood.  Another network holds nothing.
        """
        self._engine.give("clamp", clamps)

    def watch(self, signal: str) -> None:
        """Keep up the rolling α of every cell of this signal."""
        self._engine.give("watch", signal)

    def take(self) -> Future[RecordedReview | None]:
        """A recording of the present run, as far as it is kept; None before its first word."""
        taken: Future[RecordedReview | None] = Future()
        self._engine.give("take", taken.set_result)
        return taken

    def record(self, keep: Callable[[RecordedReview], None] | None) -> None:
        """Hand every run to ``keep`` when another takes its place, from a thread of the engine; None ends that."""
        self._engine.give("record", keep)

    def close(self) -> None:
        """End the engine.

        Raises
        ------
        TimeoutError
            If it does not end within five seconds.
        """
        self._engine.close()

    # ---- what views read -------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """Where the run stands; the same object as long as nothing is new."""
        return self._engine.snapshot

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Words ``start`` to ``stop`` of the present run, (time, cell), as far as they are kept.

        ``name`` is a signal, ``"probability"`` (time, 1), or ``"alpha"`` (time, signal) in the order of
        ``network.cell.signals`` and then x.
        """
        return self._engine.ring.read(name, start, stop)


class _Thread:
    """The engine as a thread of this process."""

    snapshot: Snapshot
    ring: Ring

    def start(self, network: Network, settings: Settings, events: queue.SimpleQueue[Event]) -> None:
        self.tell = events.put
        self._run = LiveRun(network, settings, self)
        self._thread = threading.Thread(target=self._run.work, name="pinkx engine", daemon=True)
        self._thread.start()

    def give(self, name: str, *arguments: Any) -> None:
        self._run.commands.put((name, arguments))

    def close(self) -> None:
        self._run.commands.put(None)
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError(f"the engine thread did not stop within {_STOP_SECONDS:.0f} s")

    # ---- the outlet of the run -------------------------------------------------------------------------------

    def take_over(self, network: Network, widths: Mapping[str, int], capacity: int) -> Ring:
        self.ring = Ring(widths, capacity)
        return self.ring

    def show(self, snapshot: Snapshot, reviews: Sequence[Review]) -> None:
        self.snapshot = snapshot


def _checked_speed(speed: float | None) -> float | None:
    if speed is not None and not speed > 0:
        raise ValueError(f"speed is in words a second and positive, or None for as fast as it goes; got {speed}")
    return speed

"""A live run: a network reads reviews word by word while any number of views read.

Commands go down a queue and return at once. Up come a ring of every signal (`Stream.read`), one frozen `Snapshot`, of
which only the newest counts, and a queue of rare `events`. The engine never waits for a view, and no analysis is
computed from what a view drew.

The engine is a thread, or a process (`engine.live.engine_process.EngineProcess`), which does not share the
interpreter's lock with the views.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, Protocol

from numpy.typing import ArrayLike

from engine.activity import THRESHOLD
from engine.live import commands
from engine.live.commands import Command
from engine.live.pushes import Push
from engine.live.replay import RecordedReview
from engine.live.ring import Array, Ring
from engine.live.run import LiveRun, Settings
from engine.live.snapshot import Event, Snapshot
from engine.network import Network
from engine.text import Review

__all__ = ["Event", "Snapshot", "Stream"]

_STOP_SECONDS: Final = 5.0


class Engine(Protocol):
    """The thread or process that runs."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def ring(self) -> Ring: ...

    def start(self, network: Network, settings: Settings, events: queue.SimpleQueue[Event]) -> None: ...

    def send(self, command: Command) -> None: ...

    def close(self) -> None: ...


class Stream:
    """One live run.

    Parameters
    ----------
    network : Network
    window : int
        Count of recent words that the rolling analyses use.
    scales : sequence of int, optional
        DFA box lengths in words; `engine.fluctuation.rolling_scales` of the window by default.
    speed : float, optional
        Words per second; None is full speed.
    capacity : int
        Words of a run that stay readable.
    threshold : float
        Standard deviation of h below which a cell counts as dead.
    continuous : bool
        Whether the next review starts where one ends.
    device : str
        Where the network steps: ``"cpu"``, the fastest for one review at a time, or a torch device.
    engine : engine.live.engine_process.EngineProcess, optional
        The process that runs; a thread of this process by default. The stream closes it.

    Attributes
    ----------
    speed : float or None
    threshold : float
        As last set. A snapshot has what the engine uses, which may be older: a step up or down starts here.

    Every command returns at once, and any thread may give it.
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
        self.speed, self.threshold = _checked_speed(speed), threshold
        settings = Settings(window, boxes, self.speed, capacity, threshold, continuous, device)
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._engine = engine or _EngineThread()
        self._engine.start(network, settings, self.events)

    # ---- commands --------------------------------------------------------------------------------------------

    def open(self, reviews: Review | Sequence[Review], index: int = 0) -> None:
        """Start a review: a single one, or one of a source that `turn` steps through."""
        self._engine.send(commands.Open((reviews,) if isinstance(reviews, Review) else reviews, index))

    def extend(self, reviews: Sequence[Review], more: Sequence[Review]) -> None:
        """Report that a source has grown by the reviews ``more``."""
        self._engine.send(commands.Extend(reviews, more))

    def turn(self, count: int = 1) -> None:
        """Start the next review of the source, or with a negative count an earlier one; wraps around."""
        self._engine.send(commands.Turn(count))

    def play(self) -> None:
        """Read on; from the first word if the review is at its end."""
        self._engine.send(commands.Play())

    def pause(self) -> None:
        """Stop after the present block of words."""
        self._engine.send(commands.Pause())

    def step(self, count: int = 1) -> None:
        """Pause, then read ``count`` more words, or with a negative count go back."""
        self._engine.send(commands.Step(count))

    def seek(self, time: int) -> None:
        """Move to where ``time`` words are read; a run that plays goes on playing."""
        self._engine.send(commands.Seek(time))

    def set_speed(self, words_per_second: float | None) -> None:
        """Set the speed; None is full speed. ValueError unless it is positive."""
        self.speed = _checked_speed(words_per_second)
        self._engine.send(commands.SetSpeed(self.speed))

    def set_threshold(self, deviation: float) -> None:
        """Set the standard deviation of h below which a cell counts as dead; ValueError if it is negative."""
        if not deviation >= 0:
            raise ValueError(f"the threshold is a standard deviation, 0 or more; got {deviation}")
        self.threshold = float(deviation)
        self._engine.send(commands.SetThreshold(self.threshold))

    def set_continuous(self, on: bool) -> None:
        """Set whether the next review starts where one ends."""
        self._engine.send(commands.SetContinuous(on))

    def use_network(self, network: Network | str | Path) -> None:
        """Change to a network, or load one by path or name; the review restarts and is read to the present word."""
        self._engine.send(commands.UseNetwork(network))

    def clamp(self, clamps: Mapping[str, ArrayLike]) -> None:
        """Clamp signals of cells to values, (n,) with NaN where a cell is free, and release all others.

        The review restarts and is read to the present word. Changing the network releases every clamp.
        """
        self._engine.send(commands.Clamp(clamps))

    def steer(self, pushes: Sequence[Push]) -> None:
        """Add to the state after some words of the present review, and nothing else any more.

        The review restarts and is read to the present word. A clamped part of the state does not move. Another review
        or another network starts without additions.
        """
        self._engine.send(commands.Steer(tuple(pushes)))

    def watch(self, signal: str) -> None:
        """Compute the rolling α of each cell of this signal."""
        self._engine.send(commands.Watch(signal))

    def take_recording(self) -> Future[RecordedReview | None]:
        """Request a recording of the present run, as far as it is stored; None before its first word."""
        taken: Future[RecordedReview | None] = Future()
        self._engine.send(commands.TakeRecording(taken.set_result))
        return taken

    def record_runs(self, on_recording: Callable[[RecordedReview], None] | None) -> None:
        """Call ``on_recording`` in a thread of the engine with each run that another replaces; None stops that."""
        self._engine.send(commands.RecordRuns(on_recording))

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
        """The newest state of the run; the same object until it changes."""
        return self._engine.snapshot

    def read(self, name: str, start: int = 0, stop: int | None = None) -> Array:
        """Copy words ``start`` to ``stop`` of the present run, (time, cell), as far as they are stored.

        ``name`` is a signal, ``"probability"`` (time, 1), or ``"alpha"`` (time, signal) in the order of
        ``network.cell.signals`` and then x.
        """
        return self._engine.ring.read(name, start, stop)


class _EngineThread:
    """The engine as a thread of this process."""

    snapshot: Snapshot
    ring: Ring

    def start(self, network: Network, settings: Settings, events: queue.SimpleQueue[Event]) -> None:
        self.emit = events.put
        self._run = LiveRun(network, settings, self)
        self._thread = threading.Thread(target=self._run.work, name="pinkx engine", daemon=True)
        self._thread.start()

    def send(self, command: Command) -> None:
        self._run.commands.put(command)

    def close(self) -> None:
        self._run.commands.put(None)
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError(f"the engine thread did not stop within {_STOP_SECONDS:.0f} s")

    # ---- the outlet of the run -------------------------------------------------------------------------------

    def allocate(self, network: Network, widths: Mapping[str, int], capacity: int) -> Ring:
        self.ring = Ring(widths, capacity)
        return self.ring

    def publish(self, snapshot: Snapshot, reviews: Sequence[Review]) -> None:
        self.snapshot = snapshot


def _checked_speed(speed: float | None) -> float | None:
    if speed is not None and not speed > 0:
        raise ValueError(f"a speed is a positive number of words per second, or None for full speed; got {speed}")
    return speed

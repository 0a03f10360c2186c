"""A live run: one engine thread reads reviews through a network word by word; any number of views look on.

Commands go down a queue and return at once.  Up come three things, none of which a view can hold up: a ring of every
signal (`Stream.read`), one frozen `Snapshot` where the latest wins, and a queue of rare `events`.  The engine never
waits for a view, and nothing is ever computed from what a view drew.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.activity import THRESHOLD, RollingActivity, dead
from engine.fluctuation import RollingExponent, rolling_scales
from engine.network import UNKNOWN, Network
from engine.recording import DeviceStepper, Stepper
from engine.replay import Analysis, Playback, RecordedNetwork, RecordedReview, recorded
from engine.reviews import Review
from engine.ring import Ring

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_BLOCK: Final = 64  # words between two looks at the commands, at full speed: some milliseconds
_PUBLISH: Final = 0.01  # seconds between two snapshots while words go by
_STOP_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Snapshot:
    """Where a run stands.  ``time`` counts words read: word ``time − 1`` is the current one, 0 is before the first.

    ``alpha``, ``beta``, ``r2`` and ``reason`` are of the layer sums over the last ``window`` words, by signal;
    ``cell_alpha`` and ``cell_reason`` (n,) are of every cell of the signal ``watched``.  NaN goes with a reason.
    ``activity`` (n,) is the rolling standard deviation of h, ``dead`` (n,) where it is below ``threshold``.
    ``held`` tells which signals are held at which values: signal → (n,), NaN where a cell is free.
    """

    run: int
    network: Network
    review: Review
    index: int
    reviews: int
    ids: NDArray[np.int32]
    time: int
    playing: bool
    speed: float | None
    words_per_second: float
    probability: float
    alpha: Mapping[str, float]
    beta: Mapping[str, float]
    r2: Mapping[str, float]
    reason: Mapping[str, str]
    watched: str
    cell_alpha: Floats
    cell_reason: NDArray[np.str_]
    activity: Floats
    dead: Bools
    threshold: float
    window: int
    scales: tuple[int, ...]
    held: Mapping[str, NDArray[np.float32]]

    @property
    def words(self) -> int:
        """How many words the review has."""
        return len(self.ids)

    @property
    def finished(self) -> bool:
        return self.time >= len(self.ids)

    @property
    def unknown(self) -> int:
        """How many of the review's words the network does not know."""
        return int((self.ids == UNKNOWN).sum())


@dataclass(frozen=True)
class Event:
    """Something rare.  ``failed`` carries what happened and what to do; the stream goes on with what it had."""

    kind: Literal["opened", "finished", "failed"]
    run: int
    message: str = ""


class Stream:
    """The engine thread of one live run.

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
    ) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._window, self._capacity, self._threshold = window, capacity, threshold
        self._scales = tuple(scales) if scales is not None else rolling_scales(window)
        self._device = device
        self._continuous = continuous
        self._speed = _checked_speed(speed)
        self._playing = False
        self._goal: int | None = None  # read on to this word without pacing
        self._due_from = 0.0  # when the pacing began, and at which word
        self._due_time = 0
        self._read_lately: deque[tuple[float, int]] = deque()
        self._reviews: Sequence[Review] = (Review("nothing yet", ""),)
        self._index = 0
        self._run = 0
        self._watched = "h"
        self._ids = np.empty(0, dtype=np.int32)
        self._review = self._reviews[0]
        self._keep: Callable[[RecordedReview], None] | None = None
        self._ring = Ring({}, 1)
        self._take_network(network)
        self.snapshot: Snapshot = self._look()
        self._thread = threading.Thread(target=self._work, name="pinkx engine", daemon=True)
        self._thread.start()

    # ---- commands --------------------------------------------------------------------------------------------

    def open(self, reviews: Review | Sequence[Review], index: int = 0) -> None:
        """Begin a review: a single one, or one of a source that `turn` then walks through."""
        chosen = (reviews,) if isinstance(reviews, Review) else reviews
        self._commands.put(lambda: self._open(chosen, index))

    def turn(self, count: int = 1) -> None:
        """Begin the next review of the source, or with a negative count an earlier one; wraps around."""
        self._commands.put(lambda: self._open(self._reviews, (self._index + count) % len(self._reviews)))

    def play(self) -> None:
        """Read on; from the beginning if the review is at its end."""
        self._commands.put(self._play)

    def pause(self) -> None:
        """Stop after the present block of words."""
        self._commands.put(self._pause)

    def step(self, count: int = 1) -> None:
        """Pause, and read ``count`` words more, or go back as many."""
        self._commands.put(lambda: self._step(count))

    def seek(self, time: int) -> None:
        """Go to where ``time`` words are read; goes on playing if it was."""
        self._commands.put(lambda: self._seek(time))

    def speed(self, words_per_second: float | None) -> None:
        """Set the pace; None is as fast as it goes.  ValueError unless it is positive."""
        value = _checked_speed(words_per_second)
        self._commands.put(lambda: self._set_speed(value))

    def threshold(self, deviation: float) -> None:
        """Call a cell dead where the rolling standard deviation of its h is below this; ValueError if negative."""
        if not deviation >= 0:
            raise ValueError(f"the threshold is a standard deviation, 0 or more; got {deviation}")
        self._commands.put(lambda: setattr(self, "_threshold", float(deviation)))

    def continuous(self, on: bool) -> None:
        """Whether the next review begins where one ends."""
        self._commands.put(lambda: setattr(self, "_continuous", on))

    def use(self, network: Network | str | Path) -> None:
        """Change the network, or load one by path or name; the review begins anew and is read to where it stood."""
        self._commands.put(lambda: self._use(network))

    def hold(self, held: Mapping[str, ArrayLike]) -> None:
        """Hold signals of cells at values, (n,) with NaN where a cell is free, and nothing else.

        The review begins anew and is read to where it stood.  Another network holds nothing.
        """
        self._commands.put(lambda: self._hold(held))

    def watch(self, signal: str) -> None:
        """Keep up the rolling α of every cell of this signal."""
        self._commands.put(lambda: self._watch(signal))

    def take(self) -> Future[RecordedReview | None]:
        """A recording of the present run, as far as it is kept; None before its first word."""
        taken: Future[RecordedReview | None] = Future()
        self._commands.put(lambda: taken.set_result(self._recorded()))
        return taken

    def record(self, keep: Callable[[RecordedReview], None] | None) -> None:
        """Hand every run to ``keep`` when another takes its place, from the engine's thread; None ends that."""
        self._commands.put(lambda: setattr(self, "_keep", keep))

    def close(self) -> None:
        """End the thread.

        Raises
        ------
        TimeoutError
            If it does not end within five seconds.
        """
        self._commands.put(None)
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError(f"the engine thread did not stop within {_STOP_SECONDS:.0f} s")

    # ---- what views read -------------------------------------------------------------------------------------

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Words ``start`` to ``stop`` of the present run, (time, cell), as far as they are kept.

        ``name`` is a signal, ``"probability"`` (time, 1), or ``"alpha"`` (time, signal) in the order of
        ``network.cell.signals`` and then x.
        """
        ring = self._ring
        return ring.read(name, start, ring.time if stop is None else stop)

    # ---- the engine thread -----------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            count = self._due()
            try:
                # Nothing to read: sleep until a command comes, or the next word is due.
                command = self._commands.get(timeout=self._wait()) if not count else self._commands.get_nowait()
                if command is None:
                    return
                self._attempt(command)
                self.snapshot = self._look()
            except queue.Empty:
                self._attempt(lambda n=count: self._advance(n))  # type: ignore[misc]

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # a face must hear of whatever goes wrong here; the thread lives on, paused
            self._playing, self._goal = False, None
            self.events.put(Event("failed", self._run, str(error) or repr(error)))
            self.snapshot = self._look()

    def _due(self) -> int:
        """How many words to read now."""
        left = len(self._ids) - self._ring.time
        if self._goal is not None:
            return min(_BLOCK, self._goal - self._ring.time)
        if not self._playing or not left:
            return 0
        if self._speed is None:
            return min(_BLOCK, left)
        due = self._due_time + int((time.perf_counter() - self._due_from) * self._speed) - self._ring.time
        return max(0, min(_BLOCK, left, due))

    def _wait(self) -> float | None:
        if not self._playing or self._speed is None or self._ring.time >= len(self._ids):
            return None
        next_word = self._due_from + (self._ring.time + 1 - self._due_time) / self._speed
        return max(0.0, next_word - time.perf_counter())

    def _pace_from_here(self) -> None:
        self._due_from, self._due_time = time.perf_counter(), self._ring.time

    def _advance(self, count: int) -> None:
        if count:
            signals = self._stepper.advance(self._read_by_stepper[self._ring.time : self._ring.time + count])
            self._ring.write({**signals, **self._analyse(signals), "probability": self._probabilities(signals["h"])})
            self._read_lately.append((time.perf_counter(), count))
        arrived = self._goal is not None and self._ring.time >= self._goal
        if arrived:
            self._goal = None
            self._pace_from_here()
        finished = count > 0 and self._ring.time >= len(self._ids)
        go_on = finished and self._playing and self._continuous
        self._playing = self._playing and (go_on or not finished)
        if finished or arrived or (self._goal is None and time.perf_counter() - self._published > _PUBLISH):
            self.snapshot = self._look()
        if finished:
            self.events.put(Event("finished", self._run))
        if go_on:
            self._open(self._reviews, (self._index + 1) % len(self._reviews))

    def _analyse(self, signals: Mapping[str, NDArray[np.float32]]) -> dict[str, Floats]:
        """Keep the rolling analyses up; returns α of the layer sums after every word."""
        self._activity.push(signals["h"])
        self._cells.push(signals[self._watched])
        sums = np.stack([signals[name].sum(axis=1, dtype=np.float64) for name in self._names], axis=1)
        return {"alpha": self._sums.trace(sums).alpha}

    def _probabilities(self, h: NDArray[np.float32]) -> NDArray[np.float32]:
        return 1 / (1 + np.exp(-(h @ self._readout_weight + self._readout_bias)))

    def _open(self, reviews: Sequence[Review], index: int) -> None:
        if not 0 <= index < len(reviews):
            raise ValueError(f"no review {index}: there are {len(reviews)}, counted from 0")
        if not reviews[index].words:
            raise ValueError(f"{reviews[index].name!r} has no word to read")
        review = reviews[index]
        if isinstance(review, RecordedReview):
            self._take_network(review.network)
        elif isinstance(self._network, RecordedNetwork):
            raise ValueError("a recording is played without its network, which alone could read another text")
        self._reviews, self._index = reviews, index
        self._begin()

    def _begin(self) -> None:
        """Word 0 of the present review through the present network."""
        self._hand_over()
        vocabulary = self._network.vocabulary
        assert vocabulary is not None
        self._review = self._reviews[self._index]
        self._ids = vocabulary.encode(self._review.words)
        played = isinstance(self._network, RecordedNetwork)
        self._read_by_stepper = np.arange(len(self._ids), dtype=np.int32) if played else self._ids
        self._run += 1
        self._goal = None
        self._stepper.reset()
        self._ring = Ring(self._widths, self._capacity)
        for analysis in (self._sums, self._cells, self._activity):
            analysis.reset()
        self._pace_from_here()
        self.events.put(Event("opened", self._run))
        self.snapshot = self._look()

    def _take_network(self, network: Network) -> None:
        if network.vocabulary is None:
            raise ValueError(f"{network.name} was trained for {network.task}: it takes numbers, not reviews")
        self._hand_over()
        self._stepper = self._stepper_of(network)
        self._held: Mapping[str, NDArray[np.float32]] = {}
        self._network = network
        self._names = [signal.name for signal in network.signals]
        size = network.cell.size
        widths = dict.fromkeys(self._names, size) | {"x": network.cell.inputs}
        self._widths = widths | {"alpha": len(self._names), "probability": 1}
        self._readout_weight = network.readout_weight[:1].T.numpy()
        self._readout_bias = network.readout_bias[:1].numpy()
        self._watched = self._watched if self._watched in self._names else "h"
        self._ring = Ring(self._widths, self._capacity)
        self._sums = RollingExponent(self._scales, self._window, len(self._names))
        self._cells = RollingExponent(self._scales, self._window, widths[self._watched])
        self._activity = RollingActivity(self._window, size)

    def _stepper_of(self, network: Network) -> Stepper | DeviceStepper | Playback:
        if isinstance(network, RecordedNetwork):
            return Playback(network)
        return Stepper(network) if self._device == "cpu" else DeviceStepper(network.to(device=self._device))

    def _recorded(self) -> RecordedReview | None:
        ring = self._ring
        if not ring.time:
            return None
        values = {name: ring.read(name, ring.first, ring.time) for name in self._names}
        analysis = Analysis(self._window, self._scales, self._threshold)
        return recorded(self._network, self._review, self._ids, ring.first, values, analysis)

    def _hand_over(self) -> None:
        """Give the run that ends to whoever records."""
        run = self._recorded() if self._keep is not None else None
        if self._keep is not None and run is not None:
            self._keep(run)

    def _use(self, network: Network | str | Path) -> None:
        if isinstance(self._network, RecordedNetwork):
            raise ValueError("a recording is played as it was read: no other network can take over")
        time_read = self._goal or self._ring.time
        self._take_network(network if isinstance(network, Network) else Network.load(network))
        self._begin_again(time_read)

    def _hold(self, held: Mapping[str, ArrayLike]) -> None:
        if isinstance(self._stepper, Playback):
            raise ValueError("a recording is played as it was read: nothing in it can be silenced or held")
        self._stepper.held = held
        self._held = self._stepper.held
        self._begin_again(self._goal or self._ring.time)

    def _begin_again(self, time_read: int) -> None:
        if self._run:
            self._begin()
            self._seek(time_read)

    def _watch(self, signal: str) -> None:
        if signal not in self._names:
            raise ValueError(f"no signal {signal!r}; {self._network.name} has {', '.join(self._names)}")
        self._watched = signal
        self._cells = RollingExponent(self._scales, self._window, self._widths[signal])
        self._cells.push(self._ring.read(signal, self._ring.time - self._window, self._ring.time))

    def _play(self) -> None:
        if self._ids.size and self._ring.time >= len(self._ids):
            self._begin()
        self._playing = True
        self._pace_from_here()

    def _pause(self) -> None:
        self._playing, self._goal = False, None

    def _step(self, count: int) -> None:
        self._pause()
        self._seek(self._ring.time + count)

    def _set_speed(self, speed: float | None) -> None:
        self._speed = speed
        self._pace_from_here()

    def _seek(self, target: int) -> None:
        target = max(0, min(target, len(self._ids)))
        if target < self._ring.time:
            self._go_back(target)
        if target > self._ring.time:
            self._goal = target
        self._pace_from_here()

    def _go_back(self, target: int) -> None:
        """Back to an earlier word: its state is a row of the ring, and so is what the analyses look at."""
        if target == 0 or max(0, target - self._window) < self._ring.first:  # no longer kept: read it again
            playing = self._playing
            self._begin()
            self._playing = playing
            return
        parts = [self._ring.read(part, target - 1, target)[0] for part in self._network.cell.state_parts]
        self._stepper.state = np.concatenate(parts)
        self._ring.rewind(target)
        for analysis in (self._sums, self._cells, self._activity):
            analysis.reset()
        recent = {name: self._ring.read(name, target - self._window, target) for name in self._names}
        self._analyse(recent)

    def _look(self) -> Snapshot:
        self._published = time.perf_counter()
        while self._read_lately and self._read_lately[0][0] < self._published - 1:
            self._read_lately.popleft()
        at = self._ring.time
        probability = self._ring.read("probability", at - 1, at)
        sums, cells = self._sums, self._cells
        names, alpha, activity = self._names, sums.alpha, self._activity.std
        return Snapshot(
            run=self._run,
            network=self._network,
            review=self._reviews[self._index],
            index=self._index,
            reviews=len(self._reviews),
            ids=self._ids,
            time=at,
            playing=self._playing,
            speed=self._speed,
            words_per_second=float(sum(count for _, count in self._read_lately)),
            probability=float(probability[0, 0]) if len(probability) else float("nan"),
            alpha=dict(zip(names, alpha.tolist(), strict=True)),
            beta=dict(zip(names, (2 * alpha - 1).tolist(), strict=True)),
            r2=dict(zip(names, sums.r2.tolist(), strict=True)),
            reason=dict(zip(names, sums.reason.tolist(), strict=True)),
            watched=self._watched,
            cell_alpha=cells.alpha,
            cell_reason=cells.reason,
            activity=activity,
            dead=dead(activity, self._threshold),
            threshold=self._threshold,
            window=self._window,
            scales=self._scales,
            held=self._held,
        )


def _checked_speed(speed: float | None) -> float | None:
    if speed is not None and not speed > 0:
        raise ValueError(f"speed is in words a second and positive, or None for as fast as it goes; got {speed}")
    return speed

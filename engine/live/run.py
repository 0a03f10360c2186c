"""The run itself: one thread reads reviews through a network word by word and keeps the analyses up.

Commands come down a queue; what is found goes to an `Outlet`.  Whoever looks on can hold up neither.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.activity import THRESHOLD, RollingActivity, is_dead
from engine.fluctuation import RollingExponent, rolling_scales
from engine.live.replay import Analysis, Playback, RecordedNetwork, RecordedReview, recorded
from engine.live.ring import Ring
from engine.live.snapshot import Event, Floats, Snapshot
from engine.network import Network
from engine.probability import positive_probability
from engine.recording import DeviceStepper, Stepper
from engine.text import Review

_BLOCK: Final = 64  # words between two looks at the commands, at full speed: some milliseconds
_PUBLISH: Final = 0.01  # seconds between two snapshots while words go by

NOTHING: Final = (Review("nothing yet", ""),)
"""The reviews of a run before the first is opened."""

Commands = queue.SimpleQueue[tuple[str, tuple[Any, ...]] | None]
"""Names of `LiveRun` methods with what they are given; None ends the run."""


class Outlet(Protocol):
    """Where a run puts what it finds."""

    def take_over(self, network: Network, widths: Mapping[str, int], capacity: int) -> Ring:
        """An empty ring for the signals of a network that takes over."""

    def show(self, snapshot: Snapshot, reviews: Sequence[Review]) -> None:
        """Where the run stands; the latest wins."""

    def tell(self, event: Event) -> None:
        """Something rare; none gets lost."""


@dataclass(frozen=True)
class Settings:
    """How a run begins; the parameters of `engine.live.stream.Stream`."""

    window: int = 64
    scales: tuple[int, ...] | None = None
    speed: float | None = None
    capacity: int = 4096
    threshold: float = THRESHOLD
    continuous: bool = False
    device: str = "cpu"


class LiveRun:
    """Everything that changes while reviews are read; only the thread in `work` touches it.

    Parameters
    ----------
    network : Network
    settings : Settings
    outlet : Outlet
    """

    _activity: RollingActivity
    _clamps: Mapping[str, NDArray[np.float32]]

    def __init__(self, network: Network, settings: Settings, outlet: Outlet) -> None:
        self.commands: Commands = queue.SimpleQueue()
        self._outlet = outlet
        self._window, self._capacity, self._threshold = settings.window, settings.capacity, settings.threshold
        self._scales = settings.scales or rolling_scales(settings.window)
        self._device = settings.device
        self._continuous = settings.continuous
        self._speed = settings.speed
        self._playing = False
        self._goal: int | None = None  # read on to this word without pacing
        self._due_from = 0.0  # when the pacing began, and at which word
        self._due_time = 0
        self._read_lately: deque[tuple[float, int]] = deque()
        self._reviews: Sequence[Review] = NOTHING
        self._index = 0
        self._run = 0
        self._watched = "h"
        self._ids = np.empty(0, dtype=np.int32)
        self._review = self._reviews[0]
        self._keep: Callable[[RecordedReview], None] | None = None
        self._take_network(network)
        self._show()

    def work(self) -> None:
        """Read, and do what is asked, until the run is ended."""
        while True:
            count = self._due()
            try:
                # Nothing to read: sleep until a command comes, or the next word is due.
                command = self.commands.get(timeout=self._wait()) if not count else self.commands.get_nowait()
            except queue.Empty:
                self._attempt(self._advance, count)
                continue
            if command is None:
                return
            name, arguments = command
            self._attempt(getattr(self, name), *arguments)
            self._show()

    # ---- commands: what they do stands in engine.live.stream ------------------------------------------------------

    def open(self, reviews: Sequence[Review], index: int) -> None:
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

    def play(self) -> None:
        if self._ids.size and self._ring.time >= len(self._ids):
            self._begin()
        self._playing = True
        self._pace_from_here()

    def pause(self) -> None:
        self._playing, self._goal = False, None

    def step(self, count: int) -> None:
        self.pause()
        self.seek(self._ring.time + count)

    def seek(self, target: int) -> None:
        target = max(0, min(target, len(self._ids)))
        if target < self._ring.time:
            self._go_back(target)
        if target > self._ring.time:
            self._goal = target
        self._pace_from_here()

    def speed(self, speed: float | None) -> None:
        self._speed = speed
        self._pace_from_here()

    def use(self, network: Network | str | Path) -> None:
        if isinstance(self._network, RecordedNetwork):
            raise ValueError("a recording is played as it was read: no other network can take over")
        time_read = self._goal or self._ring.time
        self._take_network(network if isinstance(network, Network) else Network.load(network))
        self._begin_again(time_read)

    def clamp(self, clamps: Mapping[str, ArrayLike]) -> None:
        if isinstance(self._stepper, Playback):
            raise ValueError("a recording is played as it was read: nothing in it can be silenced or held")
        self._stepper.clamps = clamps
        self._clamps = self._stepper.clamps
        self._begin_again(self._goal or self._ring.time)

    def watch(self, signal: str) -> None:
        if signal not in self._names:
            raise ValueError(f"no signal {signal!r}; {self._network.name} has {', '.join(self._names)}")
        self._watched = signal
        self._cells = RollingExponent(self._scales, self._window, self._widths[signal])
        self._cells.push(self._ring.read(signal, self._ring.time - self._window, self._ring.time))

    def turn(self, count: int) -> None:
        self.open(self._reviews, (self._index + count) % len(self._reviews))

    def threshold(self, deviation: float) -> None:
        self._threshold = deviation

    def continuous(self, on: bool) -> None:
        self._continuous = on

    def take(self, give: Callable[[RecordedReview | None], None]) -> None:
        give(self._recorded())

    def record(self, keep: Callable[[RecordedReview], None] | None) -> None:
        self._keep = keep

    # ---- inside ----------------------------------------------------------------------------------------------

    def _attempt(self, action: Callable[..., None], *arguments: Any) -> None:
        try:
            action(*arguments)
        except Exception as error:  # a face must hear of whatever goes wrong here; the thread lives on, paused
            self._playing, self._goal = False, None
            self._outlet.tell(Event("failed", self._run, str(error) or repr(error)))
            self._show()

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
            self._show()
        if finished:
            self._outlet.tell(Event("finished", self._run))
        if go_on:
            self.open(self._reviews, (self._index + 1) % len(self._reviews))

    def _analyse(self, signals: Mapping[str, NDArray[np.float32]]) -> dict[str, Floats]:
        """Keep the rolling analyses up; returns α of the layer sums after every word."""
        self._activity.push(signals["h"])
        self._cells.push(signals[self._watched])
        sums = np.stack([signals[name].sum(axis=1, dtype=np.float64) for name in self._names], axis=1)
        return {"alpha": self._sums.trace(sums).alpha}

    def _probabilities(self, h: NDArray[np.float32]) -> NDArray[np.float64]:
        return positive_probability(h @ self._readout_weight + self._readout_bias)

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
        self._ring.clear()
        for analysis in (self._sums, self._cells, self._activity):
            analysis.reset()
        self._pace_from_here()
        self._outlet.tell(Event("opened", self._run))
        self._show()

    def _take_network(self, network: Network) -> None:
        if network.vocabulary is None:
            raise ValueError(f"{network.name} was trained for {network.task}: it takes numbers, not reviews")
        self._hand_over()
        self._stepper = self._stepper_of(network)
        self._clamps = {}
        self._network = network
        self._names = [signal.name for signal in network.signals]
        size = network.cell.size
        widths = dict.fromkeys(self._names, size) | {"x": network.cell.inputs}
        self._widths = widths | {"alpha": len(self._names), "probability": 1}
        self._readout_weight = network.readout_weight[:1].T.numpy()
        self._readout_bias = network.readout_bias[:1].numpy()
        self._watched = self._watched if self._watched in self._names else "h"
        self._ring = self._outlet.take_over(network, self._widths, self._capacity)
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

    def _begin_again(self, time_read: int) -> None:
        if self._run:
            self._begin()
            self.seek(time_read)

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

    def _show(self) -> None:
        self._outlet.show(self._look(), self._reviews)

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
            dead=is_dead(activity, self._threshold),
            threshold=self._threshold,
            window=self._window,
            scales=self._scales,
            clamps=self._clamps,
        )


def _checked_speed(speed: float | None) -> float | None:
    if speed is not None and not speed > 0:
        raise ValueError(f"speed is in words a second and positive, or None for as fast as it goes; got {speed}")
    return speed

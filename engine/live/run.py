"""The run itself: one thread reads reviews through a network word by word and updates the rolling analyses.

Commands come down a queue; states and events go to an `Outlet`. Neither waits for a view.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, assert_never

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.activity import THRESHOLD, RollingActivity, is_dead
from engine.device_stepper import FallbackStepper, OnDevice, cpu_block, on_its_device
from engine.fluctuation import RollingExponent, rolling_scales
from engine.live import commands
from engine.live.commands import NO_REVIEWS, Command
from engine.live.layers import BackwardStepper, WholeOutputs
from engine.live.pushes import Push, Pushes, additions, checked
from engine.live.replay import OUTPUTS, Analysis, Playback, RecordedNetwork, RecordedReview, recorded
from engine.live.ring import Ring
from engine.live.snapshot import Event, Floats, Snapshot
from engine.network import Network
from engine.probability import activate
from engine.recording import Stepper
from engine.samples import sum_over_cells
from engine.sequences import content_of, encoded
from engine.text import Review

_PUBLISH: Final = 0.01  # seconds between two snapshots while the run reads


class Outlet(Protocol):
    """Destination of the states and events of a run."""

    def allocate(self, network: Network, widths: Mapping[str, int], capacity: int) -> Ring:
        """Return an empty ring for the signals of the network that the run uses from now on."""

    def publish(self, snapshot: Snapshot, reviews: Sequence[Review]) -> None:
        """Replace the newest state; ``reviews`` is the source of its review."""

    def emit(self, event: Event) -> None:
        """Queue an event; none is dropped."""


@dataclass(frozen=True)
class Settings:
    """Parameters of a run: those of `engine.live.stream.Stream`."""

    window: int = 64
    scales: tuple[int, ...] | None = None
    speed: float | None = None
    capacity: int = 4096
    threshold: float = THRESHOLD
    continuous: bool = False
    device: str = "cpu"


class LiveRun:
    """The state of a run; only the thread in `work` changes it.

    Parameters
    ----------
    network : Network
    settings : Settings
    outlet : Outlet
    on_device : callable
        Makes the stepper of a network on a device other than the CPU.
    """

    _activity: RollingActivity
    _clamps: Mapping[str, NDArray[np.float32]]

    def __init__(
        self, network: Network, settings: Settings, outlet: Outlet, on_device: OnDevice = on_its_device
    ) -> None:
        self.commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()  # None ends the run
        self._outlet = outlet
        self._window, self._capacity, self._threshold = settings.window, settings.capacity, settings.threshold
        self._scales = settings.scales or rolling_scales(settings.window)
        self._device, self._device_problem, self._on_device = settings.device, "", on_device
        self._continuous = settings.continuous
        self._speed = settings.speed
        self._playing = False
        self._goal: int | None = None  # read up to this word at full speed
        self._due_from = 0.0  # when pacing started, and at which word
        self._due_time = 0
        self._last_second: deque[tuple[float, int]] = deque()
        self._reviews: Sequence[Review] = NO_REVIEWS
        self._index = 0
        self._run = 0
        self._watched = "h"
        self._ids: NDArray[Any] = np.empty(0, dtype=np.int32)
        self._encoded: tuple[Network, Review, NDArray[Any]] | None = None
        self._review = self._reviews[0]
        self._on_recording: Callable[[RecordedReview], None] | None = None
        self._pushes: Pushes = ()
        self._set_network(network)
        self._note_device()
        self._publish()

    def work(self) -> None:
        """Read words and carry out commands until the command None."""
        while True:
            count = self._due()
            try:
                # Nothing to read: sleep until a command comes, or the next word is due.
                command = self.commands.get(timeout=self._wait()) if not count else self.commands.get_nowait()
            except queue.Empty:
                self._guarded(partial(self._advance, count))
                continue
            if command is None:
                return
            self._guarded(partial(self._execute, command))
            self._note_device()
            self._publish()

    # ---- commands --------------------------------------------------------------------------------------------

    def _execute(self, command: Command) -> None:
        match command:
            case commands.Open(reviews, index):
                self._open(reviews, index)
            case commands.Extend():
                pass  # the source has the reviews: the next snapshot counts them
            case commands.Turn(count):
                self._turn(count)
            case commands.Play():
                self._play()
            case commands.Pause():
                self._pause()
            case commands.Step(count):
                self._pause()
                self._seek(self._ring.time + count)
            case commands.Seek(target):
                self._seek(target)
            case commands.SetSpeed(speed):
                self._speed = speed
                self._pace_from_here()
            case commands.SetThreshold(deviation):
                self._threshold = deviation
            case commands.SetContinuous(on):
                self._continuous = on
            case commands.UseNetwork(network):
                self._use_network(network)
            case commands.Clamp(clamps):
                self._clamp(clamps)
            case commands.Steer(pushes):
                self._steer(pushes)
            case commands.Watch(signal):
                self._watch(signal)
            case commands.TakeRecording(on_recording):
                on_recording(self._recorded())
            case commands.RecordRuns(on_run):
                self._on_recording = on_run
            case _:
                assert_never(command)

    def _open(self, reviews: Sequence[Review], index: int) -> None:
        if not 0 <= index < len(reviews):
            raise ValueError(f"no review {index}: there are {len(reviews)}, counted from 0")
        if not len(content_of(reviews[index])):
            raise ValueError(f"{reviews[index].name!r} has no word to read")
        review = reviews[index]
        if isinstance(review, RecordedReview):
            self._set_network(review.network)
        elif isinstance(self._network, RecordedNetwork):
            raise ValueError("a recording is played without its network, so it cannot read another text")
        self._encode(self._network, review)  # raises if the network cannot read it
        if isinstance(review, RecordedReview):
            self._pushes = review.pushes  # to be shown: the recorded rows have their effect
        elif review is not self._review:
            self._pushes = ()
        self._reviews, self._index = reviews, index
        self._start()

    def _play(self) -> None:
        if self._ids.size and self._ring.time >= len(self._ids):
            self._start()
        self._playing = True
        self._pace_from_here()

    def _pause(self) -> None:
        self._playing, self._goal = False, None

    def _seek(self, target: int) -> None:
        target = max(0, min(target, len(self._ids)))
        if target < self._ring.time:
            self._go_back(target)
        if target > self._ring.time:
            self._goal = target
        self._pace_from_here()

    def _use_network(self, network: Network | str | Path) -> None:
        if isinstance(self._network, RecordedNetwork):
            raise ValueError("a recording is played without its network, and no other network can replace it")
        time_read = self._goal or self._ring.time
        network = network if isinstance(network, Network) else Network.load(network)
        self._encode(network, self._review)  # raises if it cannot read the present review
        self._set_network(network)
        self._restart(time_read)

    def _clamp(self, clamps: Mapping[str, ArrayLike]) -> None:
        if isinstance(self._stepper, Playback):
            raise ValueError("a recording is played as it was read: nothing in it can be ablated or clamped")
        self._stepper.clamps = clamps
        self._clamps = self._stepper.clamps
        self._restart(self._goal or self._ring.time)

    def _steer(self, pushes: Sequence[Push]) -> None:
        if isinstance(self._stepper, Playback):
            raise ValueError("a recording is played as it was read: nothing can be added to its state")
        self._pushes = checked(pushes, len(self._ids), self._network.cell.state_size)
        self._restart(self._goal or self._ring.time)

    def _watch(self, signal: str) -> None:
        if signal not in self._names:
            raise ValueError(f"no signal {signal!r}; {self._network.name} has {', '.join(self._names)}")
        self._watched = signal
        self._cells = RollingExponent(self._scales, self._window, self._widths[signal])
        self._cells.push(self._ring.read(signal, self._ring.time - self._window, self._ring.time))

    def _turn(self, count: int) -> None:
        self._open(self._reviews, (self._index + count) % len(self._reviews))

    # ---- inside ----------------------------------------------------------------------------------------------

    def _guarded(self, action: Callable[[], None]) -> None:
        """Call ``action``; if it raises, pause and report it, so that the thread lives on."""
        try:
            action()
        except Exception as error:
            self._pause()
            self._outlet.emit(Event("failed", self._run, str(error) or repr(error)))
            self._publish()

    def _due(self) -> int:
        """Return the count of words to read now."""
        left = len(self._ids) - self._ring.time
        if self._goal is not None:
            return min(self._block, self._goal - self._ring.time)
        if not self._playing or not left:
            return 0
        if self._speed is None:
            return min(self._block, left)
        due = self._due_time + int((time.perf_counter() - self._due_from) * self._speed) - self._ring.time
        return max(0, min(self._block, left, due))

    def _wait(self) -> float | None:
        if not self._playing or self._speed is None or self._ring.time >= len(self._ids):
            return None
        next_word = self._due_from + (self._ring.time + 1 - self._due_time) / self._speed
        return max(0.0, next_word - time.perf_counter())

    def _pace_from_here(self) -> None:
        self._due_from, self._due_time = time.perf_counter(), self._ring.time

    def _advance(self, count: int) -> None:
        if count:
            steered = bool(self._pushes) and not isinstance(self._stepper, Playback | BackwardStepper)
            added = additions(self._pushes, self._clamps, self._network.cell.state_parts) if steered else {}
            # A block ends with a word after which the state changes.
            count = min([count, *(word + 1 - self._ring.time for word in added if word >= self._ring.time)])
            signals: Mapping[str, NDArray[np.float32]] = self._stepper.advance(
                self._read_by_stepper[self._ring.time : self._ring.time + count]
            )
            if (push := added.get(self._ring.time + count - 1)) is not None:
                signals = self._add_to_state(push, signals)
            self._note_device()
            self._ring.write({**signals, **self._analyse(signals), **self._outputs(signals)})
            self._last_second.append((time.perf_counter(), count))
        arrived = self._goal is not None and self._ring.time >= self._goal
        if arrived:
            self._goal = None
            self._pace_from_here()
        finished = count > 0 and self._ring.time >= len(self._ids)
        go_on = finished and self._playing and self._continuous
        self._playing = self._playing and (go_on or not finished)
        if finished or arrived or (self._goal is None and time.perf_counter() - self._published > _PUBLISH):
            self._publish()
        if finished:
            self._outlet.emit(Event("finished", self._run))
        if go_on:
            self._open(self._reviews, (self._index + 1) % len(self._reviews))

    def _add_to_state(
        self, addition: NDArray[np.float32], signals: Mapping[str, NDArray[np.float32]]
    ) -> Mapping[str, NDArray[np.float32]]:
        """Add to the present state; return the signals with their last word as the state is now."""
        self._stepper.state = state = self._stepper.state + addition
        parts = self._network.cell.state_parts
        changed = {part: signals[part].copy() for part in parts}
        for part, values in zip(parts, np.split(state, len(parts)), strict=True):
            changed[part][-1] = values
        return {**signals, **changed}

    def _analyse(self, signals: Mapping[str, NDArray[np.float32]]) -> dict[str, Floats]:
        """Update the rolling analyses; return α of the layer sums after every word."""
        self._activity.push(signals["h"])
        self._cells.push(signals[self._watched])
        sums = np.stack([sum_over_cells(signals[name]) for name in self._names], axis=1)
        return {"alpha": self._sums.trace(sums).alpha}

    def _outputs(self, signals: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
        """Return P(positive), the first output, after every word, (time, 1), and all outputs if layers share them."""
        if self._whole is not None or OUTPUTS in signals:
            found = signals[OUTPUTS] if self._whole is None else self._whole.advance(self._ring.time, signals["h"])
            return {OUTPUTS: found, "probability": found[:, :1].astype(np.float64)}
        logits = signals["h"] @ self._readout_weight + self._readout_bias
        return {"probability": activate(logits, self._network.activation)[:, :1]}

    def _encode(self, network: Network, review: Review) -> NDArray[Any]:
        """Return what a network reads of a review; that of the last call is stored."""
        if self._encoded is None or self._encoded[0] is not network or self._encoded[1] is not review:
            self._encoded = network, review, encoded(network, review)
        return self._encoded[2]

    def _start(self) -> None:
        """Start the present review from its first word."""
        self._deliver_recording()
        self._review = self._reviews[self._index]
        self._ids = self._encode(self._network, self._review)
        whole = isinstance(self._stepper, Playback | BackwardStepper)
        self._read_by_stepper = np.arange(len(self._ids), dtype=np.int32) if whole else self._ids
        self._run += 1
        self._goal = None
        self._stepper.reset()
        if isinstance(self._stepper, BackwardStepper):
            self._stepper.start(self._ids, self._pushes)
        if self._whole is not None:
            lowest = encoded(self._network.watching(0), self._review)
            self._whole.start(lowest, self._clamps, self._pushes)
        self._ring.clear()
        for analysis in (self._sums, self._cells, self._activity):
            analysis.reset()
        self._pace_from_here()
        self._outlet.emit(Event("opened", self._run))
        self._publish()

    def _set_network(self, network: Network) -> None:
        self._deliver_recording()
        self._stepper = self._stepper_of(network)
        self._clamps, self._pushes = {}, ()
        self._network = network
        self._names = [signal.name for signal in network.signals]
        size = network.cell.size
        widths = dict.fromkeys(self._names, size) | {"x": network.cell.inputs}
        self._widths = widths | {"alpha": len(self._names), "probability": 1}
        self._whole = WholeOutputs(network) if network.shares_readout and network.stack is not None else None
        if network.shares_readout:
            self._widths[OUTPUTS] = network.outputs
        outputs = network.outputs if network.activation == "softmax" else 1
        self._readout_weight = network.readout_weight[:outputs].T.numpy()
        self._readout_bias = network.readout_bias[:outputs].numpy()
        self._watched = self._watched if self._watched in self._names else "h"
        self._ring = self._outlet.allocate(network, self._widths, self._capacity)
        self._sums = RollingExponent(self._scales, self._window, len(self._names))
        self._cells = RollingExponent(self._scales, self._window, widths[self._watched])
        self._activity = RollingActivity(self._window, size)

    def _stepper_of(self, network: Network) -> Stepper | FallbackStepper | BackwardStepper | Playback:
        if isinstance(network, RecordedNetwork):
            return Playback(network)
        if self._device == "cpu":
            stepper: Stepper | FallbackStepper = Stepper(network)
        else:
            stepper = FallbackStepper(network, self._device, self._on_device)
        return BackwardStepper(stepper) if network.backward else stepper

    def _note_device(self) -> None:
        """Report once that the CPU took over, and compute there from now on."""
        stepper = self._stepper.inner if isinstance(self._stepper, BackwardStepper) else self._stepper
        if isinstance(stepper, FallbackStepper) and stepper.problem and self._device != "cpu":
            self._device = "cpu"
            self._device_problem = stepper.problem
            self._outlet.emit(Event("device", self._run, f"the GPU failed ({stepper.problem}): the CPU computes now"))

    @property
    def _block(self) -> int:
        """Number of words between two looks at the commands, at full speed."""
        return self._stepper.block if isinstance(self._stepper, FallbackStepper) else cpu_block(self._network)

    def _recorded(self) -> RecordedReview | None:
        ring = self._ring
        if not ring.time:
            return None
        names = [*self._names, *([OUTPUTS] if OUTPUTS in self._widths else [])]
        values = {name: ring.read(name, ring.first, ring.time) for name in names}
        analysis = Analysis(self._window, self._scales, self._threshold)
        return recorded(self._network, self._review, self._ids, ring.first, values, analysis, self._pushes)

    def _deliver_recording(self) -> None:
        """Pass the run that ends to the recorder."""
        if self._on_recording is not None and (run := self._recorded()) is not None:
            self._on_recording(run)

    def _restart(self, time_read: int) -> None:
        if self._run:
            self._start()
            self._seek(time_read)

    def _go_back(self, target: int) -> None:
        """Go back to an earlier word, whose state and window of analyses are rows of the ring."""
        needed = 0 if self._whole is not None else max(0, target - self._window)
        if target == 0 or needed < self._ring.first:  # no longer stored: read it again
            playing = self._playing
            self._start()
            self._playing = playing
            return
        parts = [self._ring.read(part, target - 1, target)[0] for part in self._network.cell.state_parts]
        self._stepper.state = np.concatenate(parts)
        if self._whole is not None:
            self._whole.rewind(self._ring.read("h", 0, target))
        self._ring.rewind(target)
        for analysis in (self._sums, self._cells, self._activity):
            analysis.reset()
        recent = {name: self._ring.read(name, target - self._window, target) for name in self._names}
        self._analyse(recent)

    def _publish(self) -> None:
        self._outlet.publish(self._snapshot(), self._reviews)

    def _snapshot(self) -> Snapshot:
        self._published = time.perf_counter()
        while self._last_second and self._last_second[0][0] < self._published - 1:
            self._last_second.popleft()
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
            words_per_second=float(sum(count for _, count in self._last_second)),
            probability=float(probability[0, 0]) if len(probability) else float("nan"),
            alpha=dict(zip(names, alpha.tolist(), strict=True)),
            beta=dict(zip(names, (2 * alpha - 1).tolist(), strict=True)),
            r2=dict(zip(names, sums.r2.tolist(), strict=True)),
            reason=dict(zip(names, sums.reason.tolist(), strict=True)),
            watched=self._watched,
            cell_alpha=cells.alpha,
            cell_reason=cells.reason,
            activity=activity,
            dead=is_dead(activity, self._threshold) & (at >= self._window),
            threshold=self._threshold,
            window=self._window,
            scales=self._scales,
            clamps=self._clamps,
            pushes=self._pushes,
            device=self._device,
            device_problem=self._device_problem,
        )

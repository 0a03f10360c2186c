"""Test of the linear map at the nearest fixed point: the share of the following states' variance that it predicts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Core, Frame
from explorer.session.jobs import Job, JobRunner, Report

if TYPE_CHECKING:
    from engine.network import Network
    from explorer.session.views.point_map import PointMap

AHEAD: Final = (1, 5, 10)  # words
WINDOW: Final = 128  # words over which the map is tested
PERIOD: Final = 1.0  # seconds between two tests while reading

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The test at one word.

    Attributes
    ----------
    explained : tuple of float
        For each of ``AHEAD``: the share of the variance that the linear map at the nearest certified point explains
        that many words ahead, given the words as inputs. 1 is all, 0 is no better than the guess that nothing
        changes, NaN means too few words.
    words : int
        The number of latest words it was tested on.
    path : (k + 1, n)
        h at the word ``at``, and where the map takes it with the words that follow.
    at : int
        Index of the word.
    """

    explained: tuple[float, ...]
    words: int
    path: Floats
    at: int


class LinearPredictor:
    """Tests the linear maps of the points that are shown, in the worker process.

    Parameters
    ----------
    core : Core
    jobs : JobRunner
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, core: Core, jobs: JobRunner, clock: Callable[[], float] = time.monotonic) -> None:
        self._core = core
        self._jobs = jobs
        self._clock = clock
        self._lock = threading.Lock()
        self._requested: tuple[object, ...] = ()
        self._job: Job | None = None
        self._result: tuple[tuple[object, ...], Prediction] | None = None

    def request(self, points: PointMap, frame: Frame, point: int | None = None) -> None:
        """Start the test at the word looked at: once for a word while paused, once in ``PERIOD`` while reading.

        The map is that at a certified ``point``, or that at the point nearest to each state.
        """
        if points.found.points is None or not points.certified or frame.word < 0:
            return
        if frame.snapshot.network.backward:  # the state after a word does not lead to the next one
            return
        reading = frame.snapshot.playing and frame.following
        moment = ("reading", self._clock() // PERIOD) if reading else ("word", frame.word)
        request = (*_subject(points, frame, point), moment)
        if request == self._requested:
            return
        states = self._states(points, frame)
        if states is None:
            return
        with self._lock:
            if self._job is not None:
                self._jobs.cancel(self._job)
            self._requested, self._job = request, self._start(points, frame, states, point)

    def result(self, points: PointMap, frame: Frame, point: int | None = None) -> Prediction | None:
        """Return the newest test of these points, or of one of them, in this run.

        None until there is one: without a certified point, a word, or a complete state (a recording may lack c).
        """
        result = self._result
        return None if result is None or result[0] != _subject(points, frame, point) else result[1]

    def _states(self, points: PointMap, frame: Frame) -> NDArray[np.float32] | None:
        """Return the states of the latest words, (time, S); None if they are not stored."""
        first, last = max(0, frame.word + 1 - WINDOW), frame.word + 1
        parts = [self._core.read(part, first, last) for part in points.found.network.cell.state_parts]
        if any(part.shape != (last - first, points.size) for part in parts):
            return None
        return np.concatenate(parts, axis=1)

    def _start(self, points: PointMap, frame: Frame, states: NDArray[np.float32], point: int | None) -> Job:
        from engine.network import Network

        network, found = points.found.network, points.found.points
        assert found is not None, "checked by request"
        first = frame.word + 1 - len(states)
        ids = frame.snapshot.ids[first : frame.word + 1 + max(AHEAD)]
        x = network.embed(ids).cpu().numpy()
        subject, word = _subject(points, frame, point), frame.word
        chosen = slice(None) if point is None else slice(point, point + 1)

        def take(part: tuple[tuple[float, ...], Floats]) -> None:
            with self._lock:
                if self._requested[: len(subject)] == subject:
                    explained, path = part
                    self._result = subject, Prediction(explained, len(states), path[:, : points.size], word)

        def end(trouble: str) -> None:
            if trouble:
                self._core.note = f"the linear prediction failed: {trouble}"

        # Without the embedding, which would be most of what is sent.
        bare = Network(network.cell, network.readout_weight, network.readout_bias)
        return self._jobs.start(
            judge, bare, found.states[chosen], found.inputs[chosen], states, x, on_result=take, on_end=end
        )


def _subject(points: PointMap, frame: Frame, point: int | None) -> tuple[object, ...]:
    """Return the objects on which a test depends besides the word: the points, the run, the review."""
    return points, point, frame.snapshot.run, frame.snapshot.review


def judge(
    report: Report,
    network: Network,
    base: Floats,
    inputs: Floats,
    states: NDArray[np.float32],
    x: NDArray[np.float32],
) -> None:
    """Job: send the variance explained ``AHEAD`` words ahead, and the path from the last state, (k + 1, S).

    Parameters
    ----------
    base, inputs : (P, S), (P, inputs)
        The points, and the inputs they were found under.
    states : (time, S)
    x : (time + k, inputs)
        The inputs of these states and of the words that follow.
    """
    import torch

    from engine.linearised import LinearMaps, StatesAndInputs, predict_linearly

    maps = LinearMaps(network.cell, StatesAndInputs(base, inputs))
    past, embedded = torch.from_numpy(states), torch.from_numpy(x)
    farthest = max((k for k in AHEAD if len(past) > 2 * k), default=0)
    explained = np.full(max(AHEAD), np.nan)
    if farthest:
        result = predict_linearly(network.cell, maps, past[None], embedded[None, : len(past)], farthest)
        explained[:farthest] = result.explained
    path = torch.cat((past[-1:].double(), maps.run(past[-1:], embedded[None, len(past) :])[0].cpu()))
    report((tuple(explained[[k - 1 for k in AHEAD]].tolist()), path.numpy()))

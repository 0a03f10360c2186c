"""From a person's wishes to a running session, in a thread of its own, so that a face can draw meanwhile."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.session.saved_state import State, load_state, restore

if TYPE_CHECKING:
    from engine.live.stream import Stream
    from engine.reviews import Review
    from explorer.session.session import Session

DEFAULT_NETWORK = "lstm-32"
DEFAULT_SPEED = 8.0


@dataclass(frozen=True)
class LaunchOptions:
    """What the command line asked for; None leaves it to the last visit, or else to pinkx.

    ``review`` counts from 1; ``speed`` is in words a second, infinite for as fast as it goes; ``device`` is auto, cpu
    or cuda; ``replay`` is a recording that is played instead of anything else; ``keys`` is a file of keys. ``fresh``:
    nothing is taken from the last visit; ``keep``: this visit is kept for the next; ``apart``: the engine gets a
    process of its own, which no face can slow down.
    """

    network: str | None = None
    reviews: str | None = None
    review: int | None = None
    device: str = "auto"
    speed: float | None = None
    replay: Path | None = None
    keys: Path | None = None
    fresh: bool = False
    keep: bool = True
    apart: bool = False


class Opening:
    """Loads PyTorch, the network and the reviews, then starts the engine.

    A face looks at ``progress``, and at ``session`` or ``error`` once ``done``.
    """

    def __init__(self, wishes: LaunchOptions) -> None:
        self.wishes = wishes
        self.state = State() if wishes.fresh else load_state()
        self.progress = "starting"
        self.session: Session | None = None
        self.error: Exception | None = None
        self.began = time.monotonic()
        self._thread = threading.Thread(target=self._open, name="pinkx opening", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def done(self) -> bool:
        return self.session is not None or self.error is not None

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _open(self) -> None:
        try:
            session = self._opened()
            session.note = self.state.note
            restore(session, self.state)
            self.session = session
        except Exception as error:  # whatever it is, the face shows it
            self.error = error

    def _opened(self) -> Session:
        wishes = self._merged()
        if wishes.replay is not None:
            return self._replayed(wishes, wishes.replay)
        if not self.state.session:
            return self._read(wishes)
        try:
            return self._read(wishes)
        except (ValueError, OSError) as error:
            self.state = State(note=f"the last visit could not be continued: {error}")
            return self._read(self._merged())

    def _merged(self) -> LaunchOptions:
        """The wishes, and where they leave it open what the last visit had."""
        wishes, told = self.wishes, self.state.session
        network, reviews = wishes.network or told.get("network"), wishes.reviews or told.get("reviews")
        review = wishes.review
        if review is None:
            review = told.get("review", 0) + 1 if reviews == told.get("reviews") and wishes.replay is None else 1
        speed = wishes.speed if wishes.speed is not None else told.get("speed", DEFAULT_SPEED) or math.inf
        return replace(wishes, network=network, reviews=reviews, review=review, speed=speed)

    def _read(self, wishes: LaunchOptions) -> Session:
        from engine.catalogue import describe
        from engine.live.engine_process import EngineProcess
        from engine.reviews import open_reviews

        name = wishes.network or default_network()
        describe(name)  # a network that cannot be used is told at once, before the slow part
        engine = EngineProcess() if wishes.apart else None  # which loads PyTorch while this process does
        try:
            self.progress = "opening the reviews"
            reviews = open_reviews(wishes.reviews, progress=self._report)
            self.progress = "loading PyTorch"
            import torch

            torch.set_num_threads(1)  # one word is too little work to share, and a second thread would only spin
            device = chosen_device(wishes.device)
            self.progress = f"loading the network {name}"
            from engine.live.stream import Stream
            from engine.network import Network

            network = Network.load(name)
            self.progress = "compiling the kernels (only the first time)"
            stream = Stream(network, speed=_finite(wishes.speed), device=device, engine=engine)
        except BaseException:
            if engine is not None:
                engine.close()
            raise
        session = _begun(stream, reviews, wishes)
        session.origin = wishes.network, wishes.reviews
        return session

    def _replayed(self, wishes: LaunchOptions, path: Path) -> Session:
        if not path.is_file():  # told at once, before the slow part
            raise FileNotFoundError(f"no such recording: {str(path)!r}")
        self.progress = "loading PyTorch"
        from engine.live.replay import load_recording
        from engine.live.stream import Stream

        self.progress = f"opening the recording {path.name}"
        runs = load_recording(path)
        told = runs[0].analysis
        self.progress = "compiling the kernels (only the first time)"
        capacity = max(len(run.words) for run in runs)
        stream = Stream(
            runs[0].network,
            window=told.window,
            scales=told.scales,
            threshold=told.threshold,
            speed=_finite(wishes.speed),
            capacity=capacity,
        )
        return _begun(stream, runs, wishes)

    def _report(self, done: int, total: int) -> None:
        self.progress = f"opening the reviews  {done / total:.0%}" if total else "opening the reviews"


def _begun(stream: Stream, reviews: Sequence[Review], wishes: LaunchOptions) -> Session:
    from explorer.session.session import Session

    try:
        return Session(stream, reviews, (wishes.review or 1) - 1)
    except ValueError:
        stream.close()
        raise


def _finite(speed: float | None) -> float | None:
    """A speed as a stream takes it: None is as fast as it goes."""
    return None if speed is None or math.isinf(speed) else speed


def default_network() -> str:
    """The network a person meets first: mid-sized, so that every cell has a row; else the first shipped."""
    from engine.catalogue import NetworkError, shipped_networks

    names = [info.name for info in shipped_networks() if info.task == "sentiment"]
    if not names:
        raise NetworkError("no network is shipped with this copy: train one (pinkx train), then --network FILE")
    return DEFAULT_NETWORK if DEFAULT_NETWORK in names else names[0]


def chosen_device(wish: str) -> str:
    """The device for a wish. ``auto`` is the CPU: one review word by word keeps no accelerator busy.

    Raises
    ------
    ValueError
        If CUDA is asked for and PyTorch finds none.
    """
    import torch

    if wish == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"--device cuda: PyTorch {torch.__version__} finds no CUDA device here; "
            "use --device cpu, or install a CUDA build of PyTorch and its driver"
        )
    return "cpu" if wish == "auto" else wish

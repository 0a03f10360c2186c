"""From a person's wishes to a running session, in a thread of its own, so that a face can draw meanwhile."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.session.model import Session

DEFAULT_NETWORK = "lstm-32"
DEFAULT_SPEED = 8.0


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for. ``review`` counts from 1; ``device`` is auto, cpu or cuda; ``replay`` is a
    recording that is played instead of anything else."""

    network: str | None = None
    reviews: str | None = None
    review: int = 1
    device: str = "auto"
    speed: float | None = DEFAULT_SPEED
    replay: Path | None = None


class Opening:
    """Loads PyTorch, the network and the reviews, then starts the engine.

    A face looks at ``progress``, and at ``session`` or ``error`` once ``done``.
    """

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
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
            self.session = self._opened()
        except Exception as error:  # whatever it is, the face shows it
            self.error = error

    def _opened(self) -> Session:
        wishes = self.wishes
        if wishes.replay is not None:
            return self._replayed(wishes.replay)
        from engine.catalogue import describe
        from engine.reviews import open_reviews

        name = wishes.network or default_network()
        describe(name)  # a network that cannot be used is told at once, before the slow part
        self.progress = "opening the reviews"
        reviews = open_reviews(wishes.reviews, progress=self._report)
        self.progress = "loading PyTorch"
        import torch

        torch.set_num_threads(1)  # one word is too little work to share, and a second thread would only spin
        device = chosen_device(wishes.device)
        self.progress = f"loading the network {name}"
        from engine.network import Network
        from engine.stream import Stream
        from explorer.session.model import Session

        network = Network.load(name)
        self.progress = "compiling the kernels (only the first time)"
        stream = Stream(network, speed=wishes.speed, device=device)
        try:
            return Session(stream, reviews, wishes.review - 1)
        except ValueError:
            stream.close()
            raise

    def _replayed(self, path: Path) -> Session:
        if not path.is_file():  # told at once, before the slow part
            raise FileNotFoundError(f"no such recording: {str(path)!r}")
        self.progress = "loading PyTorch"
        from engine.replay import load_recording
        from engine.stream import Stream
        from explorer.session.model import Session

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
            speed=self.wishes.speed,
            capacity=capacity,
        )
        try:
            return Session(stream, runs, self.wishes.review - 1)
        except ValueError:
            stream.close()
            raise

    def _report(self, done: int, total: int) -> None:
        self.progress = f"opening the reviews  {done / total:.0%}" if total else "opening the reviews"


def default_network() -> str:
    """The network a person meets first: mid-sized, so that every cell has a row; else the first shipped."""
    from engine.catalogue import NetworkError, shipped

    names = [info.name for info in shipped() if info.task == "sentiment"]
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

"""Open a session from the command line's options, in a thread, so that a front end can draw meanwhile."""

from __future__ import annotations

import gc
import math
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.sources.options import DEFAULTS, ReadOptions
from explorer.session.layers import watched
from explorer.session.saved_state import State, absolute, captured, load_state, restore, restored_reading

if TYPE_CHECKING:
    from engine.live.stream import Stream
    from engine.network import Network
    from engine.reviews import Review
    from engine.sources.follow import FollowedFile
    from explorer.session.session import Session

DEFAULT_NETWORK = "lstm-32"
DEFAULT_SPEED = 8.0
WAIT = 0.2  # seconds between two looks at a followed file without reviews
LIMITS = 32, 5000  # words of a window


@dataclass(frozen=True)
class LaunchOptions:
    """The options of the command line. None means: as saved at the end of the last session, or else the default.

    Attributes
    ----------
    network, reviews : str or None
        Names or paths.
    review : int or None
        Counted from 1.
    device : str
        auto, cpu or cuda.
    speed : float or None
        Words per second; infinite for full speed.
    replay : Path or None
        A recording to play; then network and reviews are ignored.
    keys : Path or None
        A file of keys.
    fresh : bool
        Whether to ignore the saved state.
    save : bool
        Whether to save the state at the end.
    window : int or None
        Words behind the rolling exponent; with an open session that goes on, None keeps its window.
    scales : tuple of int or None
        Box lengths of DFA; None: `engine.fluctuation.rolling_scales` of a new window.
    engine_process : bool
        Whether the engine runs in a process of its own, which a front end cannot slow down. A picture needs none: it
        would load PyTorch twice.
    reading : ReadOptions
        How to read the reviews.
    follow : Path or None
        A file whose appended reviews are added while the session is open.
    targets : Path or None
        Targets of a signal in ``reviews``.
    layer, direction
        As `explorer.session.layers.watched` takes them.
    """

    network: str | None = None
    reviews: str | None = None
    review: int | None = None
    device: str = "auto"
    speed: float | None = None
    replay: Path | None = None
    keys: Path | None = None
    fresh: bool = False
    save: bool = True
    engine_process: bool = False
    window: int | None = None
    scales: tuple[int, ...] | None = None
    reading: ReadOptions = DEFAULTS
    follow: Path | None = None
    targets: Path | None = None
    layer: int | None = None
    direction: Literal["forward", "backward"] | None = None

    def for_picture(self) -> LaunchOptions:
        """Return the options of a session that is drawn once: nothing restored, nothing saved."""
        return replace(self, fresh=True, save=False, engine_process=False)


class Launcher:
    """Loads PyTorch, the network and the reviews, then starts the engine.

    Parameters
    ----------
    options : LaunchOptions
    before : Session, optional
        An open session that goes on with other reviews or another recording, or with a new engine. The new session has
        its choices, and its network and reviews where the options name none.
    state : State, optional
        The saved state of its front end, with ``before``.

    Attributes
    ----------
    progress : str
        What is being done.
    session : Session or None
    error : Exception or None
        Once ``done``, one of the two is set.
    state : State
        The saved state that the session continues.
    """

    def __init__(self, options: LaunchOptions, before: Session | None = None, state: State | None = None) -> None:
        self.options = options
        self._before = before
        if before is not None:
            self.state = captured(before, state or State())
        else:
            self.state = State() if options.fresh else load_state()
        self.progress = "starting"
        self.session: Session | None = None
        self.error: Exception | None = None
        self.began = time.monotonic()
        self._thread = threading.Thread(target=self._open, name="pinkx launcher", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def first_start(self) -> bool:
        """Whether the user has not seen the introduction, and it can be saved that it was seen."""
        return self.options.save and not self.options.fresh and not self.state.session.get("introduced", False)

    @property
    def done(self) -> bool:
        return self.session is not None or self.error is not None

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _open(self) -> None:
        gc.disable()  # a tenth of the time that PyTorch takes to load
        try:
            from explorer.session.moment import load_kernels

            session = self._launch()
            session.note = "; ".join(filter(None, (self.state.note, self._notice(session))))
            restore(session, self.state)
            self.session = session
            load_kernels()
        except Exception as error:  # the front end shows it
            self.error = error
        finally:
            if self._before is None:
                gc.freeze()  # modules stay loaded; traversing PyTorch's objects takes several frames
            gc.enable()

    def _notice(self, session: Session) -> str:
        """Return what the user should know about the reviews that were opened; "" if these were open before."""
        report = session.core.report
        again = self._before is not None and self.options.reviews is None
        return "" if report is None or again else report.notice()

    def _launch(self) -> Session:
        options = self._with_state()
        if options.replay is not None:
            return self._replay(options, options.replay)
        if self._before is not None and not self._before.replaying:
            return self._continue(self._before)
        try:
            return self._read(options)
        except (ValueError, OSError) as error:
            if not self.state.session:
                raise
            self.state = State(note=f"the last session could not be continued: {error}")
            return self._read(self._with_state())

    def _with_state(self) -> LaunchOptions:
        """Return the options, with the saved state in place of those not given."""
        options, saved = self.options, self.state.session
        network, reviews = options.network or saved.get("network"), options.reviews
        if options.follow is None:
            reviews = reviews or saved.get("reviews")
        if reviews and not options.reviews and {*map(_reads_words, (network, saved.get("network")))} == {True, False}:
            reviews = None  # those of the last session are for another kind of network
        review = options.review
        if review is None:
            review = saved.get("review", 0) + 1 if reviews == saved.get("reviews") and options.replay is None else 1
        speed = options.speed if options.speed is not None else saved.get("speed", DEFAULT_SPEED) or math.inf
        reading = options.reading
        if options.reviews is None and reading == DEFAULTS:
            reading = restored_reading(saved.get("reading", {}))
        return replace(options, network=network, reviews=reviews, review=review, speed=speed, reading=reading)

    def _read(self, options: LaunchOptions) -> Session:
        from engine.file_formats import check_network_file
        from engine.live.engine_process import EngineProcess

        name = options.network or default_network()
        check_network_file(name)  # reports an unusable network at once, before the slow part
        engine = EngineProcess() if options.engine_process else None  # it loads PyTorch while this process does
        try:
            reviews: Sequence[Review] | None = None
            followed: FollowedFile | None = None
            if _reads_words(name):  # reported at once if they cannot be read, before the slow part
                self.progress = "opening the reviews"
                reviews, followed = self._open_reviews(options)
            self.progress = "loading PyTorch"
            import torch

            torch.set_num_threads(1)  # one word is too little work for two threads
            device = chosen_device(options.device)
            self.progress = f"loading the network {name}"
            from engine.live.stream import Stream
            from engine.network import Network
            from engine.sequences import as_read

            network = self._at_layer(Network.load(name))
            if reviews is None and network.unit != "step":
                reviews, followed = self._open_reviews(options)
            elif reviews is None:
                if options.follow is not None:
                    raise ValueError(f"--follow adds reviews: {network.name} takes numbers, not words")
                reviews = self._inputs_for(network, options)
            if options.targets is not None and network.unit != "step":
                raise ValueError(f"--targets belongs to a signal of numbers: {network.name} reads {network.unit}s")
            if network.unit == "character" and options.follow is not None:
                raise ValueError(f"--follow adds reviews word by word: {network.name} reads characters")
            reviews = as_read(network, reviews)
            self.progress = "compiling the kernels (only the first time)"
            stream = Stream(network, speed=_finite(options.speed), device=device, engine=engine)
        except BaseException:
            if engine is not None:
                engine.close()
            raise
        session = _start(stream, reviews, options)
        session.origin, session.reading = (options.network, options.reviews), options.reading
        if followed is not None:
            session.following.start(followed)
        return session

    def _at_layer(self, network: Network) -> Network:
        """Return a network watched at the layer of the options, or else, if it is that of the last session, as there.

        Raises
        ------
        ValueError
            If it has no such layer or direction.
        """
        options, saved = self.options, self.state.session
        if options.layer is not None or options.direction is not None:
            return watched(network, options.layer, options.direction)
        if options.network is None or absolute(options.network) == saved.get("network"):
            with suppress(ValueError):  # the file has changed
                return watched(network, saved.get("layer"), saved.get("direction"))
        return network

    def _open_reviews(self, options: LaunchOptions) -> tuple[Sequence[Review], FollowedFile | None]:
        """Open the source and the file to follow, and wait until there is a review."""
        from engine.reviews import Reviews, SourceReport, open_reviews

        if options.follow is None:
            return open_reviews(options.reviews, progress=self._report, options=options.reading), None
        from engine.sources.follow import FollowedFile

        reviews = Reviews(SourceReport(source=str(options.follow)))
        if options.reviews is not None:
            reviews = open_reviews(options.reviews, progress=self._report, options=options.reading)
        followed = FollowedFile(options.follow, reviews, options.reading)
        self.progress = f"waiting for a review in {options.follow.name}"
        while followed.poll() or not len(reviews):
            if not len(reviews):
                time.sleep(WAIT)
        return reviews, followed

    def _inputs_for(self, network: Network, options: LaunchOptions) -> Sequence[Review]:
        """Open what a network reads: reviews, or sequences if it takes vectors."""
        from engine.reviews import open_reviews
        from engine.sequences import open_sequences

        if network.unit == "step":
            self.progress = "opening the sequences"
            return open_sequences(network, options.reviews, options.targets)
        self.progress = "opening the reviews"
        return open_reviews(options.reviews, progress=self._report, options=options.reading)

    def _continue(self, before: Session) -> Session:
        """Start a new engine with the network of an open session, and its reviews or others."""
        from engine.live.engine_process import EngineProcess
        from engine.live.stream import Stream
        from engine.sequences import as_read

        options, snapshot = self.options, before.stream.snapshot
        same = options.reviews is None
        reviews = before.reviews if same else self._inputs_for(snapshot.network, options)
        reviews = reviews if same else as_read(snapshot.network, reviews)
        self.progress = "starting the engine"
        stream = Stream(
            snapshot.network,
            window=options.window or snapshot.window,
            scales=snapshot.scales if options.window is None else options.scales,
            threshold=snapshot.threshold,
            speed=snapshot.speed,
            device=chosen_device(options.device),
            engine=EngineProcess() if options.engine_process else None,
        )
        session = _start(stream, reviews, replace(options, review=before.index + 1 if same else 1))
        session.origin = before.origin[0], before.origin[1] if same else options.reviews
        session.reading = before.reading if same else options.reading
        if snapshot.clamps:
            stream.clamp(snapshot.clamps)
        if same and snapshot.review is not reviews[before.index]:  # a typed one
            stream.open(snapshot.review)
        if same:
            stream.seek(snapshot.time)
        return session

    def _replay(self, options: LaunchOptions, path: Path) -> Session:
        if not path.exists():  # reported at once, before the slow part
            raise FileNotFoundError(f"no such recording: {str(path)!r}")
        self.progress = "loading PyTorch"
        from engine.live.replay import load_recording
        from engine.live.stream import Stream
        from engine.sequences import content_of

        self.progress = f"opening the recording {path.name}"
        if path.is_dir():
            from engine.live.zarr_replay import load_store

            runs = load_store(path)
        else:
            runs = load_recording(path)
        analysis = runs[0].analysis
        self.progress = "compiling the kernels (only the first time)"
        capacity = max(len(content_of(run)) for run in runs)
        stream = Stream(
            runs[0].network,
            window=analysis.window,
            scales=analysis.scales,
            threshold=analysis.threshold,
            speed=_finite(options.speed),
            capacity=capacity,
        )
        return _start(stream, runs, options)

    def _report(self, done: int, total: int) -> None:
        self.progress = f"opening the reviews  {done / total:.0%}" if total else "opening the reviews"


def _reads_words(name: str | None) -> bool | None:
    """Return whether a network reads words; None if the header of its file does not say. No name: the default one."""
    from engine.catalogue import NetworkError, describe

    try:
        return name is None or describe(name).reads_words
    except NetworkError:
        return None  # a file of another program


def _start(stream: Stream, reviews: Sequence[Review], options: LaunchOptions) -> Session:
    from explorer.session.session import Session

    try:
        return Session(stream, reviews, (options.review or 1) - 1, device=options.device)
    except ValueError:
        stream.close()
        raise


def _finite(speed: float | None) -> float | None:
    """Return a speed as `Stream` takes it: None is full speed."""
    return None if speed is None or math.isinf(speed) else speed


def parsed_window(text: str) -> tuple[int, tuple[int, ...] | None]:
    """Return a window and scales in words as the user writes them: ``128``, or ``128: 4 8 16 32``.

    Raises
    ------
    SessionError
        If the text is neither, or α cannot be computed with them.
    """
    from explorer.session.core import SessionError

    first, _, rest = text.partition(":")
    try:
        window, scales = int(first), tuple(sorted({int(part) for part in rest.replace(",", " ").split()}))
    except ValueError:
        raise SessionError(f"{text.strip()!r}: enter whole numbers of words, such as 128 or 128: 4 8 16 32") from None
    if not LIMITS[0] <= window <= LIMITS[1]:
        raise SessionError(f"a window has {LIMITS[0]} to {LIMITS[1]:,} words, not {window}")
    if scales and (len(scales) < 3 or scales[0] < 4 or scales[-1] > window // 2):
        raise SessionError(f"three scales or more are needed, from 4 to half the window, {window // 2} words")
    return window, scales or None


def default_network() -> str:
    """Return the network to start with: mid-sized, so that every cell has a row on the screen.

    Raises
    ------
    NetworkError
        If this installation has no network.
    """
    from engine.catalogue import NetworkError, shipped_networks

    names = [info.name for info in shipped_networks() if info.task == "sentiment"]
    if not names:
        raise NetworkError("this installation has no network: train one with `pinkx train`, then use --network FILE")
    return DEFAULT_NETWORK if DEFAULT_NETWORK in names else names[0]


def chosen_device(name: str) -> str:
    """Return the device of a live run for auto, cpu or cuda, by the rule of `engine.devices`.

    Raises
    ------
    ValueError
        If CUDA is asked for and PyTorch cannot use it.
    """
    from engine.devices import choose

    return choose(name, "live").device

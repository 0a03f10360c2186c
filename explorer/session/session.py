"""The session: one live run and the controllers that work on it, for front ends to drive and to draw."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from engine.sources.options import ReadOptions
from explorer.session.actions import Action, action
from explorer.session.availability import refusal
from explorer.session.controllers.ablation import AblationController
from explorer.session.controllers.ablation_accuracy import AblationAccuracy
from explorer.session.controllers.attribution import AttributionController
from explorer.session.controllers.branch_search import BranchSearch
from explorer.session.controllers.brush import BrushController
from explorer.session.controllers.comparison import ComparisonController
from explorer.session.controllers.contexts import ContextsController
from explorer.session.controllers.corpus import PORTION, CorpusController
from explorer.session.controllers.display import Display
from explorer.session.controllers.epochs import EpochsController
from explorer.session.controllers.fixed_points import FixedPointsController
from explorer.session.controllers.following import FollowController
from explorer.session.controllers.linear_prediction import LinearPredictor
from explorer.session.controllers.memory import MemoryController
from explorer.session.controllers.noise_band import NoiseBands
from explorer.session.controllers.pattern_search import PatternSearch
from explorer.session.controllers.playback import Playback
from explorer.session.controllers.point_search import PointSearch
from explorer.session.controllers.recorder import LIMIT, Recorder
from explorer.session.controllers.saturation import SaturationController
from explorer.session.controllers.steering import SteeringController
from explorer.session.controllers.surrogates import SurrogatesController
from explorer.session.controllers.text_diff import TextDiffController
from explorer.session.controllers.word_search import WordSearch
from explorer.session.core import Choices, Core, Frame, SessionError
from explorer.session.corpus_job import SentReviews
from explorer.session.jobs import JobRunner

if TYPE_CHECKING:
    from engine.live.stream import Stream
    from engine.reviews import Review


class Session:
    """A stream, the reviews it reads, and the controllers.

    Parameters
    ----------
    stream : Stream
        Already running; the session sends it commands and closes it.
    reviews : sequence of Review
    index : int
        The review to open first.
    jobs : JobRunner, optional
        Runs the background jobs; the session closes it.
    search : PointSearch, optional
        Searches for fixed points; by default with these jobs.
    clock : callable
        Monotonic seconds.
    portion : int
        Reviews of the corpus in one job.
    recording_limit : int
        Bytes at which a recording is written.
    device : {"auto", "cpu", "cuda"}
        Where the corpus is measured, by the rule of ``--device``.

    Attributes
    ----------
    origin : (network, reviews)
        As the user named them on the command line; None for the default.
    reading : ReadOptions
        How the reviews were read; saved with the state.
    introduced : bool
        Whether the user has seen the introduction of a first start; saved with the state.
    """

    def __init__(
        self,
        stream: Stream,
        reviews: Sequence[Review],
        index: int = 0,
        *,
        jobs: JobRunner | None = None,
        search: PointSearch | None = None,
        clock: Callable[[], float] = time.monotonic,
        portion: int = PORTION,
        recording_limit: int = LIMIT,
        device: str = "cpu",
    ) -> None:
        self.core = core = Core(stream, reviews, index, clock)
        self.origin: tuple[str | None, str | None] = (None, None)
        self.reading = ReadOptions()
        self.introduced = False
        self.jobs = jobs = jobs or JobRunner()
        self.playback = Playback(core)
        self.display = Display(core)
        self.recorder = Recorder(core, recording_limit)
        self.ablation = AblationController(core)
        self.brush = BrushController(core, self.playback)
        self.word_search = WordSearch(core, self.playback)
        self.pattern_search = PatternSearch(core, self.playback, self.brush, jobs)
        self.comparison = ComparisonController(core, jobs)
        self.text_diff = TextDiffController(core, self.playback, self.comparison, jobs)
        self.noise_bands = NoiseBands(core, jobs)
        sent = SentReviews(core)
        self.corpus = CorpusController(core, self.noise_bands, jobs, sent, portion, device)
        self.ablation_accuracy = AblationAccuracy(core, sent, jobs, device)
        self.fixed_points = FixedPointsController(
            core, self.ablation, search or PointSearch(jobs), LinearPredictor(core, jobs, clock)
        )
        self.branches = BranchSearch(core, self.ablation, self.fixed_points, jobs)
        self.memory = MemoryController(core, self.ablation, jobs)
        self.attribution = AttributionController(core, jobs)
        self.steering = SteeringController(core, self.brush, jobs)
        self.contexts = ContextsController(core, self.playback, jobs)
        self.epochs = EpochsController(core, self.playback, jobs, lambda: self.origin[0] or "")
        self.saturation = SaturationController(core, jobs)
        self.surrogates = SurrogatesController(core, jobs)
        self.following = FollowController(core, self.corpus)
        self._handlers = self._make_handlers()
        # What front ends use most, without the name of the controller.
        self.stream, self.reviews, self.read, self.key_of = core.stream, core.reviews, core.read, core.key_of
        self.play, self.look_at, self.jump_to = self.playback.play, self.playback.look_at, self.playback.jump_to
        self.open_review, self.open_text = self.playback.open_review, self.playback.open_text
        self.use_network = self.playback.use_network
        self.choose_signal, self.select = self.display.choose_signal, self.display.select

    # ---- state -----------------------------------------------------------------------------------------------

    @property
    def index(self) -> int:
        """Index of the review that was opened last from the source."""
        return self.core.index

    @property
    def choices(self) -> Choices:
        """The user's choices of what to show."""
        return self.core.choices

    @property
    def note(self) -> str:
        """The latest notice to the user; empty once the time to read it has passed."""
        return self.core.note

    @note.setter
    def note(self, note: str) -> None:
        self.core.note = note

    @property
    def actions(self) -> Sequence[Action]:
        """The table of actions with the keys in use."""
        return self.core.actions

    @actions.setter
    def actions(self, actions: Sequence[Action]) -> None:
        self.core.actions = actions

    @property
    def replaying(self) -> bool:
        """Whether a recording is played, so that there is no network to run."""
        return self.core.replaying

    @property
    def skipped(self) -> int:
        """The number of rows or files of the source that could not be read."""
        report = self.core.report
        return self.following.skipped + (report.skipped if report is not None else 0)

    # ---- what front ends draw --------------------------------------------------------------------------------

    def update(self) -> Frame:
        """Take in what has happened since the last call, and return the newest frame; front ends call this each tick.

        Clears choices that a new run made meaningless, and starts reading what is to be compared and attributing what
        the user asked for.
        """
        events = self.stream.events
        while not events.empty():
            event = events.get()
            if event.kind == "failed":
                self.note = event.message
                self.ablation.forget_request()
                self.steering.forget_request()
            elif event.kind == "device":
                self.note = event.message
        self.following.update()
        frame = self.display.update()
        self.brush.update(frame)
        self.comparison.update(frame)
        self.attribution.update(frame)
        self.ablation_accuracy.update(frame)
        return frame

    def frame(self) -> Frame:
        """Return the newest frame; has no effect."""
        return self.display.frame()

    # ---- actions ---------------------------------------------------------------------------------------------

    def perform(self, name: str) -> bool:
        """Perform an action of the table; return False if only a front end can.

        Raises
        ------
        SessionError
            If it cannot be done now.
        KeyError
            If there is no such action.
        """
        self.check_allowed(name)
        handler = self._handlers.get(action(name).id)
        if handler is None:
            return False
        self.note = ""
        handler()
        return True

    def check_allowed(self, name: str) -> None:
        """Check that an action can be done with the present network, or recording.

        Raises
        ------
        SessionError
            If it cannot.
        """
        if why := self.refusal(name):
            raise SessionError(why)

    def refusal(self, name: str) -> str:
        """Return why an action cannot be done with the present network, or recording; "" if it can."""
        return refusal(name, replaying=self.replaying, network=self.core.snapshot.network)

    def deselect(self) -> None:
        """Deselect the cell and the points, and clear the brush."""
        self.display.select(None)
        self.fixed_points.select(None)
        self.brush.clear()

    def _undo(self) -> None:
        """Undo the last change of the network: of its clamps, or of what is added to its state."""
        steered = self.steering.newest_change > self.ablation.newest_change
        (self.steering.undo_last if steered else self.ablation.undo_last)()

    def _restore(self) -> None:
        """Undo every ablation, clamp and addition to the state."""
        steered = self.steering.undo()
        if self.core.snapshot.clamps or not steered:
            self.ablation.undo()

    def close(self) -> None:
        """Write what is being recorded, then end the engine and all background work."""
        self.recorder.close()
        self.following.close()
        self.fixed_points.close()
        self.corpus.close()
        self.ablation_accuracy.close()
        self.jobs.close()
        self.stream.close()

    def _make_handlers(self) -> Mapping[str, Callable[[], None]]:
        """Return what each action of the table does; those missing here belong to the front ends."""
        playback, display, points = self.playback, self.display, self.fixed_points
        return {
            "play": playback.play,
            "step-back": playback.step_back,
            "step": playback.step,
            "page-back": playback.page_back,
            "page-on": playback.page_on,
            "start": playback.go_to_start,
            "live": playback.follow,
            "restart": playback.restart,
            "layer": playback.next_layer,
            "jump-back": playback.jump_back,
            "jump-forward": playback.jump_forward,
            "faster": playback.faster,
            "slower": playback.slower,
            "next-review": playback.next_review,
            "previous-review": playback.previous_review,
            "signal": display.next_signal,
            "signal-back": display.previous_signal,
            "select-down": display.select_down,
            "select-up": display.select_up,
            "pin": display.pin,
            "deselect": self.deselect,
            "order": display.next_order,
            "threshold-down": display.lower_threshold,
            "threshold-up": display.raise_threshold,
            "bins": display.next_bins,
            "colour-map": display.next_colour_map,
            "scaling": display.toggle_scaling,
            "attribution": self.attribution.next_method,
            "contrast": display.next_contrast,
            "brush": self.brush.brush,
            "next-place": self.brush.next_place,
            "ablate": self.ablation.ablate,
            "ablate-dead": self.ablation.ablate_dead,
            "accuracy-without": self.ablation_accuracy.toggle,
            "undo": self._undo,
            "undo-ablation": self._restore,
            "steer": self.steering.steer,
            "turn-left": points.turn_left,
            "turn-right": points.turn_right,
            "tilt-up": points.tilt_up,
            "tilt-down": points.tilt_down,
            "next-point": points.next_point,
            "previous-point": points.previous_point,
            "point-colour": points.next_colour,
            "find-points": points.find_points,
            "next-found": self.word_search.next_found,
            "previous-found": self.word_search.previous_found,
            "record": self.recorder.record,
            "export-run": self.recorder.export_run,
        }

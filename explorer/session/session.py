"""The session: what is watched and how it is looked at. Faces give it actions and draw its frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.session.actions import ACTIONS, Action, action, key_of
from explorer.session.controllers.ablation import AblationController
from explorer.session.controllers.brush import BrushController
from explorer.session.controllers.comparison import ComparisonController
from explorer.session.controllers.corpus import CorpusController
from explorer.session.controllers.fixed_points import FixedPointsController
from explorer.session.controllers.pattern_search import PatternSearch
from explorer.session.controllers.recorder import NEEDS_NETWORK, Recorder
from explorer.session.controllers.text_diff import TextDiffController
from explorer.session.controllers.word_search import WordSearch
from explorer.session.jobs import JobRunner
from explorer.session.palette import MAPS
from explorer.session.views.number_format import reading_speed

if TYPE_CHECKING:  # the engine's live rooms need torch, which a face loads behind its first frame
    from engine.live.stream import Snapshot, Stream
    from engine.reviews import Review

SPEEDS: tuple[float | None, ...] = (1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1000, None)
ORDERS = ("number", "activity", "α", "value", "weight", "saturation")
THRESHOLDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # of dead cells, those that keys go through
BINS = ("mean", "max")
CONTRASTS = ("each cell", "range", "bounds")
PAGE = 10

Status = Literal["LIVE", "PAUSED", "LOOKING", "END"]


class SessionError(ValueError):
    """Something a person asked for that cannot be done; the message says what to do instead."""


@dataclass(frozen=True)
class Choices:
    """How a person looks at the run. ``cursor`` is the word looked at, None follows the word being read."""

    cursor: int | None = None
    signal: str = "h"
    selected: int | None = None
    pins: tuple[int, ...] = ()
    order: str = "number"
    bins: str = "max"
    map: str = "cividis"
    contrast: str = "each cell"
    scaling: bool = False


@dataclass(frozen=True)
class Frame:
    """Everything a face needs for one picture; nothing in it changes afterwards.

    ``word`` is the index of the word looked at, −1 before the first is read; ``order`` (n,) lists the cells in the
    chosen order, pinned ones first.
    """

    snapshot: Snapshot
    choices: Choices
    word: int
    order: NDArray[np.intp]
    note: str

    @property
    def following(self) -> bool:
        return self.choices.cursor is None

    @property
    def status(self) -> Status:
        if not self.following:
            return "LOOKING"
        if self.snapshot.playing:
            return "LIVE"
        return "END" if self.snapshot.finished else "PAUSED"


class Session:
    """A stream, the reviews it walks through, and a person's choices.

    Parameters
    ----------
    stream : Stream
        Already running; the session gives it commands and closes it.
    reviews : sequence of Review
        What next and previous walk through.
    index : int
        The review to begin with.
    """

    def __init__(self, stream: Stream, reviews: Sequence[Review], index: int = 0) -> None:
        if not 0 <= index < len(reviews):
            raise SessionError(f"no review {index + 1}: the source has {len(reviews)}, counted from 1")
        self.stream = stream
        self.reviews = reviews
        self.index = index
        self.origin: tuple[str | None, str | None] = (None, None)  # network and reviews as a person named them
        self.actions: Sequence[Action] = ACTIONS  # a face with other keys gives its own table
        self.choices = Choices()
        self.worker = JobRunner()
        self.points = FixedPointsController(self)
        self.corpus = CorpusController(self)
        self.brush = BrushController(self)
        self.ablation = AblationController(self)
        self.comparison = ComparisonController(self)
        self.text_diff = TextDiffController(self)
        self.words = WordSearch(self)
        self.pattern_search = PatternSearch(self)
        self.recorder = Recorder(self)
        self.note = ""
        self._order: NDArray[np.intp] = np.arange(stream.snapshot.network.cell.size)
        self._ordered_for: tuple[object, ...] = ()
        self._run = -1
        self._review: Review | None = None
        stream.open(reviews, index)

    # ---- what faces draw -------------------------------------------------------------------------------------

    def frame(self) -> Frame:
        """The newest state of things."""
        snapshot = self.stream.snapshot
        self._heed_events()
        self._keep_valid(snapshot)
        last = snapshot.time - 1
        word = last if self.choices.cursor is None else min(self.choices.cursor, last)
        return Frame(snapshot, self.choices, word, self._cell_order(snapshot, word), self.note)

    def _heed_events(self) -> None:
        while not self.stream.events.empty():
            event = self.stream.events.get()
            if event.kind == "failed":
                self.note = event.message
                self.ablation.forget()

    def _keep_valid(self, snapshot: Snapshot) -> None:
        """Choices that a new run or network made meaningless are let go."""
        names, size = [signal.name for signal in snapshot.network.signals], snapshot.network.cell.size
        if snapshot.run != self._run:
            self._run = snapshot.run
            if snapshot.review is not self._review:  # the same words by another network, or with a gate held: stay
                self._choose(cursor=None)
            self._review = snapshot.review
        self.brush.keep_to(snapshot.review)
        if self.choices.signal not in names:
            self._choose(signal="h")
        if self.choices.selected is not None and self.choices.selected >= size:
            self._choose(selected=None)
        if any(pin >= size for pin in self.choices.pins):
            self._choose(pins=tuple(pin for pin in self.choices.pins if pin < size))

    def _cell_order(self, snapshot: Snapshot, word: int) -> NDArray[np.intp]:
        # Rows that change places at every word cannot be read: order anew once a window, or at rest.
        order, size = self.choices.order, snapshot.network.cell.size
        moment = snapshot.time // snapshot.window if snapshot.playing else -word
        wanted = (order, self.choices.pins, snapshot.run, size, order != "number" and moment)
        if wanted != self._ordered_for:
            self._ordered_for = wanted
            listed = np.argsort(-self._rank(snapshot, word), kind="stable")
            pins = np.array(self.choices.pins, dtype=np.intp)
            self._order = np.concatenate([pins, listed[~np.isin(listed, pins)]])
        return self._order

    def _rank(self, snapshot: Snapshot, word: int) -> NDArray[np.float64]:
        """What the cells are ordered by, highest first."""
        size, order = snapshot.network.cell.size, self.choices.order
        if order == "activity":
            return np.nan_to_num(snapshot.activity, nan=-1.0)
        if order == "α" and len(snapshot.cell_alpha) == size:
            return np.nan_to_num(snapshot.cell_alpha, nan=-9.0)
        if order == "weight":
            return np.abs(snapshot.network.readout_weight[0].cpu().numpy()).astype(float)
        if order == "saturation":
            from explorer.session.views.traces import saturation_of

            return np.nan_to_num(saturation_of(self, snapshot, self.choices.signal, word), nan=-1.0)
        values = self.read(self.choices.signal, word, word + 1) if order == "value" else np.empty((0, 0))
        if values.shape == (1, size):
            return values[0].astype(float)
        return np.zeros(size)

    def read(self, name: str, start: int, stop: int) -> NDArray[np.float32]:
        """Words of the present run, (time, cell), as far as they are kept.

        The engine may have changed to a network without that signal since a frame was made: that reads as nothing
        kept, and the next frame knows.
        """
        try:
            return self.stream.read(name, max(0, start), stop)
        except KeyError:
            return np.empty((0, 1), dtype=np.float32)

    # ---- actions ---------------------------------------------------------------------------------------------

    def perform(self, name: str) -> bool:
        """Do one action of the table; False if only a face can do it."""
        self.allow(name)
        does = action(name).method
        parts = (self, self.points, self.brush, self.ablation, self.words, self.recorder)
        named = (getattr(part, does, None) for part in parts)
        method = next((found for found in named if callable(found)), None)  # a part may hold a thing of that name
        if method is None:
            return False
        self.note = ""
        method()
        return True

    def allow(self, name: str) -> None:
        """SessionError for an action that needs the network where a recording is played."""
        if name in NEEDS_NETWORK and self.recorder.replaying:
            raise SessionError("this is a recording: there is no network that could do that")

    def key_of(self, *names: str) -> str:
        """The keys of these actions, for what is told."""
        return key_of(self.actions, *names)

    def play(self) -> None:
        snapshot = self.stream.snapshot
        if snapshot.playing:
            self.stream.pause()
            return
        if self.choices.cursor is not None:
            self.stream.seek(self.choices.cursor + 1)
            self._choose(cursor=None)
        self.stream.play()

    def step(self) -> None:
        self._move(1)

    def step_back(self) -> None:
        self._move(-1)

    def page_on(self) -> None:
        self._move(PAGE)

    def page_back(self) -> None:
        self._move(-PAGE)

    def start(self) -> None:
        self.look_at(0)

    def live(self) -> None:
        self._choose(cursor=None)

    def restart(self) -> None:
        self._choose(cursor=None)
        self.stream.seek(0)

    def faster(self) -> None:
        self._set_speed(1)

    def slower(self) -> None:
        self._set_speed(-1)

    def signal(self) -> None:
        self._turn_signal(1)

    def signal_back(self) -> None:
        self._turn_signal(-1)

    def select_down(self) -> None:
        self._turn_selected(1)

    def select_up(self) -> None:
        self._turn_selected(-1)

    def deselect(self) -> None:
        self._choose(selected=None)
        self.points.select(None)
        self.brush.clear()

    def pin(self) -> None:
        cell, pins = self.choices.selected, self.choices.pins
        if cell is None:
            keys = self.key_of("select-up", "select-down")
            raise SessionError(f"no cell is selected: choose one with {keys} or a click, then pin it")
        self._choose(pins=tuple(pin for pin in pins if pin != cell) if cell in pins else (*pins, cell))

    def order(self) -> None:
        self._choose(order=_after(ORDERS, self.choices.order))

    def threshold_up(self) -> None:
        present = self.stream.snapshot.threshold
        self._set_threshold(next((step for step in THRESHOLDS if step > present), THRESHOLDS[-1]))

    def threshold_down(self) -> None:
        present = self.stream.snapshot.threshold
        self._set_threshold(next((step for step in reversed(THRESHOLDS) if step < present), THRESHOLDS[0]))

    def bins(self) -> None:
        self._choose(bins=_after(BINS, self.choices.bins))

    def map(self) -> None:
        self._choose(map=_after(MAPS, self.choices.map))

    def contrast(self) -> None:
        self._choose(contrast=_after(CONTRASTS, self.choices.contrast))

    def scaling(self) -> None:
        self._choose(scaling=not self.choices.scaling)

    def next_review(self) -> None:
        self.open_review((self.index + 1) % len(self.reviews))

    def previous_review(self) -> None:
        self.open_review((self.index - 1) % len(self.reviews))

    # ---- what faces call with an argument ---------------------------------------------------------------------

    def open_review(self, index: int) -> None:
        """Open a review of the source, by its index."""
        self.index = index
        self._choose(cursor=None)
        self.stream.open(self.reviews, index)

    def open_at(self, index: int, word: int) -> None:
        """Open a review of the source at a word, and rest there."""
        self.stream.pause()
        if self.stream.snapshot.review is not self.reviews[index]:
            self.open_review(index)
            self.stream.seek(word + 1)
        else:
            self.look_at(word)

    def open_text(self, text: str, name: str = "typed") -> None:
        """Open a typed or pasted review under a name and read it.

        Raises
        ------
        SessionError
            If it has no word.
        """
        from engine.reviews import Review

        review = Review(name, text)
        if not review.words:
            raise SessionError("nothing to read: a review needs at least one word of letters a–z or digits")
        self.stream.open(review)
        self.stream.play()

    def use_network(self, name: str) -> None:
        """Let another network, given by name or path, read the present review; the stream loads it."""
        self.stream.use(name)

    def choose_signal(self, name: str) -> None:
        """Show a signal of the network by its name."""
        names = [signal.name for signal in self.stream.snapshot.network.signals]
        if name not in names:
            raise SessionError(f"no signal {name!r}; this network has {', '.join(names)}")
        self._choose(signal=name)
        self.stream.watch(name)

    def select(self, cell: int | None) -> None:
        """Select a cell by its number, or none."""
        self._choose(selected=cell)

    def threshold(self, deviation: float) -> None:
        """Call cells dead whose h deviates by less than this (standard deviation over the window)."""
        self.stream.threshold(max(0.0, deviation))

    def look_at(self, word: int) -> None:
        """Look at a word by its index; one that is not read yet is read to first."""
        snapshot = self.stream.snapshot
        self._run, self._review = snapshot.run, snapshot.review  # the place is one of this run
        word = max(0, min(word, snapshot.words - 1))
        if word >= snapshot.time:
            self._choose(cursor=None)
            self.stream.seek(word + 1)
        else:
            at_the_edge = word == snapshot.time - 1 and not snapshot.playing
            self._choose(cursor=None if at_the_edge else word)

    def jump_to(self, place: str) -> None:
        """Look at a word given as people write it: ``120`` (counted from 1) or ``50%``.

        Raises
        ------
        SessionError
            If that is no place.
        """
        words, text = self.stream.snapshot.words, place.strip()
        try:
            word = round(float(text[:-1]) / 100 * (words - 1)) if text.endswith("%") else int(text) - 1
        except (ValueError, OverflowError):
            raise SessionError(
                f"{place!r} is no place: give a word's number (1 to {words}) or per cent (50%)"
            ) from None
        if not 0 <= word < words:
            raise SessionError(f"there is no word {place}: this review has words 1 to {words}, or 0% to 100%")
        self.look_at(word)

    def close(self) -> None:
        """Write what is being recorded; end the engine thread and all work aside."""
        self.recorder.close()
        self.points.close()
        self.corpus.close()
        self.worker.close()
        self.stream.close()

    # ---- inside ----------------------------------------------------------------------------------------------

    def _choose(self, **changes: object) -> None:
        self.choices = replace(self.choices, **changes)  # type: ignore[arg-type]

    def _move(self, count: int) -> None:
        snapshot, cursor = self.stream.snapshot, self.choices.cursor
        at = snapshot.time - 1 if cursor is None else cursor
        if count > 0 and cursor is None and snapshot.playing:
            return  # nothing lies ahead of the word being read
        self.look_at(at + count)

    def _set_speed(self, change: int) -> None:
        speed = self.stream.snapshot.speed
        nearest = min(range(len(SPEEDS)), key=lambda k: abs((SPEEDS[k] or 1e9) - (speed or 1e9)))
        speed = SPEEDS[max(0, min(nearest + change, len(SPEEDS) - 1))]
        self.stream.speed(speed)
        self.note = f"speed: {reading_speed(speed)}"

    def _set_threshold(self, deviation: float) -> None:
        self.threshold(deviation)
        self.note = f"dead: cells whose h deviates by less than {deviation:g}"

    def _turn_signal(self, change: int) -> None:
        names = [signal.name for signal in self.stream.snapshot.network.signals]
        here = names.index(self.choices.signal) if self.choices.signal in names else 0
        self.choose_signal(names[(here + change) % len(names)])

    def _turn_selected(self, change: int) -> None:
        order = self._order.tolist()
        if self.choices.selected in order:
            place = (order.index(self.choices.selected) + change) % len(order)
        else:
            place = 0 if change > 0 else len(order) - 1
        self._choose(selected=order[place])


def _after(options: Sequence[str], present: str) -> str:
    return options[(options.index(present) + 1) % len(options)]

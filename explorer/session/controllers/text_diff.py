"""Two readings word by word: which words differ, the first output after each, and which cells moved.

For an edited text: before and after. For any comparison: the other reading and the present one.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.alignment import aligned
from explorer.session.controllers.comparison import ComparisonController, Request, same
from explorer.session.controllers.playback import Playback
from explorer.session.core import Core, Frame, SessionError
from explorer.session.jobs import Job, JobRunner, Report
from explorer.session.reading import Comparison, Reading, read_words
from explorer.session.views.number_format import cell_name, number
from explorer.session.views.outputs import POSITIVE, Output, output_line

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network
    from engine.sequences import Content

CELLS: Final = 8  # largest number of cells in the list of those that moved


@dataclass(frozen=True)
class WordPair:
    """A word of the other text and its counterpart in this one.

    A text without a counterpart has "" and NaN. ``output_before`` and ``output_after`` are the first output after the
    word; ``place`` is its index in this text, or that of the previous word if it is missing here.
    """

    before: str
    after: str
    output_before: float
    output_after: float
    place: int

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def difference(self) -> float:
        """The output in this text minus that in the other."""
        return self.output_after - self.output_before


@dataclass(frozen=True)
class MovedCell:
    """A cell and its mean |Δh| over the words that both texts have."""

    cell: int
    distance: float


@dataclass(frozen=True)
class WordByWord:
    """``pairs`` in reading order, and the ``cells`` that moved most; none if the networks differ.

    ``output`` names what the networks put out; differences lie between −``reach`` and ``reach``.
    """

    pairs: tuple[WordPair, ...]
    cells: tuple[MovedCell, ...]
    output: Output = POSITIVE

    @property
    def reach(self) -> float:
        known = [abs(pair.difference) for pair in self.pairs if pair.difference == pair.difference]
        return 1.0 if self.output.bounded else max(known, default=0.0) or 1.0

    def summary(self, name: str) -> str:
        """Return the count of words that differ from text ``name`` on the left, both final outputs, and moved cells."""
        before = next((pair.output_before for pair in reversed(self.pairs) if pair.before), math.nan)
        after = next((pair.output_after for pair in reversed(self.pairs) if pair.after), math.nan)
        changed = sum(pair.changed for pair in self.pairs)
        words = (
            f"left: {name}   {changed} of {len(self.pairs)} words differ   {output_line(self.output, before, after)}"
        )
        moved = "  ".join(f"{cell_name(cell.cell)} {number(cell.distance, 5)}" for cell in self.cells)
        return f"{words}\nlargest mean |Δh|: {moved}" if moved else words

    @property
    def first_change(self) -> int:
        """Index of the first pair whose words, or else whose outputs, differ; 0 if there is none."""
        changed = (k for k, pair in enumerate(self.pairs) if pair.changed)
        return next(changed, next((k for k, pair in enumerate(self.pairs) if abs(pair.difference) > 0.01), 0))


def word_by_word(before: Reading, after: Reading, same_network: bool = True) -> WordByWord:
    """Compare two readings pair by pair; outputs of different kinds are not compared."""
    pairs, place = [], 0
    numbers = aligned(before.words, after.words)
    old, new = (_as_text(reading.words) for reading in (before, after))
    for i, j in numbers:
        place = place if j is None else j
        pairs.append(
            WordPair(
                "" if i is None else old[i],
                "" if j is None else new[j],
                float("nan") if i is None or before.output_kind != after.output_kind else float(before.output[i]),
                float("nan") if j is None else float(after.output[j]),
                place,
            )
        )
    return WordByWord(tuple(pairs), _moved(before, after, numbers) if same_network else (), after.output_kind)


def _as_text(content: Content) -> Sequence[str]:
    from engine.sequences import steps_as_text

    return steps_as_text(content) if isinstance(content, np.ndarray) else content


def _moved(before: Reading, after: Reading, numbers: list[tuple[int | None, int | None]]) -> tuple[MovedCell, ...]:
    both = np.array([(i, j) for i, j in numbers if i is not None and j is not None], dtype=np.intp).reshape(-1, 2)
    if not len(both):
        return ()
    moved = np.abs(after.h[both[:, 1]] - before.h[both[:, 0]]).mean(axis=0, dtype=np.float64)
    most = np.argsort(-moved, kind="stable")[:CELLS].tolist()
    return tuple(MovedCell(cell, float(moved[cell])) for cell in most if moved[cell] > 0)


class TextDiffController:
    """Edits the present text, and compares two readings word by word in the worker process."""

    def __init__(self, core: Core, playback: Playback, comparison: ComparisonController, jobs: JobRunner) -> None:
        self._core = core
        self._playback = playback
        self._comparison = comparison
        self._jobs = jobs
        self._lock = threading.Lock()
        self._requested: Request = ()
        self._job: Job | None = None
        self._result: WordByWord | None = None

    @property
    def text(self) -> str:
        """The present text, without characters that a terminal must not be sent; the step looked at of a sequence."""
        from engine.sequences import InputSequence
        from engine.text import printable

        sequence, step = self._core.snapshot.review, max(0, self._core.word)
        if isinstance(sequence, InputSequence):
            return f"{step + 1}: {' '.join(f'{value:g}' for value in sequence.inputs[step].tolist())}"
        text = self._core.snapshot.review.text.replace("<br />", "\n")
        return "\n".join(map(printable, text.splitlines()))

    def require_comparison(self) -> None:
        """Check that something is compared.

        Raises
        ------
        SessionError
            If nothing is.
        """
        core = self._core
        if not self._comparison.name:
            network, review, text = (core.key_of(name) for name in ("compare", "compare-reviews", "edit"))
            ways = f"choose a network ({network}) or a review ({review}), or edit the text ({text})"
            raise SessionError(f"nothing is compared yet: {ways}")

    def edit(self, text: str) -> None:
        """Read an edited text, and compare it with the one before.

        Raises
        ------
        SessionError
            If the text has no word, or is no step of the sequence.
        """
        from engine.sequences import InputSequence, edited, task_of

        before = self._core.snapshot.review
        if isinstance(before, InputSequence):
            try:
                changed = edited(before, text, task_of(self._core.snapshot.network))
            except ValueError as error:
                raise SessionError(str(error)) from None
            self._playback.open_unlisted(changed)
        else:
            self._playback.open_text(text, f"{before.name.removesuffix(', edited')}, edited")
        self._comparison.compare_with(None)
        self._comparison.compare_review(before)

    def request(self, frame: Frame) -> None:
        """Start the comparison of this frame's review, unless it is done or in progress; a view calls this each tick.

        It starts once the other reading of the `ComparisonController` is complete.
        """
        other, snapshot = self._comparison.result(frame), frame.snapshot
        if other is None or same(_request(other, snapshot), self._requested):
            return
        with self._lock:
            if self._job is not None:
                self._jobs.cancel(self._job)
            self._requested, self._result = _request(other, snapshot), None
            self._job = self._start(self._requested, other, snapshot)

    def result(self, frame: Frame) -> WordByWord | None:
        """Return the comparison of this frame's review; None until it is complete."""
        other = self._comparison.result(frame)
        if other is None or not same(_request(other, frame.snapshot), self._requested):
            return None
        return self._result

    def _start(self, request: Request, other: Comparison, snapshot: Snapshot) -> Job:
        from engine.sequences import content_of

        def take(found: WordByWord) -> None:
            with self._lock:
                if self._requested is request:
                    self._result = found

        def end(trouble: str) -> None:
            if trouble:
                self._core.note = f"the texts could not be compared: {trouble}"

        return self._jobs.start(
            compare_reviews,
            snapshot.network,
            content_of(snapshot.review),
            snapshot.window,
            tuple(snapshot.scales),
            dict(snapshot.clamps),
            other.reading,
            other.same_network,
            on_result=take,
            on_end=end,
        )


def _request(other: Comparison, snapshot: Snapshot) -> Request:
    return other, snapshot.network, snapshot.review, snapshot.clamps


def compare_reviews(
    report: Report,
    network: Network,
    words: Content,
    window: int,
    scales: tuple[int, ...],
    clamps: Mapping[str, NDArray[np.float32]],
    other: Reading,
    same_network: bool,
) -> None:
    """Job: send the `WordByWord` of another reading and this one."""
    own = read_words(network, words, window, scales, clamps, lambda: report(None))
    if own is not None:
        report(word_by_word(other, own, same_network))

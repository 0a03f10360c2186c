"""Corpus statistics: every review of the source runs in the worker process while one is read live.

β of h and of x, the layer sums of the output and of the input, as in Figure 4 of Chong & Ling (2024); here over whole
reviews, by unbiased DFA from 10 words to a quarter of the review. Clamps apply to all reviews.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.session.controllers.noise_band import Band, NoiseBands
from explorer.session.core import Core, Frame
from explorer.session.corpus_job import MISSING, SIGNALS, Notice, Numbers, SentReviews, send_rows
from explorer.session.jobs import Job, JobRunner
from explorer.session.views.corpus_summary import CorpusSummary, summarise
from explorer.session.views.outputs import output_of

if TYPE_CHECKING:  # these modules need torch, which a front end loads after its first frame
    from engine.network import Network
    from engine.reviews import Review

ORDERS: Final = ("β of h", "β of x", "length", "confidence", "error")
RANGE: Final = (-1.0, 3.0)  # of β in the histograms: nearly all that DFA of order 1 can give; end bins count the rest
PORTION: Final = 256  # reviews in one job: some tenths of a second

Rows = NDArray[np.void]


@dataclass(frozen=True)
class Histogram:
    """β of one signal over the reviews measured so far.

    Attributes
    ----------
    signal : str
    edges : (bin + 1,)
    counts : (bin,)
    watched : int or None
        Bin of the review being read; None if it has no β or is not measured yet.
    beta : float
        Its β, or NaN.
    reason : str
        Why it has none.
    chosen : int or None
        Bin that the list is narrowed to.
    missing : int
        Measured reviews without an exponent.
    median : float
        Of those with one.
    """

    signal: str
    edges: NDArray[np.float64]
    counts: NDArray[np.intp]
    watched: int | None
    beta: float
    reason: str
    chosen: int | None
    missing: int
    median: float


@dataclass(frozen=True)
class Entry:
    """One line of the list. ``confidence`` is |2 P − 1|; ``error`` is |label − P|, NaN without a label. Both are
    NaN for an ``output`` that is not P(positive)."""

    index: int
    name: str
    words: int
    output: float
    label: bool | None
    beta: tuple[float, ...]
    reason: str
    confidence: float
    error: float
    watched: bool


class CorpusController:
    """Measurements of the reviews so far. They begin at the first `request`, and start again for another network.

    Parameters
    ----------
    core : Core
    noise : NoiseBands
    jobs : JobRunner
    sent : SentReviews
        What the worker process has.
    portion : int
        Reviews in one job, as long as their texts must be sent; later, one job measures all.
    device : {"auto", "cpu", "cuda"}
        Where to measure, by the rule of ``--device``.

    Attributes
    ----------
    order : str
        One of ``ORDERS``.
    falling : bool
        Whether the highest comes first.
    narrowed : (signal, low, high) or None
        The only values of β that are listed.
    trouble : str
        Why nothing is measured; "" without an error.
    notice : str
        What became of the GPU, if the CPU took over or its memory was too small for all reviews at once.
    """

    def __init__(
        self,
        core: Core,
        noise: NoiseBands,
        jobs: JobRunner,
        sent: SentReviews,
        portion: int = PORTION,
        device: str = "cpu",
    ) -> None:
        self.order = ORDERS[0]
        self.falling = True
        self.narrowed: tuple[str, float, float] | None = None
        self.trouble = self.notice = ""
        self._core = core
        self._noise = noise
        self._jobs = jobs
        self._sent = sent
        self._portion = portion
        self._device = device
        self._lock = threading.RLock()
        self._network: Network | None = None
        self._clamps: Mapping[str, Any] = {}
        self._job: Job | None = None
        self._measuring: Sequence[int] = ()  # the reviews of the job
        self._intact: tuple[Network, Rows, NDArray[np.intp]] | None = None  # measured without clamps
        self._summary: tuple[tuple[object, ...], CorpusSummary] | None = None
        self._closed = False
        self._listed: tuple[tuple[object, ...], NDArray[np.intp]] | None = None
        self._reset()

    def _reset(self) -> None:
        """Discard what is measured."""
        self._rows: Rows | None = None
        self._count = 0
        self._row_of = np.full(self.total, -1)
        # In random order, so that the part measured so far is a fair sample; seeded, so that it is always the same.
        self._waiting = np.random.default_rng(0).permutation(self.total).tolist()
        self._typed: tuple[Review, np.void | None] | None = None
        self.trouble = ""

    def grow(self) -> None:
        """Take in that the source has more reviews; they are measured after those that wait."""
        with self._lock:
            known, total = len(self._row_of), self.total
            self._row_of = np.append(self._row_of, np.full(total - known, -1))
            self._waiting[:0] = range(total - 1, known - 1, -1)
            if self._rows is not None:
                rows = np.empty(total, dtype=self._rows.dtype)
                rows[: self._count] = self._rows[: self._count]
                self._rows = rows
            if self._network is not None and self._job is None:
                self._start_next()

    # ---- what front ends draw --------------------------------------------------------------------------------

    def request(self, frame: Frame) -> None:
        """Measure the review being read, then the others; a view of the corpus calls this each tick.

        Starts anew if the network or its clamps have changed. Once the review being read is measured, also requests
        the band of noise of its length.
        """
        snapshot = frame.snapshot
        if self._core.replaying:
            self.trouble = "a recording has no network that could read other reviews"
            return
        with self._lock:
            if not self._is_of(frame):
                self._end_job()
                self._store_intact()
                self._network, self._clamps = snapshot.network, snapshot.clamps
                self._reset()
                self._restore_intact()
            index = self._index(frame)
            if index is None and snapshot.words and (self._typed is None or self._typed[0] is not snapshot.review):
                self._typed = snapshot.review, None
            elif index is not None and self._row_of[index] < 0 and self._waiting and self._waiting[-1] != index:
                self._waiting.append(index)  # it may wait twice now; measured reviews are skipped
                if len(self._measuring) > self._portion and index not in self._measuring[: self._portion]:
                    self._end_job()
            if self._job is None:
                self._start_next()
        if words := self._band_length(frame):
            self._noise.request(words)

    @property
    def total(self) -> int:
        """The number of reviews in the source."""
        return len(self._core.reviews)

    def rows(self, frame: Frame) -> Rows:
        """Return what is measured so far, in the order it was.

        The fields are those of `engine.beta.measure_reviews`; ``review`` is the index in the source.
        """
        return _NOTHING if self._rows is None or not self._is_of(frame) else self._rows[: self._count]

    def histogram(self, frame: Frame, signal: str, bins: int) -> Histogram:
        """Return β of a signal in ``bins`` bins over ``RANGE``."""
        rows, watched = self.rows(frame), self.watched(frame)
        column = SIGNALS.index(signal)
        values = rows["beta"][:, column]
        finite = values[np.isfinite(values)]
        edges = np.linspace(*RANGE, bins + 1)
        beta = np.nan if watched is None else float(watched["beta"][column])
        chosen = self.narrowed
        return Histogram(
            signal,
            edges,
            np.bincount(_bins(finite, edges), minlength=bins),
            None if np.isnan(beta) else int(_bins(beta, edges)),
            beta,
            "" if watched is None else str(watched["reason"][column]),
            int(_bins(sum(chosen[1:]) / 2, edges)) if chosen and chosen[0] == signal else None,
            len(values) - len(finite),
            float(np.median(finite)) if len(finite) else np.nan,
        )

    def watched(self, frame: Frame) -> np.void | None:
        """Return the row of the review being read, which may be a typed one; None until it is measured."""
        if not self._is_of(frame):
            return None
        index = self._index(frame)
        if index is None:
            return self._typed[1] if self._typed is not None and self._typed[0] is frame.snapshot.review else None
        row = int(self._row_of[index])
        return None if row < 0 or self._rows is None else self._rows[row]

    def summary(self, frame: Frame) -> CorpusSummary:
        """Return accuracy and dead cells over the reviews measured so far."""
        rows, threshold = self.rows(frame), frame.snapshot.threshold
        key = (len(rows), self._network, id(self._clamps), threshold)
        if self._summary is None or self._summary[0] != key:
            before = None
            if self._clamps and self._intact is not None and self._intact[0] is self._network:
                before = self._intact[1:]
            positive = self._network is not None and output_of(self._network).positive
            self._summary = key, summarise(rows, threshold, before, positive=positive)
        return self._summary[1]

    def listed(self, frame: Frame) -> NDArray[np.intp]:
        """Return the rows that the list shows, in its order; those without a value come last."""
        rows = self.rows(frame)
        key = (len(rows), self._network, id(self._clamps), self.order, self.falling, self.narrowed)
        if self._listed is None or self._listed[0] != key:
            values = self._values(rows, self.order)
            order = np.argsort(-values if self.falling else values, kind="stable")  # NaN sorts last both ways
            if self.narrowed is not None:
                signal, low, high = self.narrowed
                beta = rows["beta"][order, SIGNALS.index(signal)].clip(*RANGE)
                order = order[(low <= beta) & ((beta < high) | (high >= RANGE[1]))]
            self._listed = key, order
        return self._listed[1]

    def entry(self, frame: Frame, row: int) -> Entry:
        """Return one row as a line of the list."""
        found = self.rows(frame)[row]
        index = int(found["review"])
        review = self._core.reviews[index]
        return Entry(
            index,
            review.name,
            int(found["words"]),
            float(found["probability"]),
            review.label,
            tuple(found["beta"].tolist()),
            next(filter(None, found["reason"].tolist()), ""),
            float(self._values(found, "confidence")),
            float(self._values(found, "error")),
            index == self._index(frame),
        )

    def _values(self, rows: Any, order: str) -> NDArray[np.float64]:
        """Return what rows are ordered by."""
        if order.startswith("β"):
            return rows["beta"][..., SIGNALS.index(order[-1])]
        if order == "length":
            return rows["words"].astype(np.float64)
        probability = rows["probability"]
        if self._network is not None and not output_of(self._network).positive:
            probability = np.full_like(probability, np.nan)
        if order == "confidence":
            return np.abs(2 * probability - 1)
        return np.where(rows["label"] < 0, np.nan, np.abs(rows["label"] - probability))

    def scatter(self, frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return β of x and of h, (review, 2), and the indices of the reviews that have both."""
        rows = self.rows(frame)
        beta = rows["beta"][:, [SIGNALS.index("x"), SIGNALS.index("h")]]
        both = np.isfinite(beta).all(axis=1)
        return beta[both], rows["review"][both].astype(np.intp)

    def band(self, frame: Frame) -> Band | None:
        """Return β of exact noise as long as the review being read; None until it is computed."""
        words = self._band_length(frame)
        band = self._noise.result(words) if words else None
        if band is None:
            return None
        white, pink = ((2 * low - 1, 2 * high - 1) for low, high in (band.white, band.pink))
        return Band(white, pink)

    # ---- what front ends call --------------------------------------------------------------------------------

    def next_order(self) -> None:
        """List by the next of ``ORDERS``."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]

    def turn_order(self) -> None:
        """Reverse the order."""
        self.falling = not self.falling

    def narrow(self, signal: str, low: float, high: float) -> None:
        """List only the reviews whose β lies in a bin."""
        self.narrowed = signal, low, high

    def widen(self) -> None:
        """List all reviews again."""
        self.narrowed = None

    def close(self) -> None:
        """Stop measuring."""
        with self._lock:
            self._closed = True
            self._end_job()

    # ---- internals -------------------------------------------------------------------------------------------

    def _is_of(self, frame: Frame) -> bool:
        """Return whether the rows belong to the network and the clamps of this frame."""
        return frame.snapshot.network is self._network and frame.snapshot.clamps is self._clamps

    def _index(self, frame: Frame) -> int | None:
        """Return the index in the source of the review being read, None for a typed one."""
        snapshot, reviews = frame.snapshot, self._core.reviews
        own = snapshot.index < len(reviews) and reviews[snapshot.index] is snapshot.review
        return snapshot.index if own else None

    def _band_length(self, frame: Frame) -> int | None:
        """Return the number of words of the review being read; None if it has no β or is not measured yet."""
        watched = self.watched(frame)
        return None if watched is None or (watched["reason"] == "too short").any() else int(watched["words"])

    def _end_job(self) -> None:
        """Cancel the job; what it has not measured waits again, behind what was added since."""
        if self._job is not None:
            self._jobs.cancel(self._job)
            self._job = None
            left = [index for index in reversed(self._measuring) if index >= 0 and self._row_of[index] < 0]
            newest, self._waiting = self._waiting[-1:], self._waiting[:-1]
            self._waiting += left + newest

    def _store_intact(self) -> None:
        """Keep what is measured without clamps, to compare with."""
        if self._network is not None and not self._clamps and self._rows is not None:
            self._intact = self._network, self._rows[: self._count].copy(), self._row_of.copy()

    def _restore_intact(self) -> None:
        """Return to what was measured before the clamps that are undone now."""
        if self._clamps or self._intact is None or self._intact[0] is not self._network:
            return
        _, rows, row_of = self._intact
        if len(row_of) == self.total and len(rows):
            self._rows = np.empty(self.total, dtype=rows.dtype)
            self._count, self._row_of = len(rows), row_of.copy()
            self._rows[: self._count] = rows

    def _start_next(self) -> None:
        """Start the next job, if there is anything left: the typed review, or a portion of those that wait."""
        if self._closed or self.trouble or self._network is None:
            return
        if self._typed is not None and self._typed[1] is None:
            self._start([-1], [self._typed[0]], Numbers(0, (-1,)))
            return
        most = self._portion if self._count else self._portion // 16  # the first is small: it is shown at once
        if self._waiting and self._sent.has(self._network, self._waiting):
            most = len(self._waiting)
        indices: dict[int, None] = {}
        while self._waiting and len(indices) < most:
            index = self._waiting.pop()
            if self._row_of[index] < 0:
                indices[index] = None
        if indices:
            self._start([*indices], *self._sent.take(self._network, [*indices]))

    def _start(self, indices: Sequence[int], reviews: Sequence[Review | None], numbers: Numbers) -> None:
        job: Job
        self._measuring = indices

        def take(found: Rows | Notice) -> None:
            with self._lock:
                if isinstance(found, Notice):
                    self.notice = str(found)
                elif job is self._job:
                    self._take(found, indices, reviews)

        def end(trouble: str) -> None:
            with self._lock:
                if job is self._job:
                    if trouble:
                        self._sent.forget()
                    if trouble == MISSING:
                        self._end_job()
                    elif trouble:
                        self.trouble = f"measuring failed: {trouble}"
                    self._job = None
                    self._start_next()

        job = self._job = self._jobs.start(
            send_rows, self._network, dict(self._clamps), reviews, numbers, self._device, on_result=take, on_end=end
        )

    def _take(self, rows: Rows, indices: Sequence[int], reviews: Sequence[Review | None]) -> None:
        rows["review"] = np.array(indices)[rows["review"]]
        if indices[0] < 0:
            if self._typed is not None and self._typed[0] is reviews[0]:
                self._typed = self._typed[0], rows[0]
            return
        if self._rows is None:
            self._rows = np.empty(self.total, dtype=rows.dtype)
        self._rows[self._count : self._count + len(rows)] = rows
        self._row_of[rows["review"]] = self._count + np.arange(len(rows))
        self._count += len(rows)


def _bins(values: ArrayLike, edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bin of each value; the end bins take those beyond the range."""
    return np.asarray(np.searchsorted(edges, values, side="right") - 1).clip(0, len(edges) - 2)


_NOTHING: Rows = np.empty(
    0,
    dtype=[
        ("review", np.int32),
        ("words", np.int32),
        ("probability", np.float64),
        ("label", np.int8),
        ("deviation", np.float32, (1,)),
        *((name, np.float64, (len(SIGNALS),)) for name in ("beta", "beta_stderr", "r2")),
        ("reason", "U16", (len(SIGNALS),)),
    ],
)

"""The population: every review of the source runs in the process aside while one is watched.

β of h and of x, the layer sums of the memory's output and of the input, as in Figure 4 of Chong & Ling (2024); here of
whole reviews, by unbiased DFA from 10 words to a quarter of the review. What is silenced or held is so in all reviews.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.session.controllers.noise_band import Band
from explorer.session.jobs import Job, Report

if TYPE_CHECKING:  # these need torch, which a face loads behind its first frame
    from engine.network import Network
    from engine.reviews import Review
    from explorer.session.session import Frame, Session

SIGNALS = ("h", "x")
ORDERS = ("β of h", "β of x", "length", "confidence", "error")
RANGE = (-1.0, 3.0)  # of β in the histograms: nearly all that DFA of order 1 can give; the rest counts at the ends
PORTION = 256  # reviews that are given away together: some tenths of a second

Rows = NDArray[np.void]


@dataclass(frozen=True)
class Histogram:
    """β of one signal over the reviews measured so far.

    ``edges`` (bin + 1,) and ``counts`` (bin,); ``watched`` is the bin of the watched review and ``beta`` its β, NaN
    while it is not measured and where there is none, for which ``reason`` then says why; ``chosen`` is the bin that the
    list is narrowed to. ``missing`` reviews have no exponent; ``median`` is of those that have.
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
    """One line of the list. ``confidence`` is |2 P − 1|, ``error`` |label − P|, NaN without a label."""

    index: int
    name: str
    words: int
    probability: float
    label: bool | None
    beta: tuple[float, ...]
    reason: str
    confidence: float
    error: float
    watched: bool


class CorpusController:
    """What is known of the reviews so far. Measuring begins when a view first asks, and anew with another network.

    ``order`` is one of ``ORDERS``, ``falling`` whether the highest comes first, ``narrowed`` (signal, low, high) the
    only values that are listed.
    """

    def __init__(self, session: Session) -> None:
        self.order = ORDERS[0]
        self.falling = True
        self.narrowed: tuple[str, float, float] | None = None
        self.trouble = ""
        self._session = session
        self._lock = threading.RLock()
        self._network: Network | None = None
        self._clamps: Mapping[str, Any] = {}
        self._job: Job | None = None
        self._closed = False
        self._listed: tuple[tuple[object, ...], NDArray[np.intp]] | None = None
        self._bands: dict[int, Band] = {}
        self._calibrating = False
        self._forget()

    def _forget(self) -> None:
        """Nothing is measured yet."""
        total = len(self._session.reviews)
        self._rows: Rows | None = None
        self._count = 0
        self._row_of = np.full(total, -1)
        # In random order, so that what is there is a fair sample at any time; the same one every time.
        self._waiting = np.random.default_rng(0).permutation(total).tolist()
        self._typed: tuple[Review, np.void | None] | None = None
        self.trouble = ""

    # ---- what faces draw -------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """How many reviews the source has."""
        return len(self._session.reviews)

    def rows(self, frame: Frame) -> Rows:
        """What is measured so far, in the order it was: see `engine.beta.measure_reviews`; ``review`` is the index."""
        self._go_on(frame)
        return _NOTHING if self._rows is None else self._rows[: self._count]

    def histogram(self, frame: Frame, signal: str, bins: int) -> Histogram:
        """β of a signal in ``bins`` bins over ``RANGE``."""
        rows, watched = self.rows(frame), self.watched(frame)
        column = SIGNALS.index(signal)
        values = rows["beta"][:, column]
        there = values[np.isfinite(values)]
        edges = np.linspace(*RANGE, bins + 1)
        beta = np.nan if watched is None else float(watched["beta"][column])
        chosen = self.narrowed
        return Histogram(
            signal,
            edges,
            np.bincount(_bins(there, edges), minlength=bins),
            None if np.isnan(beta) else int(_bins(beta, edges)),
            beta,
            "" if watched is None else str(watched["reason"][column]),
            int(_bins(sum(chosen[1:]) / 2, edges)) if chosen and chosen[0] == signal else None,
            len(values) - len(there),
            float(np.median(there)) if len(there) else np.nan,
        )

    def watched(self, frame: Frame) -> np.void | None:
        """The row of the watched review, which may be a typed one; None until it is measured."""
        self._go_on(frame)
        index = self._index(frame)
        if index is None:
            return self._typed[1] if self._typed is not None and self._typed[0] is frame.snapshot.review else None
        row = int(self._row_of[index])
        return None if row < 0 or self._rows is None else self._rows[row]

    def listed(self, frame: Frame) -> NDArray[np.intp]:
        """Which rows the list shows, in its order; those without a value come last."""
        rows = self.rows(frame)
        key = (len(rows), self._network, id(self._clamps), self.order, self.falling, self.narrowed)
        if self._listed is None or self._listed[0] != key:
            values = _values(rows, self.order)
            order = np.argsort(-values if self.falling else values, kind="stable")  # NaN sorts last both ways
            if self.narrowed is not None:
                signal, low, high = self.narrowed
                beta = rows["beta"][order, SIGNALS.index(signal)].clip(*RANGE)
                order = order[(low <= beta) & ((beta < high) | (high >= RANGE[1]))]
            self._listed = key, order
        return self._listed[1]

    def entry(self, frame: Frame, row: int) -> Entry:
        """One row as a person reads it."""
        found, index = self.rows(frame)[row], int(self.rows(frame)[row]["review"])
        review = self._session.reviews[index]
        return Entry(
            index,
            review.name,
            int(found["words"]),
            float(found["probability"]),
            review.label,
            tuple(found["beta"].tolist()),
            next(filter(None, found["reason"].tolist()), ""),
            float(_values(found, "confidence")),
            float(_values(found, "error")),
            index == self._index(frame),
        )

    def scatter(self, frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """β of x and of h, (review, 2), and the indices of the reviews, for those that have both."""
        rows = self.rows(frame)
        beta = rows["beta"][:, [SIGNALS.index("x"), SIGNALS.index("h")]]
        both = np.isfinite(beta).all(axis=1)
        return beta[both], rows["review"][both].astype(np.intp)

    def band(self, frame: Frame) -> Band | None:
        """β of exact noise, white and pink, as long as the watched review; None until it is known."""
        watched = self.watched(frame)
        if watched is None or (watched["reason"] == "too short").any():
            return None
        words = int(watched["words"])
        if words not in self._bands and not self._calibrating and not self._closed:
            self._calibrating = True
            self._session.worker.start(
                band_of,
                words,
                on_result=lambda band: self._bands.update({words: band}),
                on_end=lambda _: setattr(self, "_calibrating", False),
            )
        return self._bands.get(words)

    # ---- what faces call ---------------------------------------------------------------------------------------

    def next_order(self) -> None:
        """List by the next of ``ORDERS``."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]

    def turn_order(self) -> None:
        """Lowest first, or highest first again."""
        self.falling = not self.falling

    def narrow(self, signal: str, low: float, high: float) -> None:
        """List only the reviews whose β lies in a bin."""
        self.narrowed = signal, low, high

    def widen(self) -> None:
        """List all again."""
        self.narrowed = None

    def close(self) -> None:
        """Measure no more."""
        with self._lock:
            self._closed = True
            self._end_job()

    # ---- inside ----------------------------------------------------------------------------------------------

    def _index(self, frame: Frame) -> int | None:
        """The watched review's place in the source, None for a typed one."""
        snapshot, reviews = frame.snapshot, self._session.reviews
        own = snapshot.index < len(reviews) and reviews[snapshot.index] is snapshot.review
        return snapshot.index if own else None

    def _go_on(self, frame: Frame) -> None:
        """Measure the watched review next, and then the others; anew if the network is another or is held anew."""
        snapshot = frame.snapshot
        if self._session.recorder.replaying:
            self.trouble = "a recording has no network that could read other reviews"
            return
        with self._lock:
            if snapshot.network is not self._network or snapshot.clamps is not self._clamps:
                self._end_job()
                self._network, self._clamps = snapshot.network, snapshot.clamps
                self._forget()
            index = self._index(frame)
            if index is None and snapshot.words and (self._typed is None or self._typed[0] is not snapshot.review):
                self._typed = snapshot.review, None
            elif index is not None and self._row_of[index] < 0 and self._waiting and self._waiting[-1] != index:
                self._waiting.append(index)  # once more where it was already; what is measured is passed over
            if self._job is None:
                self._give_away()

    def _end_job(self) -> None:
        if self._job is not None:
            self._session.worker.cancel(self._job)
            self._job = None

    def _give_away(self) -> None:
        """The next portion, if there is one: the typed review, or some that wait."""
        if self._closed or self.trouble or self._network is None:
            return
        if self._typed is not None and self._typed[1] is None:
            self._start([-1], [self._typed[0]])
            return
        indices: list[int] = []
        # The first ones alone, so that something is seen at once.
        while self._waiting and len(indices) < (PORTION if self._count else PORTION // 16):
            index = self._waiting.pop()
            if self._row_of[index] < 0 and index not in indices:
                indices.append(index)
        if indices:
            self._start(indices, [self._session.reviews[index] for index in indices])

    def _start(self, indices: Sequence[int], reviews: Sequence[Review]) -> None:
        job: Job

        def heed(rows: Rows) -> None:
            with self._lock:
                if job is self._job:
                    self._take(rows, indices, reviews)

        def end(trouble: str) -> None:
            with self._lock:
                if job is self._job:
                    self._job = None
                    self.trouble = f"measuring failed: {trouble}" if trouble else ""
                    self._give_away()

        job = self._job = self._session.worker.start(
            measured, self._network, dict(self._clamps), reviews, on_result=heed, on_end=end
        )

    def _take(self, rows: Rows, indices: Sequence[int], reviews: Sequence[Review]) -> None:
        places = rows["review"].copy()
        rows["review"] = [indices[place] for place in places]
        if indices[0] < 0:
            if self._typed is not None and self._typed[0] is reviews[0]:
                self._typed = reviews[0], rows[0]
            return
        if self._rows is None:
            self._rows = np.empty(self.total, dtype=rows.dtype)
        self._rows[self._count : self._count + len(rows)] = rows
        self._row_of[rows["review"]] = self._count + np.arange(len(rows))
        self._count += len(rows)


def _bins(values: ArrayLike, edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """The bin of each value; those beyond the range count at its ends."""
    return np.asarray(np.searchsorted(edges, values, side="right") - 1).clip(0, len(edges) - 2)


def _values(rows: Any, order: str) -> NDArray[np.float64]:
    """What rows are ordered by."""
    if order.startswith("β"):
        return rows["beta"][..., SIGNALS.index(order[-1])]
    if order == "length":
        return rows["words"].astype(np.float64)
    probability = rows["probability"]
    if order == "confidence":
        return np.abs(2 * probability - 1)
    return np.where(rows["label"] < 0, np.nan, np.abs(rows["label"] - probability))


_NOTHING: Rows = np.empty(
    0,
    dtype=[
        ("review", np.int32),
        ("words", np.int32),
        ("probability", np.float64),
        ("label", np.int8),
        *((name, np.float64, (len(SIGNALS),)) for name in ("beta", "beta_stderr", "r2")),
        ("reason", "U10", (len(SIGNALS),)),
    ],
)


# ---- in the process aside ----------------------------------------------------------------------------------------


def measured(report: Report, network: Network, clamps: Mapping[str, Any], reviews: Sequence[Review]) -> None:
    """Tell the rows of these reviews, batch by batch."""
    from engine.beta import measure_reviews

    for rows in measure_reviews(network, reviews, SIGNALS, clamp=clamps):
        if not report(rows):
            return


def band_of(report: Report, words: int) -> None:
    """Tell β of exact noise of so many words, at the scales of a review as long."""
    from engine.fluctuation import default_scales
    from engine.null import null_exponents

    white, pink = (null_exponents(beta, words, default_scales(words)) for beta in (0.0, 1.0))
    report(Band((2 * white.low - 1, 2 * white.high - 1), (2 * pink.low - 1, 2 * pink.high - 1)))

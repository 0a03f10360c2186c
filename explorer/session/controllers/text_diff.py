"""Two readings word by word: which words are the same, what each made of P(positive), which cells it moved.

For an edited text that is before and after; for any comparison, the other side and this one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.session.controllers.comparison import Comparison, Reading, read_through

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from explorer.session.session import Frame, Session

LONGEST = 4_000  # words that differ on both sides; matching more takes longer than anybody waits
CELLS = 8


@dataclass(frozen=True)
class WordPair:
    """A word of the other text and one of this, "" where it has none, with P(positive) after each (NaN without one).

    ``place`` is the word's index in this text; where it has none, that of the word before.
    """

    before: str
    after: str
    p_before: float
    p_after: float
    place: int

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def difference(self) -> float:
        """By how much P(positive) is higher in this text."""
        return self.p_after - self.p_before


@dataclass(frozen=True)
class MovedCell:
    """How far h of a cell lies from where it was, on average over the words that both texts have."""

    cell: int
    distance: float


@dataclass(frozen=True)
class WordByWord:
    """``pairs`` in the order of reading; ``cells`` that moved most, none where two networks are compared."""

    pairs: tuple[WordPair, ...]
    cells: tuple[MovedCell, ...]

    @property
    def first_change(self) -> int:
        """The first pair that differs, in words or else in P(positive); 0 if none does."""
        changed = (k for k, pair in enumerate(self.pairs) if pair.changed)
        return next(changed, next((k for k, pair in enumerate(self.pairs) if abs(pair.difference) > 0.01), 0))


def aligned(before: Sequence[str], after: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Which words belong together, by their indices; None where a text has no counterpart."""
    shorter = min(len(before), len(after))
    head = next((k for k in range(shorter) if before[k] != after[k]), shorter)
    tail = next((k for k in range(shorter - head) if before[-1 - k] != after[-1 - k]), shorter - head)
    a, b = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(a), len(b)) <= LONGEST:
        blocks = [code[1:] for code in SequenceMatcher(None, a, b, autojunk=False).get_opcodes()]
    else:
        blocks = [(0, len(a), 0, len(b))]
    pairs: list[tuple[int | None, int | None]] = [(k, k) for k in range(head)]
    for i, j, k, m in blocks:
        pairs += zip_longest(range(head + i, head + j), range(head + k, head + m))
    return pairs + [(len(before) - k, len(after) - k) for k in range(tail, 0, -1)]


def word_by_word(before: Reading, after: Reading) -> WordByWord:
    """Two readings, pair by pair."""
    pairs, place = [], 0
    numbers = aligned(before.words, after.words)
    for i, j in numbers:
        place = place if j is None else j
        pairs.append(
            WordPair(
                "" if i is None else before.words[i],
                "" if j is None else after.words[j],
                float("nan") if i is None else float(before.probability[i]),
                float("nan") if j is None else float(after.probability[j]),
                place,
            )
        )
    return WordByWord(tuple(pairs), _moved(before, after, numbers))


def _moved(before: Reading, after: Reading, numbers: list[tuple[int | None, int | None]]) -> tuple[MovedCell, ...]:
    both = np.array([(i, j) for i, j in numbers if i is not None and j is not None], dtype=np.intp).reshape(-1, 2)
    if before.network is not after.network or not len(both):
        return ()
    moved = np.abs(after.h[both[:, 1]] - before.h[both[:, 0]]).mean(axis=0, dtype=np.float64)
    most = np.argsort(-moved, kind="stable")[:CELLS].tolist()
    return tuple(MovedCell(cell, float(moved[cell])) for cell in most if moved[cell] > 0)


class TextDiffController:
    """Editing the present text, and the table of what that, or any comparison, changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wanted: tuple[Any, ...] = ()
        self._result: WordByWord | None = None

    @property
    def text(self) -> str:
        """The present text, without what a terminal must not be sent."""
        from engine.text import printable

        text = self._session.stream.snapshot.review.text.replace("<br />", "\n")
        return "\n".join(map(printable, text.splitlines()))

    def require(self) -> None:
        """SessionError where nothing is compared."""
        from explorer.session.session import SessionError

        session = self._session
        if not session.comparison.name:
            network, review, text = (session.key_of(name) for name in ("compare", "compare-reviews", "edit"))
            ways = f"choose a network ({network}) or a review ({review}), or edit the text ({text})"
            raise SessionError(f"nothing is compared yet: {ways}")

    def edit(self, text: str) -> None:
        """Read a changed text, and compare it with the one before.

        Raises
        ------
        SessionError
            If it has no word.
        """
        session = self._session
        before = session.stream.snapshot.review
        session.open_text(text, f"{before.name.removesuffix(', edited')}, edited")
        session.comparison.compare_with(None)
        session.comparison.compare_review(before)

    def table(self, frame: Frame) -> WordByWord | None:
        """What differs from what is compared with; None until both are read."""
        other, snapshot = self._session.comparison.comparison(frame), frame.snapshot
        if other is None:
            return None
        wanted = (other, snapshot.network, snapshot.review, snapshot.clamps)
        if len(self._wanted) != len(wanted) or any(a is not b for a, b in zip(wanted, self._wanted, strict=True)):
            self._wanted, self._result = wanted, None
            work = threading.Thread(
                target=self._work, args=(wanted, other, snapshot), name="pinkx word by word", daemon=True
            )
            work.start()
        return self._result

    def _work(self, wanted: tuple[Any, ...], other: Comparison, snapshot: Snapshot) -> None:
        own = read_through(
            snapshot.network, snapshot.review.words, snapshot, snapshot.clamps, lambda: self._wanted is wanted
        )
        if own is not None:
            found = word_by_word(other.reading, own)
            if self._wanted is wanted:
                self._result = found

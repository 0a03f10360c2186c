"""Brushing words: which cells fire there and not around, and where else the same cells agree.

After LSTMVis (Strobelt, Gehrmann, Pfister, Rush, IEEE TVCG 24 (2018) 667), with a sign: a cell may also fall silent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.reviews import Review
    from explorer.session.session import Session

STRONG = 0.75  # standard deviations from its mean at which a cell counts as firing
STANDOUT = 0.5  # deviations by which its mean in the brush must exceed that around it
CELLS = 8  # at most so many cells make a pattern
AGREE = 0.8  # the part of them that must agree at another place
CONTEXT = 4  # words on either side of the brush in which they must fire less


@dataclass(frozen=True)
class Pattern:
    """Cells that fire together in the brushed words: ``cells`` by falling contrast, ``signs`` which way.

    A cell counts as firing where its value times its sign is at least its entry of ``levels``. ``places`` are (first,
    one past the last) word of other stretches where they agree, best first.
    """

    signal: str
    cells: tuple[int, ...]
    signs: tuple[int, ...]
    levels: tuple[float, ...]
    places: tuple[tuple[int, int], ...]

    def agreement(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Which part of the cells fires at each word of ``values`` (time, cell), (time,)."""
        return (values[:, list(self.cells)] * np.array(self.signs) >= np.array(self.levels)).mean(axis=1)


def find_pattern(values: NDArray[np.floating], first: int, last: int, signal: str = "h") -> Pattern:
    """The cells that fire in words ``first`` to ``last`` (excluded) of ``values`` (time, cell), and where else they do.

    A cell belongs to the pattern if in every brushed word it stands ``STRONG`` deviations on one side of its mean, and
    its mean over the brush exceeds that over the words around by ``STANDOUT``.
    """
    mean, deviation = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    scores = np.divide(values - mean, deviation, out=np.zeros(values.shape), where=deviation > 1e-6)
    inside = scores[first:last]
    around = np.concatenate([scores[max(0, first - CONTEXT) : first], scores[last : last + CONTEXT]])
    sign = np.sign(inside.mean(axis=0))
    steady = (inside * sign >= STRONG).all(axis=0)
    contrast = inside.mean(axis=0) * sign - (around.mean(axis=0) * sign if len(around) else 0.0)
    ranked = [int(cell) for cell in np.argsort(-contrast, kind="stable") if steady[cell] and contrast[cell] > STANDOUT]
    cells = tuple(ranked[:CELLS])
    if not cells:
        return Pattern(signal, (), (), (), ())
    signs = sign[list(cells)]
    levels = mean[list(cells)] * signs + STRONG * deviation[list(cells)]
    pattern = Pattern(signal, cells, tuple(signs.astype(int).tolist()), tuple(levels.tolist()), ())
    return replace(pattern, places=stretches(pattern.agreement(values), first, last))


def stretches(agreement: NDArray[np.float64], first: int = 0, last: int = 0) -> tuple[tuple[int, int], ...]:
    """Runs of words in which enough cells agree, apart from the brushed ones, best and longest first."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], agreement >= AGREE, [False]]).astype(int)))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b <= first or a >= last]
    return tuple(sorted(runs, key=lambda run: (-agreement[slice(*run)].sum(), run[0])))


class BrushController:
    """The brushed words of the review that is watched, and what was found for them.

    They stay while the review does: where it is read anew, with a gate held or by another network, its words are
    brushed as soon as they are read again, and their pattern is looked for as soon as all is read that was.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._anchor: int | None = None
        self._end: int | None = None
        self._review: Review | None = None
        self._pattern: Pattern | None = None
        self._signal = "h"
        self._run = -1  # in which it was looked for
        self._read = 0  # words it was looked for among
        self._turn = -1

    @property
    def words(self) -> range:
        """The brushed words as soon as all are read; while one end is set, up to the word looked at."""
        snapshot = self._session.stream.snapshot
        if self._anchor is None or snapshot.review is not self._review:
            return range(0)
        first, last = sorted((self._anchor, self._end if self._end is not None else self._looked_at()))
        return range(first, last + 1) if last < snapshot.time else range(0)

    @property
    def pattern(self) -> Pattern | None:
        """What the brushed words have in common in the present run, once the brush is closed."""
        snapshot = self._session.stream.snapshot
        if self._end is None or not self.words:
            return None
        if snapshot.run != self._run and snapshot.time >= self._read:
            self._look()
        return self._pattern if snapshot.run == self._run else None

    def brush(self) -> None:
        """Set one end of the brush, then the other; a third time, clear it."""
        session = self._session
        if not session.stream.snapshot.time:
            return
        if not self.words:
            self.open_at(self._looked_at())
            ways, again = session.key_of("step-back", "step"), session.key_of("brush")
            session.note = f"brush: go to the other end with {ways}, then press {again} again"
        elif self._end is None:
            self.close_at(self._looked_at())
        else:
            self.clear()

    def open_at(self, word: int) -> None:
        """Begin a brush at a word."""
        self.clear()
        self._anchor, self._review = word, self._session.stream.snapshot.review

    def close_at(self, word: int) -> None:
        """End the brush at a word and look for its pattern among the words read."""
        self._end, self._signal = word, self._session.choices.signal
        self._look()
        if self._pattern is None:
            self.clear()
            self._session.note = "brush words that are read and still kept"
        else:
            self._session.note = self._told(self._pattern)

    def _look(self) -> None:
        """Look for the pattern of the brushed words; there is none where they are not kept."""
        snapshot = self._session.stream.snapshot
        signal = self._signal if self._signal in [s.name for s in snapshot.network.signals] else "h"
        words, time = self.words, snapshot.time
        values = self._session.read(signal, 0, time)
        first = time - len(values)
        self._run, self._read, self._turn, self._pattern = snapshot.run, time, -1, None
        if words and len(values) and first <= words.start:
            found = find_pattern(values, words.start - first, words.stop - first, signal)
            self._pattern = replace(found, places=tuple((a + first, b + first) for a, b in found.places))

    def next_place(self) -> None:
        """Look at the next place where the cells of the brush agree."""
        pattern = self.pattern
        if pattern is None or not pattern.places:
            key = self._session.key_of("brush")
            self._session.note = f"brush some words first ({key}), then this goes to places where the same cells agree"
            return
        self._turn = (self._turn + 1) % len(pattern.places)
        self._session.look_at(pattern.places[self._turn][0])
        self._session.note = f"place {self._turn + 1} of {len(pattern.places)}, best first"

    def clear(self) -> None:
        """Let go of the brush."""
        self._anchor = self._end = self._review = self._pattern = None
        self._turn = -1

    def keep_to(self, review: Review) -> None:
        """Let go of the brush where another review is watched."""
        if review is not self._review:
            self.clear()

    def _looked_at(self) -> int:
        cursor = self._session.choices.cursor
        return max(0, self._session.stream.snapshot.time - 1) if cursor is None else cursor

    def _told(self, pattern: Pattern) -> str:
        if not pattern.cells:
            return "no cell fires all through these words and less around them; try fewer words or another signal"
        cells = " ".join(
            f"{'+' if sign > 0 else '−'}#{c}" for c, sign in zip(pattern.cells, pattern.signs, strict=True)
        )
        here, elsewhere = self._session.key_of("next-place"), self._session.key_of("agree-elsewhere")
        places = f"{len(pattern.places)} other places ({here}), and in other reviews ({elsewhere})"
        return f"these words move {cells}; the same cells agree at {places}"

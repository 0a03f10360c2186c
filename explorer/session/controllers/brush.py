"""Brushing words: which cells fire in them and not around them, and where else the same cells fire together.

After LSTMVis (Strobelt, Gehrmann, Pfister, Rush, IEEE TVCG 24 (2018) 667), with a sign: a cell may also be low.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.playback import Playback
from explorer.session.core import Core, Frame
from explorer.session.views.number_format import MINUS, count, row_name
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.reviews import Review

STRONG: Final = 0.75  # standard deviations from its mean at which a cell counts as firing
STANDOUT: Final = 0.5  # deviations by which its mean in the brush must exceed that around it
CELLS: Final = 8  # largest number of cells in a pattern
AGREE: Final = 0.8  # share of them that must fire together elsewhere
CONTEXT: Final = 4  # words on either side of the brush in which they must fire less


@dataclass(frozen=True)
class Pattern:
    """Cells that fire together in the brushed words.

    Attributes
    ----------
    signal : str
        The signal that was brushed.
    cells : tuple of int
        By falling contrast.
    signs : tuple of int
        1 for a cell that is high, −1 for one that is low.
    levels : tuple of float
        A cell fires where its value times its sign reaches its level.
    places : tuple of (int, int)
        First and one past the last word of other stretches where the cells fire together, best first.
    """

    signal: str
    cells: tuple[int, ...]
    signs: tuple[int, ...]
    levels: tuple[float, ...]
    places: tuple[tuple[int, int], ...]

    def firing(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the share of the cells that fire at each word of ``values`` (time, cell), (time,)."""
        return (values[:, list(self.cells)] * np.array(self.signs) >= np.array(self.levels)).mean(axis=1)


def find_pattern(values: NDArray[np.floating], first: int, last: int, signal: str = "h") -> Pattern:
    """Return the cells that fire in words ``first`` to ``last`` (excluded) of ``values`` (time, cell).

    A cell belongs to the pattern if in every brushed word it lies ``STRONG`` deviations on one side of its mean, and
    its mean over the brush exceeds that over the words around it by ``STANDOUT``.
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
    return replace(pattern, places=stretches(pattern.firing(values), first, last))


def stretches(firing: NDArray[np.float64], first: int = 0, last: int = 0) -> tuple[tuple[int, int], ...]:
    """Return the runs of words in which enough cells agree, best and longest first, without the brushed words."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], firing >= AGREE, [False]]).astype(int)))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b <= first or a >= last]
    return tuple(sorted(runs, key=lambda run: (-firing[slice(*run)].sum(), run[0])))


class BrushController:
    """The brushed words of the review being read, and their pattern.

    A brush stays as long as the review does. When the review is read again, with a clamp or by another network, its
    words are brushed again as soon as they are read, and the pattern is updated once the reading has come as far as
    it had before.
    """

    def __init__(self, core: Core, playback: Playback) -> None:
        self._core = core
        self._playback = playback
        self._anchor: int | None = None
        self._end: int | None = None
        self._review: Review | None = None
        self._pattern: Pattern | None = None
        self._signal = "h"
        self._run = -1  # the run that the pattern is from
        self._searched = 0  # words that were searched for it
        self._turn = -1

    @property
    def words(self) -> range:
        """The brushed words, once all are read; while one end is set, up to the word looked at."""
        snapshot = self._core.snapshot
        if self._anchor is None or snapshot.review is not self._review:
            return range(0)
        first, last = sorted((self._anchor, self._end if self._end is not None else self._looked_at()))
        return range(first, last + 1) if last < snapshot.time else range(0)

    @property
    def pattern(self) -> Pattern | None:
        """The pattern of the brushed words in the present run, once the brush is closed."""
        closed = self._end is not None and len(self.words) > 0
        return self._pattern if closed and self._core.snapshot.run == self._run else None

    @property
    def signs(self) -> Mapping[int, int]:
        """The cells of the pattern: 1 for one that is high in the brushed words, −1 for one that is low."""
        pattern = self.pattern
        return {} if pattern is None else dict(zip(pattern.cells, pattern.signs, strict=True))

    @property
    def summary(self) -> str:
        """The brushed words, their cells and the number of other places; empty without a closed brush."""
        pattern, words = self.pattern, self.words
        if pattern is None:
            return ""
        names = unit_names(self._core.snapshot.network)
        last = f"s {words.start + 1}–{words.stop}" if len(words) > 1 else f" {words.start + 1}"
        brushed = f"brushed {names.unit}{last}"
        if not pattern.cells:
            return f"{brushed}: no cell fires in all of them and less around them: brush fewer, or another signal"
        cells = " ".join(
            f"{'+' if sign > 0 else MINUS}{row_name(pattern.signal, cell)}" for cell, sign in self.signs.items()
        )
        here, elsewhere = self._core.key_of("next-place"), self._core.key_of("agree-elsewhere")
        places = count(len(pattern.places), "other place")
        return (
            f"{brushed}: {cells} fire together, also at {places} ({here}), and in other {names.sequences} ({elsewhere})"
        )

    def update(self, frame: Frame) -> None:
        """Clear the brush if another review is read; update the pattern in a new run."""
        snapshot = frame.snapshot
        if snapshot.review is not self._review:
            self.clear()
        elif self._end is not None and self.words and snapshot.run != self._run and snapshot.time >= self._searched:
            self._search()

    def brush(self) -> None:
        """Set one end of the brush, then the other; a third time, clear it."""
        core = self._core
        if not core.snapshot.time:
            return
        if not self.words:
            self.open_at(self._looked_at())
            ways, again = core.key_of("step-back", "step"), core.key_of("brush")
            core.note = f"brush: go to the other end with {ways}, then press {again} again"
        elif self._end is None:
            self.close_at(self._looked_at())
        else:
            self.clear()

    def open_at(self, word: int) -> None:
        """Begin a brush at a word."""
        self.clear()
        self._anchor, self._review = word, self._core.snapshot.review

    def close_at(self, word: int) -> None:
        """End the brush at a word and search the words read so far for its pattern."""
        self._end, self._signal = word, self._core.choices.signal
        self._search()
        if self._pattern is None:
            self.clear()
            self._core.note = f"brush {unit_names(self._core.snapshot.network).units} that are read and still stored"
        else:
            self._core.note = self.summary

    def next_place(self) -> None:
        """Look at the next place where the cells of the brush fire together."""
        pattern = self.pattern
        if pattern is None or not pattern.places:
            key = self._core.key_of("brush")
            units = unit_names(self._core.snapshot.network).units
            self._core.note = (
                f"brush some {units} first ({key}): this goes to places where the same cells fire together"
            )
            return
        self._turn = (self._turn + 1) % len(pattern.places)
        self._playback.look_at(pattern.places[self._turn][0])
        self._core.note = f"place {self._turn + 1} of {len(pattern.places)}, best first"

    def clear(self) -> None:
        """Clear the brush."""
        self._anchor = self._end = self._review = self._pattern = None
        self._turn = -1

    def _search(self) -> None:
        """Find the pattern of the brushed words; None if they are no longer stored."""
        snapshot = self._core.snapshot
        signal = self._signal if self._signal in [s.name for s in snapshot.network.signals] else "h"
        words, time = self.words, snapshot.time
        values = self._core.read(signal, 0, time)
        first = time - len(values)
        self._run, self._searched, self._turn, self._pattern = snapshot.run, time, -1, None
        if words and len(values) and first <= words.start:
            found = find_pattern(values, words.start - first, words.stop - first, signal)
            self._pattern = replace(found, places=tuple((a + first, b + first) for a, b in found.places))

    def _looked_at(self) -> int:
        cursor = self._core.choices.cursor
        return max(0, self._core.snapshot.time - 1) if cursor is None else cursor

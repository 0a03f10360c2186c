"""Which word each column shows: the time axis of the terminal's pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame

NO_WORD = -1


@dataclass(frozen=True)
class TimeAxis:
    """``words`` (column,) is the index of the word in each column, ``NO_WORD`` for an empty one; ``cursor`` is the
    column of the word looked at, None if it is not in view."""

    words: NDArray[np.intp]
    cursor: int | None

    def column(self, word: int) -> int | None:
        """Return the column of a word, None if it is not in view."""
        found = np.flatnonzero(self.words == word)
        return int(found[0]) if len(found) else None

    def gather(self, values: NDArray[np.floating], first: int) -> NDArray[np.float64]:
        """Arrange ``values`` (time, k), which begin at word ``first``, by column: (column, k), NaN where missing."""
        rows = self.words - first
        present = (self.words != NO_WORD) & (rows >= 0) & (rows < len(values))
        out = np.full((len(self.words), values.shape[1]), np.nan)
        out[present] = values[rows[present]]
        return out

    @property
    def word_range(self) -> tuple[int, int]:
        """The first word shown, and one past the last; (0, 0) if there is none."""
        shown = self.words[self.words != NO_WORD]
        return (int(shown.min()), int(shown.max()) + 1) if len(shown) else (0, 0)


def time_axis(frame: Frame, width: int) -> TimeAxis:
    """Return the axis of a picture ``width`` columns wide, one word a column.

    While the network reads, the picture *sweeps* like an ECG: every word keeps its column, the cursor wraps around, and
    the previous sweep stays visible after it, so that each new word changes few columns. Otherwise the picture scrolls,
    with the cursor in the middle where there are words on both sides.
    """
    time, columns = frame.snapshot.time, np.arange(max(width, 1))
    if frame.following and frame.snapshot.playing and time:
        page, at = divmod(time - 1, len(columns))
        words = page * len(columns) + columns
        words[at + 1 :] -= len(columns)
        words[at + 1 : at + 2] = NO_WORD  # a gap between the new sweep and the previous one
        words[words < 0] = NO_WORD
        return TimeAxis(words, at)
    first = max(0, min(frame.word - len(columns) // 2, time - len(columns)))
    words = first + columns
    words[words >= time] = NO_WORD
    at = frame.word - first
    return TimeAxis(words, at if 0 <= at < len(columns) and words[at] != NO_WORD else None)

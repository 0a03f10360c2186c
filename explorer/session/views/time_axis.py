"""Which word stands in which column: one time axis for every picture of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame

NO_WORD = -1


@dataclass(frozen=True)
class TimeAxis:
    """``words`` (column,) holds the index of the word shown in each column, ``NO_WORD`` where there is none;
    ``cursor`` is the column of the word looked at, None if it is not in view."""

    words: NDArray[np.intp]
    cursor: int | None

    def column(self, word: int) -> int | None:
        """The column of a word, None if it is not in view."""
        found = np.flatnonzero(self.words == word)
        return int(found[0]) if len(found) else None

    def gather(self, values: NDArray[np.floating], first: int) -> NDArray[np.float64]:
        """Rows of ``values`` (time, k), the first of which is word ``first``, by column: (column, k), NaN for none."""
        rows = self.words - first
        there = (self.words != NO_WORD) & (rows >= 0) & (rows < len(values))
        out = np.full((len(self.words), values.shape[1]), np.nan)
        out[there] = values[rows[there]]
        return out

    @property
    def span(self) -> tuple[int, int]:
        """First word shown, and one past the last; (0, 0) if there is none."""
        shown = self.words[self.words != NO_WORD]
        return (int(shown.min()), int(shown.max()) + 1) if len(shown) else (0, 0)


def time_axis(frame: Frame, width: int) -> TimeAxis:
    """The axis of a picture ``width`` columns wide, one word a column.

    While words are being read the picture *sweeps* like an ECG: a word keeps its column, the cursor wraps, and behind
    it the last sweep is still seen; so only few columns change at a word. At rest it scrolls, the cursor in the
    middle where there are words on both sides.
    """
    time, columns = frame.snapshot.time, np.arange(max(width, 1))
    if frame.following and frame.snapshot.playing and time:
        page, at = divmod(time - 1, len(columns))
        words = page * len(columns) + columns
        words[at + 1 :] -= len(columns)
        words[at + 1 : at + 2] = NO_WORD  # a gap parts new from old
        words[words < 0] = NO_WORD
        return TimeAxis(words, at)
    first = max(0, min(frame.word - len(columns) // 2, time - len(columns)))
    words = first + columns
    words[words >= time] = NO_WORD
    at = frame.word - first
    return TimeAxis(words, at if 0 <= at < len(columns) and words[at] != NO_WORD else None)

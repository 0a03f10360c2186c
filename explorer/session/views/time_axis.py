"""Time axis of the terminal's pictures: the word that each column shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame

NO_WORD = -1
TICKS = 20  # words between two numbers of the axis
Rest = Literal["", "earlier sweep", "words to come"]


@dataclass(frozen=True)
class TimeAxis:
    """``words`` (column,) is the index of the word in each column, ``NO_WORD`` for an empty one; ``cursor`` is the
    column of the word looked at, None if it is not in view. From column ``rest_from`` on there are words of another
    time, as ``rest`` says: those of the earlier sweep, or those after the word looked at."""

    words: NDArray[np.intp]
    cursor: int | None
    rest_from: int
    rest: Rest = ""

    @property
    def dimmed(self) -> NDArray[np.bool_]:
        """The columns, (column,), with words of another time."""
        return (np.arange(len(self.words)) >= self.rest_from) & (self.words != NO_WORD)

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
        return TimeAxis(words, at, at + 1, "earlier sweep" if words[-1] != NO_WORD and at + 2 < len(columns) else "")
    first = max(0, min(frame.word - len(columns) // 2, time - len(columns)))
    words = first + columns
    words[words >= time] = NO_WORD
    at = frame.word - first
    cursor = at if 0 <= at < len(columns) and words[at] != NO_WORD else None
    later = cursor is not None and cursor + 1 < len(columns) and words[cursor + 1] != NO_WORD
    return TimeAxis(words, cursor, at + 1 if later else len(columns), "words to come" if later else "")


def axis_labels(axis: TimeAxis, brushed: range = range(0)) -> str:
    """Return one line, (column,), with the numbers of words from 1 under their columns, the ends of the ``brushed``
    words as ``[`` and ``]``, and what the dimmed columns show."""
    line = [" "] * len(axis.words)
    for word, mark in ((brushed.start, "["), (brushed.stop - 1, "]")) if brushed else ():
        if (at := axis.column(word)) is not None:
            line[at] = mark
    if axis.rest:
        label = f" {axis.rest} "
        start = axis.rest_from + max(1, (len(line) - axis.rest_from - len(label)) // 2)
        _write(line, start, label)
    known = axis.words != NO_WORD
    for column in np.flatnonzero(known & ((axis.words + 1) % TICKS == 0)).tolist():
        _write(line, column, f"╵{axis.words[column] + 1}")
    return "".join(line)


def _write(line: list[str], start: int, text: str) -> None:
    """Write a text into a line where there is room for it."""
    stop = start + len(text)
    if stop <= len(line) and not "".join(line[start : stop + 1]).strip():
        line[start:stop] = text

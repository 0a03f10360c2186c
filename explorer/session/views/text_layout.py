"""A review on the screen: its words in lines, each with the strength of the chosen signal while it was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader


@dataclass(frozen=True)
class Layout:
    """Where words stand: ``starts`` holds the index of the first word of every line, and the number of words last;
    ``columns`` (word,) is where in its line a word begins."""

    starts: NDArray[np.intp]
    columns: NDArray[np.intp]

    @property
    def lines(self) -> int:
        return len(self.starts) - 1

    def line(self, word: int) -> int:
        """The line a word stands in."""
        return int(np.searchsorted(self.starts, word, side="right")) - 1

    def word_at(self, line: int, column: int) -> int | None:
        """The word at a place, None beyond the text."""
        if not 0 <= line < self.lines:
            return None
        first, last = int(self.starts[line]), int(self.starts[line + 1])
        at = first + int(np.searchsorted(self.columns[first:last], column, side="right")) - 1
        return max(first, at)


def lay_out(words: Sequence[str], width: int, measure: Callable[[str], int]) -> Layout:
    """Break words into lines of ``width`` columns, one column before each word kept free for its mark.

    ``measure`` gives the columns a word takes; one longer than a line is cut by the face that draws it.
    """
    starts, columns, column = [0], np.zeros(len(words), dtype=np.intp), 1
    for number, word in enumerate(words):
        needed = min(measure(word), width - 2)
        if column + needed + 1 > width and column > 1:
            starts.append(number)
            column = 1
        columns[number] = column
        column += needed + 1
    return Layout(np.array([*starts, len(words)], dtype=np.intp), columns)


def word_strengths(
    session: SignalReader, frame: Frame, first: int, last: int
) -> tuple[NDArray[np.float64], float, float]:
    """The chosen signal while words ``first`` to ``last`` were read, and the range that colours them.

    Of the selected cell, or else the mean over cells. The range is that of the words read and still kept, so a colour
    means the same in every line. NaN for words that are not read, or no longer kept.
    """
    choices, time = frame.choices, frame.snapshot.time
    values = session.read(choices.signal, 0, time)
    cell = choices.selected
    own = cell is not None and cell < values.shape[1]
    series = (values[:, cell] if own else values.mean(axis=1)).astype(float) if values.size else np.empty(0)
    out = np.full(max(0, last - first), np.nan)
    begin = time - len(series)
    a, b = max(first, begin), min(last, time)
    if b > a:
        out[a - first : b - first] = series[a - begin : b - begin]
    low, high = (float(series.min()), float(series.max())) if len(series) else (0.0, 1.0)
    return out, low, high


def unknown_words(frame: Frame) -> NDArray[np.bool_]:
    """Which words of the review are not in the network's vocabulary, (word,)."""
    from engine.network import UNKNOWN  # needs torch, which is loaded when there is a frame

    return frame.snapshot.ids == UNKNOWN

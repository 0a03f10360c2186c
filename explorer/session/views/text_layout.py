"""The text of a review in lines, and the value of the chosen signal at each word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader


@dataclass(frozen=True)
class TextLayout:
    """``starts`` (line + 1,) holds the first word of every line and, last, the number of words; ``columns`` (word,) is
    where in its line a word begins."""

    starts: NDArray[np.intp]
    columns: NDArray[np.intp]

    @property
    def lines(self) -> int:
        """The number of lines."""
        return len(self.starts) - 1

    def line(self, word: int) -> int:
        """Return the line of a word."""
        return int(np.searchsorted(self.starts, word, side="right")) - 1

    def word_at(self, line: int, column: int) -> int | None:
        """Return the word at a place, None above or below the text."""
        if not 0 <= line < self.lines:
            return None
        first, last = int(self.starts[line]), int(self.starts[line + 1])
        at = first + int(np.searchsorted(self.columns[first:last], column, side="right")) - 1
        return max(first, at)


def lay_out(words: Sequence[str], width: int, measure: Callable[[str], int]) -> TextLayout:
    """Break words into lines of ``width`` columns, with one free column before each word for its mark.

    ``measure`` returns the width of a word; the front end cuts one that is longer than a line.
    """
    starts, columns, column = [0], np.zeros(len(words), dtype=np.intp), 1
    for number, word in enumerate(words):
        needed = min(measure(word), width - 2)
        if column + needed + 1 > width and column > 1:
            starts.append(number)
            column = 1
        columns[number] = column
        column += needed + 1
    return TextLayout(np.array([*starts, len(words)], dtype=np.intp), columns)


def word_values(reader: SignalReader, frame: Frame, first: int, last: int) -> tuple[NDArray[np.float64], float, float]:
    """Return the chosen signal at words ``first`` to ``last``, and the range of its colours.

    The signal is that of the selected cell, or else the mean over cells or inputs; NaN for words that are not read or
    no longer stored. The range is that of all stored words, so that a colour means the same in every line.
    """
    time, cell = frame.snapshot.time, frame.choices.cell
    values = reader.read(frame.choices.signal, 0, time)
    selected = cell is not None and cell < values.shape[1]
    series = (values[:, cell] if selected else values.mean(axis=1)).astype(float) if values.size else np.empty(0)
    out = np.full(max(0, last - first), np.nan)
    stored = time - len(series)
    begin, end = max(first, stored), min(last, time)
    if end > begin:
        out[begin - first : end - first] = series[begin - stored : end - stored]
    low, high = (float(series.min()), float(series.max())) if len(series) else (0.0, 1.0)
    return out, low, high


def unknown_words(frame: Frame) -> NDArray[np.bool_]:
    """Return which words of the review are not in the network's vocabulary, (word,)."""

    snapshot = frame.snapshot
    return snapshot.unknown_words

"""The words that all pictures over time show in common, where a word may be narrower or wider than a pixel."""

from __future__ import annotations

from explorer.session.core import Frame

WIDTH = 500  # words shown at first, or the whole review if it is shorter
NARROWEST = 8


class VisibleRange:
    """A range of words that can be zoomed and moved and follows the word looked at.

    It turns by pages rather than word by word, so that a picture stands still while the network reads.
    """

    def __init__(self) -> None:
        self._first = 0.0
        self._width: float | None = None
        self._run = -1
        self._word = -1

    @property
    def zoomed(self) -> bool:
        """Whether the user chose the width."""
        return self._width is not None

    def words(self, frame: Frame) -> tuple[float, float]:
        """Return the first word shown, and one past the last; turn the page if the word looked at left the range."""
        snapshot = frame.snapshot
        words = max(snapshot.words, NARROWEST)
        width = min(words, self._width or WIDTH)
        if snapshot.run != self._run:
            self._run, self._first, self._word = snapshot.run, 0.0, -1
        if frame.word != self._word:  # else the user may have moved the range away from it
            self._word = frame.word
            if not self._first <= frame.word < self._first + width:
                before = 0.1 * width if frame.word >= self._first + width else 0.9 * width
                self._first = frame.word - before
        self._first = max(0.0, min(self._first, words - width))
        return self._first, self._first + width

    def zoom(self, first: float, last: float) -> None:
        """Show words ``first`` to ``last``, at least ``NARROWEST``."""
        self._width = max(float(NARROWEST), last - first)
        self._first = (first + last - self._width) / 2

    def pan(self, words: float) -> None:
        """Show words further on, or back."""
        self._first += words

    def reset(self) -> None:
        """Return to the initial width."""
        self._width = None

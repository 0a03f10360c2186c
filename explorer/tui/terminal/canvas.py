"""A canvas of braille characters: 2 × 4 dots and one colour per character."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style

from explorer.tui.terminal.styles import Line

_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


class Canvas:
    """A picture of ``columns`` × ``rows`` characters. Coordinates run from −1 to 1: x to the right, y up.

    What is drawn last determines the colour of a character; marks hide dots.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._shape = columns * 2, rows * 4
        self._dots = np.zeros((rows * 4, columns * 2), dtype=bool)
        self._styles: NDArray[np.object_] = np.full((rows, columns), None, dtype=object)
        self._marks: dict[tuple[int, int], tuple[str, Style]] = {}

    def dots(self, places: NDArray[np.floating], style: Style) -> None:
        """Draw dots at places (dot, 2) in one colour; those outside are dropped."""
        x, y, _ = self._inside(places)
        self._dots[y, x] = True
        self._styles[y // 4, x // 2] = style

    def cloud(self, places: NDArray[np.floating], codes: NDArray[np.intp], styles: Sequence[Style]) -> None:
        """Draw dots at places (dot, 2); a character takes the style of the mean code of its dots."""
        x, y, inside = self._inside(places)
        self._dots[y, x] = True
        character = (y // 4) * self.columns + x // 2
        count = np.bincount(character, minlength=self.rows * self.columns)
        total = np.bincount(character, weights=codes[inside], minlength=self.rows * self.columns)
        for at in np.flatnonzero(count).tolist():
            self._styles[divmod(at, self.columns)] = styles[round(total[at] / count[at])]

    def strokes(self, ends: NDArray[np.floating], style: Style) -> None:
        """Draw straight lines (line, 2, 2), each between two places."""
        if len(ends):
            longest = np.abs(ends[:, 1] - ends[:, 0]).max(axis=0) * (self.columns, self.rows * 2)
            part = np.linspace(0, 1, int(longest.clip(0, 1000).max()) + 2)[:, None, None]
            self.dots((ends[:, 0] * (1 - part) + ends[:, 1] * part).reshape(-1, 2), style)

    def mark(self, place: Sequence[float], text: str, style: Style) -> None:
        """Write text that begins at a place (2,), or further left if it would not fit."""
        x, y = (int((value + 1) / 2 * (size - 1) + 0.5) for value, size in zip(place, self._shape, strict=True))
        row = self.rows - 1 - y // 4
        column = min(x // 2, self.columns - len(text))
        if 0 <= row < self.rows and column >= 0 and x // 2 < self.columns:
            self._marks |= {(row, column + k): (character, style) for k, character in enumerate(text)}

    def lines(self) -> list[Line]:
        """Return the picture as lines of text."""
        blocks = self._dots.reshape(self.rows, 4, self.columns, 2)
        braille = 0x2800 + np.tensordot(blocks, _BITS, axes=([1, 3], [0, 1]))
        lines: list[Line] = []
        for row, (characters, colours) in enumerate(zip(braille.tolist(), self._styles.tolist(), strict=True)):
            runs: list[tuple[str, Style | None]] = []
            for column, (character, colour) in enumerate(zip(characters, colours, strict=True)):
                text, style = self._marks.get((row, column), (chr(character) if colour is not None else " ", colour))
                if runs and runs[-1][1] == style:
                    runs[-1] = runs[-1][0] + text, style
                else:
                    runs.append((text, style))
            lines.append([Segment(text, style) for text, style in runs])
        return lines

    def _inside(self, places: NDArray[np.floating]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Return dot columns and dot rows of the places inside the picture, and which places those are."""
        wide, high = self._shape
        inside = (np.abs(places) <= 1).all(axis=1)
        x, y = ((places[inside] + 1) / 2 * (wide - 1, high - 1) + 0.5).astype(np.intp).T
        return x, high - 1 - y, inside

"""What the terminal shows, what it should show, and the fewest bytes from one to the other.

Textual draws whole lines, every piece with all of its colours. Here its output is read into cells instead, and only
cells that differ are sent, with only the colours that differ; a cell that changes again before it could be sent is sent
once. So what waits for a slow terminal is never more than one screen, and never old.

A cell is a number, its place in a list of all characters in all colours that were seen: two screens of numbers are
compared at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from rich.cells import get_character_cell_size

from explorer.tui.sgr import DEFAULT, Style, after, painted

# A position, colours, line feed, text; anything else goes through as it is.
_TOKENS = re.compile(
    r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(\n)|([^\x00-\x1f\x7f]+)|(\x1b\[\?2026[hl]|\r)|(\x1b?[^\x1b]*)"
)
_PLAIN = re.compile(
    r"[\x20-\x7e\xa1-\xac\xae-\u02ff\u0391-\u03ff\u2010-\u2027\u2190-\u21ff\u2200-\u22ff\u2500-\u25ff\u2800-\u28ff]*"
)
_NEAR = 3  # unchanged cells between changed ones that are cheaper to send again than to step over
_MANY = 1 << 17  # cells that are numbered before those no longer seen are let go: some 20 MB

Cell = tuple[str, Style]  # a character with what combines with it; "" behind one that is two columns wide
Codes = NDArray[np.int32]

_BLANK: Cell = (" ", DEFAULT)
_UNKNOWN = -1


class _Numbers(dict[str, int]):
    """The numbers of characters in one style."""

    def __init__(self, style: Style, cells: list[Cell], plain: list[bool]) -> None:
        self._style, self._cells, self._plain = style, cells, plain

    def __missing__(self, text: str) -> int:
        self._cells.append((text, self._style))
        self._plain.append(_PLAIN.fullmatch(text) is not None)
        self[text] = len(self._cells) - 1
        return self[text]


class Screen:
    """The cells of a terminal. One thread writes what should be seen, another takes what to send."""

    def __init__(self, width: int, height: int) -> None:
        self._lock = Lock()
        self._style = DEFAULT
        self.generation = 0  # of the numbers of cells: those of an older one mean nothing
        self._begin_numbers()
        self.resize(width, height)

    def _begin_numbers(self) -> None:
        self._cells: list[Cell] = []
        self._plain: list[bool] = []  # whether a terminal surely moves one column on
        self._numbers: dict[Style, _Numbers] = {}

    def resize(self, width: int, height: int) -> None:
        """Another size: nothing is known any more of what the terminal shows."""
        with self._lock:
            self.width, self.height = width, height
            self._wanted: Codes = np.full((height, width), self.codes(*_BLANK)[0], dtype=np.int32)
            self._shown: Codes = np.full((height, width), _UNKNOWN, dtype=np.int32)
            self._changed = np.zeros(height, dtype=bool)
            self._row = self._column = 0
            self._sent: Style | None = None  # the terminal's present colours, None if unknown

    def forget(self) -> None:
        """Nothing is known any more of what the terminal shows; what it should show stays."""
        with self._lock:
            self._shown[:] = _UNKNOWN
            self._changed[:] = True
            self._sent = None

    @property
    def waiting(self) -> bool:
        """Whether anything is left to send."""
        return bool(self._changed.any())

    # ---- what should be seen ---------------------------------------------------------------------------------

    def codes(self, text: str, style: Style) -> list[int]:
        """The cells of a text as numbers, one for every column."""
        numbers = self._numbers.get(style)
        if numbers is None:
            numbers = self._numbers[style] = _Numbers(style, self._cells, self._plain)
        if _PLAIN.fullmatch(text):
            return [numbers[character] for character in text]
        cells: list[str] = []
        last = 0  # where the character stands that others combine with
        for character in text:
            size = get_character_cell_size(character)
            if size or not cells:
                last = len(cells)
                cells += [character, *[""] * (size - 1)]
            else:
                cells[last] += character
        return [numbers[cell] for cell in cells]

    def write(self, data: str) -> str:
        """Take output of Textual; returns what is not for cells and must be sent as it is."""
        through = []
        with self._lock:
            for row, column, parameters, feed, text, ignored, other in _TOKENS.findall(data):
                if text:
                    codes = self.codes(text, self._style)
                    self._column += self._place(self._row, self._column, codes)
                elif row:
                    self._row, self._column = int(row) - 1, int(column) - 1
                elif feed:
                    self._row, self._column = self._row + 1, 0
                elif other:
                    through.append(other)
                elif not ignored:
                    self._style = after(self._style, parameters)
            self._let_go()
        return "".join(through)

    def put(self, parts: Iterable[tuple[int, int, Sequence[int] | Codes]]) -> None:
        """Cells as numbers, each part from a row and a column on; what does not fit is left out."""
        with self._lock:
            for row, column, codes in parts:
                self._place(row, column, codes)
            self._let_go()

    def _place(self, row: int, column: int, codes: Sequence[int] | Codes) -> int:
        """Returns how many cells there was room for."""
        if not (0 <= row < self.height and column >= 0):
            return 0
        room = max(0, self.width - column)
        codes = codes[:room]
        line, end = self._wanted[row], column + len(codes)
        for half in (column, end):  # of a wide character only one half is overwritten
            if 0 < half < self.width and not self._cells[line[half]][0]:
                at = half - 1 if half == column else half
                line[at] = self.codes(" ", self._cells[line[at]][1])[0]
        line[column:end] = codes
        self._changed[row] = True
        return len(codes)

    def _let_go(self) -> None:
        """Number anew what is still seen, where too much was numbered."""
        if len(self._cells) > _MANY:
            cells = self._cells
            self._begin_numbers()
            self.generation += 1
            new = np.full(len(cells) + 1, _UNKNOWN, dtype=np.int32)  # the last for what is unknown
            for code in np.union1d(self._wanted, self._shown).tolist():
                if code != _UNKNOWN:
                    text, style = cells[code]
                    new[code] = self._numbers.setdefault(style, _Numbers(style, self._cells, self._plain))[text]
            self._wanted, self._shown = new[self._wanted], new[self._shown]

    # ---- what to send ----------------------------------------------------------------------------------------

    def take(self, limit: int) -> str:
        """At least one change, and no more than about ``limit`` characters of them; "" if nothing is left.

        Lines that change little come first: they answer a key, while pictures can be filled in.
        """
        with self._lock:
            rows = np.flatnonzero(self._changed)
            different = self._wanted[rows] != self._shown[rows]
            count = different.sum(axis=1)
            self._changed[rows[count == 0]] = False
            out: list[str] = []
            size = 0
            for at in np.argsort(count, kind="stable")[(count == 0).sum() :].tolist():
                row = int(rows[at])
                for part in self._sent_line(row, np.flatnonzero(different[at]).tolist()):
                    out.append(part)
                    size += len(part)
                    if size >= limit:
                        return "".join(out)
                self._changed[row] = False
            return "".join(out)

    def _sent_line(self, row: int, columns: list[int]) -> Iterator[str]:
        wanted, shown = self._wanted[row].tolist(), self._shown[row]
        cells, plain = self._cells, self._plain
        at = -1  # where the terminal writes next, −1 where that is not sure
        with_first = -1  # the second half of a wide character that was sent
        for column in columns:
            if column == with_first:
                continue
            text, style = cells[wanted[column]]
            if 0 <= at < column <= at + _NEAR and all(
                cells[code][1] == self._sent and cells[code][0] for code in wanted[at:column]
            ):
                move = "".join(cells[code][0] for code in wanted[at:column])
            else:
                move = "" if at == column else f"\x1b[{row + 1};{column + 1}H"
            shown[column] = wanted[column]
            if not text:  # the second half of a wide character
                continue
            if column + 1 < self.width and not cells[wanted[column + 1]][0]:
                with_first = column + 1
                shown[with_first] = wanted[with_first]
            at = column + 1 if plain[wanted[column]] else -1
            colours, text, self._sent = painted(self._sent, text, style)
            yield f"{move}{colours}{text}"

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
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from rich.cells import get_character_cell_size

from explorer.tui.terminal.sgr import DEFAULT, Style, after, painted

# A position, colours, line feed, text; anything else goes through as it is.
_TOKENS = re.compile(
    r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(\n)|([^\x00-\x1f\x7f]+)|(\x1b\[\?2026[hl]|\r)|(\x1b?[^\x1b]*)"
)
_PLAIN = re.compile(
    r"[\x20-\x7e\xa1-\xac\xae-\u02ff\u0391-\u03ff\u2010-\u2027\u2190-\u21ff\u2200-\u22ff\u2500-\u25ff\u2800-\u28ff]*"
)
_NEAR = 3  # unchanged cells between changed ones that are cheaper to send again than to step over
_FEW = 6  # pieces side by side that are sorted one by one
_TOGETHER = 200  # changed cells that are sorted before some of them are sent: some 4 kB
_MANY = 1 << 17  # cells that are numbered before those no longer seen are let go: some 20 MB

Cell = tuple[str, Style]  # a character with what combines with it; "" behind one that is two columns wide
Codes = NDArray[np.int32]

_Look = tuple[str, str, str]  # what must be the same to be sent together: the rest, background, foreground if seen

_BLANK: Cell = (" ", DEFAULT)
_UNKNOWN = -1


@dataclass(slots=True)
class _Piece:
    """Cells side by side to be sent together."""

    row: int
    column: int
    codes: list[int]
    look: _Look


class ScreenBuffer:
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
        self._looks: list[_Look] = []
        self._numbers: dict[Style, dict[str, int]] = {}

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
        numbers = self._numbers.setdefault(style, {})
        if _PLAIN.fullmatch(text):
            cells: Sequence[str] = text
        else:
            cells = []
            last = 0  # where the character stands that others combine with
            for character in text:
                size = get_character_cell_size(character)
                if size or not cells:
                    last = len(cells)
                    cells += [character, *[""] * (size - 1)]
                else:
                    cells[last] += character
        try:
            return [numbers[cell] for cell in cells]
        except KeyError:
            return [self._number(cell, style, numbers) for cell in cells]

    def _number(self, text: str, style: Style, numbers: dict[str, int]) -> int:
        if text not in numbers:
            self._plain.append(_PLAIN.fullmatch(text) is not None)
            self._looks.append(_look(text, style))
            self._cells.append((text, style))
            numbers[text] = len(self._cells) - 1
        return numbers[text]

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
                    new[code] = self._number(text, style, self._numbers.setdefault(style, {}))
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
            pieces: list[_Piece] = []
            many = 0
            for at in np.argsort(count, kind="stable")[(count == 0).sum() :].tolist():
                pieces += self._pieces(int(rows[at]), np.flatnonzero(different[at]).tolist())
                many += int(count[at])
                if many > _TOGETHER:
                    break
            # What looks alike goes together, wherever it stands: to move costs less than to change colours.
            pieces.sort(key=lambda piece: piece.look)
            out: list[str] = []
            size = 0
            for part in self._sent_pieces(pieces):
                out.append(part)
                size += len(part)
                if size >= limit:
                    break
            return "".join(out)

    def _pieces(self, row: int, columns: list[int]) -> Iterator[_Piece]:
        """The changed cells of a line in pieces of one look; a long row of pieces stays one."""
        cells, plain, looks = self._cells, self._plain, self._looks
        wanted = self._wanted[row].tolist()
        stretch: list[_Piece] = []  # pieces side by side
        end, sure = -1, False  # one past the last of them, and whether the terminal then surely is there
        for column in columns:
            code = wanted[column]
            if column < end:  # sent with its neighbours
                continue
            if not cells[code][0] and column:  # the second half of a wide character goes with the first
                column -= 1
                code = wanted[column]
            wide = column + 1 < self.width and not cells[wanted[column + 1]][0]
            if stretch and sure and column <= end + _NEAR:
                look: _Look | None = stretch[-1].look
                for near in wanted[end : column + 1]:
                    look = _together(look, looks[near]) if look is not None and cells[near][0] else None
                if look is not None:
                    stretch[-1].look = look
                    stretch[-1].codes += wanted[end : column + 1 + wide]
                    end, sure = column + 1 + wide, plain[code]
                    continue
            if not (sure and column == end):
                yield from _joined(stretch)
                stretch = []
            stretch.append(_Piece(row, column, wanted[column : column + 1 + wide], looks[code]))
            end, sure = column + 1 + wide, plain[code]
        yield from _joined(stretch)

    def _sent_pieces(self, pieces: list[_Piece]) -> Iterator[str]:
        at: tuple[int, int] | None = None  # where the terminal writes next, where that is sure
        for piece in pieces:
            shown = self._shown[piece.row]
            for column, code in enumerate(piece.codes, piece.column):
                text, style = self._cells[code]
                if not text:
                    continue
                shown[column] = code
                if column + 1 < self.width and not self._cells[self._wanted[piece.row, column + 1]][0]:
                    shown[column + 1] = self._wanted[piece.row, column + 1]  # its second half
                move = "" if at == (piece.row, column) else f"\x1b[{piece.row + 1};{column + 1}H"
                colours, text, self._sent = painted(self._sent, text, style)
                at = (piece.row, column + 1) if self._plain[code] else None
                yield f"{move}{colours}{text}"


def _look(text: str, style: Style) -> _Look:
    front, ground, rest = style
    return rest, ground, "" if text == " " and not rest else front or "39"


def _together(one: _Look, other: _Look) -> _Look | None:
    """The look of two cells that can be sent in the same colours; None if they cannot."""
    if one[:2] != other[:2] or (one[2] and other[2] and one[2] != other[2]):
        return None
    return one if one[2] else other


def _joined(stretch: list[_Piece]) -> list[_Piece]:
    """Pieces side by side: where they are many, to change colours costs less than to move to each."""
    if len(stretch) > _FEW:
        stretch[0].codes = [code for piece in stretch for code in piece.codes]
        return stretch[:1]
    return stretch

"""Compute the fewest bytes that turn what the terminal shows into what it should show.

Textual writes whole lines and sets all colours of every piece. `ScreenBuffer` parses that output into cells and sends
only the cells and the colours that differ; a cell that changes twice before it is sent is sent once. What waits for a
slow terminal is therefore never more than one screen, and never outdated.

A cell is stored as a code: its index in a table of all characters and styles seen so far. Two screens of codes are
compared in one NumPy operation.
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

# A position, colours, a line feed, text; anything else is passed through.
_TOKENS = re.compile(
    r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(\n)|([^\x00-\x1f\x7f]+)|(\x1b\[\?2026[hl]|\r)|(\x1b?[^\x1b]*)"
)
_PLAIN = re.compile(
    r"[\x20-\x7e\xa1-\xac\xae-\u02ff\u0391-\u03ff\u2010-\u2027\u2190-\u21ff\u2200-\u22ff\u2500-\u25ff\u2800-\u28ff]*"
)
_NEAR = 3  # up to this many unchanged cells between changed ones, sending them again is cheaper than a cursor move
_FEW = 6  # up to this many adjacent pieces are sorted individually
_BATCH = 200  # changed cells to sort at a time, about 4 kB of output
MAX_CODES = 1 << 15  # table size at which unused codes are dropped, about 20 MiB

Cell = tuple[str, Style]  # a character with its combining marks; "" for the second column of a wide one
Codes = NDArray[np.int32]

_Look = tuple[str, str, str]  # attributes, background, and foreground if it is visible: equal for cells sent together

_BLANK: Cell = (" ", DEFAULT)
_UNKNOWN = -1


@dataclass(slots=True)
class _Piece:
    """Adjacent cells of one look."""

    row: int
    column: int
    codes: list[int]
    look: _Look


class ScreenBuffer:
    """The cells of a terminal. One thread writes what should be shown, another takes what to send."""

    def __init__(self, width: int, height: int, max_codes: int = MAX_CODES) -> None:
        self._lock = Lock()
        self._style = DEFAULT
        self.max_codes = max_codes
        self.generation = 0  # of the code table; codes of an older generation are invalid
        self._clear_table()
        self.resize(width, height)

    def _clear_table(self) -> None:
        self._limit = self.max_codes
        self._cells: list[Cell] = []
        self._plain: list[bool] = []  # whether every terminal moves one column for it
        self._looks: list[_Look] = []
        self._codes: dict[Style, dict[str, int]] = {}

    def resize(self, width: int, height: int) -> None:
        """Change the size; all cells are sent again."""
        with self._lock:
            self.width, self.height = width, height
            self._wanted: Codes = np.full((height, width), self.codes(*_BLANK)[0], dtype=np.int32)
            self._shown: Codes = np.full((height, width), _UNKNOWN, dtype=np.int32)
            self._changed = np.zeros(height, dtype=bool)
            self._row = self._column = 0
            self._sent: Style | None = None  # current style of the terminal; None if unknown

    def invalidate(self) -> None:
        """Send every cell again: what the terminal shows is unknown."""
        with self._lock:
            self._shown[:] = _UNKNOWN
            self._changed[:] = True
            self._sent = None

    @property
    def waiting(self) -> bool:
        """Whether lines changed since they were sent."""
        return bool(self._changed.any())

    @property
    def code_count(self) -> int:
        """Size of the code table."""
        return len(self._cells)

    def wanted(self) -> list[list[Cell]]:
        """Return what the terminal should show, by row and column."""
        return [[self._cells[code] for code in row] for row in self._wanted.tolist()]

    # ---- what the terminal should show -----------------------------------------------------------------------

    def codes(self, text: str, style: Style) -> list[int]:
        """Return the codes of a text, one per column."""
        known = self._codes.setdefault(style, {})
        if _PLAIN.fullmatch(text):
            cells: Sequence[str] = text
        else:
            cells = []
            last = 0  # index of the character that combining marks belong to
            for character in text:
                size = get_character_cell_size(character)
                if size or not cells:
                    last = len(cells)
                    cells += [character, *[""] * (size - 1)]
                else:
                    cells[last] += character
        try:
            return [known[cell] for cell in cells]
        except KeyError:
            return [self._code(cell, style, known) for cell in cells]

    def _code(self, text: str, style: Style, known: dict[str, int]) -> int:
        if text not in known:
            self._plain.append(_PLAIN.fullmatch(text) is not None)
            self._looks.append(_look(text, style))
            self._cells.append((text, style))
            known[text] = len(self._cells) - 1
        return known[text]

    def write(self, data: str) -> str:
        """Parse output of Textual into cells; return what must be sent unchanged."""
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
            self._drop_unused()
        return "".join(through)

    def put(self, parts: Iterable[tuple[int, int, Sequence[int] | Codes]]) -> None:
        """Set cells, given as (row, column, codes); what does not fit is dropped."""
        with self._lock:
            for row, column, codes in parts:
                self._place(row, column, codes)
            self._drop_unused()

    def _place(self, row: int, column: int, codes: Sequence[int] | Codes) -> int:
        """Set cells of a row; return how many fit."""
        if not (0 <= row < self.height and column >= 0):
            return 0
        room = max(0, self.width - column)
        codes = codes[:room]
        line, end = self._wanted[row], column + len(codes)
        for half in (column, end):  # only one half of a wide character is overwritten
            if 0 < half < self.width and not self._cells[line[half]][0]:
                at = half - 1 if half == column else half
                line[at] = self.codes(" ", self._cells[line[at]][1])[0]
        line[column:end] = codes
        self._changed[row] = True
        return len(codes)

    def _drop_unused(self) -> None:
        """Rebuild the code table from the cells in use once it is too large."""
        if len(self._cells) > self._limit:
            cells = self._cells
            self._clear_table()
            self.generation += 1
            new = np.full(len(cells) + 1, _UNKNOWN, dtype=np.int32)  # the last entry is for unknown cells
            for code in np.union1d(self._wanted, self._shown).tolist():
                if code != _UNKNOWN:
                    text, style = cells[code]
                    new[code] = self._code(text, style, self._codes.setdefault(style, {}))
            self._wanted, self._shown = new[self._wanted], new[self._shown]
            self._limit = max(self.max_codes, 2 * len(self._cells))  # a large screen may need more codes than that

    # ---- what to send ----------------------------------------------------------------------------------------

    def take(self, limit: int) -> str:
        """Return the next changes as about ``limit`` characters of output; "" if there are none.

        Lines with few changes come first: they respond to a key, while pictures can be filled in later.
        """
        with self._lock:
            rows = np.flatnonzero(self._changed)
            different = self._wanted[rows] != self._shown[rows]
            count = different.sum(axis=1)
            self._changed[rows[count == 0]] = False
            pieces: list[_Piece] = []
            cells = 0
            for at in np.argsort(count, kind="stable")[(count == 0).sum() :].tolist():
                pieces += self._pieces(int(rows[at]), np.flatnonzero(different[at]).tolist())
                cells += int(count[at])
                if cells > _BATCH:
                    break
            # Group pieces by look: moving the cursor costs fewer bytes than changing colours.
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
        """Yield the changed cells of a row as pieces of one look; many adjacent pieces stay together."""
        cells, plain, looks = self._cells, self._plain, self._looks
        wanted = self._wanted[row].tolist()
        stretch: list[_Piece] = []  # adjacent pieces
        end, sure = -1, False  # one past the last of them, and whether the cursor is certain to be there
        for column in columns:
            code = wanted[column]
            if column < end:  # already part of a piece
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
        at: tuple[int, int] | None = None  # position of the cursor, if certain
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
    foreground, ground, rest = style
    return rest, ground, "" if text == " " and not rest else foreground or "39"


def _together(one: _Look, other: _Look) -> _Look | None:
    """Return the common look of two cells that can be sent in the same colours; None if they cannot."""
    if one[:2] != other[:2] or (one[2] and other[2] and one[2] != other[2]):
        return None
    return one if one[2] else other


def _joined(stretch: list[_Piece]) -> list[_Piece]:
    """Join adjacent pieces if they are many: then changing colours costs fewer bytes than moving to each."""
    if len(stretch) > _FEW:
        stretch[0].codes = [code for piece in stretch for code in piece.codes]
        return stretch[:1]
    return stretch

"""What the terminal shows, what it should show, and the fewest bytes from one to the other.

Textual draws whole lines, every piece with all of its colours. Here its output is read into cells instead, and only
cells that differ are sent, with only the colours that differ; a cell that changes again before it could be sent is sent
once. So what waits for a slow terminal is never more than one screen, and never old.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

from rich.cells import get_character_cell_size

# A position, colours, line feed, text; anything else goes through as it is.
_TOKENS = re.compile(
    r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(\n)|([^\x00-\x1f\x7f]+)|(\x1b\[\?2026[hl]|\r)|(\x1b?[^\x1b]*)"
)
_PLAIN = re.compile(
    r"[\x20-\x7e\xa1-\xac\xae-\u02ff\u0391-\u03ff\u2010-\u2027\u2190-\u21ff\u2200-\u22ff\u2500-\u25ff\u2800-\u28ff]*"
)
_NEAR = 3  # unchanged cells between changed ones that are cheaper to send again than to step over
_UPPER, _LOWER, _BLANK = "▀", "▄", " "

Style = tuple[str, str, str]  # foreground, background, the rest: each as parameters of SGR, "" by default
Cell = tuple[str, Style]  # a character with what combines with it; "" behind one that is two columns wide

DEFAULT: Style = ("", "", "")
UNKNOWN: Cell = ("\0", DEFAULT)


class Screen:
    """The cells of a terminal. One thread writes what should be seen, another takes what to send."""

    def __init__(self, width: int, height: int) -> None:
        self._lock = Lock()
        self._style = DEFAULT
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Another size: nothing is known any more of what the terminal shows."""
        with self._lock:
            self.width, self.height = width, height
            self._wanted: list[list[Cell]] = [[(_BLANK, DEFAULT)] * width for _ in range(height)]
            self._shown: list[list[Cell]] = [[UNKNOWN] * width for _ in range(height)]
            self._changed: set[int] = set()
            self._row = self._column = 0
            self._sent: Style | None = None  # the terminal's present colours, None if unknown

    def forget(self) -> None:
        """Nothing is known any more of what the terminal shows; what it should show stays."""
        with self._lock:
            self._shown = [[UNKNOWN] * self.width for _ in range(self.height)]
            self._changed = set(range(self.height))
            self._sent = None

    @property
    def waiting(self) -> bool:
        """Whether anything is left to send."""
        return bool(self._changed)

    def write(self, data: str) -> str:
        """Take output of Textual; returns what is not for cells and must be sent as it is."""
        through = []
        with self._lock:
            for row, column, colours, feed, text, ignored, other in _TOKENS.findall(data):
                if text:
                    self._put(text)
                elif row:
                    self._row, self._column = int(row) - 1, int(column) - 1
                elif feed:
                    self._row, self._column = self._row + 1, 0
                elif other:
                    through.append(other)
                elif not ignored:
                    self._style = _after(self._style, colours)
        return "".join(through)

    def _put(self, text: str) -> None:
        row, column, style = self._row, self._column, self._style
        if not 0 <= row < self.height:
            return
        cells: list[Cell]
        if _PLAIN.fullmatch(text):
            cells = [(character, style) for character in text]
        else:
            cells = []
            for character in text:
                size = get_character_cell_size(character)
                if size or not cells:
                    cells += [(character, style), *[("", style)] * (size - 1)]
                else:
                    cells[-1] = (cells[-1][0] + character, style)
        cells = cells[: max(0, self.width - column)]
        line, end = self._wanted[row], column + len(cells)
        if 0 < column < self.width and not line[column][0]:  # of a wide character only one half is overwritten
            line[column - 1] = (_BLANK, line[column - 1][1])
        if end < self.width and not line[end][0]:
            line[end] = (_BLANK, line[end][1])
        line[column:end] = cells
        self._column += len(cells)
        self._changed.add(row)

    # ---- what to send ----------------------------------------------------------------------------------------

    def take(self, limit: int) -> str:
        """At least one change, and no more than about ``limit`` characters of them; "" if nothing is left.

        Lines that change little come first: they answer a key, while pictures can be filled in.
        """
        with self._lock:
            lines = sorted(self._differences(), key=lambda line: len(line[1]))
            out: list[str] = []
            size = 0
            for row, columns in lines:
                for part in self._sent_line(row, columns):
                    out.append(part)
                    size += len(part)
                    if size >= limit:
                        return "".join(out)
            return "".join(out)

    def _differences(self) -> Iterator[tuple[int, list[int]]]:
        for row in list(self._changed):
            wanted, shown = self._wanted[row], self._shown[row]
            columns = [k for k, cell in enumerate(wanted) if cell != shown[k]] if wanted != shown else []
            if columns:
                yield row, columns
            else:
                self._changed.discard(row)

    def _sent_line(self, row: int, columns: list[int]) -> Iterator[str]:
        wanted, shown = self._wanted[row], self._shown[row]
        at = -1  # where the terminal writes next, −1 where that is not sure
        for column in columns:
            text, style = wanted[column]
            if shown[column] == wanted[column]:
                continue  # sent with its neighbours
            if 0 <= at < column <= at + _NEAR and all(
                wanted[k][1] == self._sent and wanted[k][0] for k in range(at, column)
            ):
                move = "".join(wanted[k][0] for k in range(at, column))
            else:
                move = "" if at == column else f"\x1b[{row + 1};{column + 1}H"
            shown[column] = wanted[column]
            if not text:  # the second half of a wide character
                continue
            if column + 1 < self.width and not wanted[column + 1][0]:
                shown[column + 1] = wanted[column + 1]  # which goes with the first
            colours, text, self._sent = _painted(self._sent, text, style)
            yield f"{move}{colours}{text}"
            at = column + 1 if _PLAIN.fullmatch(text) else -1
        if not any(cell != shown[k] for k, cell in enumerate(wanted)):
            self._changed.discard(row)


@lru_cache(maxsize=65536)
def _painted(sent: Style | None, text: str, style: Style) -> tuple[str, str, Style]:
    """The colours to send, the character, and the colours the terminal then has.

    A half block may as well be the other half in exchanged colours, or a blank where both halves are one colour.
    """
    ways = [(text, style)]
    front, ground, rest = style
    if text == _UPPER and front.startswith("38") and ground.startswith("48"):
        exchanged = ("3" + ground[1:], "4" + front[1:], rest)
        ways.append((_LOWER, exchanged))
        if exchanged[0] == front:
            ways = [(_BLANK, (front if sent is None else sent[0], ground, rest))]
    elif text == _BLANK and not rest and sent is not None:
        ways = [(text, (sent[0], ground, rest))]  # nobody sees the foreground of a blank
    options = [(_change(sent, how), character, how) for character, how in ways]
    return min(options, key=lambda option: len(option[0]))


def _change(sent: Style | None, style: Style) -> str:
    if sent == style:
        return ""
    if sent is None or sent[2] != style[2]:
        parts = ["0", *filter(None, (style[2], style[0], style[1]))]
    else:
        parts = [new or reset for old, new, reset in zip(sent[:2], style[:2], ("39", "49"), strict=True) if old != new]
    return f"\x1b[{';'.join(parts)}m"


@lru_cache(maxsize=65536)
def _after(style: Style, colours: str) -> Style:
    """The style after SGR parameters."""
    front, ground, rest = style
    numbers = (colours or "0").split(";")
    at = 0
    while at < len(numbers):
        number = numbers[at] or "0"
        length = (
            {"2": 5, "5": 3}.get(numbers[at + 1] if at + 1 < len(numbers) else "", 1) if number in ("38", "48") else 1
        )
        part = ";".join(numbers[at : at + length])
        at += length
        if number == "0":
            front, ground, rest = DEFAULT
        elif number == "39":
            front = ""
        elif number == "49":
            ground = ""
        elif len(number) == 2 and number[0] in "39":
            front = part
        elif (len(number) == 2 and number[0] == "4") or (len(number) == 3 and number[:2] == "10"):
            ground = part
        else:
            rest = f"{rest};{part}" if rest else part
    return front, ground, rest

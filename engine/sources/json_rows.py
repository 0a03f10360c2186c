"""JSON Lines and JSON arrays, read object by object."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from engine.sources.collection import Collector
from engine.sources.streams import LONGEST_LINE, Lines
from engine.sources.tables import Rows, collect_rows
from engine.text import ReviewError

_PIECE: Final = 1 << 16  # characters that are read at once
_SPACE: Final = re.compile(r"[\s,]*")


def read_json_lines(collector: Collector, lines: Lines, name: str) -> None:
    """Add the objects of a JSON Lines file."""
    collector.format = "JSON Lines"
    collect_rows(collector, _line_rows(collector, lines, name))


def _line_rows(collector: Collector, lines: Lines, name: str) -> Rows:
    for line in lines:
        if not line.strip():
            continue
        place = f"line {lines.number}"
        try:
            row = json.loads(line.strip())
        except (ValueError, RecursionError) as error:
            collector.skip(place, f"not JSON: {error}")
            continue
        yield from _row(collector, row, f"{name}, {place}", place, line)


def _row(collector: Collector, row: Any, name: str, place: str, shown: str) -> Rows:
    if isinstance(row, dict):
        yield name, place, row
    elif isinstance(row, str):
        yield name, place, {"text": row}
    else:
        collector.skip(place, f"expected an object {{…}}, found {shown.strip()[:40]!r}")


def read_json(collector: Collector, lines: Lines, name: str) -> None:
    """Add the objects of a JSON array, or of the array in an object such as ``{"data": [...]}``.

    Raises
    ------
    ReviewError
        If the file is other JSON.
    """
    collector.format = "JSON"
    rows = (
        row
        for number, value in enumerate(_elements(collector, lines), 1)
        for row in _row(collector, value, f"{name}, item {number}", f"item {number}", reprlib.repr(value))
    )
    collect_rows(collector, rows)


def _elements(collector: Collector, lines: Lines) -> Iterator[Any]:
    """Yield the elements of the array; what comes after a broken one cannot be found and is skipped."""
    pieces = iter(lines)
    buffer = _Buffer(lambda: next(pieces, ""))
    start = buffer.peek()
    if start == "{":  # the array is the value of one of its keys
        try:
            found = buffer.skip_to_array()
        except (ValueError, RecursionError) as error:
            raise ReviewError(f"{collector.source!r} is not JSON: {error}") from None
        if not found:
            raise ReviewError(f"{collector.source!r} is a JSON object without a list of reviews; expected [{{…}}, …]")
    elif start == "[":
        buffer.take(1)
    else:
        raise ReviewError(f"{collector.source!r} is not JSON: expected [{{…}}, …]")
    number = 0
    while (following := buffer.peek()) not in ("]", ""):
        number += 1
        try:
            yield buffer.value()
        except (ValueError, RecursionError) as error:
            collector.skip(f"item {number} (line {lines.number}) and what follows", f"not JSON: {error}")
            return
    if following == "":
        collector.skip(f"after item {number}", "the list does not end; the file may be truncated")


class _Buffer:
    """Text that is read as it is needed."""

    def __init__(self, more: Callable[[], str]) -> None:
        self._more, self._text, self._at = more, "", 0
        self._decoder = json.JSONDecoder()

    def _fill(self) -> bool:
        parts = [self._text[self._at :]]
        size = 0
        while size < max(_PIECE, len(parts[0])) and (piece := self._more()):
            parts.append(piece)
            size += len(piece)
        self._text, self._at = "".join(parts), 0
        return size > 0

    def peek(self) -> str:
        """Return the next character that is neither white space nor a comma; "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def take(self, count: int) -> None:
        self._at += count

    def value(self) -> Any:
        """Return the next value.

        Raises
        ------
        ValueError, RecursionError
            If there is none, or it is longer than `LONGEST_LINE`.
        """
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
                if end < len(self._text) or not self._fill_after(end):
                    self._at = min(end, len(self._text))
                    return value
            except ValueError:
                if len(self._text) - self._at > LONGEST_LINE or not self._fill():
                    raise

    def _fill_after(self, end: int) -> bool:
        """Read on where a value ends with the text so far: a number may be longer."""
        return self._text[end - 1] not in '"}]' and self._fill()

    def skip_to_array(self) -> bool:
        """Move to the first element of the first array in the object; return whether there is one."""
        self.take(1)
        for _ in range(100):
            if self.peek() != '"':
                return False
            self.value()
            if self.peek() != ":":
                return False
            self.take(1)
            if self.peek() == "[":
                self.take(1)
                return True
            self.value()
        return False

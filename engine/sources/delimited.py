"""Tables of delimited text: CSV, TSV and their relatives, with the delimiter and the quoting found."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

from engine.sources.collection import Collector
from engine.sources.columns import guess, known, looks_like_data
from engine.sources.streams import LONGEST_LINE, Lines
from engine.sources.tables import Rows, collect_rows
from engine.text import ReviewError, printable

_SAMPLE: Final = 200  # lines that show the delimiter
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_OPEN: Final = "unexpected end of data"  # of the csv module: a quote is open
_NONE: Final = "\x00"  # the delimiter of a table with one column


@dataclass(frozen=True)
class Dialect:
    """``quoting`` is ``double`` (a quote in a quoted cell is doubled), ``backslash`` or ``none``."""

    delimiter: str
    quoting: str

    def parse(self, lines: Iterable[str]) -> list[str]:
        """Return the cells of one record.

        Raises
        ------
        csv.Error
            If it is not one.
        """
        rows = list(csv.reader(lines, strict=True, **self._parameters))
        if len(rows) > 1:
            raise csv.Error("a line break outside quotes")
        return rows[0] if rows else []

    @property
    def _parameters(self) -> dict[str, Any]:
        if self.quoting == "none":
            return {"delimiter": self.delimiter, "quoting": csv.QUOTE_NONE}
        if self.quoting == "backslash":
            return {"delimiter": self.delimiter, "doublequote": False, "escapechar": "\\"}
        return {"delimiter": self.delimiter}

    def opens(self, line: str) -> bool:
        """Return whether a line changes between inside and outside quotes."""
        if self.quoting == "none" or '"' not in line:
            return False
        return (re.sub(r"\\.", "", line) if self.quoting == "backslash" else line).count('"') % 2 == 1


@dataclass(frozen=True)
class Record:
    """A record with its first line; ``error`` says why it has no cells."""

    line: int
    cells: list[str]
    error: str = ""


def records(lines: Iterable[str], dialect: Dialect) -> Iterator[Record]:
    """Yield the records of a table except blank lines.

    A record whose quote never closes, or closes before other text, costs its first line: reading goes on after that.
    """
    numbered = enumerate(lines, 1)
    again: deque[tuple[int, str]] = deque()
    while True:
        item = again.popleft() if again else next(numbered, None)
        if item is None:
            return
        number, line = item
        if not line.strip("\r\n"):
            continue
        taken, size, error = [item], len(line), ""
        cells: list[str] = []
        while True:
            try:
                cells = dialect.parse(text for _, text in taken)
                error = ""
                break
            except csv.Error as found:
                error = str(found)
            if not error.startswith(_OPEN) or size > LONGEST_LINE:
                break
            while (following := again.popleft() if again else next(numbered, None)) is not None:
                taken.append(following)
                size += len(following[1])
                if dialect.opens(following[1]) or size > LONGEST_LINE:
                    break
            else:
                break
        if error:
            again.extendleft(reversed(taken[1:]))
            yield Record(number, [], "a quote that never closes" if error.startswith(_OPEN) else error)
        elif any(cells):
            yield Record(number, cells)


def find_dialect(sample: Sequence[str], tabs: bool, *, complete: bool) -> Dialect:
    """Return the dialect in which the first lines agree best on the number of columns.

    Parameters
    ----------
    sample : sequence of str
    tabs : bool
        Whether the file's name promises tabs.
    complete : bool
        Whether there are no other lines; else the last record may be cut.
    """
    order = ("\t", ",", ";", "|") if tabs else (",", ";", "\t", "|")
    best, most = Dialect(_NONE, "double"), 0.0
    for delimiter in order:
        for quoting in ("double", "backslash", "none"):
            score = _score(list(records(sample, Dialect(delimiter, quoting))), complete)
            if score > most + 1e-9:
                best, most = Dialect(delimiter, quoting), score
    return best


def _score(rows: list[Record], complete: bool) -> float:
    """Return how well records make a table: 0 for one column, at most 1, and 1 more if known names come first."""
    if not complete and len(rows) > 1 and rows[-1].error:
        rows.pop()
    if not rows or len(rows[0].cells) < 2:
        return 0.0
    width = len(rows[0].cells)
    fitting = sum(len(row.cells) == width for row in rows) / len(rows)
    broken = sum(any(_half_quoted(cell) for cell in row.cells) for row in rows) / len(rows)
    return fitting - 0.5 * broken + any(map(known, rows[0].cells))


def _half_quoted(cell: str) -> bool:
    """Return whether a cell keeps signs of quoting: then it was read in the wrong dialect."""
    return (len(cell) > 1 and cell[0] == cell[-1] == '"') or '\\"' in cell


def read_delimited(collector: Collector, lines: Lines, name: str, *, tabs: bool) -> None:
    """Add the rows of a table of delimited text.

    Raises
    ------
    ReviewError
        If its columns are not clear.
    """
    limit = csv.field_size_limit(LONGEST_LINE)  # the default, 131,072 characters, is some 25,000 words
    try:
        _read(collector, lines, name, tabs)
    finally:
        csv.field_size_limit(limit)


def _read(collector: Collector, lines: Lines, name: str, tabs: bool) -> None:
    iterator = iter(lines)
    sample = list(islice(iterator, _SAMPLE))
    dialect = find_dialect(sample, tabs, complete=len(sample) < _SAMPLE)
    found = records(chain(sample, iterator), dialect)
    first = next((record for record in found if _usable(collector, record)), None)
    if dialect.delimiter in ("\t", ";", "|"):
        collector.format = f"{'TSV' if dialect.delimiter == chr(9) else 'CSV'} ({_DELIMITERS[dialect.delimiter]})"
    else:
        collector.format = "CSV"
    if first is None:
        collector.skip("", "it has no rows")
        return
    header = collector.options.header
    if header is None and looks_like_data(first.cells):
        if not any(column.isdecimal() for column in collector.options.columns.values()):
            seen = [record.cells for record in records(sample, dialect) if record.cells]
            shown = printable(", ".join(map(repr, first.cells)))[:80]
            raise ReviewError(
                f"{collector.source!r}: the first row, {shown}, looks like a review, not like the names of columns; "
                f"give --no-header --columns {guess(seen)} (numbers from 0), or --header"
            )
        header = False
    if header is False:
        names = [str(k) for k in range(len(first.cells))]
        rows = _rows(collector, chain((first,), found), names, name)
    else:
        names = [cell.removeprefix("\ufeff") for cell in first.cells]
        rows = _rows(collector, found, names, name)
    if header is False and "text" not in collector.options.columns and len(names) > 1:
        raise ReviewError(
            f"{collector.source!r}: which column holds the texts? Give for example --columns {guess([first.cells])}"
        )
    collect_rows(collector, rows)


def _usable(collector: Collector, record: Record) -> bool:
    if record.error:
        collector.skip(f"line {record.line}", f"not CSV: {record.error}")
    return not record.error


def _rows(collector: Collector, found: Iterable[Record], names: Sequence[str], name: str) -> Rows:
    """Yield the rows that fit the columns; empty cells at the end may be missing or too many."""
    width = len(names)
    for number, record in enumerate(found, 1):
        place = f"row {number} (line {record.line})"
        if record.error:
            collector.skip(place, f"not CSV: {record.error}")
            continue
        if len(record.cells) > width and any(record.cells[width:]):
            collector.skip(place, f"{len(record.cells)} cells instead of {width}; is a comma in the text not quoted?")
            continue
        yield f"{name}, row {number}", place, dict(zip(names, record.cells, strict=False))

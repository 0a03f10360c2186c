"""A file that grows: the reviews that are appended to it, as they come."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import BinaryIO, Final

from engine.file_formats import SourceFormat, source_format
from engine.sources.collection import NO_WORDS, Reviews, SourceReport
from engine.sources.columns import Columns, Row, cell_text, choose
from engine.sources.delimited import Dialect, find_dialect, records
from engine.sources.encodings import repaired
from engine.sources.labels import LabelColumn
from engine.sources.options import DEFAULTS, ReadOptions
from engine.text import ReviewError, has_words, plain_text

_AT_ONCE: Final = 1 << 20  # bytes of one poll
_LONGEST: Final = 1 << 22  # bytes of a line or of a record that is not complete yet
_FORMATS: Final = {"csv", "tsv", "jsonl", "fasttext", "lines"}


class FollowedFile:
    """Adds what is appended to a file to `Reviews`: JSON Lines, CSV, or one review a line, in UTF-8.

    A file that becomes shorter, or that another replaces (rotation), is read from its start. It may not exist yet.

    Parameters
    ----------
    path : Path
    reviews : Reviews
        What new reviews are added to.
    options : ReadOptions

    Attributes
    ----------
    skipped : int
        Rows that could not be read.
    trouble : str
        Why the last row was skipped, or why the file cannot be read; "" without an error.
    """

    def __init__(self, path: Path, reviews: Reviews, options: ReadOptions = DEFAULTS) -> None:
        if path.exists() and not path.is_file():
            raise ReviewError(f"cannot follow {str(path)!r}: not a regular file")
        if options.format is not None and options.format not in _FORMATS:
            raise ReviewError(f"cannot follow a file of the format {options.format}; expected JSON Lines, CSV or lines")
        self.path = path
        self.reviews = reviews
        self.skipped = 0
        self.trouble = ""
        self._options = options
        self._file: BinaryIO | None = None
        self._restart()

    def _restart(self) -> None:
        """Forget what the file was like: it is another one."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._pending = b""
        self._held: list[str] = []
        self._number = 0
        self._format: SourceFormat | None = None
        self._dialect: Dialect | None = None
        self._names: list[str] | None = None
        self._columns: Columns | None = None
        self._labels = LabelColumn("label")
        self._labelled: list[int] = []

    def poll(self) -> int:
        """Read what was appended since the last call, and return the number of new reviews."""
        before = len(self.reviews)
        try:
            self._reopen()
            data = b"" if self._file is None else self._file.read(_AT_ONCE)
        except OSError as error:
            self.trouble = f"cannot read {self.path.name}: {error.strerror or error}"
            return 0
        if data:
            *whole, self._pending = (self._pending + data).split(b"\n")
            self._take([repaired(line.decode("utf-8", "surrogateescape"))[0].rstrip("\r") for line in whole])
            if len(self._pending) > _LONGEST:
                self._skip(f"a line of more than {_LONGEST >> 20} MiB")
                self._pending = b""
        return len(self.reviews) - before

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _reopen(self) -> None:
        """Open the file if it is new, was replaced, or became shorter."""
        try:
            now = os.stat(self.path)
        except FileNotFoundError:
            return  # it is being rotated: what is still open may get more
        if self._file is not None:
            present = os.fstat(self._file.fileno())
            if (present.st_ino, present.st_dev) == (now.st_ino, now.st_dev) and now.st_size >= self._file.tell():
                return
            self._restart()
        self._file = self.path.open("rb", buffering=0)

    def _take(self, lines: list[str]) -> None:
        """Add the reviews in whole lines."""
        if self._format is None:
            start = next((line for line in lines if line.strip()), None)
            if start is None:
                self._number += len(lines)
                return
            lines = [line.removeprefix("\ufeff") for line in lines]
            found = source_format(start.encode(), self.path.name, self._options.format)
            self._format = found if found in _FORMATS else "lines"
        if self._format in ("csv", "tsv"):
            self._take_records(lines)
            return
        for line in lines:
            self._number += 1
            if not line.strip():
                continue
            if self._format == "jsonl":
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    self._skip(f"not JSON: {error}")
                    continue
                self._take_row(row if isinstance(row, dict) else {"text": row})
            elif self._format == "fasttext" and line.startswith("__label__"):
                label, _, text = line.partition(" ")
                self._add(text, label.removeprefix("__label__"))
            else:
                self._add(line, None)

    def _take_records(self, lines: list[str]) -> None:
        """Add the reviews in lines of CSV; a record whose quote is open waits for more lines."""
        self._held += [f"{line}\n" for line in lines]
        if self._dialect is None:
            self._dialect = find_dialect(self._held, self._format == "tsv", complete=False)
            if self._dialect.delimiter == "\x00" and len(self._held) < 2:  # a header alone may have one column
                self._dialect = find_dialect([*self._held, self._held[-1]], self._format == "tsv", complete=False)
        kept: list[str] = []
        for record in records(self._held, self._dialect):
            if record.error:
                rest = self._held[record.line - 1 :]
                if record.error == "a quote that never closes" and sum(map(len, rest)) < _LONGEST:
                    kept = rest
                    break
                self._skip(f"not CSV: {record.error}")
            elif self._names is None and self._options.header is not False:
                self._names = record.cells
            else:
                self._names = self._names or [str(k) for k in range(len(record.cells))]
                if len(record.cells) > len(self._names) and any(record.cells[len(self._names) :]):
                    self._skip(f"{len(record.cells)} cells instead of {len(self._names)}")
                else:
                    self._take_row(dict(zip(self._names, record.cells, strict=False)))
        self._number += len(self._held) - len(kept)
        self._held = kept

    def _take_row(self, row: Row) -> None:
        try:
            if self._columns is None:
                self._columns = choose(self.path.name, [row], self._options)
                self._labels = LabelColumn(self._columns.label or "label", self._columns.stars)
        except ReviewError as error:
            self._skip(str(error))
            return
        text = cell_text(row.get(self._columns.text))
        if text is None:
            self._skip(f"no text in the column {self._columns.text[:40]!r}")
        else:
            self._add(text, row.get(self._columns.label) if self._columns.label else None)

    def _add(self, text: str, label: object) -> None:
        """Add a review; a label may show what those before it mean: 5 makes 1 and 2 stars."""
        text = plain_text(text)
        if not has_words(text):
            self._skip(NO_WORDS)
            return
        known = len(self._labels)
        self._labels.add(label, "")
        self._labelled.append(len(self.reviews))
        meanings = self._labels.meanings(self._options.labels).values
        self.reviews.append(f"{self.path.stem}, {len(self.reviews) + 1}", text, meanings[self._labels.codes[-1]])
        if len(self._labels) > known:
            for index, code in zip(self._labelled, self._labels.codes, strict=True):
                self.reviews.set_label(index, meanings[code])

    def _skip(self, reason: str) -> None:
        self.skipped += 1
        self.trouble = f"{self.path.name}: skipped 1: {reason[:120]}"


def followed_reviews(path: Path, options: ReadOptions) -> tuple[Reviews, FollowedFile]:
    """Return empty `Reviews` that a followed file fills."""
    reviews = Reviews(SourceReport(source=str(path), format="followed"))
    return reviews, FollowedFile(path, reviews, options)

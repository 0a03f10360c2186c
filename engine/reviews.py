"""Open reviews: the bundled ones, the IMDb archive, folders, text, CSV or JSON Lines files, and standard input."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.imdb import find_archive, read_archive
from engine.text import CUT, Progress, Review, ReviewError, count_words, decode, split_words

__all__ = ["BUNDLED", "CUT", "Review", "ReviewError", "count_words", "open_reviews", "split_words"]

BUNDLED: Final = Path(__file__).parent.parent / "assets" / "reviews"

_TEXT_COLUMNS: Final = ("text", "review", "content", "sentence")
_LABEL_COLUMNS: Final = ("label", "sentiment")
_LABELS: Final = {
    **dict.fromkeys(("pos", "positive", "1", "true"), True),
    **dict.fromkeys(("neg", "negative", "0", "false"), False),
    **dict.fromkeys(("", "none"), None),
}

Row = Mapping[str, Any]

_LARGEST: Final = 1 << 30  # bytes of one file or of standard input; all reviews of a source are in memory
_DEEPEST: Final = 32  # folders in a folder


def open_reviews(
    source: str | Path | None = None,
    *,
    split: str = "test",
    imdb: str | Path | None = None,
    progress: Progress | None = None,
) -> Sequence[Review]:
    """Read all reviews of a source: at least one and, except in the archive, none without words.

    Parameters
    ----------
    source : str, path or None
        None: the bundled reviews.  ``"imdb"``, ``"imdb:train"``, ``"imdb:test"`` or ``"imdb:unsup"``: the IMDb archive.
        ``"-"``: standard input, one review.  Otherwise a path: a folder (every ``.txt`` in it, at any depth), an
        archive (``.tar.gz``), a table with a column of texts (``.csv``, ``.jsonl``), or one text.  The label comes from
        a parent folder named ``pos`` or ``neg``, or from a column ``label`` or ``sentiment``.
    split : {"test", "train", "unsup"}
        Split of an archive, if ``source`` does not name one.
    imdb : path, optional
        Path of the archive for ``"imdb"``; by default ``PINKX_IMDB``, then the downloaded archive.
    progress : callable, optional
        Called with (bytes read, total bytes) while an archive is read, which takes seconds.

    Raises
    ------
    ReviewError
        If the source does not exist, has no review, or is not text.
    """
    if source is None:
        return _read_folder(BUNDLED)
    name, _, part = str(source).partition(":")
    if name == "imdb":
        return read_archive(find_archive(imdb), part or split, progress)
    if source == "-":
        data = sys.stdin.buffer.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ReviewError(f"standard input has more than {_LARGEST >> 30} GiB; split it into several files")
        text = decode(data, "standard input")
        return [_checked(Review("standard input", text), "standard input")]
    path = Path(source)
    if not os.path.exists(path):  # unlike Path.exists, False for a name longer than the system allows
        raise ReviewError(f"no such file or folder: {str(path)!r}")
    if path.is_dir():
        return _read_folder(path)
    if path.suffix.lower() in (".gz", ".tgz"):
        return read_archive(path, split, progress)
    if path.suffix.lower() == ".csv":
        return _read_table(path, _csv_rows(path))
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _read_table(path, _json_rows(path))
    return [
        _checked(Review(path.stem, _read_text(path), _folder_label((path.absolute().parent.name,))), repr(str(path)))
    ]


def _read_text(path: Path) -> str:
    """Return the text of a regular file: another, such as a pipe or a device, may never end."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ReviewError(f"cannot read {str(path)!r}: not a regular file; give a pipe with --reviews - < FILE")
        if found.st_size > _LARGEST:
            raise ReviewError(f"{str(path)!r} has more than {_LARGEST >> 30} GiB; split it into several files")
        data = path.read_bytes()
    except OSError as error:
        raise ReviewError(f"cannot read {str(path)!r}: {error.strerror}") from None
    return decode(data, repr(str(path)))


def _checked(review: Review, place: str) -> Review:
    if not split_words(review.text):
        raise ReviewError(f"{place} has no words; expected text with letters a-z or digits")
    return review


def _folder_label(folders: Sequence[str]) -> bool | None:
    """Return the label given by the innermost folder named pos or neg."""
    return next((folder == "pos" for folder in reversed(folders) if folder in ("pos", "neg")), None)


def _read_folder(folder: Path) -> list[Review]:
    """Read every text below a folder, ordered by file name (9 before 10) and not by subfolder."""
    files = []
    for parent, folders, names in os.walk(folder):  # unlike Path.rglob, without recursion
        if len(Path(parent).parts) - len(folder.parts) > _DEEPEST:
            raise ReviewError(f"{str(folder)!r} has more than {_DEEPEST} folders in one another; name one of the lower")
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(parent, name) for name in names if name.endswith(".txt") and not name.startswith(".")]
    if not files:
        raise ReviewError(f"no reviews in the folder {str(folder)!r}: expected .txt files in it or below it")
    reviews = []
    for file in sorted(files, key=lambda file: (_counting_order(file.stem), file)):
        name = file.relative_to(folder).with_suffix("")
        label = _folder_label((folder.absolute().name, *name.parts[:-1]))
        reviews.append(_checked(Review(name.as_posix(), _read_text(file), label), repr(str(file))))
    return reviews


def _counting_order(name: str) -> list[tuple[int, str]]:
    """A key that puts 9 before 10."""
    return [(int(digits or 0), rest) for digits, rest in re.findall(r"([0-9]*)([^0-9]+|$)", name)]


def _csv_rows(path: Path) -> Iterator[tuple[str, Row]]:
    """The rows of a CSV file whose first line names the columns, each with the place to name in an error."""
    reader = csv.DictReader(io.StringIO(_read_text(path), newline=""), strict=True)
    limit = csv.field_size_limit(2**31 - 1)  # the default, 131,072 characters, is some 25,000 words
    try:
        for number, row in enumerate(reader, 1):
            yield f"row {number}", {key: value for key, value in row.items() if key is not None}
    except csv.Error as error:
        raise ReviewError(f"{str(path)!r} is not CSV: {error} (line {reader.reader.line_num})") from None
    finally:
        csv.field_size_limit(limit)


def _json_rows(path: Path) -> Iterator[tuple[str, Row]]:
    """Yield the objects of a JSON Lines file with their place for error messages; skip blank lines."""
    for number, line in enumerate(_read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ReviewError(f"{str(path)!r}, line {number} is not JSON: {error}") from None
        if not isinstance(row, dict):
            raise ReviewError(f"{str(path)!r}, line {number}: expected an object {{…}}, found {line.strip()[:40]!r}")
        yield f"line {number}", row


def _read_table(path: Path, rows: Iterable[tuple[str, Row]]) -> list[Review]:
    table = list(rows)
    if not table:
        raise ReviewError(f"{str(path)!r} has no rows")
    text_column, label_column = _columns(path, [row for _, row in table])
    reviews = []
    for place, row in table:
        text = row.get(text_column)
        if not isinstance(text, str):
            raise ReviewError(f"{str(path)!r}, {place}: no text in the column {text_column[:40]!r}")
        label = str(row.get(label_column, "")).strip().lower()
        if label not in _LABELS:
            raise ReviewError(
                f"{str(path)!r}, {place}: unknown {label_column} {label[:40]!r}; "
                "expected pos, neg, positive, negative, 1, 0, true, false, or nothing"
            )
        reviews.append(_checked(Review(f"{path.stem}, {place}", text, _LABELS[label]), f"{str(path)!r}, {place}"))
    return reviews


def _columns(path: Path, rows: Sequence[Row]) -> tuple[str, str]:
    """Return the names of the text column and of the label column ("" if there is none)."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    named = {column.strip().lower(): column for column in reversed(columns)}
    label = next((named[name] for name in _LABEL_COLUMNS if name in named), "")
    text = next((named[name] for name in _TEXT_COLUMNS if name in named), None)
    if text is None:
        texts = [column for column in columns if column != label and any(_is_prose(row.get(column)) for row in rows)]
        if len(texts) != 1:
            raise ReviewError(
                f"{str(path)!r}: the text column is not clear among {', '.join(map(repr, columns))[:200]}; "
                f"name it {' or '.join(_TEXT_COLUMNS)}"
            )
        text = texts[0]
    return text, label


def _is_prose(value: object) -> bool:
    """Return whether a table's value is a string other than a number; CSV has only strings."""
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        float(value)
    except ValueError:
        return True
    return False

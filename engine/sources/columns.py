"""Choice of the columns of a table that hold the texts and the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.sources.labels import RATINGS, is_label
from engine.sources.options import ReadOptions
from engine.text import ReviewError, printable

SAMPLE: Final = 200  # rows that show what a column holds
TEXTS: Final = (
    "text", "review", "content", "sentence", "review text", "reviewtext", "review body", "review content", "phrase",
    "comment", "comments", "tweet", "reviews text",
)  # fmt: skip
LABELS: Final = ("label", "sentiment", "labels", "polarity", "target", "class")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Columns:
    """The names of the columns; ``label`` is "" if there is none. ``stars``: the labels are ratings."""

    text: str
    label: str
    stars: bool


def known(name: str) -> bool:
    """Return whether a name is that of a column of texts or labels."""
    return _normal(name) in (*TEXTS, *LABELS, *RATINGS)


def _normal(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").replace(".", " ").split())


def choose(source: str, rows: Sequence[Row], options: ReadOptions) -> Columns:
    """Return the columns of a table from its first rows.

    Raises
    ------
    ReviewError
        If they are not clear, or the named ones do not exist.
    """
    names = list(dict.fromkeys(column for row in rows for column in row))
    by_name = {_normal(name): name for name in reversed(names)}
    text = _given(source, names, options.columns.get("text"))
    label = _given(source, names, options.columns.get("label"))
    if label is None:
        label = next((by_name[name] for name in (*LABELS, *RATINGS) if name in by_name and by_name[name] != text), "")
    if text is None:
        text = next((by_name[name] for name in TEXTS if name in by_name and by_name[name] != label), None)
    if text is None:
        prose = [name for name in names if name != label and any(_is_prose(row.get(name)) for row in rows)]
        if len(prose) != 1:
            shown = printable(", ".join(map(repr, names)))[:200]
            example = prose[0] if prose else names[0] if names else "NAME"
            raise ReviewError(
                f"{source!r}: the text column is not clear among {shown}; name it text or review, or give "
                f"--columns text={printable(example)[:40]!r}"
            )
        text = prose[0]
    return Columns(text, label, _normal(label) in RATINGS)


def _given(source: str, names: Sequence[str], column: str | None) -> str | None:
    """Return the name of a column that the user named, or gave by its number from 0."""
    if column is None or column == "" or column in names:
        return column
    if column.isdecimal() and int(column) < len(names):
        return names[int(column)]
    found = next((name for name in names if _normal(name) == _normal(column)), None)
    if found is None:
        raise ReviewError(f"{source!r} has no column {column!r}; it has {printable(', '.join(map(repr, names)))[:200]}")
    return found


def looks_like_data(row: Sequence[str]) -> bool:
    """Return whether the first row of a table is a review rather than the names of the columns."""
    if any(map(known, row)):
        return False
    return any(is_label(cell) or len(cell.split()) >= 4 for cell in row)


def guess(rows: Sequence[Sequence[str]]) -> str:
    """Return the value of ``--columns`` that fits rows without a header."""
    width = max(map(len, rows), default=0)
    columns = [[row[k] for row in rows if k < len(row)] for k in range(width)]
    lengths = [sum(map(len, column)) for column in columns]
    text = lengths.index(max(lengths)) if lengths else 0
    label = next((k for k, column in enumerate(columns) if k != text and all(map(is_label, column))), None)
    return f"text={text}" + ("" if label is None else f",label={label}")


def cell_text(value: Any) -> str | None:
    """Return the text of a cell; words in a list are joined. None if it holds no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(word, str) for word in value):
        return " ".join(value)
    return None


def _is_prose(value: object) -> bool:
    """Return whether a value is a text other than a number; CSV has only texts."""
    text = cell_text(value)
    if text is None or not text.strip():
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False

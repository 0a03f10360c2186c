"""Options by which the user describes a source of reviews where its files do not."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.text import ReviewError

FORMATS: Final = ("text", "lines", "csv", "tsv", "jsonl", "json", "fasttext", "parquet", "arrow")
_MEANINGS: Final = {"pos": True, "neg": False, "none": None}


@dataclass(frozen=True)
class ReadOptions:
    """Options for reading a source; by default its format, encoding, columns and labels are detected.

    Attributes
    ----------
    format : str or None
        One of `FORMATS`.
    encoding : str or None
        A name of Python's codecs, such as utf-8, cp1252 or mac-roman.
    columns : mapping of str to str
        The column of the ``text`` and of the ``label``, by its name or by its number from 0; ``label`` may be "".
    header : bool or None
        Whether the first row of a table names the columns.
    labels : mapping of str to (bool or None)
        Meanings of the values of the label column; the values are in lower case.
    strict : bool
        Whether one bad row or file refuses the source, instead of being skipped.
    """

    format: str | None = None
    encoding: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    header: bool | None = None
    labels: Mapping[str, bool | None] = field(default_factory=dict)
    strict: bool = False

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise ReviewError(f"no format {self.format!r}; expected one of {', '.join(FORMATS)}")
        if self.encoding is not None:
            try:
                info = codecs.lookup(self.encoding)
            except (LookupError, ValueError):
                info = None
            if info is None or not getattr(info, "_is_text_encoding", True):
                raise ReviewError(f"no encoding {self.encoding!r}; such as utf-8, utf-16, latin-1, cp1252 or mac-roman")


DEFAULTS: Final = ReadOptions()


def parsed_columns(text: str) -> dict[str, str]:
    """Return the columns in an option's value: ``text=review,label=sentiment``, or numbers from 0.

    Raises
    ------
    ReviewError
        If the value has another form.
    """
    columns = {}
    for part in text.split(","):
        name, equals, column = (piece.strip() for piece in part.partition("="))
        if name not in ("text", "label") or not equals or (name == "text" and not column):
            raise ReviewError(
                f"{text!r} names no columns; expected text=NAME,label=NAME or numbers from 0, such as text=1,label=0"
            )
        columns[name] = column
    return columns


def parsed_labels(text: str) -> dict[str, bool | None]:
    """Return the meanings in an option's value: ``2=pos,1=neg,0=none``.

    Raises
    ------
    ReviewError
        If the value has another form.
    """
    labels: dict[str, bool | None] = {}
    for part in text.split(","):
        value, equals, meaning = (piece.strip().lower() for piece in part.rpartition("="))
        if not equals or meaning not in _MEANINGS:
            raise ReviewError(f"{text!r} gives no meanings; expected VALUE=pos, VALUE=neg or VALUE=none, with commas")
        labels[value] = _MEANINGS[meaning]
    return labels

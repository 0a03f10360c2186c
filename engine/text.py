"""Words and reviews.

The text rules are those of Chong & Ling (2024): lower case; ``<br />``, ``-`` and ``/`` are spaces; every other
character outside ``a-z0-9`` and white space is removed; split on white space.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

CUT = 500
"""Words of a review that the paper's networks read; later words are cut."""

Progress = Callable[[int, int], None]
"""Called with (bytes done, total bytes) during a long operation; the total is 0 where it is unknown."""

_WORD_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_BREAK = re.compile("<br />", re.IGNORECASE)
_CHUNK = re.compile(r"[^\s/-]+")


_LONGEST = 800
"""Characters of a message about a file."""


class FileError(ValueError):
    """A file cannot be used; the message says what happened and what to do.

    The message may quote the file: control characters are replaced, and a long message loses its middle.
    """

    def __init__(self, message: str) -> None:
        shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in message)
        half = _LONGEST // 2
        super().__init__(shown if len(shown) <= _LONGEST else f"{shown[:half]} … {shown[-half:]}")


class ReviewError(FileError):
    """Reviews cannot be read."""


class _Rules(dict[int, str | None]):
    """Table for ``str.translate`` of lower-case text, filled on demand."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        if character in _WORD_CHARACTERS or character.isspace():
            replacement: str | None = character
        else:
            replacement = " " if character in "-/" else None
        self[code] = replacement
        return replacement


_RULES = _Rules()


def split_words(text: str) -> list[str]:
    """Split a text into words by the rules above."""
    return text.lower().replace("<br />", " ").translate(_RULES).split()


def split_surface(text: str) -> list[str]:
    """Split a text into pieces for display, one a word, with the original spelling and punctuation.

    A piece runs from the start of its word to the start of the next, so that no visible character is lost.  White space
    is collapsed, and characters unsafe for a terminal are removed (see `printable`).
    """
    text = _BREAK.sub(" ", text)
    starts = [chunk.start() for chunk in _CHUNK.finditer(text) if split_words(chunk[0])]
    return (
        [printable(text[a:b]) for a, b in zip([0, *starts[1:]], [*starts[1:], len(text)], strict=True)]
        if starts
        else []
    )


def printable(text: str) -> str:
    """Return one line that is safe to display: white space collapsed, control and invisible characters removed."""
    text = " ".join(text.split())
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def decode(data: bytes, source: str) -> str:
    """Decode UTF-8 bytes, with or without a byte order mark; `ReviewError`, naming the source, if they are no text."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ReviewError(
            f"{source} is not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}; "
            "convert it, for example with: iconv -f latin1 -t utf-8"
        ) from None
    if "\0" in text:
        raise ReviewError(f"{source} is not text: it has a zero byte at offset {data.index(0)}")
    return text


@dataclass(frozen=True)
class Review:
    """One review: ``name`` identifies its origin; ``label`` is True if positive, False if negative, None if unknown."""

    name: str
    text: str
    label: bool | None = None

    @property
    def length(self) -> int:
        """The count of characters."""
        return len(self.text)

    @property
    def summary(self) -> str:
        """The beginning of the text, for lists."""
        return self.text[:120]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that a network reads, uncut."""
        return tuple(map(sys.intern, split_words(self.text)))  # 25,000 reviews share 90,000 words

    @cached_property
    def surface(self) -> tuple[str, ...]:
        """The original spelling of each of `words`, for display."""
        return tuple(split_surface(self.text))


def count_words(reviews: Iterable[Review]) -> Counter[str]:
    """Count the occurrences of every word."""
    counts: Counter[str] = Counter()
    for review in reviews:
        counts.update(split_words(review.text))
    return counts

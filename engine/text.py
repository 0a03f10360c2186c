"""What a word is, and what a review is.

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
"""Words of a review that the papers' networks read; the rest is cut."""

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all) while something long goes on; the total is 0 where it is unknown."""

_KEPT = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_BREAK = re.compile("<br />", re.IGNORECASE)
_CHUNK = re.compile(r"[^\s/-]+")


class ReviewError(ValueError):
    """A source of reviews that cannot be read; the message says what is wrong and what to do."""


class _Rules(dict[int, str | None]):
    """The table of ``str.translate`` for lower-case text, filled in as characters turn up."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        if character in _KEPT or character.isspace():
            kept: str | None = character
        else:
            kept = " " if character in "-/" else None
        self[code] = kept
        return kept


_RULES = _Rules()


def split_words(text: str) -> list[str]:
    """The words of a text, in order, by the rules above."""
    return text.lower().replace("<br />", " ").translate(_RULES).split()


def split_surface(text: str) -> list[str]:
    """The words as they were spelled, with their punctuation: for display, one piece for every word.

    A piece runs from the start of its word to the start of the next, so that nothing visible is lost.  White space is
    collapsed and whatever a terminal must not be sent is left out (see `printable`).
    """
    text = _BREAK.sub(" ", text)
    starts = [chunk.start() for chunk in _CHUNK.finditer(text) if split_words(chunk[0])]
    return (
        [printable(text[a:b]) for a, b in zip([0, *starts[1:]], [*starts[1:], len(text)], strict=True)]
        if starts
        else []
    )


def printable(text: str) -> str:
    """One line that is safe to draw: white space collapsed; control, escape and invisible characters left out."""
    text = " ".join(text.split())
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def decode(data: bytes, source: str) -> str:
    """Text from UTF-8 bytes, with or without a byte order mark; `ReviewError` naming ``source`` if it is not text."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ReviewError(
            f"{source} is not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}; "
            "convert it, for example with: iconv -f latin1 -t utf-8"
        ) from None
    if "\0" in text:
        raise ReviewError(f"{source} is not text: a zero byte at offset {data.index(0)}")
    return text


@dataclass(frozen=True)
class Review:
    """One text to read.

    ``name`` says where it came from; ``label`` is True for a positive review, False for a negative one, None where
    nobody said.
    """

    name: str
    text: str
    label: bool | None = None

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What a network reads (uncut)."""
        return tuple(map(sys.intern, split_words(self.text)))  # interned: 25,000 reviews share 90,000 words

    @cached_property
    def surface(self) -> tuple[str, ...]:
        """What a person reads: the spelling of each of `words`."""
        return tuple(split_surface(self.text))


def count_words(reviews: Iterable[Review]) -> Counter[str]:
    """How often every word occurs: what a vocabulary is made from."""
    counts: Counter[str] = Counter()
    for review in reviews:
        counts.update(split_words(review.text))
    return counts

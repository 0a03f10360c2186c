"""Words and reviews.

The text rules are those of Chong & Ling (2024): lower case; ``<br />``, ``-`` and ``/`` are spaces; every other
character outside ``a-z0-9`` and white space is removed; split on white space. The other spellings of ``<br>`` and the
long dashes are spaces too: the 50,000 labelled reviews of the paper's data have none that this changes. Other markup is
removed where a file is read (`plain_text`), except in the paper's data.
"""

from __future__ import annotations

import html
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
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CHUNK = re.compile(r"[^\s/\-‒–—―]+")
_DASHES = "-/‒–—―"

_ELEMENT_NAMES = (
    "a abbr acronym article b big blockquote body br button center cite code dd del div dl dt em figure font footer "
    "form h1 h2 h3 h4 h5 h6 head header hr html i img input ins kbd label li link main meta nav ol option p pre q s "
    "section select small span strike strong sub sup table tbody td textarea tfoot th thead title tr tt u ul"
)
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_HIDDEN = ("<script", "</script"), ("<style", "</style"), ("<!--", "--")  # no text, up to the ">" after the second
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,15})(?:[\s/][^<>]{0,4000})?>|<![dD][oO][cC][^<>]{0,400}>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_WORD = re.compile("[a-zA-Z0-9]")
_CONTROLS = re.compile("[\x80-\x9f]")


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
            replacement = " " if character in _DASHES else None
        self[code] = replacement
        return replacement


_RULES = _Rules()


def split_words(text: str) -> list[str]:
    """Split a text into words by the rules above."""
    text = text.lower()
    if "<br" in text:
        text = _BREAK.sub(" ", text)
    return text.translate(_RULES).split()


def most_words(text: str) -> int:
    """Return a number that the words of a text do not exceed."""
    return len(text.split()) + sum(map(text.count, _DASHES + "<"))


def has_words(text: str) -> bool:
    """Return whether `split_words` finds any word."""
    if _WORD.search(text.partition("<")[0]):
        return True
    return ("<" in text or not text.isascii()) and bool(split_words(text))


def plain_text(text: str) -> str:
    """Return a text without HTML: tags become spaces, and entities the characters that they name.

    Only elements of HTML count as tags, so that ``<grin>`` and ``<3`` stay. Characters that UTF-8 cannot hold are
    replaced, and control characters in place of the punctuation of Windows-1252 are corrected: ``\\x97`` is a dash.
    """
    if "<" in text:
        text = _TAG.sub(_space_for_tag, _without_hidden(text))
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if not text.isascii():
        text = _CONTROLS.sub(_as_windows, text.encode("utf-8", "replace").decode())
    return text


def _space_for_tag(found: re.Match[str]) -> str:
    return " " if found[1] is None or found[1].lower() in _ELEMENTS else found[0]


def _without_hidden(text: str) -> str:
    """Remove scripts, style sheets and comments of HTML."""
    for opening, closing in _HIDDEN:
        lower = text.lower() if opening in text.lower() else ""
        if len(lower) != len(text):  # none, or letters whose lower case is longer
            continue
        parts, end = [], 0
        while (start := lower.find(opening, end)) >= 0:
            close = lower.find(closing, start + len(opening))
            stop = lower.find(">", close) if close >= 0 else -1
            if stop < 0:
                break
            parts += [text[end:start], " "]
            end = stop + 1
        text = "".join([*parts, text[end:]])
    return text


def _as_windows(found: re.Match[str]) -> str:
    character = found[0].encode("latin-1").decode("cp1252", "ignore") or " "
    return "… " if character == "…" else character  # as a control character it ends a word


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
        stored: dict[str, str] = {}  # equal pieces are one string: of a long review, a sixth of the memory
        return tuple(stored.setdefault(piece, piece) for piece in split_surface(self.text))


@dataclass(frozen=True)
class CharacterReview(Review):
    """A text for a network of characters: its ``words`` are single characters, white space included."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(self.text)

    @cached_property
    def surface(self) -> tuple[str, ...]:
        """The characters as they can be displayed: ``␣`` is white space, ``�`` what must not reach a screen."""
        return tuple("␣" if character.isspace() else printable(character) or "�" for character in self.text)


def count_words(reviews: Iterable[Review]) -> Counter[str]:
    """Count the occurrences of every word."""
    counts: Counter[str] = Counter()
    for review in reviews:
        counts.update(split_words(review.text))
    return counts

"""Places of words in the review being read and in all others of the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from explorer.session.controllers.playback import Playback
from explorer.session.core import Core, SessionError
from explorer.session.task_results import TaskResults, start_search

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.reviews import Review

STEP: Final = 50  # reviews between two checks for cancellation: some milliseconds
AROUND: Final = 6  # words shown on either side of a place


@dataclass(frozen=True)
class Hit:
    """A review that contains the words ``count`` times, first at the word ``first``."""

    review: int
    count: int
    first: int


def wanted_words(text: str) -> tuple[str, ...]:
    """Split a search into words as reviews are split; a final ``*`` stays and stands for any ending."""
    from engine.text import split_words

    found: list[str] = []
    for part in text.split():
        words = split_words(part)
        if words and part.endswith("*"):
            words[-1] += "*"
        found += words
    return tuple(found)


def places(words: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    """Return the index of the first word of every place where the wanted words follow each other."""
    if not wanted:
        return ()
    prefixes = [word[:-1] if word.endswith("*") else None for word in wanted]

    def fits(word: str, k: int) -> bool:
        prefix = prefixes[k]
        return word == wanted[k] if prefix is None else word.startswith(prefix)

    if prefixes[0] is None and wanted[0] not in words:  # true of most reviews, and checked at the speed of C
        return ()
    last = len(words) - len(wanted) + 1
    return tuple(at for at in range(last) if all(fits(words[at + k], k) for k in range(len(wanted))))


class WordSearch:
    """The words that are searched for, and where they were found."""

    def __init__(self, core: Core, playback: Playback) -> None:
        self._core = core
        self._playback = playback
        self.wanted: tuple[str, ...] = ()
        self.others: TaskResults[Hit] = TaskResults(0)
        self._here: tuple[Review, tuple[str, ...], tuple[int, ...]] | None = None

    def look_for(self, text: str) -> None:
        """Search this review and the others for words; an empty text ends the search."""
        self.others.cancel()
        self.wanted = wanted_words(text)
        reviews = self._core.reviews
        count = len(reviews) if self.wanted else 0
        self.others = start_search(_search(reviews, self.wanted, self._core.index), count)

    def here(self, snapshot: Snapshot) -> tuple[int, ...]:
        """Return the places in the review being read, by the index of their first words."""
        cached = self._here
        if cached is None or cached[0] is not snapshot.review or cached[1] != self.wanted:
            cached = self._here = snapshot.review, self.wanted, places(snapshot.review.words, self.wanted)
        return cached[2]

    def nearest(self, snapshot: Snapshot, word: int) -> int | None:
        """Return the first place in the review being read from ``word`` on, or else the first of all."""
        here = self.here(snapshot)
        return next((at for at in here if at >= word), here[0] if here else None)

    @property
    def status(self) -> str:
        """Count of the words in other reviews, and progress of the search, as a text; empty without words."""
        if not self.wanted:
            return ""
        found = self.others.found
        total = sum(hit.count for hit in found)
        return f"in other reviews: {total:,}× in {len(found):,}   {self.others.progress}"

    def marked(self, snapshot: Snapshot) -> set[int]:
        """Return every word that belongs to one of these places."""
        return {at + k for at in self.here(snapshot) for k in range(len(self.wanted))}

    def context(self, hit: Hit) -> tuple[str, str, str]:
        """Return the words before the first place in another review, the words found, and those after."""
        surface, end = self._core.reviews[hit.review].surface, hit.first + len(self.wanted)
        parts = surface[max(0, hit.first - AROUND) : hit.first], surface[hit.first : end], surface[end : end + AROUND]
        return " ".join(parts[0]), " ".join(parts[1]), " ".join(parts[2])

    def open(self, hit: Hit) -> None:
        """Open another review at its first place."""
        self._playback.open_at(hit.review, hit.first)

    def next_found(self) -> None:
        """Look at the next place in this review."""
        self._go(1)

    def previous_found(self) -> None:
        """Look at the previous place in this review."""
        self._go(-1)

    def _go(self, step: int) -> None:
        core = self._core
        found = self.here(core.snapshot)
        if not self.wanted:
            raise SessionError(f"search for words first ({core.key_of('search')}): this goes from place to place")
        phrase = " ".join(self.wanted)
        if not found:
            raise SessionError(f"{phrase!r} is not in this review; {core.key_of('search')} lists the reviews with it")
        word = core.word
        ahead = [at for at in found if at > word] if step > 0 else [at for at in reversed(found) if at < word]
        at = ahead[0] if ahead else found[0 if step > 0 else -1]
        self._playback.look_at(at)
        core.note = f"{phrase!r}: place {found.index(at) + 1} of {len(found)}"


def _search(reviews: Sequence[Review], wanted: tuple[str, ...], present: int) -> Iterator[tuple[int, Sequence[Hit]]]:
    from engine.text import split_words

    for first in range(0, len(reviews), STEP):
        hits = []
        for number in range(first, min(first + STEP, len(reviews))):
            # Not review.words, which caches the words of every review of the source.
            found = places(split_words(reviews[number].text), wanted) if number != present else ()
            if found:
                hits.append(Hit(number, len(found), found[0]))
        yield min(first + STEP, len(reviews)), hits

"""Where words stand: in the review that is watched, and in all others of the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.session.task_results import TaskResults, gather

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.reviews import Review
    from explorer.session.session import Session

STEP = 50  # reviews between two looks at whether more is wanted: some milliseconds
AROUND = 6  # words on either side that are shown with a place


@dataclass(frozen=True)
class Hit:
    """A review that has the words: ``count`` times, first at the word ``first``."""

    review: int
    count: int
    first: int


def wanted_words(text: str) -> tuple[str, ...]:
    """The words of a search, as reviews are read; one that ends in * stands for all that begin so."""
    from engine.text import split_words

    found: list[str] = []
    for part in text.split():
        words = split_words(part)
        if words and part.endswith("*"):
            words[-1] += "*"
        found += words
    return tuple(found)


def places(words: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    """Where the wanted words stand one after the other: the index of the first, for every place."""
    if not wanted:
        return ()
    begins = [word[:-1] if word.endswith("*") else None for word in wanted]

    def fits(word: str, k: int) -> bool:
        begin = begins[k]
        return word == wanted[k] if begin is None else word.startswith(begin)

    if begins[0] is None and wanted[0] not in words:  # nearly every review: told at the speed of C
        return ()
    last = len(words) - len(wanted) + 1
    return tuple(at for at in range(last) if all(fits(words[at + k], k) for k in range(len(wanted))))


class WordSearch:
    """The words that are searched. Actions of the table that go to places are methods here."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.wanted: tuple[str, ...] = ()
        self.others: TaskResults[Hit] = TaskResults(0)
        self._here: tuple[Review, tuple[str, ...], tuple[int, ...]] | None = None

    def look_for(self, text: str) -> None:
        """Look for words from now on, in this review and in the others; an empty text ends that."""
        self.others.cancel()
        self.wanted = wanted_words(text)
        reviews = self._session.reviews
        count = len(reviews) if self.wanted else 0
        self.others = gather(_look(reviews, self.wanted, self._session.index), count)

    def here(self, snapshot: Snapshot) -> tuple[int, ...]:
        """The places in the review that is watched, by the index of their first words."""
        known = self._here
        if known is None or known[0] is not snapshot.review or known[1] != self.wanted:
            known = self._here = snapshot.review, self.wanted, places(snapshot.review.words, self.wanted)
        return known[2]

    def marked(self, snapshot: Snapshot) -> set[int]:
        """Every word that belongs to one of these places."""
        return {at + k for at in self.here(snapshot) for k in range(len(self.wanted))}

    def context(self, hit: Hit) -> tuple[str, str, str]:
        """What stands before the first place in another review, the words found, and what stands behind."""
        surface, end = self._session.reviews[hit.review].surface, hit.first + len(self.wanted)
        parts = surface[max(0, hit.first - AROUND) : hit.first], surface[hit.first : end], surface[end : end + AROUND]
        return " ".join(parts[0]), " ".join(parts[1]), " ".join(parts[2])

    def open(self, hit: Hit) -> None:
        """Open another review at its first place."""
        self._session.open_at(hit.review, hit.first)

    def next_found(self) -> None:
        """Look at the next place in this review."""
        self._go(1)

    def previous_found(self) -> None:
        """Look at the place before."""
        self._go(-1)

    def _go(self, step: int) -> None:
        from explorer.session.session import SessionError

        session = self._session
        found = self.here(session.stream.snapshot)
        if not self.wanted:
            raise SessionError(
                f"search for words first ({session.key_of('search')}), then this goes from place to place"
            )
        phrase = " ".join(self.wanted)
        if not found:
            key = session.key_of("search")
            raise SessionError(f"{phrase!r} is not in this review; {key} lists the reviews that have it")
        word = session.frame().word
        ahead = [at for at in found if at > word] if step > 0 else [at for at in reversed(found) if at < word]
        at = ahead[0] if ahead else found[0 if step > 0 else -1]
        session.look_at(at)
        session.note = f"{phrase!r}: place {found.index(at) + 1} of {len(found)}"


def _look(reviews: Sequence[Review], wanted: tuple[str, ...], present: int) -> Iterator[tuple[int, Sequence[Hit]]]:
    from engine.text import split_words

    for first in range(0, len(reviews), STEP):
        hits = []
        for number in range(first, min(first + STEP, len(reviews))):
            # Not review.words, which would keep the words of every review of the source.
            found = places(split_words(reviews[number].text), wanted) if number != present else ()
            if found:
                hits.append(Hit(number, len(found), found[0]))
        yield min(first + STEP, len(reviews)), hits

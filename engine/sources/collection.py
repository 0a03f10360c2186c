"""The reviews of a source in compact storage, and the report of what was read and what was skipped."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, overload
from weakref import WeakValueDictionary

from engine.sources.labels import LabelColumn, Meanings
from engine.sources.options import ReadOptions
from engine.text import Review, ReviewError, has_words, plain_text, printable

_EXAMPLES: Final = 5  # skipped rows or files that are named
_MOST: Final = 1 << 31  # bytes of text of one source; all of it is in memory
_RECENT: Final = 64  # reviews that stay in memory, so that looking at one twice does not split its words twice
NO_WORDS: Final = "no words; expected text with letters a-z or digits"


@dataclass(frozen=True)
class SourceReport:
    """Report of what was read from a source and what was skipped.

    Attributes
    ----------
    source : str
        Its name.
    format, encoding : str
        As they are shown; "" where they say nothing.
    notes : tuple of str
        What was decided for the user, such as the split or the meaning of numbers as labels.
    skipped : int
        Rows or files that could not be read.
    examples : tuple of str
        The first of them with the reason.
    positive, negative, unlabelled : int
    """

    source: str = ""
    format: str = ""
    encoding: str = ""
    notes: tuple[str, ...] = ()
    skipped: int = 0
    examples: tuple[str, ...] = ()
    positive: int = 0
    negative: int = 0
    unlabelled: int = 0

    @property
    def skipped_text(self) -> str:
        """Text that lists what was skipped, the first few by name; "" if nothing was."""
        if not self.skipped:
            return ""
        more = f" and {self.skipped - len(self.examples):,} more" if self.skipped > len(self.examples) else ""
        return f"skipped {self.skipped:,}: {'; '.join(self.examples)}{more}"

    def line(self) -> str:
        """Return one line about the source: what it is, how many reviews with which labels, what was skipped."""
        total = self.positive + self.negative + self.unlabelled
        counts = ((self.positive, "positive"), (self.negative, "negative"), (self.unlabelled, "unlabelled"))
        labels = ", ".join(f"{number:,} {name}" for number, name in counts if number)
        parts = [f"{total:,} review{'s' if total != 1 else ''} ({labels})", *filter(None, (self.format, self.encoding))]
        return "; ".join([f"{self.source}: {', '.join(parts)}", *self.notes, *filter(None, (self.skipped_text,))])

    def notice(self) -> str:
        """Return what a user should know before trusting the list; "" if all was plain."""
        plain = self.encoding in ("", "UTF-8") and not self.notes and not self.skipped
        if plain:
            return ""
        parts = (self.encoding if self.encoding != "UTF-8" else "", *self.notes, self.skipped_text)
        return "; ".join(filter(None, parts))


class _Strings:
    """Strings one after the other in one buffer of UTF-8."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ends = array("Q")

    def append(self, text: str) -> None:
        self._data += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._data))

    def cut(self, count: int) -> None:
        """Drop all but the first ``count`` strings."""
        del self._ends[count:]
        del self._data[self._ends[-1] if count else 0 :]

    @property
    def size(self) -> int:
        """Bytes of all strings."""
        return len(self._data)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> str:
        start = self._ends[index - 1] if index else 0
        return self._data[start : self._ends[index]].decode("utf-8", "surrogatepass")


class Reviews(Sequence[Review]):
    """Reviews in compact storage: a `Review` is made when it is looked at, and is the same one while it is in use.

    Attributes
    ----------
    report : SourceReport
    """

    def __init__(self, report: SourceReport | None = None) -> None:
        self.report = report or SourceReport()
        self._texts, self._names = _Strings(), _Strings()
        self._labels = array("b")  # −1: none
        self._clear()

    def _clear(self) -> None:
        self._made: WeakValueDictionary[int, Review] = WeakValueDictionary()
        self._recent: dict[int, Review] = {}

    def append(self, name: str, text: str, label: bool | None) -> None:
        """Add a review at the end."""
        self._names.append(name)
        self._texts.append(text)
        self._labels.append(-1 if label is None else int(label))
        if self._texts.size > _MOST:
            raise ReviewError(f"{self.report.source} has more than {_MOST >> 30} GiB of text; split it into several")

    def set_labels(self, first: int, codes: Sequence[int], meanings: Sequence[bool | None]) -> None:
        """Replace the labels from ``first`` on by the meanings of their codes."""
        values = array("b", (-1 if meaning is None else int(meaning) for meaning in meanings))
        for index, code in enumerate(codes, first):
            self._labels[index] = values[code]
        self._clear()

    def set_label(self, index: int, label: bool | None) -> None:
        """Replace one label; a `Review` in use keeps its own."""
        self._labels[index] = -1 if label is None else int(label)
        self._recent.pop(index, None)

    def counts(self) -> tuple[int, int, int]:
        """Return the numbers of positive, negative and unlabelled reviews."""
        return self._labels.count(1), self._labels.count(0), self._labels.count(-1)

    @property
    def labelled(self) -> list[bool]:
        """Whether each review has a label."""
        return [label >= 0 for label in self._labels]

    def reordered(self, order: Sequence[int]) -> Reviews:
        """Return the reviews in another order."""
        ordered = Reviews(self.report)
        for index in order:
            ordered.append(self._names[index], self._texts[index], self._label(index))
        return ordered

    def _label(self, index: int) -> bool | None:
        return None if self._labels[index] < 0 else bool(self._labels[index])

    def __len__(self) -> int:
        return len(self._labels)

    @overload
    def __getitem__(self, index: int) -> Review: ...
    @overload
    def __getitem__(self, index: slice) -> list[Review]: ...
    def __getitem__(self, index: int | slice) -> Review | list[Review]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"no review {index}: there are {len(self)}, counted from 0")
        review = self._made.get(position)
        if review is None:
            review = Review(self._names[position], self._texts[position], self._label(position))
            review = self._made.setdefault(position, review)
            self._recent[position] = review
            while len(self._recent) > _RECENT:
                self._recent.pop(next(iter(self._recent)), None)
        return review

    def __iter__(self) -> Iterator[Review]:
        for index in range(len(self)):
            yield self[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reviews | list | tuple):
            return NotImplemented
        return self is other or (len(self) == len(other) and all(map(Review.__eq__, self, other)))

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{self.report.line()}>" if self.report.source else f"<{len(self)} reviews>"

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the present number of reviews: more may be added while it is sent."""
        return {key: value for key, value in vars(self).items() if key not in ("_made", "_recent")} | {
            "count": len(self)
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        count = state.pop("count")
        vars(self).update(state)
        del self._labels[count:]
        self._texts.cut(count)
        self._names.cut(count)
        self._clear()


@dataclass
class Collector:
    """Collector of what a reader finds, which makes `Reviews` of it.

    Attributes
    ----------
    source : str
        The name of the source, for messages.
    options : ReadOptions
    reviews : Reviews
        What the reviews are added to.
    """

    source: str
    options: ReadOptions = field(default_factory=ReadOptions)
    reviews: Reviews = field(default_factory=Reviews)

    def __post_init__(self) -> None:
        self.reviews.report = SourceReport(source=self.source)
        self.format = ""
        self.encodings: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self._skipped = 0
        self._examples: list[str] = []

    def add(self, name: str, place: str, text: str, label: bool | None = None, *, plain: bool = True) -> bool:
        """Add a review and return True; skip it and return False if it has no words.

        ``plain`` removes HTML; the paper's data stay as they are.
        """
        text = plain_text(text) if plain else text
        if not has_words(text):
            self.skip(place, NO_WORDS)
            return False
        self.reviews.append(name, text, label)
        return True

    def skip(self, place: str, reason: str) -> None:
        """Count what cannot be read; with ``strict``, refuse the source."""
        reason = printable(reason)[:200]
        if self.options.strict:
            raise ReviewError(f"{self.source!r}, {place}: {reason}" if place else f"{self.source!r}: {reason}")
        self._skipped += 1
        if len(self._examples) < _EXAMPLES:
            self._examples.append(f"{place}: {reason}" if place else reason)

    @property
    def has_skipped(self) -> bool:
        """Whether anything could not be read."""
        return self._skipped > 0

    def note(self, text: str) -> None:
        """Report a decision once."""
        self.notes[text] = None

    def labels(self, column: LabelColumn) -> None:
        """Set the labels of the last reviews from a column of values, and report what its values mean."""
        meanings: Meanings = column.meanings(self.options.labels)
        if meanings.unknown and self.options.strict:
            value, first, _ = meanings.unknown[0]
            raise ReviewError(
                f"{self.source!r}, {first}: unknown {column.name} {value!r}; expected pos, neg, positive, negative, 1, "
                "0, true, false, or nothing; say what it means with --labels VALUE=pos,VALUE=neg"
            )
        if meanings.unknown:
            named = ", ".join(f"{value!r} ({number:,})" for value, _, number in meanings.unknown[:4])
            more = f" and {len(meanings.unknown) - 4:,} others" if len(meanings.unknown) > 4 else ""
            self.note(
                f"unknown {column.name} {named}{more}, read without a label: say what they mean with --labels "
                f"{meanings.unknown[0][0]}=pos"
            )
        if meanings.note:
            self.note(meanings.note)
        self.reviews.set_labels(len(self.reviews) - len(column.codes), column.codes, meanings.values)

    def finished(self) -> Reviews:
        """Return the reviews with their report.

        Raises
        ------
        ReviewError
            If there is none.
        """
        if not len(self.reviews):
            if self._examples:
                more = f"; {self._skipped:,} were skipped" if self._skipped > 1 else ""
                raise ReviewError(f"no review in {self.source!r}: {self._examples[0]}{more}")
            raise ReviewError(f"{self.source!r} has no reviews")
        positive, negative, unlabelled = self.reviews.counts()
        self.reviews.report = SourceReport(
            self.source,
            self.format,
            " and ".join(self.encodings),
            tuple(self.notes),
            self._skipped,
            tuple(self._examples),
            positive,
            negative,
            unlabelled,
        )
        return self.reviews

"""The words that a network knows, and their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

PADDING: Final = 0
UNKNOWN: Final = 1
_FIRST_WORD: Final = 2


class Vocabulary:
    """Words by falling frequency; id 0 is padding, id 1 any word not listed."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words: tuple[str, ...] = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words, start=_FIRST_WORD)}

    def __len__(self) -> int:
        """Number of ids: the words, padding and unknown."""
        return len(self.words) + _FIRST_WORD

    def encode(self, words: Iterable[str]) -> NDArray[np.int32]:
        """Return the ids of words, (time,)."""
        return np.fromiter(map(self._ids.get, words, repeat(UNKNOWN)), dtype=np.int32)

    def word(self, number: int) -> str:
        """Return the word of an id; ``[pad]`` and ``[unk]`` for ids 0 and 1."""
        return self.words[number - _FIRST_WORD] if number >= _FIRST_WORD else ("[pad]", "[unk]")[number]


def pad(reviews: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Return reviews of unequal lengths as one array (review, time), padded with ``PADDING``."""
    padded = np.full((len(reviews), max(map(len, reviews))), PADDING, dtype=np.int32)
    for row, review in zip(padded, reviews, strict=True):
        row[: len(review)] = review
    return padded


def as_reviews(
    vocabulary: Vocabulary | None,
    ids: NDArray[np.integer] | Sequence[int] | Sequence[NDArray[np.integer]],
    name: str,
) -> tuple[list[NDArray[np.int32]], bool]:
    """Return one or several reviews as a list of id arrays that the network ``name`` knows, and whether it was one.

    Raises
    ------
    ValueError
        For a review without words, or an unknown id.
    """
    single = len(ids) == 0 or np.ndim(ids[0]) == 0
    reviews = [np.asarray(review, dtype=np.int32) for review in ([ids] if single else ids)]
    limit = 0 if vocabulary is None else len(vocabulary)
    for number, review in enumerate(reviews):
        if review.ndim != 1 or not len(review):
            raise ValueError(f"review {number} has no words; expected a one-dimensional array of at least one id")
        if review.min() < 0 or review.max() >= limit:
            raise ValueError(
                f"review {number} has ids from {review.min()} to {review.max()}; {name} knows 0 to {limit - 1}"
            )
    return reviews, single

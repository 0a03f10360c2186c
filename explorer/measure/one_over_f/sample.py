"""The reviews that the study reads, with a digest of their texts.

Without PyTorch, because a process of its own reads them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.reviews import CUT, open_reviews
from engine.text import Review, has_words, most_words

if TYPE_CHECKING:
    from engine.network import Network

T = TypeVar("T")

_ENCODING = Lock()  # networks are measured by several threads


@dataclass(frozen=True, eq=False)
class ReviewSample:
    """The reviews of a source: ``long`` have at least ``length`` words and are cut there; ``labelled`` have a label."""

    source: str
    length: int
    long: tuple[Review, ...]
    labelled: tuple[Review, ...]

    @classmethod
    def read(
        cls, source: str, length: int, limit: int | None = None, show: Callable[[int, int], None] | None = None
    ) -> ReviewSample:
        """Read a source, with at most ``limit`` evenly spaced long reviews.

        Raises
        ------
        ValueError
            If no review is long enough.
        """
        reviews = list(open_reviews(source, progress=show))
        long = [one for one in reviews if most_words(one.text) >= length and len(one.words) >= length]
        if not long:
            longest = max(len(review.words) for review in reviews)
            raise ValueError(
                f"none of the {len(reviews):,} reviews has {length} words, the longest has {longest}: "
                f"use --words {longest} or less, or other --reviews"
            )
        labelled = tuple(review for review in reviews if review.label is not None and has_words(review.text))
        return cls(source, length, tuple(evenly(long, limit)), labelled)

    @cached_property
    def digest(self) -> str:
        """Hash of the texts that are read."""
        content = hashlib.sha256(json.dumps(self.length).encode())
        for review in (*self.long, *self.labelled):
            content.update(f"\n{review.label} {review.text}".encode("utf-8", "surrogatepass"))
        return content.hexdigest()

    def ids(self, network: Network) -> NDArray[np.int32]:
        """Encode the long reviews for a network, (review, time)."""
        return np.stack(self._encoded(network, "long", self.long, self.length))

    def labelled_ids(self, network: Network, count: int) -> list[NDArray[np.int32]]:
        """Encode ``count`` evenly spaced labelled reviews, cut as networks read them."""
        return self._encoded(network, f"labelled {count}", evenly(self.labelled, count), CUT)

    def _encoded(self, network: Network, what: str, reviews: Sequence[Review], cut: int) -> list[NDArray[np.int32]]:
        """Encode reviews once for all networks of one vocabulary."""
        assert network.vocabulary is not None
        key = (what, network.vocabulary.words)
        with _ENCODING:
            if key not in self._known:
                self._known[key] = [network.vocabulary.encode(review.words[:cut]) for review in reviews]
            return self._known[key]

    @cached_property
    def _known(self) -> dict[tuple[str, tuple[str, ...]], list[NDArray[np.int32]]]:
        return {}

    @cached_property
    def labels(self) -> NDArray[np.float64]:
        """1 or 0 for each long review, NaN without a label."""
        return np.array([np.nan if review.label is None else float(review.label) for review in self.long])


def evenly(items: Sequence[T], count: int | None) -> list[T]:
    """Return at most ``count`` of the items, evenly spaced."""
    if count is None or count >= len(items):
        return list(items)
    return [items[k * len(items) // count] for k in range(count)]

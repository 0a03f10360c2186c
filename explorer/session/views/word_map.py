"""The word map: where the network goes when a word is repeated forever, and which words get a label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explorer.session.views.point_map import PointMap

AXES = ("components", "readout × time constant")
LABELS = 160  # more cannot be read at once
GRID = 8.0  # pixels: the resolution at which labels are placed along a line

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WordMap:
    """Words in two dimensions.

    ``places`` (word, 2): the first two principal components of h, or the logit and log10 of the slowest time constant
    in words, NaN for a word without one. ``first`` is the entry of the first word in the `PointMap`; the others follow.
    """

    words: tuple[str, ...]
    first: int
    places: Floats
    logit: Floats
    labels: tuple[str, str]

    @property
    def hidden(self) -> int:
        """Number of words that have no place."""
        return int(np.isnan(self.places).any(axis=1).sum())

    @cached_property
    def by_logit(self) -> NDArray[np.intp]:
        """The words by falling |logit|, the order in which they get labels."""
        return np.argsort(-np.abs(self.logit), kind="stable")

    def find(self, text: str) -> int | None:
        """Return the word that is ``text``, or the first that begins with it, or the first that contains it."""
        wanted = text.strip().lower()
        if not wanted:
            return None
        tests = (str.__eq__, str.startswith, str.__contains__)
        return next((k for test in tests for k, word in enumerate(self.words) if test(word, wanted)), None)


def word_map(points: PointMap, axes: str) -> WordMap | None:
    """Return the words of a map along one of ``AXES``; None until their attractors are found."""
    words = points.found.words
    if words is None:
        return None
    if axes == "components":
        share = points.projection.explained
        places = points.components[points.first_word :, :2]
        labels = (f"PC1 of h ({share[0]:.0%} of the variance)", f"PC2 of h ({share[1]:.0%})")
    else:
        slowest = points.time_constant[points.first_word :]
        places = np.stack([words.logit, np.log10(np.clip(slowest, 1e-2, 1e6))], axis=1)
        name = points.output.logit
        labels = (f"{name} (readout), negative to positive" if points.output.positive else name, "slowest τ, words")
    return WordMap(words.words, points.first_word, places, words.logit, labels)


def word_kinds(points: PointMap) -> dict[str, int]:
    """Return the numbers of words under which the network rests, cycles, drifts or moves, by kind."""
    words = points.found.words
    return {} if words is None else Counter(words.kind.tolist())


def placed_labels(
    places: Floats, widths: Floats, order: NDArray[np.intp], size: tuple[float, float], height: float
) -> list[int]:
    """Return which words get a label, at most ``LABELS``: in ``order``, those whose label overlaps no earlier one.

    Parameters
    ----------
    places : (word, 2)
        Where labels begin, in pixels of a picture of this ``size``; words outside get none. A label that would
        reach beyond the right edge ends there instead.
    widths : (word,)
        Widths of the labels in pixels.
    order : (k,)
        The words by falling importance.
    height : float
        Height of a label in pixels.
    """
    columns, rows = int(np.ceil(size[0] / GRID)) + 1, int(np.ceil(size[1] / height)) + 1
    taken = np.zeros((rows + 1, columns + 1), dtype=bool)
    seen: NDArray[np.bool_] = np.all((places >= 0) & (places < size), axis=1)
    chosen: list[int] = []
    for word in order[seen[order]].tolist():
        x, y = places[word]
        left = x if x + widths[word] <= size[0] else max(0.0, x - widths[word])
        row, begin, end = int(y / height), int(left / GRID), int((left + widths[word]) / GRID) + 1
        room = taken[row : row + 2, begin:end]  # a label may reach into the row below
        if not room.any():
            room[:] = True
            chosen.append(word)
            if len(chosen) == LABELS:
                break
    return chosen

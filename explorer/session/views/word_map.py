"""The map of words: where every word would lead if it were repeated for ever, and which of them are labelled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explorer.session.views.point_map import PointMap

AXES = ("components", "readout × memory")
LABELS = 160  # more cannot be read at once

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WordMap:
    """Words in two dimensions.

    ``places`` (word, 2): the first two principal components of h, or the logit and the slowest time constant in words
    as a power of ten. ``first`` is the number in the `PointMap` of the first word; the others follow.
    """

    words: tuple[str, ...]
    first: int
    places: Floats
    logit: Floats
    labels: tuple[str, str]

    @cached_property
    def importance(self) -> NDArray[np.intp]:
        """The words from the most outspoken to the least: the order in which they are worth a label."""
        return np.argsort(-np.abs(self.logit), kind="stable")

    def find(self, text: str) -> int | None:
        """The word that is ``text``, or else the first that begins with it, or else contains it; None without one."""
        wanted = text.strip().lower()
        if not wanted:
            return None
        tests = (str.__eq__, str.startswith, str.__contains__)
        return next((k for test in tests for k, word in enumerate(self.words) if test(word, wanted)), None)


def word_map(map: PointMap, axes: str) -> WordMap | None:
    """The words of a map along one of ``AXES``; None until their attractors are found."""
    words = map.found.words
    if words is None:
        return None
    if axes == "components":
        share = map.projection.explained
        places = map.components[map.certified :, :2]
        labels = (f"PC1 of h ({share[0]:.0%} of the variance)", f"PC2 of h ({share[1]:.0%})")
    else:
        places = np.stack([words.logit, np.log10(np.clip(words.time_constant, 1e-2, 1e6))], axis=1)
        labels = ("logit (readout), negative to positive", "slowest τ, words")
    return WordMap(words.words, map.certified, places, words.logit, labels)


def thinned(
    places: Floats, widths: Floats, order: NDArray[np.intp], size: tuple[float, float], height: float
) -> list[int]:
    """Which labels find room, the first in ``order`` first; at most ``LABELS``.

    Parameters
    ----------
    places : (word, 2)
        Where labels begin, in pixels of a picture of this ``size``; those outside are left out. A label that would
        reach beyond the right edge ends there instead.
    widths : (word,)
        Pixels that labels take.
    order : (k,)
        The words from the one most worth a label to the least.
    height : float
        Pixels that every label takes.
    """
    columns, rows = int(np.ceil(size[0] / _GRAIN)) + 1, int(np.ceil(size[1] / height)) + 1
    taken = np.zeros((rows + 1, columns + 1), dtype=bool)
    seen: NDArray[np.bool_] = np.all((places >= 0) & (places < size), axis=1)
    chosen: list[int] = []
    for word in order[seen[order]].tolist():
        x, y = places[word]
        left = x if x + widths[word] <= size[0] else max(0.0, x - widths[word])
        row, begin, end = int(y / height), int(left / _GRAIN), int((left + widths[word]) / _GRAIN) + 1
        room = taken[row : row + 2, begin:end]  # a label may hang into the row below
        if not room.any():
            room[:] = True
            chosen.append(word)
            if len(chosen) == LABELS:
                break
    return chosen


_GRAIN = 8.0  # pixels: how finely the room along a line is counted

"""Words of many reviews at which a signal of one cell is highest and lowest."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.network import Network
from engine.recording import record

APART: Final = 3  # words; of two places that are nearer only the stronger counts
_BATCH: Final = 16  # reviews recorded together


class Place(NamedTuple):
    """A word of a review, both counted from 0, and the signal there."""

    review: int
    word: int
    value: float


class Extremes(NamedTuple):
    """The places of highest and of lowest value, best first, and how many reviews and words were searched."""

    highest: tuple[Place, ...]
    lowest: tuple[Place, ...]
    reviews: int
    words: int


def peaks(values: ArrayLike, apart: int = APART) -> NDArray[np.intp]:
    """Return the indices at which ``values`` (time,) are the largest of ``apart`` words on either side.

    Of equal values near each other the first counts.
    """
    series = np.asarray(values, dtype=np.float64)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(series, apart, constant_values=-np.inf), 2 * apart + 1)
    largest = series >= around.max(axis=1)
    first = around[:, :apart].max(axis=1) < series
    return np.flatnonzero(largest & first)


def find_extremes(
    network: Network,
    reviews: Sequence[NDArray[np.integer]],
    signal: str,
    cell: int,
    *,
    numbers: Sequence[int] | None = None,
    most: int = 100,
    clamp: Mapping[str, ArrayLike] | None = None,
    progress: Callable[[Extremes], bool] = lambda _: True,
) -> Extremes:
    """Read reviews, and return the places where a signal of a cell is highest and lowest.

    Parameters
    ----------
    network : Network
    reviews : sequence of (time,) arrays
        Ids of the words.
    signal, cell : str, int
    numbers : sequence of int, optional
        The number of each review in the result; its place in ``reviews`` by default.
    most : int
        Number of places of each kind.
    clamp : mapping of str to (n,) array, optional
        As `record` takes it.
    progress : callable
        Gets the result so far after each batch; the search ends once it returns False.
    """
    highest: list[Place] = []
    lowest: list[Place] = []
    words, found = 0, Extremes((), (), 0, 0)
    for first in range(0, len(reviews), _BATCH):
        batch = reviews[first : first + _BATCH]
        recording = record(network, batch, [signal], clamp=clamp)
        for row, (rows, length) in enumerate(zip(recording[signal], recording.lengths.tolist(), strict=True)):
            number = first + row if numbers is None else numbers[first + row]
            values = rows[:length, cell].astype(np.float64)
            highest += [Place(number, int(word), float(values[word])) for word in peaks(values)]
            lowest += [Place(number, int(word), float(values[word])) for word in peaks(-values)]
            words += length
        highest = heapq.nsmallest(most, highest, key=lambda place: -place.value)
        lowest = heapq.nsmallest(most, lowest, key=lambda place: place.value)
        found = Extremes(tuple(highest), tuple(lowest), first + len(batch), words)
        if not progress(found):
            break
    return found

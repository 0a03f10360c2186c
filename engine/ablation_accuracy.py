"""Numbers of reviews that a network classifies correctly with all cells and with each cell mean-ablated.

``h`` of a cell is clamped at its mean over reviews, so that the layers above get a constant from it; the outputs of a
network of several layers or directions are computed through all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.beta import batches_of, read_batches
from engine.final_states import FinalStates
from engine.network import Network
from engine.stack import Held
from engine.stack_outputs import final_outputs

Ids = NDArray[np.integer]
Clamps = Mapping[str, ArrayLike]
Outputs = Callable[[Clamps], NDArray[np.floating]]


@dataclass(frozen=True, eq=False)
class CorrectCounts:
    """Number of reviews classified correctly.

    Attributes
    ----------
    reviews : int
        Number of reviews read.
    intact : int
        Correct with all cells.
    without : (n,) array
        Correct with one cell ablated, for each cell.
    """

    reviews: int
    intact: int
    without: NDArray[np.int64]

    def __add__(self, other: CorrectCounts) -> CorrectCounts:
        return CorrectCounts(self.reviews + other.reviews, self.intact + other.intact, self.without + other.without)

    @property
    def accuracy(self) -> float:
        """Share of correct reviews with all cells."""
        return self.intact / self.reviews

    @property
    def accuracy_without(self) -> NDArray[np.float64]:
        """Share of correct reviews without each cell, (n,)."""
        return self.without / self.reviews


def mean_states(network: Network, reviews: Sequence[Ids], *, clamp: Clamps | None = None) -> NDArray[np.float32]:
    """Return the mean of ``h`` of each cell, (n,), over all words of the reviews."""
    total, words = np.zeros(network.cell.size), 0
    for batch in read_batches(network, reviews, (), clamp=clamp):
        if batch.recording is not None:
            total += batch.recording["h"][batch.recording.mask].sum(axis=0, dtype=np.float64)
            words += int(batch.recording.lengths.sum())
    return (total / max(words, 1)).astype(np.float32)


def count_correct(
    network: Network,
    reviews: Sequence[Ids],
    labels: Sequence[bool],
    means: NDArray[np.floating],
    *,
    clamp: Clamps | None = None,
    wanted: Callable[[int], bool] = lambda cell: True,
) -> CorrectCounts | None:
    """Classify reviews with all cells, and without each.

    Parameters
    ----------
    network : Network
        A network that reads words, whose first output is P(positive).
    reviews : sequence of (time,) ids
    labels : sequence of bool
    means : (n,) array
        Where ``h`` of an ablated cell is clamped: the result of `mean_states`.
    clamp : mapping of str to (n,) array, optional
        Values at which cells are clamped in every run; a cell whose ``h`` is among them is ablated already.
    wanted : callable
        Called with the number of each cell before its run; None is returned once it returns False.
    """
    given = {name: np.asarray(values, dtype=np.float32) for name, values in (clamp or {}).items()}
    free = given.get("h", np.full(network.cell.size, np.nan, dtype=np.float32))
    kept = sorted((k for k, ids in enumerate(reviews) if len(ids)), key=lambda k: len(reviews[k]))  # less padding
    read = [reviews[k] for k in kept]
    positive = np.array([labels[k] for k in kept], dtype=bool)
    outputs = _outputs_of_stack(network, read) if network.shares_readout else _outputs_of_states(network, read)

    def correct(clamps: Clamps) -> int:
        return int(((outputs(clamps) >= 0.5) == positive).sum())

    intact = correct(given)
    without = np.full(network.cell.size, intact, dtype=np.int64)
    for cell in np.flatnonzero(np.isnan(free)).tolist():
        if not wanted(cell):
            return None
        h = free.copy()
        h[cell] = means[cell]
        without[cell] = correct({**given, "h": h})
    return CorrectCounts(len(kept), intact, without)


def _outputs_of_states(network: Network, reviews: Sequence[Ids]) -> Outputs:
    """Return a function from clamps to the first output after each review, a function of ``h`` after its last word."""
    states = FinalStates(network, reviews)

    def outputs(clamps: Clamps) -> NDArray[np.floating]:
        probability = network.probability(states.read(clamps).to(network.readout_weight))
        return np.asarray(probability[:, 0].cpu())

    return outputs


def _outputs_of_stack(network: Network, reviews: Sequence[Ids]) -> Outputs:
    """Return a function from clamps of the watched layer to the first output after each review, through all layers."""
    stack = network.stack
    assert stack is not None
    batches = [[np.asarray(ids, dtype=np.int32) for ids in batch] for batch in batches_of(reviews)]

    def outputs(clamps: Clamps) -> NDArray[np.floating]:
        held = Held.of_arrays((network.level, network.direction), clamps)
        return np.concatenate(
            [np.empty(0), *(final_outputs(stack, network.output, part, held)[:, 0] for part in batches)]
        )

    return outputs

"""Additions to the state during a live run, by which the network is steered. Importing this needs no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST: Final = 32  # in one review: they travel with every state that the engine publishes

Clamps = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Push:
    """``addition`` (S,) is added to the state after a word, counted from 0; ``label`` names it in lists and exports."""

    word: int
    addition: NDArray[np.float32]
    label: str


Pushes = tuple[Push, ...]


def same_pushes(one: Pushes, other: Pushes) -> bool:
    """Return whether two runs are steered alike."""
    return len(one) == len(other) and all(
        a.word == b.word and a.label == b.label and np.array_equal(a.addition, b.addition)
        for a, b in zip(one, other, strict=True)
    )


def additions(pushes: Sequence[Push], clamps: Clamps, parts: Sequence[str]) -> dict[int, NDArray[np.float32]]:
    """Return what is added to the state after each word that has a push, (S,), by the word's index.

    ``parts`` are those of the state, n values each. A cell whose part is clamped does not move.
    """
    found: dict[int, NDArray[np.float32]] = {}
    for push in pushes:
        found[push.word] = found.get(push.word, np.float32(0)) + push.addition
    for addition in found.values():
        for part, values in zip(parts, np.split(addition, len(parts)), strict=True):
            if part in clamps:
                values[~np.isnan(clamps[part])] = 0
    return found


def checked(pushes: Sequence[Push], words: int, state_size: int) -> Pushes:
    """Return the pushes as a tuple.

    Raises
    ------
    ValueError
        If there are too many, or one does not fit the review or the state.
    """
    if len(pushes) > MOST:
        raise ValueError(f"{len(pushes)} additions to the state; a review takes at most {MOST}: undo some first")
    for push in pushes:
        if not 0 <= push.word < words:
            raise ValueError(f"no word {push.word}: the review has words 0 to {words - 1}")
        if push.addition.shape != (state_size,) or not np.isfinite(push.addition).all():
            raise ValueError(f"expected {state_size} finite numbers to add to the state, got {push.addition.shape}")
    return tuple(pushes)

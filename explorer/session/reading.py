"""A review read by a network outside the live run, and what such a reading is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.network import Network

BLOCK: Final = 1024  # words between two checks for cancellation


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network made of a review.

    Attributes
    ----------
    words : tuple of str
    probability : (time,)
        P(positive) after each word.
    alpha : mapping
        Signal → rolling α of its layer sum, (time,).
    h : (time, n)
    """

    words: tuple[str, ...]
    probability: NDArray[np.float64]
    alpha: Mapping[str, NDArray[np.float64]]
    h: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The reading that the present run is compared with.

    ``name`` is that of its network, its review, or both; ``same_network`` says whether the present network made it.
    ``counterparts`` (word,) are the words of the reading that correspond to those of the present review, −1 for none.
    """

    name: str
    reading: Reading
    same_network: bool
    counterparts: NDArray[np.intp]

    @cached_property
    def probability(self) -> NDArray[np.float64]:
        """P(positive) after the counterpart of each word of the present review, (word,); NaN without one."""
        return self._beside(self.reading.probability)

    @cached_property
    def alpha(self) -> Mapping[str, NDArray[np.float64]]:
        """Signal → rolling α of its layer sum at the same words."""
        return {name: self._beside(values) for name, values in self.reading.alpha.items()}

    def at(self, word: int) -> float:
        """Return P(positive) after the counterpart of a word, NaN if there is none."""
        return float(self.probability[word]) if 0 <= word < len(self.probability) else float("nan")

    def _beside(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.full(len(self.counterparts), np.nan)
        known = self.counterparts >= 0
        found[known] = values[self.counterparts[known]]
        return found


def read_words(
    network: Network | str,
    words: Sequence[str],
    window: int,
    scales: tuple[int, ...],
    clamps: Mapping[str, NDArray[np.float32]],
    wanted: Callable[[], bool] = lambda: True,
) -> Reading | None:
    """Read words with a network and analyse them as the live run does.

    Parameters
    ----------
    network : Network or str
        A name or path is loaded.
    words : sequence of str
    window, scales
        Of rolling DFA.
    clamps : mapping
        Signal → values (n,), NaN where a cell is not clamped.
    wanted : callable
        Asked every ``BLOCK`` words; the reading stops once it returns False.

    Returns
    -------
    Reading, or None if it was stopped

    Raises
    ------
    ValueError
        If the network does not read words, or there is none of that name.
    """
    from engine.fluctuation import RollingExponent
    from engine.probability import activate
    from engine.recording import Stepper
    from engine.samples import sum_over_cells

    if isinstance(network, str):
        network = _load(network)
    if network.vocabulary is None:
        raise ValueError(f"{network.name} takes numbers, not reviews: nothing to compare")
    stepper = Stepper(network)
    stepper.clamps = clamps
    names = [signal.name for signal in network.signals]
    exponents = RollingExponent(scales, window, len(names))
    ids = network.vocabulary.encode(words)
    h, alpha = [], []
    for first in range(0, len(ids), BLOCK):
        if not wanted():
            return None
        signals = stepper.advance(ids[first : first + BLOCK])
        sums = np.stack([sum_over_cells(signals[name]) for name in names], axis=1)
        h.append(signals["h"])
        alpha.append(exponents.trace(sums).alpha)
    hidden, exponent = np.concatenate(h), np.concatenate(alpha)
    logits = hidden @ network.readout_weight.cpu().double().numpy().T + network.readout_bias.cpu().double().numpy()
    probability = activate(logits, network.activation)[:, 0]
    return Reading(tuple(words), probability, dict(zip(names, exponent.T, strict=True)), hidden)


@lru_cache(maxsize=2)
def _load(name: str) -> Network:
    from engine.network import Network

    return Network.load(name)

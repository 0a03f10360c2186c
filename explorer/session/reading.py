"""A review read by a network outside the live run, and its comparison with the present run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.views.outputs import POSITIVE, Output, activated, output_of

if TYPE_CHECKING:
    from engine.network import Network, Unit
    from engine.sequences import Content

BLOCK: Final = 256  # words between two checks for cancellation


@dataclass(frozen=True, eq=False)
class Reading:
    """Result of reading a review with a network.

    Attributes
    ----------
    words : tuple of str
        Or the input vectors of a sequence, (time, channel).
    output : (time,)
        The first output after each word.
    alpha : mapping
        Signal → rolling α of its layer sum, (time,).
    h : (time, n)
    output_kind : Output
        Kind of that output.
    """

    words: Content
    output: NDArray[np.float64]
    alpha: Mapping[str, NDArray[np.float64]]
    h: NDArray[np.float32]
    output_kind: Output = POSITIVE


@dataclass(frozen=True, eq=False)
class Comparison:
    """The reading that the present run is compared with.

    ``name`` is that of its network, its review, or both; ``same_network`` says whether the present network made it.
    ``counterparts`` (word,) are the words of the reading that correspond to those of the present review, −1 for none;
    ``comparable`` says whether its output and that of the present network are of one kind.
    """

    name: str
    reading: Reading
    same_network: bool
    counterparts: NDArray[np.intp]
    comparable: bool = True

    @cached_property
    def output(self) -> NDArray[np.float64]:
        """The first output after the counterpart of each word of the present review, (word,); NaN without one, and if
        it is not of the kind that it would be compared with."""
        found = self._beside(self.reading.output)
        return found if self.comparable else np.full_like(found, np.nan)

    @cached_property
    def alpha(self) -> Mapping[str, NDArray[np.float64]]:
        """Signal → rolling α of its layer sum at the same words."""
        return {name: self._beside(values) for name, values in self.reading.alpha.items()}

    def at(self, word: int) -> float:
        """Return the first output after the counterpart of a word, NaN if there is none."""
        return float(self.output[word]) if 0 <= word < len(self.output) else float("nan")

    def _beside(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.full(len(self.counterparts), np.nan)
        known = self.counterparts >= 0
        found[known] = values[self.counterparts[known]]
        return found


def read_words(
    network: Network | str,
    words: Content,
    window: int,
    scales: tuple[int, ...],
    clamps: Mapping[str, NDArray[np.float32]],
    wanted: Callable[[], bool] = lambda: True,
    unit: Unit | None = None,
) -> Reading | None:
    """Read words, or input vectors, with a network and analyse them as the live run does.

    Parameters
    ----------
    network : Network or str
        A name or path is loaded.
    words : sequence of str, or (time, channel) array
    window, scales
        Of rolling DFA.
    clamps : mapping
        Signal → values (n,), NaN where a cell is not clamped.
    wanted : callable
        Called every ``BLOCK`` words; the reading stops once it returns False.
    unit : {"word", "character", "step"}, optional
        Unit of ``words``; by default that of the network.

    Returns
    -------
    Reading, or None if it was stopped

    Raises
    ------
    ValueError
        If the network does not read that kind of input, or there is none of that name.
    """
    from engine.fluctuation import RollingExponent
    from engine.live.layers import BackwardStepper, WholeOutputs
    from engine.recording import Stepper
    from engine.samples import sum_over_cells
    from engine.sequences import encode

    if isinstance(network, str):
        network = _load(network)
    if unit is not None and {unit, network.unit} == {"word", "character"}:
        raise ValueError(
            f"{network.name} reads {network.unit}s, and the present network {unit}s: they cannot be compared, because "
            "their states belong to different places of the text"
        )
    inner = Stepper(network)
    inner.clamps = clamps
    stepper = BackwardStepper(inner) if network.backward else inner
    names = [signal.name for signal in network.signals]
    exponents = RollingExponent(scales, window, len(names))
    ids = encode(network, words, "this")
    read_by_stepper = ids
    if isinstance(stepper, BackwardStepper):
        stepper.start(ids, ())
        read_by_stepper = np.arange(len(ids))
    whole = WholeOutputs(network) if network.shares_readout else None
    if whole is not None:
        whole.start(encode(network.watching(0), words, "this"), clamps, ())
    h, alpha, shared = [], [], []
    for first in range(0, len(ids), BLOCK):
        if not wanted():
            return None
        signals = stepper.advance(read_by_stepper[first : first + BLOCK])
        sums = np.stack([sum_over_cells(signals[name]) for name in names], axis=1)
        h.append(signals["h"])
        if whole is not None:
            shared.append(whole.advance(first, signals["h"]))
        alpha.append(exponents.trace(sums).alpha)
    hidden, exponent = np.concatenate(h), np.concatenate(alpha)
    output = (np.concatenate(shared) if whole is not None else activated(network, hidden))[:, 0].astype(np.float64)
    read = words if isinstance(words, np.ndarray) else tuple(words)
    return Reading(read, output, dict(zip(names, exponent.T, strict=True)), hidden, output_of(network))


@lru_cache(maxsize=2)
def _load(name: str) -> Network:
    from engine.network import Network

    return Network.load(name)

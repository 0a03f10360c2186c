"""A live run of one layer among several: the outputs of the whole network, and a layer that reads from the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.device_stepper import FallbackStepper
from engine.live.pushes import Clamps, Push, additions
from engine.network import Network
from engine.probability import activate
from engine.recording import Stepper
from engine.stack import Held
from engine.stack_outputs import outputs_along

Float32s = NDArray[np.float32]


class WholeOutputs:
    """The outputs of a whole network while one of its layers is watched.

    Layers of one direction above the watched one go on from its states. With two directions, the review cut after each
    word is read anew, see `engine.stack_outputs`.

    Parameters
    ----------
    network : Network
        One that ``shares_readout``.
    """

    def __init__(self, network: Network) -> None:
        assert network.stack is not None, "one layer has its own outputs"
        self.width = network.outputs
        self._network, self._stack = network, network.stack
        above = () if self._stack.bidirectional else range(network.level + 1, len(self._stack.layers))
        self._above = [Stepper(network.watching(level)) for level in above]
        self._inputs: NDArray[Any] = np.empty(0)

    def start(self, inputs: NDArray[Any], clamps: Clamps, pushes: Sequence[Push]) -> None:
        """Begin a review; ``inputs`` are those of the lowest layer, its ids or vectors."""
        network = self._network
        self._inputs = inputs
        self._held = Held.of_arrays(
            (network.level, network.direction), clamps, additions(pushes, clamps, network.cell.state_parts)
        )
        for stepper in self._above:
            stepper.reset()

    def advance(self, first: int, h: Float32s) -> NDArray[np.float32]:
        """Return the outputs (word, k) after the words from ``first`` on, with the states (word, n) there."""
        if not self._stack.bidirectional:
            for stepper in self._above:
                h = stepper.advance_inputs(h)["h"]
            assert self._stack.readout is not None
            weight, bias = (part.numpy() for part in self._stack.readout)
            return activate(h @ weight.T + bias, self._network.output).astype(np.float32)
        last = first + len(h)
        return outputs_along(self._stack, self._network.output, self._inputs, first, last, self._held).astype(
            np.float32
        )

    def rewind(self, h: Float32s) -> None:
        """Go back to where only the words with the states ``h`` (word, n) were read."""
        for stepper in self._above:
            stepper.reset()
        for stepper in self._above if len(h) else ():
            h = stepper.advance_inputs(h)["h"]


class BackwardStepper:
    """A stepper of a layer that reads from the end: it reads a review whole, and returns its rows in the text's order.

    Parameters
    ----------
    stepper : Stepper or FallbackStepper
        Runs the layer.
    """

    def __init__(self, stepper: Stepper | FallbackStepper) -> None:
        self.inner = stepper
        self._rows: Mapping[str, Float32s] = {}
        self.state: Float32s = stepper.state

    @property
    def clamps(self) -> Mapping[str, Float32s]:
        """The clamps, signal → (n,) values, NaN for a free cell."""
        return self.inner.clamps

    @clamps.setter
    def clamps(self, clamps: Mapping[str, ArrayLike]) -> None:
        self.inner.clamps = clamps

    def start(self, inputs: NDArray[Any], pushes: Sequence[Push]) -> None:
        """Read a review, from its last word to its first."""
        stepper, parts = self.inner, self.inner.network.cell.state_parts
        added = additions(pushes, stepper.clamps, parts)
        ends = sorted({len(inputs), *(len(inputs) - word for word in added)})
        stepper.reset()
        found: list[dict[str, Float32s]] = []
        first = 0
        for last in ends:
            signals = stepper.advance(inputs[::-1][first:last].copy())
            word = len(inputs) - last
            if word in added:
                stepper.state = state = stepper.state + added[word]
                for part, values in zip(parts, np.split(state, len(parts)), strict=True):
                    signals[part] = signals[part].copy()
                    signals[part][-1] = values
            found.append(signals)
            first = last
        self._rows = {name: np.concatenate([one[name] for one in found])[::-1] for name in found[0]} if found else {}

    def reset(self) -> None:
        """Do nothing: `start` has read the review."""

    def advance(self, rows: NDArray[np.integer]) -> dict[str, Float32s]:
        """Return every signal at these words, (time, cell)."""
        return {name: values[rows] for name, values in self._rows.items()}

"""The first output of a network: its name, its scale, and what it predicts.

The readout is a sigmoid, a softmax or linear, as `engine.network.Network.output` says. Only a single sigmoid is
P(positive); a linear output is no probability and has no bounds.

A network of several layers or directions has outputs that are no function of the watched layer's states: `output_of`
describes those, which the live run computes, and `readout_of` what can be read from a state h of the watched layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine.probability import Activation, activate
from explorer.session.core import Frame, SignalReader
from explorer.session.views.number_format import number

if TYPE_CHECKING:
    from engine.network import Network
    from engine.text import Review

OUTPUTS: Final = "outputs"  # as `engine.live.replay` names them, which needs PyTorch


@dataclass(frozen=True)
class Output:
    """First output of a network: its names, and the value from which it counts as positive.

    Attributes
    ----------
    name, short : str
        On screen, and in narrow headings.
    column : str
        In CSV files.
    logit : str
        The name of its logit; that of the output itself if it is linear.
    bounded : bool
        Whether it is a probability.
    middle : float
        Values from here on count as positive: ½ of a probability, 0 of a linear output.
    """

    name: str
    short: str
    column: str
    logit: str
    bounded: bool = True

    @property
    def middle(self) -> float:
        return 0.5 if self.bounded else 0.0

    @property
    def exists(self) -> bool:
        """Whether there is an output; False of a network, or of a layer's states, without one."""
        return self != _NONE

    @property
    def positive(self) -> bool:
        """Whether the output is P(positive), which a review's label can be compared with."""
        return self == POSITIVE


POSITIVE = Output("P(positive)", "P(+)", "probability", "logit")
_CLASS = Output("P(class 0)", "P(0)", "probability_class_0", "logit of class 0")
_ONE_OF_SEVERAL = Output("P(output 0)", "P(0)", "probability_output_0", "logit of output 0")
_STEPS = Output("output 1", "out 1", "output_1", "logit of output 1")
_LINEAR_STEPS = Output("output 1", "out 1", "output_1", "output 1", bounded=False)
_NONE = Output("no output", "out", "output_0", "no output")
_LINEAR = Output("output 0", "out", "output_0", "output 0", bounded=False)


def output_line(output: Output, before: float, after: float) -> str:
    """Compare an output at the end of two texts."""
    values = f"{number(before)} → {number(after)}, difference {number(after - before)}"
    return f"{output.name} at the end: {values}"


def output_of(network: Network) -> Output:
    """Return what the first output of a network is. Those of a network over vectors are numbered like its inputs."""
    return _output(network, network.output)


def readout_of(network: Network) -> Output:
    """Return what the first output is as a function of the state of the watched layer; "no output" if it is none."""
    return _output(network, network.activation)


def _output(network: Network, activation: Activation) -> Output:
    if activation == "none":
        return _NONE
    if network.unit == "step":
        return _LINEAR_STEPS if activation == "linear" else _STEPS
    if activation == "linear":
        return _LINEAR
    if activation == "softmax":
        return _CLASS
    return POSITIVE if network.outputs == 1 else _ONE_OF_SEVERAL


def activated(network: Network, h: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return all outputs (..., k) of hidden states (..., n) of the watched layer; NaN if they are no function of it."""
    weight, bias = (part.cpu().double().numpy() for part in (network.readout_weight, network.readout_bias))
    return activate(h @ weight.T + bias, network.activation)


def cell_weights(network: Network) -> NDArray[np.float64]:
    """Return the weight of each cell in the first output, (n,); NaN for cells that the readout does not read."""
    stack, n = network.stack, network.cell.size
    if network.activation != "none":
        return network.readout_weight[0].cpu().double().numpy()
    if stack is None or stack.readout is None or network.level < len(stack.layers) - 1:
        return np.full(n, np.nan)
    weight = stack.readout[0][0].cpu().double().numpy()
    return weight[-n:] if network.backward else weight[:n]


def outputs_between(reader: SignalReader, network: Network, first: int, last: int) -> NDArray[np.float64]:
    """Return all outputs (word, k) after the words ``first`` to ``last`` of the run, as far as they are stored."""
    if network.shares_readout:
        found = reader.read(OUTPUTS, first, last).astype(np.float64)
        return found if found.shape[1] == network.outputs else np.empty((0, network.outputs))
    h = reader.read("h", first, last)
    return activated(network, h) if h.shape[1] == network.cell.size else np.empty((0, network.outputs))


def outputs_at(reader: SignalReader, frame: Frame) -> NDArray[np.float64]:
    """Return all outputs after the word looked at, (k,); empty before the first word."""
    if frame.word < 0:
        return np.empty(0)
    found = outputs_between(reader, frame.snapshot.network, frame.word, frame.word + 1)
    return found[0] if len(found) == 1 else np.empty(0)


def other_column(network: Network, k: int) -> str:
    """Return the name of output k, counted from 0, in CSV files; see `Output.column` for the first."""
    if network.unit == "step":
        return f"output_{k + 1}"
    return {"softmax": f"probability_class_{k}", "sigmoid": f"probability_output_{k}"}.get(
        network.output, f"output_{k}"
    )


def targets_of(review: Review, outputs: int) -> NDArray[np.float64] | None:
    """Return the targets (time, k) of a sequence of vectors; None if they are not known, or not of ``outputs``."""
    from engine.sequences import InputSequence

    targets = review.targets if isinstance(review, InputSequence) else None
    return None if targets is None or targets.shape[1] != outputs else targets.astype(np.float64)


@dataclass(frozen=True)
class Scale:
    """The range of an axis of outputs: 0 to 1 for a probability, else the range of the data and 0."""

    low: float
    high: float
    middle: float

    def fraction(self, value: float) -> float:
        """Return where a value lies between the ends, 0…1."""
        return (value - self.low) / (self.high - self.low)


def scale_of(output: Output, *values: NDArray[np.floating]) -> Scale:
    """Return the axis on which these values of an output are drawn."""
    if output.bounded:
        return Scale(0.0, 1.0, output.middle)
    known = [part[np.isfinite(part)] for part in values]
    low = min((float(part.min(initial=0.0)) for part in known), default=0.0)
    high = max((float(part.max(initial=0.0)) for part in known), default=0.0)
    return Scale(low, high if high > low else low + 1.0, output.middle)

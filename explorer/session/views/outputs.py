"""The first output of a network: its name, its scale, and what it predicts.

The readout is a sigmoid, a softmax or linear, as `engine.network.Network.activation` says. Only a single sigmoid is
P(positive); a linear output is no probability and has no bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.probability import activate
from explorer.session.core import Frame, SignalReader
from explorer.session.views.number_format import number

if TYPE_CHECKING:
    from engine.network import Network


@dataclass(frozen=True)
class Output:
    """What the first output of a network is called, and where it changes sides.

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
    if network.activation == "none":
        return _NONE
    if network.unit == "step":
        return _LINEAR_STEPS if network.activation == "linear" else _STEPS
    if network.activation == "linear":
        return _LINEAR
    if network.activation == "softmax":
        return _CLASS
    return POSITIVE if network.outputs == 1 else _ONE_OF_SEVERAL


def activated(network: Network, h: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return all outputs (..., k) of hidden states (..., n)."""
    weight, bias = (part.cpu().double().numpy() for part in (network.readout_weight, network.readout_bias))
    return activate(h @ weight.T + bias, network.activation)


def outputs_at(reader: SignalReader, frame: Frame) -> NDArray[np.float64]:
    """Return all outputs after the word looked at, (k,); empty before the first word."""
    h, network = reader.read("h", frame.word, frame.word + 1), frame.snapshot.network
    return activated(network, h)[0] if h.shape == (1, network.cell.size) else np.empty(0)


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

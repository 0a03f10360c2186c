"""The inputs, outputs and targets of a sequence of vectors, step by step: what stands for the words of a review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader
from explorer.session.views.number_format import number, percent
from explorer.session.views.outputs import outputs_between, targets_of
from explorer.session.views.runs import Line, Run

Floats = NDArray[np.float64]

LISTED: Final = 16  # outputs that are listed with their numbers; others are only drawn


@dataclass(frozen=True, eq=False)
class Trace:
    """One curve over all steps of the sequence.

    Attributes
    ----------
    name : str
    values : (time,) array
        NaN for steps that are not read, or no longer stored; inputs are known before they are read.
    low, high : float
        Ends of its axis, the same for all inputs and for all outputs.
    target : (time,) array or None
        What an output should be, NaN where anything is right; None for inputs, and if it is not known.
    """

    name: str
    values: Floats
    low: float
    high: float
    target: Floats | None = None

    @property
    def is_input(self) -> bool:
        return self.name.startswith("in ")

    @cached_property
    def from_zero(self) -> bool:
        """Whether the curve consists of pulses up and down, and is zero most of the time."""
        return self.low < 0 < self.high and bool(2 * np.count_nonzero(self.values) <= len(self.values))

    @cached_property
    def right(self) -> NDArray[np.int8]:
        """Return 1 where the output is on the side of its target, −1 where it is not, 0 where that is open, (time,)."""
        if self.target is None:
            return np.zeros(len(self.values), dtype=np.int8)
        known = np.isfinite(self.values) & np.isfinite(self.target)
        with np.errstate(invalid="ignore"):
            same = (self.values >= 0.5) == (self.target >= 0.5)
        return np.where(known, np.where(same, 1, -1), 0).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Traces:
    """All curves of a sequence; ``paired`` if each output answers to the input of the same number."""

    inputs: tuple[Trace, ...]
    outputs: tuple[Trace, ...]

    @property
    def paired(self) -> bool:
        return len(self.inputs) == len(self.outputs) and any(each.target is not None for each in self.outputs)

    @property
    def order(self) -> tuple[Trace, ...]:
        """All curves from top to bottom: each output below its input if they are paired."""
        if not self.paired:
            return (*self.inputs, *self.outputs)
        return tuple(trace for pair in zip(self.inputs, self.outputs, strict=True) for trace in pair)

    @property
    def accuracy(self) -> tuple[float, int]:
        """The share of right answers so far, and of how many; NaN and 0 without a target."""
        right = np.concatenate([each.right for each in self.outputs])
        known = int((right != 0).sum())
        return (float((right > 0).sum()) / known if known else float("nan")), known


def reads_steps(frame: Frame) -> bool:
    """Return whether the network takes vectors, so that there are steps instead of words."""
    return frame.snapshot.network.unit == "step"


def traces(reader: SignalReader, frame: Frame) -> Traces:
    """Return the inputs, the outputs and the targets of the sequence, each over all of its steps."""
    from engine.sequences import InputSequence

    snapshot = frame.snapshot
    review, network, steps = snapshot.review, snapshot.network, snapshot.words
    sequence = review if isinstance(review, InputSequence) else None
    x = np.zeros((steps, network.channels)) if sequence is None else sequence.inputs.astype(float)
    outputs = _outputs(reader, frame, steps)
    targets = targets_of(review, outputs.shape[1])
    names = input_names(frame)
    ends = _ends(x)
    out_ends = (0.0, 1.0) if network.output != "linear" else _ends(outputs)
    return Traces(
        tuple(Trace(f"in {name}", x[:, k], *ends) for k, name in enumerate(names)),
        tuple(
            Trace(f"out {k + 1}", outputs[:, k], *out_ends, None if targets is None else targets[:, k])
            for k in range(outputs.shape[1])
        ),
    )


def input_names(frame: Frame) -> Sequence[str]:
    """Return short names of the channels: their numbers where the sequence does not name them."""
    from engine.sequences import InputSequence

    review = frame.snapshot.review
    channels = review.channels if isinstance(review, InputSequence) else ()
    return [name.removeprefix("channel ") for name in channels]


def _outputs(reader: SignalReader, frame: Frame, steps: int) -> Floats:
    """Return all outputs after every step, (time, k), NaN where h is not known."""
    snapshot, network = frame.snapshot, frame.snapshot.network
    out = np.full((steps, network.outputs), np.nan)
    found = outputs_between(reader, network, 0, snapshot.time)
    if len(found):
        last = min(steps, snapshot.time)
        first = max(0, last - len(found))
        out[first:last] = found[: last - first]
    return out


def _ends(values: Floats) -> tuple[float, float]:
    """Return the ends of an axis: symmetric about zero if the values have both signs."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if low < 0 < high:
        reach = max(-low, high)
        return -reach, reach
    return low, high if high > low else low + 1.0


# ---- what is said about them --------------------------------------------------------------------------------------


def output_lines(found: Traces, step: int) -> tuple[Line, ...]:
    """Every output at a step with its target, and the share of right answers so far."""
    lines: list[Line] = []
    for trace in found.outputs[:LISTED]:
        value = float(trace.values[step]) if 0 <= step < len(trace.values) else float("nan")
        shown = f"{value:.3f}" if (trace.low, trace.high) == (0.0, 1.0) and value == value else number(value)
        line: Line = (Run(f"{trace.name} "), Run(f"{shown:>5}", "value"))
        if trace.target is not None and 0 <= step < len(trace.values):
            line = (*line, *_beside(float(trace.target[step]), int(trace.right[step])))
        lines.append(line)
    if len(found.outputs) > LISTED:
        lines.append((Run(f"… {len(found.outputs) - LISTED} more outputs"),))
    share, known = found.accuracy
    if known:
        lines.append((Run("right "), Run(percent(share), "value"), Run(f" of {known:,}")))
    elif not any(trace.target is not None for trace in found.outputs):
        lines.append((Run("targets unknown"),))
    return tuple(lines)


def _beside(target: float, right: int) -> Line:
    """A target next to its output."""
    if target != target:
        return (Run("  no target yet"),)
    mark = {1: Run(" ✓", "good"), -1: Run(" ✗", "bad"), 0: Run("")}[right]
    return (Run("  target "), Run(number(target, 3) if target % 1 else f"{target:.0f}", "text"), mark)


def meaning_line(found: Traces, short: bool = False) -> Line:
    """Return the legend of the curves and their colours."""
    ends = found.inputs[0] if found.inputs else None
    scale = f"in {number(ends.low)}…{number(ends.high)}" if ends is not None else ""
    if not any(trace.target is not None for trace in found.outputs):
        return (Run(f"{scale}   out: no targets"),)
    return (
        Run(f"{scale}   out: " if not short else "out: "),
        Run("right", "good"),
        Run(" or "),
        Run("wrong", "bad"),
        Run(", shaded: target 1"),
    )

"""The synthetic tasks of the fixed-point paper: integration and flip-flop.

A task generates ``inputs`` and ``targets`` of shape (sequence, time, channel), both float32, from a seed.  Targets are
0 or 1 in every channel, and NaN where they are undefined (a flip-flop channel before its first pulse).

Source: Cheng, Schmid & Lange, "Unfolding the computational complexity of RNN through fix point analysis" (2021),
section 4.1, after Sussillo & Barak, Neural Computation 25 (2013) 626.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Task(Protocol):
    """Interface of a task."""

    @property
    def name(self) -> str:
        """Kind and number of channels, such as ``flip-flop-3``."""
        ...

    @property
    def channels(self) -> int:
        """Length of an input vector and of a target."""
        ...

    def sequences(self, count: int, steps: int, seed: int) -> tuple[Floats, Floats]:
        """Generate ``count`` sequences of ``steps`` steps: inputs and targets, each (sequence, time, channel)."""
        ...

    def targets(self, inputs: Floats) -> Floats:
        """Return the targets of any inputs (sequence, time, channel)."""
        ...


@dataclass(frozen=True)
class Integration:
    """Report the sign of the running sum of white noise.

    The input of every channel is standard normal noise n_t; the target is 1 where s_T = Σ_{t≤T} γ^t n_t > 0, else 0.
    As in the paper, the discount reduces the weight of *later* steps, so that for γ < 1 the answer settles.

    Raises
    ------
    ValueError
        If there is no channel, or γ lies outside [0, 1].
    """

    channels: int = 1
    gamma: float = 1.0

    def __post_init__(self) -> None:
        _check(self.channels, "gamma", self.gamma)

    @property
    def name(self) -> str:
        return f"integration-{self.channels}"

    def sequences(self, count: int, steps: int, seed: int) -> tuple[Floats, Floats]:
        noise = np.random.default_rng(seed).standard_normal((count, steps, self.channels), dtype=np.float32)
        return noise, self.targets(noise)

    def targets(self, inputs: Floats) -> Floats:
        weight = self.gamma ** np.arange(inputs.shape[1], dtype=np.float64)
        total = np.cumsum(inputs * weight[:, None], axis=1)
        return (total > 0).astype(np.float32)


@dataclass(frozen=True)
class FlipFlop:
    """Report the sign of the last pulse.

    The input of a channel is 0 or, with probability ``p`` at each step, a pulse of +1 or −1 with equal probability.
    The target is 1 after a pulse of +1 and 0 after a pulse of −1, until the next; before the first pulse it is NaN.

    Raises
    ------
    ValueError
        If there is no channel, or ``p`` lies outside [0, 1].
    """

    channels: int = 3
    p: float = 0.1

    def __post_init__(self) -> None:
        _check(self.channels, "p", self.p)

    @property
    def name(self) -> str:
        return f"flip-flop-{self.channels}"

    def sequences(self, count: int, steps: int, seed: int) -> tuple[Floats, Floats]:
        rng = np.random.default_rng(seed)
        shape = (count, steps, self.channels)
        pulse = rng.random(shape) < self.p
        inputs = np.where(pulse, rng.choice((-1.0, 1.0), shape), 0.0).astype(np.float32)
        return inputs, self.targets(inputs)

    def targets(self, inputs: Floats) -> Floats:
        last = np.maximum.accumulate(np.where(inputs != 0, np.arange(inputs.shape[1])[:, None], -1), axis=1)
        pulses = np.take_along_axis(inputs, np.maximum(last, 0), axis=1)
        return np.where(last < 0, np.nan, pulses > 0).astype(np.float32)


KINDS = ("integration", "flip-flop")


def task_from_name(name: str, *, gamma: float = 1.0, p: float = 0.1) -> Task:
    """Return the task of a name ``integration-K`` or ``flip-flop-K`` (K channels).

    Raises
    ------
    ValueError
        For any other name.
    """
    kind, _, channels = name.rpartition("-")
    if kind in KINDS and channels.isdigit():
        return Integration(int(channels), gamma) if kind == "integration" else FlipFlop(int(channels), p)
    raise ValueError(f"unknown task {name!r}; expected integration-K or flip-flop-K with K channels")


def _check(channels: int, name: str, fraction: float) -> None:
    if channels < 1:
        raise ValueError(f"a task needs one channel or more, got {channels}")
    if not 0 <= fraction <= 1:
        raise ValueError(f"expected {name} between 0 and 1, got {fraction}")

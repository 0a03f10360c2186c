"""The synthetic tasks of the fixed-point paper: integration and flip-flop.

Every task turns a seed into ``inputs`` and ``targets`` of shape (sequence, time, channel), both float32.  Targets are
0 or 1 in every channel, and NaN where the task asks nothing yet (a flip-flop channel before its first pulse).

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
    """What every task offers."""

    @property
    def name(self) -> str:
        """The kind and the number of channels, as ``flip-flop-3``."""
        ...

    @property
    def channels(self) -> int:
        """Length of one input vector, and of one target."""
        ...

    def sequences(self, count: int, steps: int, seed: int) -> tuple[Floats, Floats]:
        """``count`` fresh sequences of ``steps`` steps: inputs and targets, each (sequence, time, channel)."""
        ...


@dataclass(frozen=True)
class Integration:
    """Is the running sum of white noise positive?

    The input of every channel is standard normal noise n_t; the target is 1 where s_T = Σ_{t≤T} γ^t n_t > 0, else 0.
    The discount is the paper's: it weakens *later* steps, so that for γ < 1 the answer settles; γ = 1 is plain.

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
        weight = self.gamma ** np.arange(steps, dtype=np.float64)
        total = np.cumsum(noise * weight[:, None], axis=1)
        return noise, (total > 0).astype(np.float32)


@dataclass(frozen=True)
class FlipFlop:
    """Which sign had the last pulse?

    A channel shows 0, and with probability ``p`` at each step a pulse of +1 or −1 (even odds).  The target is 1 after
    a pulse of +1 and 0 after one of −1, and holds until the next; before the first pulse of a channel it is NaN.

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
        last = np.maximum.accumulate(np.where(pulse, np.arange(steps)[:, None], -1), axis=1)
        clamps = np.take_along_axis(inputs, np.maximum(last, 0), axis=1)
        return inputs, np.where(last < 0, np.nan, clamps > 0).astype(np.float32)


KINDS = ("integration", "flip-flop")


def task_from_name(name: str, *, gamma: float = 1.0, p: float = 0.1) -> Task:
    """The task that ``integration-K`` or ``flip-flop-K`` names (K channels).

    Raises
    ------
    ValueError
        For any other name.
    """
    kind, _, channels = name.rpartition("-")
    if kind in KINDS and channels.isdigit():
        return Integration(int(channels), gamma) if kind == "integration" else FlipFlop(int(channels), p)
    raise ValueError(f"no task is called {name!r}; expected integration-K or flip-flop-K with K channels")


def _check(channels: int, name: str, fraction: float) -> None:
    if channels < 1:
        raise ValueError(f"a task needs at least one channel, got {channels}")
    if not 0 <= fraction <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {fraction}")

"""Lines about the Lyapunov spectrum and the memory decay of a review."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.palette import Role
from explorer.session.views.number_format import count, number
from explorer.session.views.runs import Line, Run, join

ORDERS: Final = ("as read", "shuffled")
MEANING = (
    "Lyapunov exponents: nats per word at which a small change of the state grows (> 0) or shrinks (< 0) along the "
    "run. Memory decay: ‖∂h_T/∂x_t‖, the effect of a word on the last state, against its distance from the end; the "
    "half-life is the distance from which it stays below half of its largest value."
)
SPECTRUM_TITLE = "Lyapunov exponents, nats/word"
DECAY_TITLE = "‖∂h_T/∂x_t‖ against words before the last"
ROLES: Final[tuple[Role, ...]] = ("text", "pink")  # of the curves, by `ORDERS`


@dataclass(frozen=True, eq=False)
class MemoryOfRun:
    """``exponents`` (k,) in nats per word, falling; ``decay`` (lag,); its half-life in words, NaN if it has none."""

    exponents: NDArray[np.float64]
    decay: NDArray[np.float64]
    half_life: float


@dataclass(frozen=True, eq=False)
class Memory:
    """``runs`` are those of ``ORDERS``: the words of the review as they are read, and shuffled."""

    review: str
    words: int
    runs: tuple[MemoryOfRun, ...]


def memory_lines(found: Memory | None, progress: str, width: int | None = None) -> tuple[Line, ...]:
    """The verdict, and the numbers of both orders; or what is being computed."""
    if found is None:
        return ((Run(progress or "nothing is measured yet", "warning"),),)
    largest = float(found.runs[0].exponents[0])
    verdict = "forgets where it began" if largest < 0 else "never forgets where it began"
    sign = "below" if largest < 0 else "above"
    head = (
        (Run(f"the network {verdict}", "good" if largest < 0 else "warning"),),
        (Run(f"the largest exponent is {sign} 0"),),
        (Run(count(found.words, "word")),),
    )
    return (join(head, width), *(_run_line(order, run, width) for order, run in zip(ORDERS, found.runs, strict=True)))


def _run_line(order: str, run: MemoryOfRun, width: int | None) -> Line:
    first, *others = (number(value, 7) for value in run.exponents[:4].tolist())
    half = f"{run.half_life:.0f} words" if math.isfinite(run.half_life) else f"over {len(run.decay)} words"
    return join(
        (
            (Run(f"{order:<9}", ROLES[ORDERS.index(order)]), Run("half-life "), Run(half, "accent")),
            (Run("largest exponent "), Run(first, "value"), Run(" nats/word")),
            (Run("next "), Run("  ".join(others), "text")),
        ),
        width,
    )


def decay_of(run: MemoryOfRun) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lags and log10 of the decay where it is above 0, (k,) each."""
    lag = np.flatnonzero(run.decay > 0).astype(np.float64)
    return lag, np.log10(run.decay[run.decay > 0])

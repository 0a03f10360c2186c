"""Progress of a study on standard error; hidden if that is not a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")

ShowFraction = Callable[[float], None]
"""Called with the fraction done, 0 to 1."""


def time_left(console: Console) -> Progress:
    """Return bars with the elapsed and the remaining time."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(
        *columns, TextColumn("left:"), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )


class NetworkProgress:
    """A bar over networks, which several threads may measure.

    Parameters
    ----------
    bar : Progress
    names : sequence of str
        The networks in order.
    costs : sequence of float, optional
        Relative times that the networks take; all equal by default.
    """

    def __init__(self, bar: Progress, names: Sequence[str], costs: Sequence[float] | None = None) -> None:
        self._bar, self._names = bar, names
        self._costs = costs or [1.0] * len(names)
        self._done = [0.0] * len(names)
        self._task = bar.add_task("networks", total=sum(self._costs))

    def measure(self, number: int, work: Callable[[ShowFraction], T]) -> T:
        """Call ``work`` for one network with a function that reports the fraction of it that is done."""

        def show(fraction: float) -> None:
            self._done[number] = fraction
            completed = sum(cost * done for cost, done in zip(self._costs, self._done, strict=True))
            self._bar.update(self._task, completed=completed)

        finished = sum(done >= 1 for done in self._done)
        self._bar.update(self._task, description=f"{self._names[number]} ({finished + 1} of {len(self._names)})")
        result = work(show)
        show(1)
        return result

"""Progress of a study on standard error; hidden if that is not a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

ShowFraction = Callable[[float], None]
"""Called with the fraction done, 0 to 1."""


def time_left(console: Console) -> Progress:
    """Return bars with the elapsed and the remaining time."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(
        *columns, TextColumn("left:"), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )


class NetworkProgress:
    """A bar over networks.

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
        self._task = bar.add_task("networks", total=sum(self._costs))
        self._begun = -1

    def begin(self) -> ShowFraction:
        """Begin the next network; returns a function to report the fraction of it that is done."""
        self._begun += 1
        number = self._begun
        before, cost = sum(self._costs[:number]), self._costs[number]
        description = f"{self._names[number]} ({number + 1} of {len(self._names)})"
        self._bar.update(self._task, description=description, completed=before)
        return lambda fraction: self._bar.update(self._task, completed=before + cost * fraction)

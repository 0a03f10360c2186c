"""A kind of file, and a run of the engine in this thread that reads reviews or a recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.live.commands import Open, Seek
from engine.live.ring import Ring
from engine.live.run import LiveRun, Settings
from engine.live.snapshot import Event
from engine.network import Network
from tests.robustness.mutations import Mutation

CLEAN = (ValueError, OSError)
"""Exceptions that a verb prints as one line: `explorer.cli`."""


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    file_name : str
    make : callable
        Write a good file.
    damage : callable
        Return a damaged copy of its bytes.
    use : callable
        Read the file, and do with its contents what the program does.
    clean : tuple of exception types
        Exceptions that ``use`` may raise.
    sample : int
        Number of damaged files that the tests read.
    """

    file_name: str
    make: Callable[[Path], object]
    damage: Mutation
    use: Callable[[Path], object]
    clean: tuple[type[Exception], ...] = field(default=CLEAN)
    sample: int = 25


class _Outlet:
    """The outlet of a run in this thread."""

    def __init__(self) -> None:
        self.failed = ""

    def allocate(self, network: Network, widths: dict[str, int], capacity: int) -> Ring:
        return Ring(widths, capacity)

    def publish(self, snapshot: Any, reviews: Any) -> None:
        """Do nothing: no view reads the state."""

    def emit(self, event: Event) -> None:
        if event.kind == "failed":
            self.failed = event.message


def read_live(network: Network, reviews: list[Any]) -> None:
    """Read a review as the engine of a live run does, in this thread."""
    outlet = _Outlet()
    run = LiveRun(network, Settings(window=32, capacity=64), outlet)  # type: ignore[arg-type]
    for command in (Open(reviews, 0), Seek(20), None):
        run.commands.put(command)
    run.work()
    if outlet.failed:
        raise AssertionError(f"the engine failed: {outlet.failed}")


def text(content: str) -> Callable[[Path], object]:
    """Return a function that writes a text file."""
    return lambda path: path.write_text(content, encoding="utf-8")

"""Results that come one by one from long work that nobody waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

BREATH = 0.0005  # seconds: between two steps of a thread, others get the interpreter


class TaskResults(Generic[T]):
    """What is found so far. ``done`` of ``total`` reviews are looked at; ``trouble`` says what went wrong.

    ``found`` grows at its end, or is replaced by a better order: whoever draws it takes it as it is.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.found: Sequence[T] = ()
        self.finished = total == 0
        self.cancelled = False
        self.trouble = ""
        self.at_end: Callable[[], None] | None = None  # what ends the work at once, where it can be

    def cancel(self) -> None:
        """No more is wanted."""
        self.cancelled = self.finished = True
        if self.at_end is not None:
            self.at_end()

    @property
    def progress(self) -> str:
        """How far it is, as text; empty at the end."""
        if self.finished:
            return self.trouble
        return f"{self.done:,} of {self.total:,} reviews …"


def gather(steps: Iterable[tuple[int, Sequence[T]]], total: int) -> TaskResults[T]:
    """Take results in a thread, in short steps: each is how many reviews are done and what is new."""
    gathering: TaskResults[T] = TaskResults(total)

    def work() -> None:
        try:
            for done, new in steps:
                if gathering.cancelled:
                    return
                gathering.found = [*gathering.found, *new] if new else gathering.found
                gathering.done = done
                time.sleep(BREATH)
        except Exception as error:  # whatever it is, the face shows it
            gathering.trouble = str(error) or repr(error)
        gathering.finished = True

    threading.Thread(target=work, name="pinkx gathering", daemon=True).start()
    return gathering

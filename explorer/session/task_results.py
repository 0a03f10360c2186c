"""Results of a long search, shown while it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

T = TypeVar("T")

PAUSE: Final = 0.0005  # seconds between two steps, in which other threads get the interpreter


class TaskResults(Generic[T]):
    """Results of a search so far.

    Attributes
    ----------
    done, total : int
        Reviews searched, and to be searched.
    found : sequence
        Replaced, never changed, when there is more; the order may change.
    finished, cancelled : bool
    trouble : str
        The error; "" without one.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.found: Sequence[T] = ()
        self.finished = total == 0
        self.cancelled = False
        self.trouble = ""
        self.on_cancel: Callable[[], None] | None = None  # ends the work at once

    def cancel(self) -> None:
        """End the search; what is found stays."""
        self.cancelled = self.finished = True
        if self.on_cancel is not None:
            self.on_cancel()

    @property
    def progress(self) -> str:
        """Progress of the search, as a text; at the end "", or the error."""
        if self.finished:
            return self.trouble
        return f"{self.done:,} of {self.total:,} reviews …"


def start_search(steps: Iterable[tuple[int, Sequence[T]]], total: int) -> TaskResults[T]:
    """Run a search in a thread of this process.

    A worker process would have to be sent all the texts, for every search.

    Parameters
    ----------
    steps : iterable of (done, new)
        Number of reviews searched so far, and the new results; each step takes some milliseconds.
    total : int
        Reviews to be searched.
    """
    results: TaskResults[T] = TaskResults(total)

    def work() -> None:
        try:
            for done, new in steps:
                if results.cancelled:
                    return
                results.found = [*results.found, *new] if new else results.found
                results.done = done
                time.sleep(PAUSE)
        except Exception as error:  # the front end shows it
            results.trouble = str(error) or repr(error)
        results.finished = True

    threading.Thread(target=work, name="pinkx search", daemon=True).start()
    return results

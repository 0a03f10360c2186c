"""One result computed in the worker process, with its progress: a dialog requests it when it opens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from explorer.session.jobs import Job, JobRunner

T = TypeVar("T")

STARTING: Final = "starting …"


class Computation(Generic[T]):
    """The newest of a series of computations; a new one cancels the one before.

    A job sends ``("progress", text)`` meanwhile, and ``("result", value)`` at the end.

    Attributes
    ----------
    progress : str
        Computation in progress, or the error that ended it, as a text; "" at rest.
    running : bool
        Whether a job is in progress.
    """

    def __init__(self, jobs: JobRunner) -> None:
        self.progress = ""
        self.running = False
        self._jobs = jobs
        self._lock = threading.Lock()
        self._subject: tuple[object, ...] = ()
        self._job: Job | None = None
        self._result: T | None = None

    def request(self, subject: tuple[object, ...], work: Callable[..., None], *arguments: Any) -> None:
        """Start a job about a subject, unless that is done or in progress; subjects are compared by equality."""
        if subject == self._subject:
            return
        with self._lock:  # the callbacks wait until the job is known
            if self._job is not None:
                self._jobs.cancel(self._job)
            self._subject, self._result, self.progress, self.running = subject, None, STARTING, True

            def take(part: tuple[str, Any]) -> None:
                with self._lock:
                    if self._subject == subject:
                        if part[0] == "result":
                            self._result = part[1]
                        else:
                            self.progress = part[1]

            def end(trouble: str) -> None:
                with self._lock:
                    if self._subject == subject:
                        self.progress, self.running = f"the computation failed: {trouble}" if trouble else "", False

            self._job = self._jobs.start(work, *arguments, on_result=take, on_end=end)

    def result(self) -> T | None:
        """Return the result of the newest request; None until there is one."""
        return self._result


class ComputationController(Generic[T]):
    """A controller of one computation, which `begin` of a subclass requests."""

    def __init__(self, jobs: JobRunner) -> None:
        self._computation: Computation[T] = Computation(jobs)

    @property
    def progress(self) -> str:
        """Progress of the computation, or the error that ended it, as a text; "" at rest."""
        return self._computation.progress

    def result(self) -> T | None:
        """Return the newest result, which may still grow; None until there is one."""
        return self._computation.result()

"""Long computations during a live run, in one worker process of low priority.

In a thread they would compete with the front end for the interpreter's lock, and with an engine that is a thread too,
which then reads at half its speed. Each job runs in a thread of the worker process.

A job is a function of a module, called as ``work(report, *arguments)``. ``report(result)`` sends a result at once and
returns True; ``report(None)`` sends nothing. In a cancelled job it raises `Cancelled`, which ends the job,
as does `engine.interruption.allow`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from engine.interruption import interruptible
from engine.live.inheritance import free_unused_memory, lower_priority
from engine.live.worker import ParentConnection, Worker

Report = Callable[[object], bool]
_Work = Callable[..., None]

NICE = 10  # on a single core the engine then gets nine tenths of it
THREADS: Final = 5
"""Jobs that run at the same time, cancelled ones that have not ended yet included. Further ones wait; the newest, which
the user asked for last, is next."""


class Cancelled(BaseException):
    """Nobody wants the result of this job any more. Not an `Exception`, so that nothing handles it as a failure."""


@dataclass(frozen=True, eq=False)
class Job:
    """A computation in the worker process.

    ``on_result`` gets each result, and ``on_end`` the error, "" without one. Both are called in a thread that
    only listens, and never again after `JobRunner.cancel`.
    """

    number: int
    on_result: Callable[[Any], None]
    on_end: Callable[[str], None]


@dataclass(frozen=True)
class _Start:
    number: int
    work: _Work
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class _Cancel:
    number: int


@dataclass(frozen=True)
class _Result:
    number: int
    value: object


@dataclass(frozen=True)
class _End:
    number: int
    error: str


class JobRunner:
    """Runs jobs in a worker process, which the first job starts. No call waits for the process."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._numbers = count()
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._closed = False

    def start(
        self, work: _Work, *arguments: Any, on_result: Callable[[Any], None], on_end: Callable[[str], None]
    ) -> Job:
        """Start a job; it runs at the same time as the others. After `close` it is dropped."""
        job = Job(next(self._numbers), on_result, on_end)
        with self._lock:
            if self._closed:
                return job
            try:
                self._worker = self._worker or self._started()
            except OSError as error:
                # In a thread of its own, as every call of `on_end`: the caller may hold a lock that it takes.
                threading.Thread(target=on_end, args=(str(error),), daemon=True).start()
                return job
            self._jobs[job.number] = job
            self._worker.send(_Start(job.number, work, arguments))
        return job

    def cancel(self, job: Job) -> None:
        """Drop every further result of a job; it ends at its next report."""
        with self._lock:
            if self._jobs.pop(job.number, None) is not None and self._worker is not None:
                self._worker.send(_Cancel(job.number))

    def close(self) -> None:
        """Kill the process and drop every job."""
        with self._lock:
            self._closed = True
            self._jobs.clear()
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close(0)

    def _started(self) -> Worker:
        return Worker(
            "explorer.session.jobs:serve",
            NICE,
            name="pinkx jobs",
            on_message=self._receive,
            on_exit=self._fail_all,
            on_send_error=lambda message, error: self._end(message.number, error),
        )

    def _receive(self, message: _Result | _End) -> None:
        if isinstance(message, _End):
            self._end(message.number, message.error)
        elif (job := self._jobs.get(message.number)) is not None:
            job.on_result(message.value)

    def _end(self, number: int, error: str) -> None:
        if (job := self._jobs.pop(number, None)) is not None:
            job.on_end(error)

    def _fail_all(self, reason: str) -> None:
        with self._lock:  # the next job starts another process
            self._worker = None
            jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.on_end(f"its process ended by itself, with {reason}")


class JobThreads:
    """The threads of the worker process that run jobs, at most ``THREADS``.

    Parameters
    ----------
    send : callable
        Sends a message to the front end; any thread calls it.
    """

    def __init__(self, send: Callable[[_Result | _End], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._waiting: list[_Start] = []
        self._wanted: set[int] = set()
        self._running = 0

    def start(self, job: _Start) -> None:
        """Run a job as soon as a thread is free."""
        with self._lock:
            self._wanted.add(job.number)
            self._waiting.append(job)
            if self._running < THREADS:
                self._running += 1
                threading.Thread(target=self._work, daemon=True).start()

    def cancel(self, number: int) -> None:
        """End a job at its next step; if it waits, drop it."""
        with self._lock:
            self._wanted.discard(number)
            self._waiting = [job for job in self._waiting if job.number != number]

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                job = self._waiting.pop()
            self._run(job)
            with self._lock:
                self._wanted.discard(job.number)
            del job  # with its networks and recordings, which may be large
            free_unused_memory()

    def _run(self, job: _Start) -> None:
        def report(result: object) -> bool:
            if job.number not in self._wanted:
                raise Cancelled
            if result is not None:
                self._send(_Result(job.number, result))
            return True

        try:
            with interruptible(lambda: report(None)):
                job.work(report, *job.arguments)
        except Cancelled:
            pass
        except Exception as error:  # the front end shows it
            self._send(_End(job.number, str(error) or repr(error)))
        else:
            self._send(_End(job.number, ""))


def serve(handle: int, nice: int) -> None:
    """Run jobs in this process until the parent ends."""
    lower_priority(nice)
    parent = ParentConnection(handle)
    threads = JobThreads(parent.send)
    while (message := parent.receive()) is not None:
        if isinstance(message, _Cancel):
            threads.cancel(message.number)
        else:
            threads.start(message)
        del message  # a job's arguments may be large
    os._exit(0)  # jobs that are deep in a computation end too

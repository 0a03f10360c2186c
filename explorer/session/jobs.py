"""Work that takes long beside a live run, in one process of its own.

In threads it would take the interpreter's lock from the face, and from an engine that is a thread too, which then reads
at half its speed. A process takes nothing: it has its own interpreter, one thread for each job, low priority, and no
terminal. It ends with its parent, whatever ends that.

A job is a function of a module, called as ``work(tell, *arguments)``: ``tell(part)`` hands something back at once and
answers whether more is wanted; ``tell(None)`` only asks. What crosses is pickled between the two halves of one program,
never read from a file.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from engine.live.subprocess_ import begin_child

Tell = Callable[[object], bool]

NICE = 10  # where there is but one core, the engine gets nine tenths of it
PATIENCE = 0.5  # seconds; a killed process is gone after milliseconds


@dataclass(frozen=True, eq=False)
class Job:
    """Work that was given away. ``heed`` gets each part and ``end`` what went wrong, "" if nothing did; both are called
    in a thread that only listens, and never again after ``Worker.forget``."""

    number: int
    heed: Callable[[Any], None]
    end: Callable[[str], None]


class Worker:
    """Gives jobs to the process, which begins with the first one. No call waits for it."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._numbers = count()
        self._orders: queue.SimpleQueue[tuple[int, Callable[..., None] | None, tuple[Any, ...]] | None]
        self._orders = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._sender: threading.Thread | None = None
        self._listener: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def start(
        self, work: Callable[..., None], *arguments: Any, heed: Callable[[Any], None], end: Callable[[str], None]
    ) -> Job:
        """Begin a job beside those that run; after ``close`` nothing begins."""
        job = Job(next(self._numbers), heed, end)
        if not self._closed:
            self._jobs[job.number] = job
            self._orders.put((job.number, work, arguments))
            with self._lock:
                if self._sender is None:
                    self._sender = threading.Thread(target=self._send, name="pinkx aside, sending", daemon=True)
                    self._sender.start()
        return job

    def forget(self, job: Job) -> None:
        """Hear nothing more of a job; it ends when it next asks whether it is wanted."""
        if self._jobs.pop(job.number, None) is not None:
            self._orders.put((job.number, None, ()))

    def close(self) -> None:
        """End the process at once, whatever it does; no job is heard of again."""
        with self._lock:
            self._closed = True
            self._jobs.clear()
            self._orders.put(None)
            if self._process is not None:
                self._process.kill()
        for thread in (self._sender, self._listener):
            if thread is not None:
                thread.join(PATIENCE)

    # ---- threads of this process -----------------------------------------------------------------------------

    def _send(self) -> None:
        pipe: Connection | None = None
        while (order := self._orders.get()) is not None:
            number, work, _ = order
            if work is not None and number not in self._jobs:
                continue  # it was forgotten before it began
            try:
                with self._lock:
                    if self._closed:
                        return
                    if self._process is None:
                        pipe = self._begin()
                assert pipe is not None
                pipe.send(order)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the process is gone, and who listens knows
            except Exception as error:  # no process can be begun, or the order cannot be pickled
                if (job := self._jobs.pop(number, None)) is not None:
                    job.end(str(error))

    def _begin(self) -> Connection:
        self._process, pipe = begin_child("explorer.session.jobs:serve", NICE)
        arguments = pipe, self._process
        self._listener = threading.Thread(
            target=self._listen, args=arguments, name="pinkx aside, listening", daemon=True
        )
        self._listener.start()
        return pipe

    def _listen(self, pipe: Connection, process: subprocess.Popen[bytes]) -> None:
        while True:
            try:
                number, part, trouble = pipe.recv()
            except (EOFError, OSError):
                break
            job = self._jobs.get(number) if trouble is None else self._jobs.pop(number, None)
            if job is None:
                continue  # forgotten
            if trouble is None:
                job.heed(part)
            else:
                job.end(trouble)
        code = process.wait()
        with self._lock:
            self._process = None
            left, self._jobs = list(self._jobs.values()), {}
        for job in left:
            job.end(f"its process ended by itself, with code {code}")


# ---- the other process -------------------------------------------------------------------------------------------


def serve(handle: int, nice: int) -> None:
    """Do the jobs that come through a pipe until its other end closes."""
    os.nice(nice)
    pipe, lock, wanted = Connection(handle), threading.Lock(), set[int]()

    def hand_back(number: int, part: object, trouble: str | None) -> None:
        try:
            with lock:
                pipe.send((number, part, trouble))
        except OSError:
            os._exit(0)

    def run(number: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        def tell(part: object) -> bool:
            if part is not None and number in wanted:
                hand_back(number, part, None)
            return number in wanted

        try:
            work(tell, *arguments)
        except Exception as error:  # whatever it is, the face shows it
            hand_back(number, None, str(error) or repr(error))
        else:
            hand_back(number, None, "")

    while True:
        try:
            number, work, arguments = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)  # jobs that are deep in a computation end too
        if work is None:
            wanted.discard(number)
        else:
            wanted.add(number)
            threading.Thread(target=run, args=(number, work, arguments), daemon=True).start()

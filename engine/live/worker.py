"""A Python process of this program that does work for it: the live engine, or jobs in the background.

Parent and worker exchange pickled messages over a pipe that nothing else can open; no message comes from a file.
The worker ends with its parent, whatever ends that: its end of the pipe then reports the end of the file.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, ClassVar, Final

from engine.live.inheritance import inherit, pipe_end

_JOIN_SECONDS: Final = 0.5  # for the two threads, which only pass messages on
ENVIRONMENT: Final = {
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")},
    "MALLOC_ARENA_MAX": "2",  # glibc has up to eight heaps a core, each of which stays at its largest size
}
"""Added to the environment of every worker."""


class Worker:
    """A worker process and the two threads of the parent that send to it and listen to it.

    Parameters
    ----------
    entry : str
        The function to call in the worker, ``"module:function"``. It gets the number of an open file, which
        `ParentConnection` takes, and then ``arguments``.
    *arguments : int
    name : str
        Name of the threads.
    on_message : callable
        Called with each message of the worker, in the listening thread.
    on_exit : callable
        Called in the listening thread with the reason, ``"code N"``, if the process ends before `close`. If
        ``on_message`` raises, the process is killed and the reason is the exception.
    on_send_error : callable
        Called in the sending thread with a message that cannot be pickled, and the reason.
    handles : sequence of int
        Open files that the worker inherits.

    Raises
    ------
    OSError
        If the process cannot be started.
    """

    popen: ClassVar[type[subprocess.Popen[bytes]]] = subprocess.Popen
    """The class of the processes; the tests fork theirs."""

    def __init__(
        self,
        entry: str,
        *arguments: int,
        name: str,
        on_message: Callable[[Any], None],
        on_exit: Callable[[str], None],
        on_send_error: Callable[[Any, str], None],
        handles: Sequence[int] = (),
    ) -> None:
        self._on_message, self._on_exit, self._on_send_error = on_message, on_exit, on_send_error
        self.process, self._pipe = _start_python(entry, arguments, handles)
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._send, name=f"{name}, sending", daemon=True),
            threading.Thread(target=self._listen, name=f"{name}, listening", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """Whether a thread of this worker, or its process, still runs."""
        return self.process.poll() is None or any(thread.is_alive() for thread in self._threads)

    def send(self, message: Any) -> None:
        """Queue a message and return; None is reserved for `close`. After the process ended, messages are dropped."""
        self._outbox.put(message)

    def close(self, seconds: float) -> None:
        """Send None, which asks the worker to end, and kill the process if it still runs after ``seconds``."""
        self._closed = True
        self._outbox.put(None)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_SECONDS)

    def _send(self) -> None:
        message: Any = ...
        while message is not None:
            message = self._outbox.get()
            try:
                self._pipe.send(message)
            except OSError:
                return  # the process has ended, which the listening thread reports
            except Exception as error:  # pickle raises whatever the message's objects raise
                self._on_send_error(message, str(error) or repr(error))

    def _listen(self) -> None:
        try:
            while True:
                self._on_message(self._pipe.recv())
        except (EOFError, OSError):
            reason = f"code {self.process.wait()}"
        except Exception as error:  # without this thread, every caller would wait for ever
            self.process.kill()
            reason = repr(error)
        if not self._closed:
            self._on_exit(reason)


class ParentConnection:
    """The worker's end of the pipe. The worker exits at once when the parent has ended.

    Parameters
    ----------
    handle : int
        The open file that the entry function was called with.
    """

    def __init__(self, handle: int) -> None:
        self._pipe = pipe_end(handle)
        self._lock = threading.Lock()

    def send(self, message: Any) -> None:
        """Send a message; any thread may."""
        try:
            with self._lock:
                self._pipe.send(message)
        except OSError:
            os._exit(0)

    def receive(self) -> Any:
        """Wait for the next message; None asks the worker to end."""
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            os._exit(0)  # not sys.exit: other threads may be deep in a computation


def _start_python(
    entry: str, arguments: Sequence[int], handles: Sequence[int]
) -> tuple[subprocess.Popen[bytes], Connection]:
    """Start the process; return it and the parent's end of the pipe."""
    # Not with multiprocessing: that imports the main module again, and its processes share the terminal.
    here, there = Pipe()
    module, function = entry.split(":")
    call = f"{function}({', '.join(map(str, (there.fileno(), *arguments)))})"
    watch = f"from engine.live.inheritance import end_with; end_with({os.getpid()})"
    load = f"from {module} import {function}"
    prepare = f"import gc, sys; gc.disable(); sys.path[:] = {sys.path!r}"  # without garbage collection: a tenth faster
    with there:
        process = Worker.popen(
            [sys.executable, "-c", f"{prepare}; {watch}; {load}; gc.freeze(); gc.enable(); {call}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | ENVIRONMENT,
            **inherit([there.fileno(), *handles]),
        )
    return process, here

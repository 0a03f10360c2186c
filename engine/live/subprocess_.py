"""A Python process of our own beside this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection

_THREADS = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}


def begin_child(
    serving: str, *arguments: int, handles: Sequence[int] = ()
) -> tuple[subprocess.Popen[bytes], Connection]:
    """Call ``serving`` (``module:function``) with one end of a pipe and the arguments in a process of its own.

    It has no terminal, one thread for each library, and inherits ``handles``.  It should end when the pipe closes,
    which happens whatever ends this process.

    Returns
    -------
    The process, and this end of the pipe.
    """
    # Not by multiprocessing: that runs the main module again and leaves the terminal to what a child writes.
    here, there = Pipe()
    module, function = serving.split(":")
    call = f"{function}({', '.join(map(repr, (there.fileno(), *arguments)))})"
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; from {module} import {function}; {call}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | _THREADS,
        pass_fds=[there.fileno(), *handles],
        process_group=0,  # Ctrl-C is for the face. A session of its own would also have its own share of the cores.
    )
    there.close()
    return process, here

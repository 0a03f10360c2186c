"""Process functions that differ between systems: open files that a child inherits, pipes, priorities, named memory.

POSIX passes open files by number and through sockets. Windows inherits handles and knows shared memory by its name.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Final

PASSES_FILES: Final = hasattr(socket, "send_fds")
"""Whether an open file can be sent through a socket; else memory is shared by name."""

_LOOK: Final = 0.5  # seconds

_BELOW_NORMAL: Final = 0x4000  # a priority class of Windows


def inherit(handles: Sequence[int], platform: str = sys.platform) -> dict[str, Any]:
    """Return the arguments of `subprocess.Popen` with which a process inherits open files.

    It gets a process group of its own, so that Ctrl-C goes to the front end only.
    """
    if platform != "win32":
        return {"pass_fds": tuple(handles), "process_group": 0}  # a new session would get its own share of the cores
    windows: Any = subprocess
    for handle in handles:
        os.set_handle_inheritable(handle, True)  # type: ignore[attr-defined]
    return {
        "startupinfo": windows.STARTUPINFO(lpAttributeList={"handle_list": list(handles)}),
        "creationflags": windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW,
    }


def pipe_end(handle: int) -> connection.Connection:
    """Return the connection of an inherited end of a `multiprocessing.Pipe`."""
    return getattr(connection, "PipeConnection", connection.Connection)(handle)


def lower_priority(nice: int) -> None:
    """Give this process a lower priority: ``nice`` levels, or that below normal on Windows."""
    if hasattr(os, "nice"):
        os.nice(nice)
    elif (windll := getattr(ctypes, "windll", None)) is not None:
        windll.kernel32.SetPriorityClass(windll.kernel32.GetCurrentProcess(), _BELOW_NORMAL)


class NamedMemory(SharedMemory):
    """Memory that another process opens by its name. The system frees it when no process has it open."""

    def __del__(self) -> None:
        with suppress(BufferError):  # arrays still use it; the process that ends frees it
            super().__del__()


def free_unused_memory() -> None:
    """Return the free memory of the C library's heaps to the system, where the library can (glibc)."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def end_with(parent: int) -> None:
    """End this process when its parent has ended, from a thread: this one may be loading PyTorch for a while.

    Afterwards the pipe to the parent reports the end at once. On Windows the number of the parent never changes.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(0)

    if os.name == "posix":
        threading.Thread(target=watch, name="pinkx parent", daemon=True).start()

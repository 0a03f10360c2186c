"""Start Python processes by forking one that has loaded PyTorch and the kernels, which takes each two or three seconds.

A forked process has the open files, environment, folder, process group and session of a started one, and is a child of
the process that asked for it. The tests that are about starting start processes.

The workers of pytest-xdist are forked, too, from a process that has imported all test modules.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

from engine.live.worker import ENVIRONMENT, Worker

_PYTHON: Final = [sys.executable, "-c"]
_ROOM: Final = 1 << 18  # bytes of a request
_HIGH: Final = 500  # open files move to numbers from here before they get their own
_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER of Linux
_MODULES: Final = ("engine.live.engine_server", "explorer.session.jobs", "explorer.tui.app", "explorer.tui.launch")
_STARTING: Final = ("explorer.cli", "sys.stdin.readline()")  # code of the program and of a worker of pytest-xdist


class Forked(subprocess.Popen[Any]):
    """Process like a `subprocess.Popen`, for ``[sys.executable, "-c", code, *arguments]``; other commands are started.

    What the program itself starts with `Worker` is forked, too.
    """

    _lock = threading.Lock()
    _server: socket.socket | None = None  # its process ends with this one, which then closes the socket
    _process: subprocess.Popen[bytes]

    def _execute_child(self, args: Any, *others: Any) -> None:
        if args[:2] != _PYTHON:
            super()._execute_child(args, *others)  # type: ignore[misc]
            return
        _, _, _, passed, folder, environment, _, _, _, *pipes = others[:15]
        *_, own_session, group = others
        handles = {number: number for number in passed}
        for number, inherited in enumerate((pipes[0], pipes[3], pipes[5])):
            handles[number] = number if inherited < 0 else inherited
        request = {
            "parent": os.getpid(),
            "arguments": args[1:],
            "environment": dict(os.environ if environment is None else environment),
            "folder": folder or os.getcwd(),
            "own_session": own_session,
            "group": group,
            "numbers": list(handles),
        }
        try:
            with Forked._lock:
                self.pid = _ask(Forked._server or _start_server(), request, list(handles.values()))
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]
        self._child_created = True


PROCESS: Final[type[subprocess.Popen[Any]]] = Forked if sys.platform == "linux" else subprocess.Popen


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program without a terminal; return its exit status and what it wrote."""
    options |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with PROCESS(command, **options) as process:
        output, errors = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _ask(server: socket.socket, request: dict[str, Any], handles: list[int]) -> int:
    """Return the number of a new child of this process."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_SUBREAPER, 1, 0, 0, 0)  # the child of a process that has ended becomes ours
    try:
        socket.send_fds(server, [json.dumps(request).encode()], handles)
        return int.from_bytes(server.recv(8), "little")
    finally:
        prctl(_SUBREAPER, 0, 0, 0, 0)


def _start_server() -> socket.socket:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        command = [*_PYTHON, f"from tests.forking import load, serve; load(); serve({there.fileno()})"]
        Forked._process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[1],
            env=os.environ | ENVIRONMENT,
            pass_fds=[there.fileno()],
            start_new_session=True,
        )
    Forked._server = here
    return here


def load(tests: Iterable[str] = ()) -> None:
    """Import what processes need and these test modules, and compile the kernels or load their machine code."""
    import torch

    from tests.compiling import PARTS, compile_part, compile_side_by_side

    for module in _MODULES:
        importlib.import_module(module)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # the first optimiser imports for two seconds
    with compile_side_by_side(), warnings.catch_warnings():
        warnings.simplefilter("error")
        for module in tests:
            with contextlib.suppress(BaseException):  # whoever collects it meets what it raised
                importlib.import_module(module)
    for part in PARTS:
        compile_part(part)


def fork_workers(tests: Iterable[str]) -> None:
    """Let pytest-xdist fork its workers. Call it while the process has a single thread."""
    from execnet import gateway_base, gateway_io

    class ForkedWorker(gateway_io.Popen2IOMaster):
        def __init__(self, args: list[str], execmodel: Any) -> None:
            command = [args[0], *args[-2:]]  # without -u: execnet reads from and writes to files of its own
            self.popen = process = Forked(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            gateway_base.Popen2IO.__init__(self, process.stdin, process.stdout, execmodel=execmodel)

    _fork_server(lambda: load(tests))
    gateway_io.Popen2IOMaster = ForkedWorker  # type: ignore[misc]


def serve(handle: int) -> None:
    """Fork a process for each request, until the other end of the socket is closed."""
    server = socket.socket(fileno=handle)
    while True:
        message, handles, _, _ = socket.recv_fds(server, _ROOM, 64)
        if not message:
            os._exit(0)
        there, here = os.pipe()
        if not (middle := os.fork()):
            if child := os.fork():
                os.write(here, child.to_bytes(8, "little"))
                os._exit(0)
            _run(json.loads(message), handles)
        os.waitpid(middle, 0)  # the child has another parent now
        server.send(os.read(there, 8))
        for each in (there, here, *handles):
            os.close(each)


def _run(request: dict[str, Any], handles: list[int]) -> NoReturn:
    """Be the process that was asked for."""
    import fcntl

    moved = [fcntl.fcntl(handle, fcntl.F_DUPFD, _HIGH) for handle in handles]
    os.closerange(0, _HIGH)
    for handle, number in zip(moved, request["numbers"], strict=True):
        os.dup2(handle, number)
        os.close(handle)
    while os.getppid() != request["parent"]:
        time.sleep(0.001)
    if request["own_session"]:
        os.setsid()
    if request["group"] >= 0:
        os.setpgid(0, request["group"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = open(number, mode, encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    _, code, *arguments = request["arguments"]
    sys.argv = ["-c", *arguments]
    sys.modules["__main__"] = main = ModuleType("__main__")
    importlib.invalidate_caches()
    Forked._server = None
    Worker.popen = Forked
    if any(each in code for each in _STARTING):  # while it has a single thread, it can fork a server for its processes
        _fork_server()
    status = 0
    try:
        exec(compile(code, "<string>", "exec"), main.__dict__)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if status and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status)


def _fork_server(prepare: Callable[[], None] = lambda: None) -> None:
    """Fork a process that serves this one after it has prepared itself."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not os.fork():
        os.setsid()
        here.close()
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        gc.disable()
        prepare()
        gc.freeze()
        gc.enable()
        serve(there.fileno())
    there.close()
    Forked._server = here

"""Executors for the shards of a sweep: one contract, ``concurrent.futures.Executor``, for a machine and for clusters.

==================  ==============================================================================================
``--on``            executor
==================  ==============================================================================================
(none)              this process, one shard after the other
``local:N``         N processes of this machine (loky)
``dask://HOST:PORT``  the workers of a running ``dask scheduler`` (distributed)
``slurm:KEY=…,…``   one Slurm job a shard (submitit); ``cluster=local`` runs the jobs as processes here
==================  ==============================================================================================

Every shard runs on one thread, wherever it runs: the order of its sums, and so every bit of its result, is the same.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

EXPECTED: Final = "expected local:N, dask://HOST:PORT or slurm:KEY=VALUE,…, such as slurm:partition=cpu,time=60"
CONNECT: Final = 20.0
"""Seconds to wait for a scheduler, and for its first worker."""
_POLL: Final = 0.5  # seconds between two looks at the jobs of Slurm
_IDLE: Final = 60  # seconds after which a process without a shard ends
SLURM_KEYS: Final = {
    "partition": str,
    "account": str,
    "qos": str,
    "time": int,
    "memory": int,
    "jobs": int,
    "cluster": str,
    "folder": str,
}
"""Keys of ``slurm:``; ``time`` in minutes, ``memory`` in GB, ``jobs`` at the same time, ``folder`` for logs."""
_ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Pool:
    """An open executor, the number of shards that it runs at once, and how it passes a large value to many shards."""

    executor: Executor
    width: int
    share: Callable[[Any], Any] = lambda value: value


class InProcess(Executor):
    """An executor that runs a call when it is submitted, in the calling thread."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def check(on: str | None) -> None:
    """Raise ValueError unless ``on`` names an executor whose package is installed."""
    kind, value = _parse(on)
    if kind == "local":
        _workers(value)
    elif kind == "dask":
        _imported("distributed", kind)
    elif kind == "slurm":
        _slurm_options(value)
        _imported("submitit", kind)


@contextmanager
def open_pool(on: str | None) -> Iterator[Pool]:
    """Open the executor that ``--on`` names; on an error or an interrupt its processes and jobs are ended.

    Raises
    ------
    ValueError
        If the name is unknown, its package is missing, or no scheduler answers.
    """
    kind, value = _parse(on)
    if kind == "":
        yield Pool(InProcess(), 1)
    elif kind == "local":
        yield from _local(_workers(value))
    elif kind == "dask":
        yield from _dask(value)
    else:
        yield from _slurm(_slurm_options(value))


def use_one_thread() -> None:
    """Give PyTorch, BLAS and the CPU kernels one thread each, as every shard expects, also those loaded later."""
    from threadpoolctl import threadpool_limits

    os.environ.update(_ONE_THREAD)
    threadpool_limits(1)  # OpenBLAS of NumPy and SciPy: its sums differ in the last bits between one thread and two
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "engine.kernels.cpu.threads" in sys.modules:
        sys.modules["engine.kernels.cpu.threads"].set_thread_count(1)


def _parse(on: str | None) -> tuple[str, str]:
    if on is None:
        return "", ""
    kind, colon, value = on.partition(":")
    if not colon or not value or kind not in ("local", "dask", "slurm") or (kind == "dask") != value.startswith("//"):
        raise ValueError(f"--on {on!r}: {EXPECTED}")
    return kind, value.removeprefix("//")


def _workers(value: str) -> int:
    if not value.isdecimal() or not int(value):
        raise ValueError(f"--on local:{value}: expected the number of processes, such as local:2")
    return int(value)


def _imported(name: str, kind: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise ValueError(f"--on {kind}:…: needs the package {name}: pip install 'pinkx[cluster]'") from None


# ---- processes of this machine -------------------------------------------------------------------------------------


def _local(workers: int) -> Iterator[Pool]:
    from loky import ProcessPoolExecutor

    _start_tracker()
    executor = ProcessPoolExecutor(workers, timeout=_IDLE, initializer=_begin_worker, env=_ONE_THREAD)
    finished = False
    try:
        yield Pool(executor, workers)
        finished = True
    finally:
        executor.shutdown(wait=finished, kill_workers=not finished)


def _start_tracker() -> None:
    """Start loky's process that removes the semaphores of killed processes, without its warning that there are some."""
    from loky.backend import resource_tracker

    name, given = "PYTHONWARNINGS", os.environ.get("PYTHONWARNINGS", "")
    os.environ[name] = f"{given},ignore:resource_tracker:UserWarning".lstrip(",")
    try:
        resource_tracker.ensure_running()
    finally:
        os.environ[name] = given
        if not given:
            del os.environ[name]


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end when it ends: a killed parent cannot end its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_one_thread()
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


# ---- dask ----------------------------------------------------------------------------------------------------------


def _dask(address: str) -> Iterator[Pool]:
    distributed = _imported("distributed", "dask")
    try:
        client = distributed.Client(f"tcp://{address}", timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--on dask://{address}: no scheduler answers within {CONNECT:.0f} s ({type(error).__name__}); "
            "start one with `dask scheduler`"
        ) from None
    try:
        try:
            client.wait_for_workers(1, timeout=CONNECT)
        except TimeoutError:
            raise ValueError(
                f"--on dask://{address}: the scheduler has no worker after {CONNECT:.0f} s; start some with "
                f"`dask worker {address} --nthreads 1`"
            ) from None
        yield Pool(
            client.get_executor(pure=False),
            max(1, len(client.nthreads())),  # a process runs one shard at a time
            lambda value: client.scatter(value, broadcast=True, hash=False),
        )
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.close(timeout=2)


# ---- Slurm ---------------------------------------------------------------------------------------------------------


def _slurm_options(value: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in value.split(","):
        key, equals, text = part.partition("=")
        if not equals or key not in SLURM_KEYS or not text or (SLURM_KEYS[key] is int and not text.isdecimal()):
            raise ValueError(
                f"--on slurm:{value}: cannot read {part!r}; expected KEY=VALUE with {', '.join(SLURM_KEYS)}; "
                "time in minutes, memory in GB"
            )
        found[key] = SLURM_KEYS[key](text)
    return found


def _slurm(options: dict[str, Any]) -> Iterator[Pool]:
    submitit = _imported("submitit", "slurm")
    folder = Path(options.get("folder", "pinkx-jobs"))
    cluster = options.get("cluster", "slurm")
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
    except RuntimeError as error:
        raise ValueError(f"--on slurm:…: {error}") from None
    parameters: dict[str, Any] = {"timeout_min": options.get("time", 60), "cpus_per_task": 1}
    if "memory" in options:
        parameters["mem_gb"] = options["memory"]
    if cluster == "slurm":
        parameters["name"] = "pinkx"
        parameters |= {f"slurm_{key}": options[key] for key in ("partition", "account", "qos") if key in options}
    executor.update_parameters(**parameters)
    jobs = SlurmJobs(executor)
    try:
        yield Pool(jobs, options.get("jobs", 64))
    finally:
        jobs.close()


class SlurmJobs(Executor):
    """The jobs of submitit as an executor: a thread looks at them and completes their futures."""

    def __init__(self, executor: Any) -> None:
        self._executor = executor
        self._jobs: dict[Future[Any], Any] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            self._jobs[future] = self._executor.submit(_on_one_thread, fn, *args, **kwargs)
        return future

    def close(self) -> None:
        """Stop watching, and cancel the jobs that have not ended."""
        self._closed.set()
        self._thread.join()
        for job in self._jobs.values():
            job.cancel()

    def _watch(self) -> None:
        while not self._closed.wait(_POLL):
            with self._lock:
                ended = {future: job for future, job in self._jobs.items() if job.done()}
                for future in ended:
                    del self._jobs[future]
            for future, job in ended.items():
                error = job.exception()
                if error is None:
                    future.set_result(job.result())
                else:
                    future.set_exception(error)


def _on_one_thread(fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    use_one_thread()
    return fn(*args, **kwargs)

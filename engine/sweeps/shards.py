"""Shards of a long computation: each is named by what determines its result, computed once, and stored whole.

A shard is a call of a module's function; its digest names the file of its result.  What it computes depends neither on
the number of workers nor on the order in which they finish, so the results are the same to the last bit in one process,
in four, or on a cluster of machines with the same processors and libraries.

Only the process that calls `run_shards` writes: a file is written under another name and then renamed, so
that a run that is killed at any moment resumes with all the shards that were finished.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.files import atomic_write
from engine.sweeps.executors import Pool, open_pool, use_one_thread

TRIES: Final = 3
"""Number of starts after which a shard fails if its worker died each time."""

MISSING: Final = object()
_FORMAT: Final = "pinkx shard 1"
_REOPEN: Final = 5.0  # seconds between two attempts to reach a scheduler that went away


class ShardError(ValueError):
    """A shard cannot be computed."""


@dataclass(frozen=True)
class Result:
    """Result of a shard: values (JSON, if they are stored), and files by name."""

    values: Any
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Shard:
    """A call ``work(*arguments, *shared)`` that returns a `Result`.

    ``name`` is for messages.  ``digest`` must change with everything that determines the result, see `digest_of`.
    """

    name: str
    digest: str
    work: Callable[..., Result]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Progress:
    """Progress of a run: ``done`` of ``total`` shards, ``resumed`` of them from an earlier run, after ``seconds``."""

    done: int
    total: int
    resumed: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Shards a second in this run; None before the first."""
        return (self.done - self.resumed) / self.seconds if self.done > self.resumed and self.seconds > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds left at this rate; None before the first shard."""
        return None if self.rate is None else (self.total - self.done) / self.rate


@dataclass(frozen=True)
class Store:
    """Results in a folder: ``folder/DIGEST.json``, and the files of the shards in ``files``."""

    folder: Path
    files: Path

    def read(self, shard: Shard, report: Callable[[str], None] = lambda text: None) -> Any:
        """Return the values of a stored shard; `MISSING` if it is missing, or damaged, which is reported."""
        path = self.folder / f"{shard.digest}.json"
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["format"] != _FORMAT or stored["sha256"] != _sha256(_text(stored["values"], stored["files"])):
                raise ValueError("its digest differs")
            for name, expected in stored["files"].items():
                if _sha256((self.files / name).read_bytes()) != expected:
                    raise ValueError(f"{self.files / name} has changed")
        except FileNotFoundError as error:
            if path.exists():
                report(f"{shard.name}: {error.filename} is missing; computing it again")
            return MISSING
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            report(f"{shard.name}: {path} is damaged ({str(error)[:80]}); computing it again")
            return MISSING
        return stored["values"]

    def write(self, shard: Shard, result: Result) -> None:
        """Store a result: its files first, so that the values are never there without them."""
        for folder in (self.folder, self.files):
            folder.mkdir(parents=True, exist_ok=True)
        for name, content in result.files.items():
            with atomic_write(self.files / name) as temporary:
                temporary.write_bytes(content)
        files = {name: _sha256(content) for name, content in result.files.items()}
        document = {
            "format": _FORMAT,
            "shard": shard.name,
            "sha256": _sha256(_text(result.values, files)),
            "files": files,
            "values": result.values,
        }
        with atomic_write(self.folder / f"{shard.digest}.json") as temporary:
            temporary.write_text(json.dumps(document), encoding="utf-8")


def digest_of(*parts: Any) -> str:
    """Return a name for a result that depends on ``parts``: bytes, or JSON values such as digests and options."""
    found = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        found.update(f"{type(part) is bytes} {len(content)} ".encode() + content)
    return found.hexdigest()[:32]


def map_shards(
    work: Callable[..., Any],
    calls: Mapping[str, tuple[Any, ...]],
    on: str | None,
    progress: Callable[[Progress], None] = lambda now: None,
    report: Callable[[str], None] = lambda text: None,
) -> list[Any]:
    """Return ``work(*arguments)`` for each call, by its name in messages; nothing is stored.

    Raises
    ------
    ShardError
        See `run_shards`.
    """
    shards = [Shard(name, name, _unstored, (work, *arguments)) for name, arguments in calls.items()]
    return run_shards(shards, on, progress=progress, report=report)


def _unstored(work: Callable[..., Any], *arguments: Any) -> Result:
    return Result(work(*arguments))


def run_shards(
    shards: Sequence[Shard],
    on: str | None = None,
    store: Store | None = None,
    *,
    shared: Sequence[Any] = (),
    progress: Callable[[Progress], None] = lambda now: None,
    report: Callable[[str], None] = lambda text: None,
) -> list[Any]:
    """Compute shards, or read them from a store, and return their values in the order of the shards.

    Parameters
    ----------
    shards : sequence of Shard
    on : str, optional
        See `engine.sweeps.executors`; None: in this process.
    store : Store, optional
        Where results are stored; without one, nothing is stored, and files are dropped.
    shared : sequence
        Last arguments of every shard, such as reviews; a cluster gets them once.
    progress, report : callable
        Called after every shard; called with a sentence about a damaged shard or a lost worker.

    Raises
    ------
    ShardError
        If a shard fails, or its worker died `TRIES` times.
    """
    run = _Run(shards, store, progress, report)
    opened = False
    while run.waiting:
        for attempt in range(1, TRIES + 1):
            try:
                with open_pool(on) as pool:
                    opened = True
                    run.drain(pool, shared)
                break
            except _LostError as error:
                run.put_back(error)
                break
            except ValueError as error:
                if isinstance(error, ShardError) or not opened or attempt == TRIES:
                    raise
                report(f"{error}; trying again")
                time.sleep(_REOPEN)
    return [run.values[shard.digest] for shard in shards]


class _LostError(Exception):
    """Workers or the scheduler were lost while shards were running."""


class _Run:
    """State of `run_shards`."""

    def __init__(
        self,
        shards: Sequence[Shard],
        store: Store | None,
        progress: Callable[[Progress], None],
        report: Callable[[str], None],
    ) -> None:
        self.store, self.report = store, report
        self.values: dict[str, Any] = {}
        self.waiting: deque[Shard] = deque()
        self.running: dict[Future[Result], Shard] = {}
        self.suspects: set[str] = set()  # digests of shards that ran when a worker died: they run alone
        self.tries: Counter[str] = Counter()
        self._show, self._start = progress, time.perf_counter()
        self._total = len({shard.digest for shard in shards})
        for shard in {shard.digest: shard for shard in shards}.values():
            found = MISSING if store is None else store.read(shard, report)
            if found is MISSING:
                self.waiting.append(shard)
            else:
                self.values[shard.digest] = found
        self._resumed = len(self.values)
        self._progress()

    def drain(self, pool: Pool, shared: Sequence[Any]) -> None:
        """Run all waiting shards; raise _LostError when workers are lost."""
        sent = tuple(pool.share(value) for value in shared)
        while self.waiting or self.running:
            # One more for each worker than it can run, so that none waits for this process.
            limit = 1 if self.suspects or pool.width == 1 else 2 * pool.width
            while self.waiting and len(self.running) < limit:
                shard = self.waiting.popleft()
                try:
                    future = pool.executor.submit(_call, shard.work, shard.arguments, *sent)
                except Exception as error:
                    self.waiting.appendleft(shard)
                    if not _is_loss(error):
                        raise
                    raise _LostError(str(error)) from error
                self.running[future] = shard
            for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                self._take(future)

    def put_back(self, error: _LostError) -> None:
        """Let the shards that were running when workers were lost wait again; raise ShardError after `TRIES`."""
        lost = list(self.running.values())
        self.running.clear()
        if len(lost) == 1:
            self.tries[lost[0].digest] += 1
            if self.tries[lost[0].digest] >= TRIES:
                raise ShardError(
                    f"{lost[0].name}: its worker died {TRIES} times ({error}); it may need more memory"
                ) from error
        self.suspects |= {shard.digest for shard in lost}
        self.waiting.extendleft(reversed(lost))
        self.report(f"a worker was lost ({str(error)[:120]}); {len(lost)} shards run again")

    def _take(self, future: Future[Result]) -> None:
        shard = self.running[future]
        try:
            result = future.result()
        except (Exception, CancelledError) as error:
            if _is_loss(error):
                raise _LostError(str(error).partition(".")[0] or type(error).__name__) from error
            if "submitit" in type(error).__module__:  # its text is the traceback of the job
                raise ShardError(f"{shard.name}: {_last_line_of_traceback(str(error))}") from error
            if isinstance(error, ValueError | OSError | MemoryError):
                raise ShardError(f"{shard.name}: {str(error) or type(error).__name__}") from error
            raise
        del self.running[future]
        self.suspects.discard(shard.digest)
        self.values[shard.digest] = result.values
        if self.store is not None:
            self.store.write(shard, result)
            # As they would be read from the store: a resumed run has the same values.
            self.values[shard.digest] = json.loads(json.dumps(result.values))
        self._progress()

    def _progress(self) -> None:
        self._show(Progress(len(self.values), self._total, self._resumed, time.perf_counter() - self._start))


_ALONE: Final = threading.Lock()


def _call(work: Callable[..., Result], arguments: tuple[Any, ...], *shared: Any) -> Result:
    """Run a shard on one thread, and one at a time in a process: PyTorch's random numbers are the process's."""
    with _ALONE:
        use_one_thread()
        return work(*arguments, *shared)


def _is_loss(error: BaseException) -> bool:
    """Return whether an error is of the executor, not of the shard."""
    package = type(error).__module__.partition(".")[0]
    of_clusters = {"distributed": ("KilledWorker", "CommClosedError"), "submitit": ("UncompletedJobError",)}
    return isinstance(error, BrokenExecutor | CancelledError) or type(error).__name__ in of_clusters.get(package, ())


def _last_line_of_traceback(text: str) -> str:
    lines = text.partition("You can check full logs")[0].strip(" \n-").splitlines()
    return lines[-1].strip() if lines else text


def _text(values: Any, files: Mapping[str, str]) -> bytes:
    return json.dumps([values, dict(files)]).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

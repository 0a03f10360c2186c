"""Read damaged files of every format: ``python -m tests.robustness.fuzz [FORMAT …] [--count N] [--first SEED]``.

Every input must be read, or refused by an error that the command line prints as one printable line; none may take more
than five seconds or a GiB of memory. Prints one line a format: how many were read, refused, and at fault. A fault is
shown with its seed, and ``--keep FOLDER`` stores its file.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

from tests.robustness.formats import FORMATS
from tests.robustness.kinds import Format

SECONDS = 5.0
MEMORY = 1 << 30
LONGEST_MESSAGE = 2000  # characters


class Hang(BaseException):
    """One input took too long; nothing in the program catches this."""


def outcome(kind: Format, data: bytes, path: Path) -> str:
    """Return ``read``, ``refused``, or a description of the fault."""
    path.write_bytes(data)
    before, began = _peak(), time.process_time()  # others may keep the processor busy
    try:
        kind.use(path)
        result = "read"
    except kind.clean as error:
        message = str(error)
        unclean = [c for c in message if not c.isprintable() and c != "\n"]
        result = "refused"
        if unclean or not message or len(message) > LONGEST_MESSAGE:
            result = f"FAULT message of {len(message)} characters, with {unclean[:3]}: {message[:80]!r}"
        if isinstance(error, UnicodeError | RecursionError):
            result = f"FAULT raw {type(error).__name__}: {_where(error)}"
    except Hang:
        result = f"FAULT more than {12 * SECONDS:g} s"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        result = f"FAULT {type(error).__name__}: {str(error)[:60]!r} {_where(error)}"
    if _peak() - before > MEMORY:
        result = f"FAULT {(_peak() - before) >> 20} MiB"
    if time.process_time() - began > SECONDS and not result.startswith("FAULT"):
        result = "FAULT slow"
    return result


def inputs(kind: Format, folder: Path, seeds: Iterable[int]) -> Iterable[tuple[int, bytes]]:
    """Yield damaged copies of a good file with their seeds."""
    good = folder / kind.file_name
    kind.make(good)
    data = good.read_bytes()
    for seed in seeds:
        yield seed, kind.damage(data, random.Random(seed))


def fuzz(name: str, seeds: range, folder: Path, keep: Path | None = None, minutes: float = math.inf) -> Counter[str]:
    """Try a format with many inputs, for so many minutes at most; print each fault when it first appears."""
    kind, found, began = FORMATS[name], Counter[str](), time.monotonic()
    kind.make(folder / kind.file_name)
    kind.use(folder / kind.file_name)  # the good file is read; it compiles the kernels, too
    for seed, data in inputs(kind, folder, seeds):
        signal.setitimer(signal.ITIMER_REAL, 12 * SECONDS)
        result = outcome(kind, data, folder / kind.file_name)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if result.startswith("FAULT") and not found[result]:
            print(f"  {name} {seed}: {result}", flush=True)
            if keep is not None:
                (keep / f"{name}-{seed}-{kind.file_name}").write_bytes(data)
        found[result] += 1
        if time.monotonic() - began > 60 * minutes:
            break
    return found


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _where(error: BaseException) -> str:
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if "/engine/" in f.filename or "/explorer/" in f.filename
    ]
    return f"({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _interrupt(_: int, frame: FrameType | None) -> None:
    raise Hang


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=list(FORMATS), help=", ".join(FORMATS))
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--minutes", type=float, default=math.inf, help="the longest time for a format")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, _interrupt)
    limit = 16 << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))  # a fault must not take the machine
    for name in options.formats:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            found = fuzz(
                name, range(options.first, options.first + options.count), Path(folder), options.keep, options.minutes
            )
        faults = {result: n for result, n in found.items() if result.startswith("FAULT")}
        print(
            f"{name:16} {found.total():7,} tried {found['read']:7,} read {found['refused']:7,} refused "
            f"{sum(faults.values()):5,} faults of {len(faults)} kinds  {time.monotonic() - began:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()

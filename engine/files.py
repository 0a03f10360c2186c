"""Atomic writes: a file is complete or does not exist."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import platformdirs
from safetensors import SafetensorError

ABANDONED: Final = 3600.0
"""Seconds since its last change after which a temporary file is that of a process that was killed."""


def user_folder(kind: str) -> Path:
    """Return the user's folder for ``cache``, ``config`` or ``state``.

    A user without a home folder has none: then nothing can be read or written at the path returned.
    """
    try:
        path = Path(getattr(platformdirs, f"user_{kind}_path")("pinkx", appauthor=False))
    except RuntimeError:  # of some versions; others return ~ unexpanded
        path = Path()
    return path if path.is_absolute() else Path(os.devnull, "pinkx")


def keras_folder() -> Path:
    """Return the folder in which Keras stores what it downloads; a path of no file without a home folder."""
    given = os.environ.get("KERAS_HOME")
    home = os.path.expanduser("~")  # unlike Path.home, without an error if there is none
    return Path(given) if given else Path(home, ".keras") if os.path.isabs(home) else Path(os.devnull, ".keras")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces ``path`` when the block succeeds and is removed when it fails.

    What processes that were killed left beside ``path`` is removed, too.

    Raises
    ------
    OSError
        If it cannot be written, with ``path`` as its file name.
    """
    temporary = _temporary(path)
    try:
        yield temporary
        temporary.replace(path)
    except SafetensorError as error:
        raise OSError(errno.EIO, f"cannot be written ({error})", str(path)) from None
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``path`` when the block succeeds and is removed when it fails.

    What processes that were killed left beside ``path`` is removed, too.

    Raises
    ------
    OSError
        If it cannot be written, or ``path`` exists.
    """
    temporary = _temporary(path)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    """Return a path beside ``path`` that no other thread uses, after removing what killed processes left there."""
    _remove_abandoned(path)
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")


def _remove_abandoned(path: Path) -> None:
    before = time.time() - ABANDONED
    with suppress(OSError), os.scandir(path.parent) as entries:  # not readable, or another process removes it
        for entry in entries:
            beginning, _, process = entry.name.rpartition(".")
            number = process.partition("-")[0]
            old = beginning == f".{path.name}" and number.isdecimal() and entry.stat().st_mtime < before
            if old and not _is_running(int(number)):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    os.unlink(entry)


def _is_running(process: int) -> bool:
    """Return whether a process of this number runs, as far as the system shows: the clock may have jumped ahead."""
    if os.name != "posix":  # on Windows a signal of 0 would end it
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True

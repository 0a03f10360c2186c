"""Settings and fixtures that all tests share."""

from __future__ import annotations

import os

# The test processes share the cores, and two torch threads beside a busy process are a hundred times slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "2")  # the fewest that still test the threaded path
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # windows need no screen
os.environ.setdefault("MPLBACKEND", "agg")  # where a window has been opened before, figures would open some, too

from pathlib import Path

# Without a card the kernels of engine.kernels.cuda run in Triton's interpreter; it reads this when it is imported.
os.environ.setdefault("TRITON_INTERPRET", "0" if Path("/dev/nvidia0").exists() else "1")

import gc
import sys
from typing import Final

import pytest

from engine.live.worker import Worker
from tests.forking import PROCESS, fork_workers

try:
    import PySide6.QtWidgets  # noqa: F401 an ImportError if only one of Qt's system libraries is missing
except ImportError:
    pass
else:
    pytest_plugins = ["pytestqt.plugin"]


_GC_THRESHOLD: Final = (20_000, 10, 100)
"""Thresholds of the garbage collector.

With (700, 10, 10), a full collection followed each application of Textual, which has 100,000 objects.
"""

Worker.popen = PROCESS


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Fork the workers of pytest-xdist, if there are any: they would import the same for twenty seconds each."""
    if config.getoption("numprocesses", None) and sys.platform == "linux":
        fork_workers(modules_of(config))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers ``-n auto`` means: more than cores, because some tests wait."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return cores + (cores + 1) // 2


def modules_of(config: pytest.Config) -> list[str]:
    """Return the names of the test modules that the command line asks for."""
    found = set()
    for argument in config.args:
        place = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
        for pattern in config.getini("python_files"):
            found |= {place} if place.is_file() else set(place.rglob(pattern))
    return [".".join(file.relative_to(config.rootpath).with_suffix("").parts) for file in sorted(found)]


def pytest_collection_finish() -> None:
    """Collect garbage less often: it took a quarter of the time of the terminal's tests."""
    gc.collect()
    gc.freeze()  # what is loaded by now, mostly PyTorch, stays
    gc.set_threshold(*_GC_THRESHOLD)


@pytest.fixture(scope="session")
def imdb() -> Path:
    """Return the path of the IMDb archive, which PINKX_IMDB names; skip the test without one."""
    path = Path(os.environ.get("PINKX_IMDB", ""))
    if not path.is_file():
        pytest.skip("no IMDb archive: PINKX_IMDB names none")
    return path

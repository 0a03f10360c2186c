"""Settings and fixtures that all tests share."""

from __future__ import annotations

import os

# The test processes share the cores, and two torch threads beside a busy process are a hundred times slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "2")  # the fewest that still test the threaded path
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # windows need no screen

from pathlib import Path

# Without a card the kernels of engine.kernels.cuda run in Triton's interpreter; it reads this when it is imported.
os.environ.setdefault("TRITON_INTERPRET", "0" if Path("/dev/nvidia0").exists() else "1")

import gc
import sys

import pytest

from engine.live.worker import Worker
from tests import compiling
from tests.forking import PROCESS

try:
    import PySide6.QtWidgets  # noqa: F401 an ImportError if only one of Qt's system libraries is missing
except ImportError:
    pass
else:
    pytest_plugins = ["pytestqt.plugin"]


Worker.popen = PROCESS


def pytest_configure(config: pytest.Config) -> None:
    """Compile the kernels while the workers start."""
    if config.getoption("numprocesses", None) and sys.platform != "win32":
        processes = compiling.start()
        config.add_cleanup(lambda: compiling.finish(processes))


def pytest_collection_finish() -> None:
    """Exempt what is loaded by now, mostly PyTorch, from garbage collection, which took a seventh of all time."""
    gc.collect()
    gc.freeze()
    compiling.wait()


@pytest.fixture(scope="session")
def imdb() -> Path:
    """Return the path of the IMDb archive, which PINKX_IMDB names; skip the test without one."""
    path = Path(os.environ.get("PINKX_IMDB", ""))
    if not path.is_file():
        pytest.skip("no IMDb archive: PINKX_IMDB names none")
    return path

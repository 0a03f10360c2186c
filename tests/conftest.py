"""What tests of several rooms share."""

from __future__ import annotations

import os

# torch with two threads beside another busy process is a hundred times slower than with one
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # windows need no screen

from pathlib import Path

import pytest

try:
    import PySide6.QtWidgets  # noqa: F401 an ImportError if only one of Qt's system libraries is missing
except ImportError:
    pass
else:
    pytest_plugins = ["pytestqt.plugin"]

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "aclImdb_labelled.tar.gz"


@pytest.fixture(scope="session")
def imdb() -> Path:
    """The IMDb archive; a test that asks for it is skipped where there is none."""
    path = Path(os.environ.get("PINKX_IMDB", BESIDE))
    if not path.is_file():
        pytest.skip(f"no IMDb archive: {path} is not there; name one with PINKX_IMDB")
    return path

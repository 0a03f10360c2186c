"""Load PyTorch's largest library without holding the interpreter's lock.

An import holds the lock while the system loads a library: for a third of a second of computing time, several seconds on
a busy machine, in which no other thread draws or handles a signal.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


class LibraryLoader:
    """A finder of modules that finds none, and loads the library when ``torch._C``, which needs it, is imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "torch._C" and path:
            load_library(Path(path[0], "lib", "libtorch_cpu.so"))  # needs no interpreter; libtorch_python.so does
        return None


def load_library(path: Path) -> None:
    """Load a library, as the system's loader does; if that fails, the import that needs it reports why."""
    if path.exists():
        load = ctypes.CDLL(None).dlopen  # ctypes releases the lock during a call, but not while it loads a library
        load.restype, load.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
        load(os.fsencode(path), os.RTLD_NOW)


def install() -> None:
    """Prepare the import of PyTorch in this process; call it before any."""
    if sys.platform == "linux":
        sys.meta_path.insert(0, LibraryLoader())

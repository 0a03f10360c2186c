"""numba decorators for the kernels, with a cache that depends on the source of every kernel.

numba compares only the file of the cached function with its cache, so an edit in another file would leave machine code
of the old version in use.  Here a digest of all sources in this folder is part of each cached function's qualified
name, and so of the name of its cache files: an edit anywhere means a new cache, in whichever folder numba stores it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from numba import njit

# Contraction alone: products and sums may fuse, while NaN and infinity are handled as usual.
_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_INNER: Final[dict[str, Any]] = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def sources_digest(folder: Path) -> str:
    """Return a digest of the names and contents of all Python files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


_DIGEST: Final = sources_digest(Path(__file__).parent)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, and cache its machine code on disk.

    Without a folder to write to, neither beside the sources nor in the user's cache, every process compiles anew.
    """
    function.__qualname__ = f"{function.__qualname__}_{_DIGEST}"
    try:
        return njit(**_OPTIONS | {"cache": True})(function)
    except RuntimeError:  # numba found no folder for its cache
        return njit(**_OPTIONS)(function)


inner: Any = njit(**_INNER)
"""Compile a function that only kernels call; its machine code is part of theirs."""

inlined: Any = njit(**_INNER, forceinline=True)
"""The same for a function of a few vectors, which would pass them to its caller through memory."""

"""Cached results: a study that was interrupted continues with the networks that it has not measured yet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from engine.files import atomic_write

T = TypeVar("T")

FOLDER: Final = "cache"
"""Subfolder of a study's results."""


def cache_file(folder: Path, stem: str, *contents: Any) -> Path:
    """Return the file for a result that depends on ``contents`` (JSON values: digests, options, a version)."""
    key = hashlib.sha256(json.dumps(contents).encode()).hexdigest()[:24]
    return folder / f"{stem}-{key}.json"


def cached(path: Path, compute: Callable[[], Any], restore: Callable[[Any], T]) -> T:
    """Return a cached result, or compute and store it; a damaged file is replaced.

    Parameters
    ----------
    path : Path
        See `cache_file`.
    compute : callable
        Returns the result as JSON values, NaN and infinity included.
    restore : callable
        Turns these values into the result.
    """
    try:
        return restore(_checked(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):  # missing or damaged
        pass
    text = json.dumps(compute())
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(f'{{"sha256": "{_digest(text)}", "values": {text}}}', encoding="utf-8")
    return restore(json.loads(text))


def _checked(document: Any) -> Any:
    """Return the values of a file; ValueError if they are not those that were stored."""
    if not isinstance(document, dict) or document.keys() != {"sha256", "values"}:
        return document  # of pinkx before 0.2.0, which stored the values alone
    if document["sha256"] != _digest(json.dumps(document["values"])):
        raise ValueError("damaged")
    return document["values"]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

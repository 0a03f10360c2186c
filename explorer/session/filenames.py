"""Names of exported files."""

from __future__ import annotations

import re
from pathlib import Path


def free_path(folder: Path, network: str, what: str, suffix: str) -> Path:
    """Return a path that does not exist yet: ``pinkx-NETWORK-WHAT-1.svg``, or with the next number.

    ``what`` may hold any characters; those that a file name should not have are replaced.
    """
    stem = "-".join(re.sub(r"[^A-Za-z0-9_-]+", "-", part).strip("-")[:40] for part in ("pinkx", network, what))
    return next(path for k in range(1, 10_000) if not (path := folder / f"{stem}-{k}{suffix}").exists())

"""Names of the files that a person asks for."""

from __future__ import annotations

import re
from pathlib import Path


def free_path(folder: Path, network: str, what: str, suffix: str) -> Path:
    """A new name in a folder: ``pinkx-NETWORK-WHAT-1.svg``, or the next number; ``what`` may be foreign text."""
    stem = "-".join(re.sub(r"[^A-Za-z0-9_-]+", "-", part).strip("-")[:40] for part in ("pinkx", network, what))
    return next(path for k in range(1, 10_000) if not (path := folder / f"{stem}-{k}{suffix}").exists())

"""Numbers in files that other programs read."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from engine.files import atomic_write


def write_table(path: Path, headings: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """A CSV file, written beside and renamed."""
    with atomic_write(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(headings)
        table.writerows(rows)


def finite(value: Any, digits: int | None = None) -> Any:
    """What JSON can hold: None for NaN and infinity, lists for tuples; floats of so many significant digits."""
    if isinstance(value, dict):
        return {key: finite(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item, digits) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    return value

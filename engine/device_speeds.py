"""Speeds of both devices of this machine: ``pinkx bench`` stores them, and ``--device auto`` decides by them."""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from engine.files import atomic_write, user_folder

FILE: Final = "device-speeds.json"


@dataclass(frozen=True)
class Rate:
    """Speed of a device at some work: ``rate`` is in ``unit``, higher is faster; ``size`` is the number of cells.

    ``device`` may also name one of two ways of computing on a GPU.
    """

    work: str
    size: int
    device: str
    rate: float
    unit: str


@dataclass(frozen=True)
class Speeds:
    """Rates of both devices for one kind of work, at the size at which the GPU is at the greatest disadvantage.

    ``cpu`` and ``cuda`` may also be the rates of two ways of computing on a GPU, the usual one first.
    """

    cpu: float
    cuda: float
    unit: str
    size: int

    @property
    def gpu_is_faster(self) -> bool:
        """Whether the GPU is faster, at this size and so at all that were measured."""
        return self.cuda > self.cpu

    def __str__(self) -> str:
        return f"{_number(self.cuda)} {self.unit} on the GPU, {_number(self.cpu)} on the CPU at {self.size} cells"


@dataclass(frozen=True)
class StoredSpeeds:
    """Rates that ``pinkx bench`` measured on ``date``."""

    date: str
    rates: tuple[Rate, ...]

    def of(self, work: str, ways: tuple[str, str] = ("cpu", "cuda")) -> Speeds | None:
        """Return the speeds for some work; None unless both devices, or ways, were measured at one size or more."""
        usual, other = ways
        by_size: dict[int, dict[str, Rate]] = {}
        for one in self.rates:
            if one.work == work:
                by_size.setdefault(one.size, {})[one.device] = one
        pairs = [
            Speeds(pair[usual].rate, pair[other].rate, pair[usual].unit, size)
            for size, pair in by_size.items()
            if pair.keys() >= {usual, other}
        ]
        return min(pairs, key=lambda pair: pair.cuda / pair.cpu, default=None)


def speeds_file() -> Path:
    """Return the path of the file in the user's cache."""
    return user_folder("cache") / FILE


@lru_cache(maxsize=1)
def machine() -> dict[str, str]:
    """Return the card and the versions with which speeds are comparable."""
    import torch

    versions = {}
    for name in ("pinkx", "torch", "triton"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = ""
    return {"gpu": torch.cuda.get_device_name(), **versions}


def store_speeds(rates: Iterable[Rate]) -> Path | None:
    """Write the rates of both devices for `stored_speeds`, and return the file; None, and nothing, without a pair.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    known = tuple(one for one in rates if math.isfinite(one.rate) and one.rate > 0)
    found = StoredSpeeds(date.today().isoformat(), known)
    if not any(found.of(work) for work in {one.work for one in known}):
        return None
    path = speeds_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({"machine": machine(), **asdict(found)}, indent=1), encoding="utf-8")
    return path


def stored_speeds() -> StoredSpeeds | None:
    """Return what was measured with this card and these versions, None without it."""
    path = speeds_file()
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=2)
def _read(path: Path, changed: int) -> StoredSpeeds | None:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if values["machine"] != machine():
            return None
        return StoredSpeeds(str(values["date"])[:10], tuple(_rate(row) for row in values["rates"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):  # a damaged file counts as none
        return None


def _rate(row: Mapping[str, Any]) -> Rate:
    rate = float(row["rate"])
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"a rate of {rate}")
    return Rate(str(row["work"]), int(row["size"]), str(row["device"]), rate, str(row["unit"])[:40])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

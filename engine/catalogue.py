"""The available networks and their metadata, read from the file headers without torch.

A network is one ``.safetensors`` file with the weights as tensors (see ``engine.network``) and everything else as text
in the header: ``format``, ``cell``, ``size``, ``inputs``, ``outputs``, ``task``, ``accuracy``, ``seed``, ``date``, in
JSON ``recipe``, ``text_rules`` and ``measured``, and ``vocabulary``, one word a line by falling frequency.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open

from engine.text import FileError, printable

FORMAT: Final = "pinkx network 1"
STACK_FORMAT: Final = "pinkx network 2"
"""Format of a file with several layers, which earlier versions of pinkx cannot run."""
SHIPPED: Final = Path(__file__).parent.parent / "assets" / "networks"


_OBJECTS: Final = ("recipe", "text_rules", "measured")  # entries of a header that are JSON objects


class NetworkError(FileError):
    """A network cannot be used."""


@dataclass(frozen=True)
class NetworkInfo:
    """Metadata of a network file.  ``accuracy`` is the fraction of correct test answers, None if not measured."""

    name: str
    path: Path
    cell: str
    size: int
    task: str
    accuracy: float | None
    seed: int | None
    date: str
    metadata: Mapping[str, str]

    @property
    def reads_words(self) -> bool:
        """Whether the network has a vocabulary; otherwise it takes vectors."""
        return "vocabulary" in self.metadata

    def json(self) -> dict[str, Any]:
        """Return the fields, the recipe and the measured values in JSON types."""
        fields = ("name", "cell", "size", "task", "accuracy", "seed", "date")
        parsed = {key: json.loads(self.metadata.get(key, "{}")) for key in _OBJECTS}
        return {key: getattr(self, key) for key in fields} | parsed | {"path": str(self.path)}


def shipped_networks() -> list[NetworkInfo]:
    """Return the networks that ship with pinkx, ordered by task, cell and size."""
    found = [describe(path) for path in SHIPPED.glob("*.safetensors")]
    return sorted(
        found, key=lambda info: (info.task != "sentiment", info.task, info.cell != "lstm", info.cell, info.size)
    )


def find(path_or_name: str | Path) -> Path:
    """Return the file of a network, given its path or the name of a shipped network such as ``lstm-8``.

    Raises
    ------
    NetworkError
        If there is no such file or name; the message lists the shipped networks.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path
    named = SHIPPED / f"{path_or_name}.safetensors"
    if path.name == str(path_or_name) and named.is_file():
        return named
    names = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.safetensors"))) or "none"
    raise NetworkError(f"no network {str(path_or_name)!r}: expected a .safetensors file or a shipped network ({names})")


def describe(path_or_name: str | Path) -> NetworkInfo:
    """Read a network file's header.

    Raises
    ------
    NetworkError
        If the file is missing, damaged, or not a network of pinkx.
    """
    path = find(path_or_name)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise NetworkError(
            f"{path}: damaged or not a .safetensors file ({error}); download or train it again"
        ) from None
    if metadata.get("format") not in (FORMAT, STACK_FORMAT):
        raise NetworkError(f"{path}: not a network of pinkx: the header of the .safetensors file lacks {FORMAT!r}")
    try:
        for key in _OBJECTS:
            if not isinstance(json.loads(metadata.get(key, "{}")), dict):
                raise ValueError(f"{key} is not a JSON object")
        return NetworkInfo(
            name=path.stem,
            path=path,
            cell=metadata["cell"],
            size=int(metadata["size"]),
            task=printable(metadata["task"])[:100],
            accuracy=float(metadata["accuracy"]) if "accuracy" in metadata else None,
            seed=int(metadata["seed"]) if "seed" in metadata else None,
            date=metadata.get("date", ""),
            metadata=metadata,
        )
    except (KeyError, ValueError, RecursionError) as error:
        reason = printable(f"{error} is missing" if isinstance(error, KeyError) else str(error))[:200]
        raise NetworkError(f"{path}: the header is damaged ({reason}); download or train the network again") from None

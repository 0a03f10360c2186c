"""Which networks there are, and what each file says of itself; read from the headers alone, without torch.

A network is one ``.safetensors`` file: the weights as tensors, everything else as text in the header (see
``engine.network`` for the weights).  Keys of the header: ``format``, ``cell``, ``size``, ``inputs``, ``outputs``,
``task``, ``accuracy``, ``seed``, ``date``, and as JSON ``recipe``, ``text_rules``, ``measured``; ``vocabulary`` is
one word a line, by falling frequency.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open

FORMAT: Final = "pinkx network 1"
SHIPPED: Final = Path(__file__).parent.parent / "assets" / "networks"


class NetworkError(ValueError):
    """A network file that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True)
class NetworkInfo:
    """What a network's file says of itself.  ``accuracy`` is a fraction of the test set, None if not measured."""

    name: str
    path: Path
    cell: str
    size: int
    task: str
    accuracy: float | None
    seed: int | None
    date: str
    metadata: Mapping[str, str]

    def json(self) -> dict[str, Any]:
        """Plain values for scripts: the fields, the recipe, and what was measured."""
        fields = ("name", "cell", "size", "task", "accuracy", "seed", "date")
        parsed = {key: json.loads(self.metadata.get(key, "{}")) for key in ("recipe", "text_rules", "measured")}
        return {key: getattr(self, key) for key in fields} | parsed | {"path": str(self.path)}


def shipped_networks() -> list[NetworkInfo]:
    """The networks that come with pinkx: by task, cell, then size."""
    found = [describe(path) for path in SHIPPED.glob("*.safetensors")]
    return sorted(
        found, key=lambda info: (info.task != "sentiment", info.task, info.cell != "lstm", info.cell, info.size)
    )


def find(path_or_name: str | Path) -> Path:
    """The file of a network: a path, or the name of a shipped one such as ``lstm-8``.

    Raises
    ------
    NetworkError
        If there is neither; the message names what there is.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path
    named = SHIPPED / f"{path_or_name}.safetensors"
    if path.name == str(path_or_name) and named.is_file():
        return named
    names = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.safetensors"))) or "none"
    raise NetworkError(f"no network {str(path_or_name)!r}: give a .safetensors file, or one of the shipped: {names}")


def describe(path_or_name: str | Path) -> NetworkInfo:
    """Read a network file's header.

    Raises
    ------
    NetworkError
        If the file is missing, truncated, or not a network of pinkx.
    """
    path = find(path_or_name)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise NetworkError(f"{path}: not a whole .safetensors file ({error}); fetch or train it again") from None
    if metadata.get("format") != FORMAT:
        raise NetworkError(f"{path}: a .safetensors file, but not a network of pinkx (its header lacks {FORMAT!r})")
    try:
        return NetworkInfo(
            name=path.stem,
            path=path,
            cell=metadata["cell"],
            size=int(metadata["size"]),
            task=metadata["task"],
            accuracy=float(metadata["accuracy"]) if "accuracy" in metadata else None,
            seed=int(metadata["seed"]) if "seed" in metadata else None,
            date=metadata.get("date", ""),
            metadata=metadata,
        )
    except (KeyError, ValueError) as error:
        raise NetworkError(f"{path}: its header is damaged: {error!r}") from None

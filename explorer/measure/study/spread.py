"""Spread the measurements of a study over processes or a cluster (``--on``) into the cache that it reads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from engine.sweeps.shards import Result, Shard, Store, digest_of, run_shards
from explorer.commands.on_option import shard_progress


@dataclass(frozen=True)
class Call:
    """A measurement ``measure(*arguments, *shared, folder)`` that caches its result in ``folder``.

    ``contents`` are digests and options: whatever determines the result.
    """

    name: str
    contents: Sequence[Any]
    measure: Callable[..., object]
    arguments: tuple[Any, ...]


def fill_cache(folder: Path, on: str | None, calls: Sequence[Call], shared: Sequence[Any] = ()) -> None:
    """Measure what the cache does not have from an earlier call of this function.

    Raises
    ------
    ValueError
        If a measurement fails, see `engine.sweeps.shards.run_shards`.
    """
    shards = [
        Shard(call.name, digest_of(call.measure.__module__, *call.contents), _files_of, (call.measure, *call.arguments))
        for call in calls
    ]
    with shard_progress(Console(stderr=True), "networks") as (show, say):
        run_shards(shards, on, Store(folder / "shards", folder), shared=shared, progress=show, report=say)


def _files_of(measure: Callable[..., object], *arguments: Any) -> Result:
    """Return the files that a measurement writes into its cache."""
    with tempfile.TemporaryDirectory() as folder:
        measure(*arguments, Path(folder))
        return Result(None, {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())})

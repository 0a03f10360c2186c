"""Record into a Zarr store, a few reviews at a time: memory is bounded, whatever the number of reviews."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.network import Network
from engine.recording import Ids, Inputs, record, signal_names
from engine.zarr_store import Part, StoredRecording, rows_at_once, write_store


def record_to_zarr(
    network: Network,
    ids: Ids | Inputs,
    path: str | Path,
    signals: Sequence[str] | None = None,
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> StoredRecording:
    """Run sequences through a network and write its signals to a Zarr store; see `engine.recording.record`.

    Parameters
    ----------
    path : path
        The folder of the store, which must not exist; it appears when it is complete.
    progress : callable
        Called with (reviews done, number of reviews).

    Raises
    ------
    ImportError
        If zarr is not installed.
    ValueError
        As `record`.
    FileExistsError, OSError
        If ``path`` exists, or the store cannot be written.
    """
    if not len(ids):
        raise ValueError(f"nothing to record for {network.name}: expected at least one sequence")
    single = np.ndim(ids[0]) == (0 if network.embedding is not None else 1)
    sequences: list[NDArray[Any]] = [np.asarray(one) for one in ([ids] if single else ids)]
    lengths = np.array([len(one) for one in sequences])
    names = signal_names(network, signals)
    rows = rows_at_once(int(lengths.max()), network.cell.size)

    def parts() -> Iterator[Part]:
        for first in range(0, len(lengths), rows):
            some = sequences[first : first + rows]
            recording = record(network, some, names, clamp=clamp)
            yield None if network.embedding is None else some, recording.__getitem__
            progress(min(first + rows, len(lengths)), len(lengths))

    return write_store(path, network, names, lengths, parts())

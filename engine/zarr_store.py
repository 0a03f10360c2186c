"""Recordings larger than memory: a Zarr store, written a few reviews at a time and opened by xarray.

A store has the arrays ``SIGNAL`` (review, time, cell), ``x`` (review, time, input), NaN past the end of a review,
``length`` (review,), and for a network that reads words ``token`` (review, time), −1 past the end.  Its attributes hold
``format``, the network's name, cell and readout, and the words of the tokens, so that a store can be played without the
network.  It has Zarr's format 2, whose metadata xarray reads in one go, without pickle.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.files import atomic_folder
from engine.text import FileError, printable

if TYPE_CHECKING:  # the desktop asks `is_store` before it loads PyTorch
    import xarray

    from engine.network import Network

Float32s = NDArray[np.float32]

FORMAT: Final = "pinkx zarr 1"
CHUNK: Final = 1 << 24  # bytes of a chunk of a signal, before compression
_STEPS: Final = 1024  # longest chunk in words
_NO_TOKEN: Final = -1

Part = tuple[Sequence[NDArray[np.integer]] | None, Callable[[str], Float32s]]
"""The ids of a few reviews, None for a network over numbers; and a function from a signal to its array."""


class StoreError(FileError):
    """A Zarr store cannot be opened."""


@dataclass(frozen=True, eq=False)
class StoredRecording:
    """A recording in a Zarr store: ``stored["f"]`` is a Zarr array (review, time, cell), read where it is sliced.

    Attributes
    ----------
    path : Path
    names : tuple of str
        The recorded signals.
    lengths : (review,) array
        Number of words of each review.
    facts : mapping
        The attributes of the store.
    """

    path: Path
    names: tuple[str, ...]
    lengths: NDArray[np.intp]
    facts: dict[str, Any]
    _group: Any

    @classmethod
    def open(cls, path: str | Path) -> StoredRecording:
        """Open a store.

        Raises
        ------
        ImportError
            If zarr is not installed.
        StoreError
            If there is no store, or not one of pinkx.
        """
        zarr, path = _zarr(), Path(path)
        if not path.is_dir():
            raise StoreError(
                f"{path}: no such folder; expected a Zarr store, written by engine.zarr_recording.record_to_zarr"
            )
        try:
            group = zarr.open_group(str(path), mode="r")
            facts = dict(group.attrs)
            if facts.get("format") != FORMAT:
                raise ValueError(f"its format is {printable(str(facts.get('format')))[:40]!r}, expected {FORMAT!r}")
            names, lengths = tuple(facts["signals"]), np.asarray(group["length"][:], dtype=np.intp)
            longest = int(lengths.max(initial=0))
            for name in names:
                shape = group[name].shape
                if len(shape) != 3 or shape[:2] != (len(lengths), longest) or not longest:
                    raise ValueError(f"{name} has the shape {shape}, expected ({len(lengths)}, {longest}, cells)")
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            reason = printable(str(error))[:200]
            raise StoreError(f"{path}: not a recording of pinkx as a Zarr store ({reason})") from None
        return cls(path, names, lengths, facts, group)

    def __getitem__(self, name: str) -> Any:
        """Return the Zarr array of a signal; KeyError if it was not recorded."""
        if name not in self.names:
            raise KeyError(f"no signal {name!r} in this recording; it holds {', '.join(self.names)}")
        return self._group[name]

    def tokens(self, review: int) -> NDArray[np.int32] | None:
        """Return the ids of a review's words, (time,); None for a network over numbers."""
        if "token" not in self._group:
            return None
        return np.asarray(self._group["token"][review, : self.lengths[review]], dtype=np.int32)

    def review(self, number: int) -> dict[str, Float32s]:
        """Return every signal of a review over its own words, (time, cell)."""
        return {name: np.asarray(self._group[name][number, : self.lengths[number]]) for name in self.names}

    def to_xarray(self) -> xarray.Dataset:
        """Return the store as a lazy xarray Dataset with dims (review, time, cell); needs xarray."""
        try:
            import xarray
        except ImportError:
            raise ImportError("StoredRecording.to_xarray needs xarray: pip install 'pinkx[xarray]'") from None
        return xarray.open_zarr(str(self.path), chunks=None)

    def __repr__(self) -> str:
        size = sum(math.prod(self._group[name].shape) * 4 for name in self.names)
        return (
            f"StoredRecording of {len(self.lengths):,} reviews by {self.facts['network']} in {self.path}\n"
            f"  signals: {' '.join(self.names)}, {size / 1e9:.3g} GB uncompressed"
        )


def is_store(path: Path) -> bool:
    """Return whether a folder is a recording in a Zarr store; needs no zarr."""
    try:
        return bool(json.loads((path / ".zattrs").read_text(encoding="utf-8")).get("format") == FORMAT)
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def rows_at_once(longest: int, cells: int) -> int:
    """Return how many reviews are recorded and written together."""
    return max(1, CHUNK // (4 * max(1, min(longest, _STEPS) * cells)))


def write_store(
    path: str | Path, network: Network, names: Iterable[str], lengths: NDArray[np.integer], parts: Iterable[Part]
) -> StoredRecording:
    """Write a store from parts of `rows_at_once` reviews, completely or not at all, and open it.

    Raises
    ------
    ImportError
        If zarr is not installed.
    FileExistsError
        If ``path`` exists.
    OSError
        If it cannot be written.
    """
    zarr, path, names = _zarr(), Path(path), tuple(names)
    if path.exists():
        raise FileExistsError(f"{path} exists: remove it, or name another folder")
    cell, count, longest = network.cell, len(lengths), int(np.max(lengths))
    rows, steps = rows_at_once(longest, cell.size), min(longest, _STEPS)
    kinds = {signal.name: signal for signal in network.signals}
    with atomic_folder(path) as temporary:
        group = zarr.create_group(str(temporary), zarr_format=2)

        def create(name: str, dims: tuple[str, ...], shape: tuple[int, ...], kind: str, fill: float) -> Any:
            chunks = (rows, steps, *shape[2:])[: len(shape)]
            array = group.create_array(name, shape=shape, chunks=chunks, dtype=kind, fill_value=fill)
            array.attrs["_ARRAY_DIMENSIONS"] = list(dims)
            return array

        arrays = {}
        for name in names:
            dims, width = ("input", cell.inputs) if name == "x" else ("cell", cell.size)
            arrays[name] = create(name, ("review", "time", dims), (count, longest, width), "float32", math.nan)
            arrays[name].attrs.update(long_name=kinds[name].meaning, kind=kinds[name].kind)
        create("length", ("review",), (count,), "int64", 0)[:] = np.asarray(lengths)
        token = create("token", ("review", "time"), (count, longest), "int32", _NO_TOKEN)
        first, known = 0, set[int]()
        for tokens, signal in parts:
            last = first
            for name, array in arrays.items():
                values = signal(name)
                last = first + len(values)
                array[first:last, : values.shape[1]] = values
            if tokens is not None:
                padded = np.full((len(tokens), max(map(len, tokens))), _NO_TOKEN, dtype=np.int32)
                for row, ids in zip(padded, tokens, strict=True):
                    row[: len(ids)] = ids
                token[first:last, : padded.shape[1]] = padded
                known.update(np.unique(np.concatenate(tokens)).tolist())
            first = last
        if first != count:
            raise ValueError(f"expected {count} reviews in parts, got {first}")
        if not known:
            del group["token"]
        group.attrs.update(_facts(network, names, known))
        zarr.consolidate_metadata(str(temporary))
    return StoredRecording.open(path)


def _facts(network: Network, names: tuple[str, ...], known: set[int]) -> dict[str, Any]:
    cell, vocabulary = network.cell, network.vocabulary
    return {
        "format": FORMAT,
        "signals": list(names),
        "network": network.title,
        "task": network.task,
        "cell": cell.name,
        "size": cell.size,
        "inputs": cell.inputs,
        "settings": json.dumps(cell.settings),
        "activation": network.activation,
        "readout_weight": network.readout_weight.detach().double().cpu().tolist(),
        "readout_bias": network.readout_bias.detach().double().cpu().tolist(),
        "words": {} if vocabulary is None else {str(number): vocabulary.word(number) for number in sorted(known)},
    }


def _zarr() -> Any:
    try:
        import zarr
    except ImportError:
        raise ImportError("recordings in Zarr stores need zarr: pip install 'pinkx[zarr]'") from None
    return zarr

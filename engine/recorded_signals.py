"""The signals that `engine.recording.record` recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.large_arrays import to_numpy
from engine.network import Network
from engine.number_format import significant
from engine.samples import sum_over_cells

if TYPE_CHECKING:
    import xarray

    from engine.zarr_store import Part, StoredRecording

Float32s = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """Signals of many sequences: ``recording["f"]`` is float32 (review, time, cell), NaN past the end of a review.

    Attributes
    ----------
    network : Network
    names : tuple of str
        The recorded signals.
    lengths : (review,) array
        Number of words of each review.
    """

    network: Network
    names: tuple[str, ...]
    lengths: NDArray[np.intp]
    _signals: Mapping[str, Tensor]
    _tokens: NDArray[np.int32]
    _vectors: Float32s
    _outputs: Callable[[], list[NDArray[np.float64]]] | None = None

    def __getitem__(self, name: str) -> Float32s:
        """Return one signal, (review, time, cell), or the input ``x``, (review, time, input).

        Raises
        ------
        KeyError
            If the signal was not recorded.
        """
        if name not in self.names:
            raise KeyError(f"no signal {name!r} in this recording; it holds {', '.join(self.names)}")
        if name == "x":
            return self._input
        if name not in self._arrays:
            self._arrays[name] = to_numpy(self._signals[name])
        return self._arrays[name]

    def tensor(self, name: str) -> Tensor:
        """Return one signal as a tensor on the device that computed it; the arrays of a CPU share its memory.

        Raises
        ------
        KeyError
            If the signal was not recorded.
        """
        return torch.from_numpy(self[name]) if name == "x" or name not in self.names else self._signals[name]

    @cached_property
    def _arrays(self) -> dict[str, Float32s]:
        return {}

    def __repr__(self) -> str:
        cell, (reviews, time) = self.network.cell, self._tokens.shape
        sequence, unit = ("sequence", "steps") if self.network.vocabulary is None else ("review", "words")
        shortest = f"{self.lengths.min():,} to " if self.lengths.min() < time else ""
        of_cells = " ".join(name for name in self.names if name != "x")
        signals = [f"{of_cells}, each (review, time, cell) = {(reviews, time, cell.size)}"] if of_cells else []
        if "x" in self.names:
            signals.append(f"x (review, time, input) = {(reviews, time, cell.inputs)}")
        return (
            f"Recording of {reviews:,} {sequence}{'s' * (reviews != 1)} of {shortest}{time:,} {unit} "
            f"by {self.network.name} ({cell.label}, {cell.size} cells)\n"
            f"  signals: {'; '.join(signals)}\n"
            f"  memory: {significant(sum(values.nbytes for values in self._signals.values()) / 1e6)} MB"
        )

    @cached_property
    def _input(self) -> Float32s:
        x = self._vectors[self._tokens]
        x[~self.mask] = np.nan
        return x

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """True where a review has a word, (review, time)."""
        return np.arange(self._tokens.shape[1]) < self.lengths[:, None]

    def layer_sum(self, name: str) -> NDArray[np.floating]:
        """Return a signal summed over cells, (review, time): the series that Chong & Ling (2024) analyse.

        It is NaN past the end of a review; for exponents of reviews of unequal lengths use `series`.
        """
        if name in self.names and name != "x" and self._signals[name].device.type != "cpu":
            return self._signals[name].sum(-1, dtype=torch.float64).float().cpu().numpy()
        return sum_over_cells(self[name])

    def series(self, name: str) -> list[NDArray[np.floating]]:
        """Return the layer sum of each review cut to the review's own length: a list of (time,) arrays."""
        return [row[:length] for row, length in zip(self.layer_sum(name), self.lengths.tolist(), strict=True)]

    def to_zarr(self, path: str | Path) -> StoredRecording:
        """Write all signals to a Zarr store, a folder that must not exist; `record_to_zarr` needs less memory.

        Raises
        ------
        ImportError
            If zarr is not installed.
        FileExistsError, OSError
            If ``path`` exists, or the store cannot be written.
        """
        from engine.zarr_store import rows_at_once, write_store

        reviews, time = self._tokens.shape
        rows = rows_at_once(time, self.network.cell.size)

        def rows_of(some: slice, name: str) -> Float32s:
            return self[name][some]

        def parts() -> Iterator[Part]:
            for first in range(0, reviews, rows):
                some = slice(first, first + rows)
                ids = [row[:length] for row, length in zip(self._tokens[some], self.lengths[some], strict=True)]
                yield None if self.network.embedding is None else ids, partial(rows_of, some)

        return write_store(path, self.network, self.names, self.lengths, parts())

    def to_xarray(self) -> xarray.Dataset:
        """Return all signals as an xarray Dataset with dims (review, time, cell), NaN past the end of a review.

        ``x`` has the dims (review, time, input); ``length`` (review) holds the number of words of each review.

        Raises
        ------
        ImportError
            If xarray is not installed.
        """
        try:
            import xarray
        except ImportError:
            raise ImportError("Recording.to_xarray needs xarray: pip install 'pinkx[xarray]'") from None
        variables: dict[str, Any] = {"length": ("review", self.lengths)}
        kinds = {signal.name: signal for signal in self.network.signals}
        for name in self.names:
            about = {"long_name": kinds[name].meaning, "kind": kinds[name].kind}
            variables[name] = (("review", "time", "input" if name == "x" else "cell"), self[name], about)
        cell = self.network.cell
        return xarray.Dataset(variables, attrs={"network": self.network.name, "cell": cell.name, "size": cell.size})

    @cached_property
    def probability(self) -> NDArray[np.float64]:
        """P(positive) after every word, (review, time), or (review, time, k) for a network of k > 1 outputs.

        Of a network of several layers or directions it is the output of the review cut after the word, by running all
        layers; NaN if the recording was made of vectors of an upper layer.

        Raises
        ------
        KeyError
            If ``h`` was not recorded.
        """
        if self._outputs is not None:
            found = np.full((*self.mask.shape, self.network.outputs), np.nan)
            for row, values in zip(found, self._outputs(), strict=True):
                row[: len(values)] = values
            return found[..., 0] if self.network.outputs == 1 else found
        h = self.tensor("h").to(self.network.readout_weight)
        probability = self.network.probability(h).double().cpu().numpy()
        return probability[..., 0] if self.network.outputs == 1 else probability

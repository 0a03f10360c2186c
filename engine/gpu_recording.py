"""Recordings and corpus statistics on a GPU, by the kernels of ``engine.kernels.cuda``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.fluctuation import fluctuations
from engine.gates_by_product import product_is_faster, record_by_product
from engine.kernels.cuda import launch
from engine.large_arrays import copy_to_host, recording_array
from engine.network import Network

Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]

SHARE: Final = 0.8  # of the free memory of a card that a recording may take
PART_WORDS: Final = 2**23  # words measured in one launch: DFA of their eight layer sums takes 1.5 GB


class Reader:
    """Run reviews through a network on its device, in one launch for all steps.

    Parameters
    ----------
    network : Network
    clamps : mapping of str to (n,) array
        NaN for a free cell.
    vectors : (token, inputs) array, optional
        The inputs of all sequences one after the other, for a network without an embedding.

    Attributes
    ----------
    by_product : bool
        Whether a recording from the zero state without clamps takes `engine.gates_by_product`, not the kernels; as
        ``pinkx bench`` measured.

    Raises
    ------
    ValueError
        If a weight or a clamp of ``h`` is too large for the kernels.
    """

    def __init__(self, network: Network, clamps: Mapping[str, Float32s], vectors: Float32s | None = None) -> None:
        self.network = network
        self.device = network.cell.device
        self.layer = launch.arrange(network.cell, network.readout_weight[0] if network.outputs == 1 else None)
        if not self.use(clamps):
            largest = np.nanmax(np.abs(clamps["h"]))
            raise ValueError(f"a clamp of h at {largest:.3g} is above {self.layer.state_bound:,.0f}; use the CPU")
        self._vectors = vectors
        self.by_product = product_is_faster(network.cell.size)
        self._table = None if network.embedding is None else launch.input_table(self.layer, network.embedding)

    def use(self, clamps: Mapping[str, Float32s]) -> bool:
        """Replace the clamps; return False, and change nothing, if one of ``h`` is too large for the kernels."""
        if "h" in clamps and np.nanmax(np.abs(clamps["h"]), initial=0) > self.layer.state_bound:
            return False
        self._clamps = launch.clamp_table(self.layer, clamps)
        return True

    def run(
        self,
        tokens: NDArray[np.int32] | Tensor,
        lengths: NDArray[np.integer],
        *,
        record: Sequence[str] = (),
        sums: Sequence[str] = (),
        readout: bool = False,
        statistic: str | None = None,
        state: Tensor | None = None,
    ) -> launch.Outputs:
        """Read reviews (review, time) from the zero state, or from ``state``, which receives the final one."""
        ids = torch.as_tensor(tokens, dtype=torch.int32, device=self.device)
        table, vectors = self._table, self.network.embedding
        if vectors is None:
            assert self._vectors is not None
            first, last = int(tokens[0, 0]), int(tokens[-1, lengths[-1] - 1])
            vectors = torch.as_tensor(self._vectors[first : last + 1], device=self.device)
            ids = (ids - first).clamp(min=0)
        alone = record and state is None and self._clamps is None and not (sums or readout or statistic)
        if self.by_product and alone:
            size = torch.as_tensor(np.asarray(lengths), device=self.device)
            found = record_by_product(self.network.cell, self._module, vectors.float(), ids, size, record)
            return launch.Outputs(found, None, None, None)
        if table is None:
            table = launch.input_table(self.layer, vectors)
        if state is None:
            state = torch.zeros(len(ids), self.network.cell.state_size, device=self.device)
        return launch.run(
            self.layer,
            table,
            ids,
            lengths,
            state,
            clamps=self._clamps,
            record=record,
            sums=sums,
            readout=readout,
            statistic=statistic,
        )

    @cached_property
    def _module(self) -> torch.nn.RNNBase:
        return self.network.cell.to(dtype=torch.float32).to_torch()

    def probability(self, state: Tensor) -> Float64s:
        """Return P(positive), the first output, of final states (review, S), (review,)."""
        cell = self.network.cell
        h = cell.split(state)["h"].to(self.network.readout_weight)
        return self.network.probability(h)[:, 0].double().cpu().numpy()

    def check(self, low: int, high: int) -> None:
        """Check that ids from ``low`` to ``high`` are in the vocabulary: the kernels do not.

        Raises
        ------
        ValueError
            For an id outside the vocabulary.
        """
        known = len(self.network.embedding) if self.network.embedding is not None else 0
        if not 0 <= low <= high < known:
            raise ValueError(f"ids from {low} to {high}; {self.network.name} knows 0 to {known - 1}")


def free_on(device: torch.device) -> int:
    """Return the bytes of a card's memory that a recording may take, those that PyTorch holds unused included."""
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(SHARE * (torch.cuda.mem_get_info(device)[0] + unused))


def too_many(reviews: int) -> str:
    """Say that the memory of a card is too small for as many reviews, and that half of them follow."""
    return f"the GPU has too little memory for {reviews:,} reviews; it continues with {reviews // 2:,}"


def record_signals(
    reader: Reader,
    tokens: NDArray[np.int32],
    lengths: NDArray[np.intp],
    names: Sequence[str],
    *,
    free: int | None = None,
) -> Mapping[str, Tensor]:
    """Record signals, each (review, time, cell); on the device if they fit its free memory, otherwise on the host.

    A part that runs out of memory is halved, with a warning.

    Parameters
    ----------
    free : int, optional
        Bytes of memory to use; by default a share of what is free on the card.
    """
    if not names:
        return {}
    review = (len(names) + reader.by_product) * tokens.shape[1] * reader.network.cell.size * 4
    part = max(1, min(len(tokens), (free_on(reader.device) if free is None else free) // review))
    out: Float32s | None = None
    first = 0
    while first < len(tokens):
        rows = slice(first, first + part)
        try:
            found = reader.run(tokens[rows], lengths[rows], record=names).record
        except torch.OutOfMemoryError:
            if part == 1:
                raise
            part = max(1, part // 2)
            warnings.warn(
                f"the GPU has too little memory for the recording; it continues in parts of {part:,} reviews",
                RuntimeWarning,
                stacklevel=3,
            )
            continue
        assert found is not None
        if part >= len(tokens):
            return dict(zip(names, found, strict=True))
        if out is None:
            out = recording_array(len(names), *tokens.shape, reader.network.cell.size)
        for host, values in zip(out[:, rows], found, strict=True):
            copy_to_host(host, values)
        del found, values  # or the next part would need its memory beside this one
        first += part
    assert out is not None
    return {name: torch.from_numpy(values) for name, values in zip(names, out, strict=True)}


def review_statistics(
    reader: Reader,
    reviews: NDArray[np.integer],
    signals: Sequence[str],
    scales: Sequence[int],
    progress: Callable[[int, int], None],
) -> tuple[Float64s, Float64s, Float64s, Float64s]:
    """Measure reviews of one length for `engine.corpus_statistics` without leaving the device.

    Returns F of the layer sums (signal, review, scale), mean and standard deviation of ``h`` (review, cell), and
    P(positive) after the last word (review,).

    Raises
    ------
    ValueError
        For an id outside the vocabulary.
    """
    reader.check(int(reviews.min()), int(reviews.max()))
    parts: list[tuple[Float64s, ...]] = []
    first, rows = 0, max(1, PART_WORDS // reviews.shape[1])
    while first < len(reviews):
        part = reviews[first : first + rows]
        try:
            parts.append(_statistics(reader, part, signals, scales))
        except torch.OutOfMemoryError:
            if len(part) == 1:
                raise
            rows = len(part) // 2
            warnings.warn(too_many(len(part)), RuntimeWarning, stacklevel=3)
            continue
        first += len(part)
        progress(first, len(reviews))
    F, *others = zip(*parts, strict=True)
    mean, deviation, probability = (np.concatenate(values) for values in others)
    return np.concatenate(F, axis=1), mean, deviation, probability


def _statistics(
    reader: Reader, reviews: NDArray[np.integer], signals: Sequence[str], scales: Sequence[int]
) -> tuple[Float64s, ...]:
    """Measure reviews in one launch, see `review_statistics`."""
    network, (count, time) = reader.network, reviews.shape
    assert network.embedding is not None
    tokens = torch.as_tensor(reviews.astype(np.int32), device=reader.device)
    summed = [name for name in signals if name != "x"]
    state = torch.zeros(count, network.cell.state_size, device=reader.device)
    found = reader.run(tokens, np.full(count, time), sums=summed, statistic="h", state=state)
    assert found.statistics is not None
    series = dict(zip(summed, found.sums if found.sums is not None else [], strict=True))
    if "x" in signals:
        series["x"] = network.embedding.sum(-1, dtype=torch.float64).float()[tokens.long()]
    F = fluctuations(torch.stack([series[name] for name in signals]), scales)
    statistics = found.statistics.double()
    deviation = (statistics[1] / time).sqrt()
    return F, statistics[0].cpu().numpy(), deviation.cpu().numpy(), reader.probability(state)

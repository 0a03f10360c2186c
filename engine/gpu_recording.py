"""Recordings and corpus statistics on a GPU, by the kernels of ``engine.kernels.cuda``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.fluctuation import fluctuations
from engine.kernels.cuda import launch
from engine.large_arrays import recording_array
from engine.network import Network
from engine.probability import activate

Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]

SHARE: Final = 0.8  # of the free memory of a card that a recording may take
PART_WORDS: Final = 2**24  # words measured in one launch: eight layer sums of them take 512 MB


class Reader:
    """Run reviews through a network on its device, in one launch for all steps.

    Parameters
    ----------
    network : Network
    vectors : (token, inputs) array
        The embedding, or the inputs of all sequences one after the other.
    clamps : mapping of str to (n,) array
        NaN for a free cell.

    Raises
    ------
    ValueError
        If a weight or a clamp of ``h`` is too large for the kernels.
    """

    def __init__(self, network: Network, vectors: Float32s, clamps: Mapping[str, Float32s]) -> None:
        self.network = network
        self.device = network.cell.device
        self.layer = launch.arrange(network.cell, network.readout_weight[0] if network.outputs == 1 else None)
        self._clamps = {name: torch.as_tensor(values, device=self.device) for name, values in clamps.items()}
        largest = np.nanmax(np.abs(clamps["h"]), initial=0) if "h" in clamps else 0
        if largest > self.layer.state_bound:
            raise ValueError(f"a clamp of h at {largest:.3g} is above {self.layer.state_bound:,.0f}; use the CPU")
        self._vectors = vectors
        self._table = None if network.embedding is None else launch.input_table(self.layer, network.embedding)

    def run(
        self,
        tokens: NDArray[np.int32],
        lengths: NDArray[np.intp],
        *,
        record: Sequence[str] = (),
        sums: Sequence[str] = (),
        readout: bool = False,
        statistic: str | None = None,
        state: Tensor | None = None,
    ) -> launch.Outputs:
        """Read reviews (review, time) from the zero state, or from ``state``, which receives the final one."""
        ids = torch.as_tensor(tokens, dtype=torch.int32, device=self.device)
        table = self._table
        if table is None:
            first, last = int(tokens[0, 0]), int(tokens[-1, lengths[-1] - 1])
            table = launch.input_table(self.layer, torch.as_tensor(self._vectors[first : last + 1], device=self.device))
            ids = (ids - first).clamp(min=0)
        if state is None:
            state = torch.zeros(len(ids), self.network.cell.state_size, device=self.device)
        return launch.run(
            self.layer,
            table,
            ids,
            torch.as_tensor(lengths, dtype=torch.int32, device=self.device),
            state,
            clamps=self._clamps,
            record=record,
            sums=sums,
            readout=readout,
            statistic=statistic,
        )


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
    review = len(names) * tokens.shape[1] * reader.network.cell.size * 4
    if free is None:
        free = int(SHARE * torch.cuda.mem_get_info(reader.device)[0])
    part = max(1, min(len(tokens), free // review))
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
        torch.from_numpy(out[:, rows]).copy_(found)
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
    network = reader.network
    assert network.embedding is not None
    low, high, known = int(reviews.min()), int(reviews.max()), len(network.embedding)
    if not 0 <= low <= high < known:
        raise ValueError(f"ids from {low} to {high}; {network.name} knows 0 to {known - 1}")
    summed = [name for name in signals if name != "x"]
    x_of_word = network.embedding.sum(-1, dtype=torch.float64).float()
    F, mean, deviation, probability = [], [], [], []
    rows = max(1, PART_WORDS // reviews.shape[1])
    for first in range(0, len(reviews), rows):
        tokens = np.asarray(reviews[first : first + rows], dtype=np.int32)
        count, time = tokens.shape
        lengths = np.full(count, time)
        found = reader.run(tokens, lengths, sums=summed, readout=True, statistic="h")
        assert found.readout is not None
        assert found.statistics is not None
        series = dict(zip(summed, found.sums if found.sums is not None else [], strict=True))
        if "x" in signals:
            series["x"] = x_of_word[torch.as_tensor(tokens, dtype=torch.long, device=reader.device)]
        F.append(fluctuations(torch.stack([series[name] for name in signals]), scales))
        statistics = found.statistics.double()
        mean.append(statistics[0].cpu().numpy())
        deviation.append((statistics[1] / time).sqrt().cpu().numpy())
        logits = found.readout[:, -1].double() + network.readout_bias[0].double()
        probability.append(activate(logits.cpu().numpy()[:, None], network.activation)[:, 0])
        progress(first + count, len(reviews))
    return np.concatenate(F, axis=1), np.concatenate(mean), np.concatenate(deviation), np.concatenate(probability)

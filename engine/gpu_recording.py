"""Recordings and corpus statistics on a GPU, by the kernels of ``engine.kernels.cuda``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.fluctuation import TOO_SHORT, fluctuations, without_rounding
from engine.kernels.cuda import launch
from engine.kernels.cuda.dfa import fluctuations_ragged
from engine.large_arrays import recording_array
from engine.network import Network, pad
from engine.probability import activate
from engine.ragged import Part, scales_of
from engine.samples import rounding_step

Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]

SHARE: Final = 0.8  # of the free memory of a card that a recording may take
PART_WORDS: Final = 2**24  # words measured in one launch: eight layer sums of them take 512 MB


class Reader:
    """Run reviews through a network on its device, in one launch for all steps.

    Parameters
    ----------
    network : Network
    clamps : mapping of str to (n,) array
        NaN for a free cell.
    vectors : (token, inputs) array, optional
        The inputs of all sequences one after the other, for a network without an embedding.

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
        self._table = None if network.embedding is None else launch.input_table(self.layer, network.embedding)

    def use(self, clamps: Mapping[str, Float32s]) -> bool:
        """Replace the clamps; return False, and change nothing, if one of ``h`` is too large for the kernels."""
        if "h" in clamps and np.nanmax(np.abs(clamps["h"]), initial=0) > self.layer.state_bound:
            return False
        self._clamps = launch.clamp_table(self.layer, clamps)
        return True

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
            assert self._vectors is not None
            first, last = int(tokens[0, 0]), int(tokens[-1, lengths[-1] - 1])
            table = launch.input_table(self.layer, torch.as_tensor(self._vectors[first : last + 1], device=self.device))
            ids = (ids - first).clamp(min=0)
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

    def check(self, reviews: Sequence[NDArray[np.integer]]) -> None:
        """Check that all ids are in the vocabulary: the kernels do not.

        Raises
        ------
        ValueError
            For an id outside the vocabulary.
        """
        with_words = [ids for ids in reviews if len(ids)]
        low, high = (int(pick([pick(ids) for ids in with_words])) for pick in (np.min, np.max))
        known = len(self.network.embedding) if self.network.embedding is not None else 0
        if not 0 <= low <= high < known:
            raise ValueError(f"ids from {low} to {high}; {self.network.name} knows 0 to {known - 1}")


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
    reader.check([reviews])
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


def measure_part(
    reader: Reader, reviews: Sequence[NDArray[np.integer]], signals: Sequence[str], scales: Sequence[int] | None
) -> Part:
    """Measure reviews of any length for `engine.beta.measure_encoded` without leaving the device.

    Raises
    ------
    ValueError
        For an id outside the vocabulary.
    """
    network, lengths = reader.network, np.array([len(ids) for ids in reviews], dtype=np.intp)
    assert network.embedding is not None
    chosen, count = scales_of(lengths, scales), len(reviews)
    part = Part(
        lengths,
        np.full(count, np.nan),
        np.full((count, network.cell.size), np.nan),
        np.zeros((count, len(signals), chosen.shape[1])),
        chosen,
    )
    read = np.flatnonzero(lengths)
    if not len(read):
        return part
    reader.check(reviews)
    tokens, steps = pad([np.asarray(reviews[k], dtype=np.int32) for k in read.tolist()]), lengths[read]
    summed = [name for name in signals if name != "x"]
    found = reader.run(tokens, steps, sums=summed, readout=True, statistic="h")
    assert found.readout is not None
    assert found.statistics is not None
    series = dict(zip(summed, found.sums if found.sums is not None else [], strict=True))
    size = torch.as_tensor(steps, device=reader.device)
    if "x" in signals:
        x = network.embedding.sum(-1, dtype=torch.float64).float()[torch.as_tensor(tokens, device=reader.device).long()]
        past = torch.arange(x.shape[1], device=reader.device) >= size[:, None]
        series["x"] = x.masked_fill(past, torch.nan)
    part.deviation[read] = (found.statistics[1].double() / size[:, None]).sqrt().cpu().numpy()
    last = found.readout.gather(1, size[:, None] - 1)[:, 0].double() + network.readout_bias[0].double()
    part.probability[read] = activate(last.cpu().numpy()[:, None], network.activation)[:, 0]
    for k, name in enumerate(signals):
        part.F[read, k] = _ragged_F(series[name], steps, chosen[read])
    return part


def _ragged_F(series: Tensor, lengths: NDArray[np.intp], scales: NDArray[np.int64]) -> Float64s:
    """Return F of series padded with NaN, (n, scale), each at scales of its own, 0 where it has fewer."""
    F = np.zeros(scales.shape)
    with_scales = np.flatnonzero((scales > 0).any(1))
    if not len(with_scales):
        return F
    rows = series[torch.as_tensor(with_scales, device=series.device)]
    fits = np.where(scales <= lengths[:, None], scales, 0)[with_scales]
    found, cancelled = fluctuations_ragged(rows, lengths[with_scales], fits)
    size = rows.nan_to_num(0).abs().amax(-1).double().cpu().numpy()
    step = rounding_step(str(rows.dtype).removeprefix("torch."))
    found = without_rounding(found, step, size, fits)
    for k in np.flatnonzero(cancelled).tolist():
        own = fits[k] > 0
        found[k, own] = fluctuations(rows[k, : lengths[with_scales[k]]].cpu().numpy(), fits[k][own].tolist())
    F[with_scales] = np.where(fits < scales[with_scales], TOO_SHORT, found)
    return F

"""Reviews of any length on a GPU: prepared once, and measured with many networks or clamps without leaving the card."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.fluctuation import ROUNDING_STEPS, fluctuations
from engine.gpu_recording import PART_WORDS, Reader, too_many
from engine.kernels.cuda.dfa import RaggedScales, fluctuations_ragged
from engine.ragged import REASONS, Part, scales_of
from engine.samples import rounding_step

Ids = NDArray[np.integer]
Notify = Callable[[str], None]

_FINE, _SHORT, _BAD, _ROUNDED, _FLAT = (
    REASONS.index(reason) for reason in ("", "too short", "not finite", "flat to rounding", "flat")
)


def warn(text: str) -> None:
    """Show a message as a warning."""
    warnings.warn(text, RuntimeWarning, stacklevel=3)


@dataclass(frozen=True, eq=False)
class Block:
    """Reviews by falling length, that are read in one launch.

    Attributes
    ----------
    places : (review,) array
        Their indices among all reviews.
    lengths : (review,) array
    tokens : (review, time) int32 tensor
        Padded with 0.
    scales : (review, scale) array
    prepared : RaggedScales
        The scales that fit their reviews.
    too_long : (review,) bool tensor
        Reviews with a scale that does not, or without any.
    """

    places: NDArray[np.intp]
    lengths: NDArray[np.int64]
    tokens: Tensor
    scales: NDArray[np.int64]
    prepared: RaggedScales
    too_long: Tensor

    @classmethod
    def of(
        cls, places: NDArray[np.intp], lengths: NDArray[np.int64], tokens: Tensor, scales: NDArray[np.int64]
    ) -> Block:
        """Prepare the scales of these reviews."""
        fits = np.where(scales <= lengths[:, None], scales, 0)
        without = (fits < scales).any(1) | ~(scales > 0).any(1)
        too_long = torch.as_tensor(without, device=tokens.device)
        return cls(places, lengths, tokens, scales, RaggedScales.of(lengths, fits, tokens.device), too_long)

    def halves(self) -> tuple[Block, Block]:
        """Split the block; it has two reviews or more."""
        middle = len(self.places) // 2
        first, second = (
            Block.of(
                self.places[rows], self.lengths[rows], self.tokens[rows, : self.lengths[rows][0]], self.scales[rows]
            )
            for rows in (slice(middle), slice(middle, None))
        )
        return first, second


class DeviceReviews:
    """Encoded reviews on a device.

    Parameters
    ----------
    reviews : sequence of (time,) id arrays
    device : torch.device
    scales : sequence of int, optional
        Box lengths for all reviews; by default those of each review's own length.
    """

    def __init__(self, reviews: Sequence[Ids], device: torch.device, scales: Sequence[int] | None = None) -> None:
        self.lengths = np.fromiter(map(len, reviews), dtype=np.int64, count=len(reviews))
        order = np.argsort(-self.lengths, kind="stable")
        order = order[: int(np.count_nonzero(self.lengths))]
        ids = np.concatenate([np.empty(0, np.int32), *(reviews[k] for k in order.tolist())]).astype(np.int32)
        self.lowest, self.highest = int(ids.min(initial=0)), int(ids.max(initial=0))
        flat, lengths = torch.as_tensor(ids, device=device), self.lengths[order]
        distinct, which = np.unique(lengths, return_inverse=True)
        chosen = scales_of(distinct, scales)[which]
        self.blocks: list[Block] = []
        first = word = 0
        while first < len(order):
            rows = slice(first, min(len(order), first + max(1, PART_WORDS // int(lengths[first]))))
            size = torch.as_tensor(lengths[rows], device=device)
            inside = torch.arange(int(lengths[first]), device=device) < size[:, None]
            last = word + int(lengths[rows].sum())
            tokens = torch.zeros(inside.shape, dtype=torch.int32, device=device)
            tokens.masked_scatter_(inside, flat[word:last])
            self.blocks.append(Block.of(order[rows], lengths[rows], tokens, chosen[rows]))
            first, word = rows.stop, last

    def measure(self, reader: Reader, signals: Sequence[str], notify: Notify = warn) -> Part:
        """Measure the layer sums of signals, the spread of ``h`` and the output; a block is halved if memory runs out.

        Raises
        ------
        ValueError
            For an id outside the vocabulary.
        """
        reader.check(self.lowest, self.highest)
        part = Part.empty(self.lengths, len(signals), reader.network.cell.size)
        waiting = self.blocks[::-1]
        while waiting:
            block = waiting.pop()
            try:
                _measure(part, reader, block, signals)
            except torch.OutOfMemoryError:
                if len(block.places) == 1:
                    raise
            else:
                continue
            notify(too_many(len(block.places)))
            waiting += block.halves()[::-1]
        return part

    def saturated(self, reader: Reader, gates: Sequence[str]) -> NDArray[np.float64]:
        """Return the numbers of (word, cell) below 0.1 and above 0.9 in these signals, (2,)."""
        reader.check(self.lowest, self.highest)
        total = np.zeros(2)
        for block in self.blocks:
            for gate in gates:
                found = reader.run(block.tokens, block.lengths, statistic=gate).statistics
                assert found is not None
                total += found[2:].sum((1, 2), dtype=torch.float64).cpu().numpy()
        return total


def _measure(part: Part, reader: Reader, block: Block, signals: Sequence[str]) -> None:
    """Fill in the rows of a block."""
    network, size = reader.network, block.prepared.lengths
    assert network.embedding is not None
    summed = [name for name in signals if name != "x"]
    state = torch.zeros(len(size), network.cell.state_size, device=reader.device)
    found = reader.run(block.tokens, block.lengths, sums=summed, statistic="h", state=state)
    assert found.statistics is not None
    series = dict(zip(summed, found.sums if found.sums is not None else [], strict=True))
    if "x" in signals:
        series["x"] = network.embedding.sum(-1, dtype=torch.float64).float()[block.tokens.long()]
    part.deviation[block.places] = (found.statistics[1].double() / size[:, None]).sqrt().cpu().numpy()
    part.probability[block.places] = reader.probability(state)
    if signals:
        _fit(part, block, torch.stack([series[name] for name in signals]))


def _fit(part: Part, block: Block, series: Tensor) -> None:
    """Fit β of series (signal, review, time) at the scales of their reviews, as `engine.ragged.fits_of` does."""
    prepared = block.prepared
    F, cancelled = fluctuations_ragged(series, prepared)
    known = prepared.scales > 0
    past = torch.arange(series.shape[-1], device=series.device) >= prepared.lengths[:, None]
    largest = series.abs().masked_fill(past, 0.0).amax(-1).double()  # not finite: no F either
    step = ROUNDING_STEPS * rounding_step(str(series.dtype).removeprefix("torch."))
    floor = step * largest[..., None] * prepared.scales.double().sqrt()
    rounding = (F > 0) & (floor >= F)
    for signal, row in cancelled.nonzero().tolist():
        own = known[row]
        values = series[signal, row, : int(block.lengths[row])].cpu().numpy()
        again = fluctuations(values, prepared.scales[row][own].tolist())
        F[signal, row, own] = torch.as_tensor(np.abs(again), device=F.device)
        rounding[signal, row, own] = torch.as_tensor(np.signbit(again), device=F.device)
    good = (F > 0) & F.isfinite() & ~rounding
    usable = (good | ~known).all(-1) & ~block.too_long
    reasons = torch.where((rounding | (F > 0) | ~known).all(-1) & rounding.any(-1), _ROUNDED, _FLAT)
    reasons = torch.where((~F.isfinite() & known).any(-1), _BAD, reasons)
    reasons = torch.where(usable, _FINE, torch.where(block.too_long, _SHORT, reasons))

    count = known.sum(-1)
    x = torch.where(known, prepared.scales.double(), 1.0).log()
    x = torch.where(known, x - x.sum(-1, keepdim=True) / count[:, None], 0.0)
    y = torch.where(known & good, F, 1.0).log()
    y = torch.where(known, y - y.sum(-1, keepdim=True) / count[:, None], 0.0)
    spread = x.square().sum(-1)
    alpha = (y * x).sum(-1) / spread
    total = y.square().sum(-1)
    left = (y - alpha[..., None] * x).square().sum(-1)
    # A constant F is a straight line too: R² = 1, not 0/0.
    r2 = 1 - torch.where(total == 0, 0.0, left / total)
    stderr = (left / ((count - 2) * spread)).sqrt()
    fits = torch.stack((2 * alpha - 1, 2 * stderr, r2)).masked_fill(~usable, torch.nan)
    part.beta[block.places], part.beta_stderr[block.places], part.r2[block.places] = fits.mT.cpu().numpy()
    part.reason[block.places] = reasons.T.to(torch.int8).cpu().numpy()

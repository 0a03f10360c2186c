"""DFA of tensors on a GPU; ``engine.kernels.cuda.dfa_steps`` holds the kernels.

Series whose residual is so far below their profile that the sums of a box cancel are computed again by fitting every
box.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
import triton
from numpy.typing import NDArray
from torch import Tensor

from engine.kernels.cpu.dfa import CANCELLED, constants, polynomials
from engine.kernels.cuda import dfa_steps
from engine.samples import scaling_powers

Array = NDArray[np.float64]

BLOCK: Final = 128  # series of a program, one a thread
PROGRAMS: Final = 2048  # enough to fill a large card; fewer series share their boxes among more programs
CHUNK: Final = 2**27  # samples at once, 1 GB in float64
MOST: Final = 65_535 * BLOCK  # series of one launch: a card takes no more blocks along the second axis of a grid
OPTIONS: Final[dict[str, Any]] = {"num_warps": 4, "num_stages": 1}


def fluctuations_cuda(
    series: Tensor, scales: NDArray[np.int64], order: int, unbiased: bool, backward: bool = False
) -> Array:
    """Compute F(s) of each row of ``series`` (n, time) at each scale, (n, scale), on the tensor's device.

    No scale may be longer than the series; a row with a sample that is not finite gets NaN.
    """
    rows = min(MOST, max(1, CHUNK // series.shape[-1]))
    with torch.cuda.device(series.device) if series.is_cuda else nullcontext():
        parts = [_part(x, scales, order, unbiased, backward) for x in series.split(rows)]
    return torch.cat(parts).cpu().numpy()


def fluctuations_scaled(
    series: Tensor, scales: NDArray[np.int64], order: int, unbiased: bool, backward: bool = False
) -> tuple[Array, Array, float]:
    """Do the work of `fluctuations_cuda` for samples of any amplitude and type.

    Returns F (n, scale), the largest absolute sample of each row (n,), and the spacing of numbers next to 1 in the
    samples' precision, 0 for float64 and integers.
    """
    rows = series.detach() if series.is_floating_point() else series.double()
    step = torch.finfo(series.dtype).eps if series.is_floating_point() and series.element_size() < 8 else 0.0
    largest = rows.abs().amax(-1).double().cpu().numpy()
    powers = scaling_powers(largest)
    if not powers.any():
        return fluctuations_cuda(rows, scales, order, unbiased, backward), largest, step
    half = powers // 2  # 2 to the whole power may not be representable
    first, second = (torch.as_tensor(np.ldexp(1.0, -part), device=rows.device) for part in (half, powers - half))
    scaled = rows.double() * first[:, None] * second[:, None]
    return np.ldexp(fluctuations_cuda(scaled, scales, order, unbiased, backward), powers[:, None]), largest, step


@dataclass(frozen=True, eq=False)
class RaggedScales:
    """Scales of series of unequal lengths, in the layout of the kernel; they do not depend on the samples.

    The series stand by falling length, so that the lanes of a program take loops of nearly equal length.

    Attributes
    ----------
    lengths : (n,) int64 tensor
    scales : (n, scale) int64 tensor
        Box lengths, none longer than its series; 0 where a series has fewer scales.
    entries : (scale, n) int32 tensor
        Rows of ``sizes`` and ``constants``; −1 where a series has fewer scales.
    sizes : (entry,) int32 tensor
    constants : (entry, 9) tensor
    longest : int
        The longest scale; 0 without any.
    """

    lengths: Tensor
    scales: Tensor
    entries: Tensor
    sizes: Tensor
    constants: Tensor
    longest: int

    @classmethod
    def of(cls, lengths: NDArray[np.int64], scales: NDArray[np.int64], device: torch.device) -> RaggedScales:
        """Prepare scales (n, scale) of series that stand by falling length."""
        sizes, entries = np.unique(scales, return_inverse=True)
        entries = entries.reshape(scales.shape)
        if len(sizes) and not sizes[0]:
            sizes, entries = sizes[1:], entries - 1
        return cls(
            torch.as_tensor(lengths, device=device),
            torch.as_tensor(scales, device=device),
            torch.as_tensor(entries.T.astype(np.int32), device=device).contiguous(),
            torch.as_tensor(sizes.astype(np.int32), device=device),
            torch.as_tensor(constants(sizes), device=device),
            int(sizes.max(initial=0)),
        )


def fluctuations_ragged(series: Tensor, prepared: RaggedScales) -> tuple[Tensor, Tensor]:
    """Compute F(s) of series of unequal lengths by unbiased DFA of order 1, each at scales of its own.

    Parameters
    ----------
    series : (signal, n, time) tensor
        What follows the end of a series is not read.

    Returns
    -------
    F : (signal, n, scale) tensor
        NaN for a series with a sample that is not finite; 0 at a scale of 0.
    cancelled : (signal, n) bool tensor
        Series whose sums cancelled: their F is rounding, and their boxes must be fitted one by one.
    """
    (signals, n, time), count = series.shape, prepared.scales.shape[1]
    if not prepared.longest:  # the kernel reads the tables of at least one scale
        F = torch.zeros(signals, n, count, dtype=torch.float64, device=series.device)
        return F, torch.zeros(signals, n, dtype=torch.bool, device=series.device)
    x = series.permute(2, 0, 1).reshape(time, signals * n).double()
    past = torch.arange(time, device=x.device)[:, None] >= prepared.lengths.repeat(signals)
    finite = (x.isfinite() | past).all(0)
    x = x.masked_fill(~finite | past, 0.0)
    rows = x.shape[1]
    grid = _grid(count, rows, max(1, (time - 1) // (prepared.longest - 1)))
    sums = [torch.empty(grid[2], count, rows, dtype=torch.float64, device=x.device) for _ in range(2)]
    kernel: Any = dfa_steps.overlapping_ragged
    with torch.cuda.device(x.device) if x.is_cuda else nullcontext():
        kernel[grid](
            x, prepared.lengths.int().repeat(signals), prepared.entries.repeat(1, signals), prepared.sizes,
            prepared.constants, sums[0], sums[1], rows, BLOCK=BLOCK, **OPTIONS,
        )  # fmt: skip
    boxes, squares = (each.sum(0).mT.reshape(signals, n, count) for each in sums)
    s, known = prepared.scales.double(), prepared.scales > 0
    finite = finite.reshape(signals, n)
    cancelled = (known & (squares > CANCELLED * s * boxes)).any(-1) & finite
    factor = ((s - 1).clip(0) / s.clip(1)).sqrt() / (prepared.lengths[:, None] - s + 1)
    F = torch.where(known, boxes * factor, 0.0).sqrt()
    return F.masked_fill(~finite[..., None], torch.nan), cancelled


def _part(rows: Tensor, scales: NDArray[np.int64], order: int, unbiased: bool, backward: bool) -> Tensor:
    x = rows.double().T.contiguous()
    length = len(x)
    lengths = torch.as_tensor(scales, dtype=torch.float64, device=x.device)
    if not unbiased:
        boxes = _direct(x, scales, order, False, backward)
        result = (boxes / ((length // lengths) * (1 + backward))).sqrt()
    else:
        if order == 1:
            boxes, squares = _overlapping(x, scales)
            again = (squares > CANCELLED * lengths * boxes) & x.isfinite().all(0)[:, None]
            which, at = again.any(1), again.any(0).cpu().numpy()
            if at.any():
                places = torch.as_tensor(np.flatnonzero(at), device=x.device)
                fitted = _direct(x[:, which].contiguous(), scales[at], order, True, False)
                boxes[which.nonzero(), places] = fitted
        else:
            boxes = _direct(x, scales, order, True, False)
        result = (boxes * ((lengths - 1) / lengths).sqrt() / (length - lengths + 1)).sqrt()
    result[~x.isfinite().all(0)] = torch.nan
    return result


def _grid(scales: int, series: int, most: int) -> tuple[int, int, int]:
    """Return the grid (scale, block of series, part), with enough parts to fill the card but at most ``most``."""
    blocks = triton.cdiv(series, BLOCK)
    parts = triton.next_power_of_2(triton.cdiv(PROGRAMS, scales * blocks))
    return scales, blocks, max(1, min(parts, most))


def _overlapping(x: Tensor, scales: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Return the sums over overlapping boxes of the unbiased variance and of Σz², two (series, scale) tensors."""
    length, series = x.shape
    grid = _grid(len(scales), series, max(1, (length - 1) // (int(scales.max()) - 1)))
    sums = [torch.empty(grid[2], len(scales), series, dtype=torch.float64, device=x.device) for _ in range(2)]
    table = torch.as_tensor(constants(scales), device=x.device)
    lengths = torch.as_tensor(scales, dtype=torch.int32, device=x.device)
    kernel: Any = dfa_steps.overlapping
    kernel[grid](x, lengths, table, sums[0], sums[1], series, length, BLOCK=BLOCK, **OPTIONS)
    boxes, squares = (each.sum(0).mT for each in sums)
    return boxes, squares


def _direct(x: Tensor, scales: NDArray[np.int64], order: int, unbiased: bool, backward: bool) -> Tensor:
    """Return the sums over boxes of their variance, (series, scale), each box fitted in two passes."""
    length, series = x.shape
    grid = _grid(len(scales), series, max(1, length // int(scales.max())))
    sums = torch.empty(grid[2], len(scales), series, dtype=torch.float64, device=x.device)
    table = torch.as_tensor(constants(scales), device=x.device)
    bases = torch.as_tensor(polynomials(scales, order), device=x.device)
    lengths = torch.as_tensor(scales, dtype=torch.int32, device=x.device)
    kernel: Any = dfa_steps.direct
    kernel[grid](
        x, lengths, table, bases, sums, series, length, int(scales.max()),
        ORDER=order, UNBIASED=unbiased, BACKWARD=backward, BLOCK=BLOCK, **OPTIONS,
    )  # fmt: skip
    return sums.sum(0).mT

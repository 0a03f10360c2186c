"""DFA of tensors on a GPU; ``engine.kernels.cuda.dfa_steps`` holds the kernels.

Series whose residual is so far below their profile that the sums of a box cancel are computed again by fitting every
box.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Final

import numpy as np
import torch
import triton
from numpy.typing import NDArray
from torch import Tensor

from engine.kernels.cpu.dfa import CANCELLED, constants, polynomials
from engine.kernels.cuda import dfa_steps

Array = NDArray[np.float64]

BLOCK: Final = 128  # series of a program, one a thread
PROGRAMS: Final = 2048  # enough to fill a large card; fewer series share their boxes among more programs
CHUNK: Final = 2**27  # samples at once, 1 GB in float64
OPTIONS: Final[dict[str, Any]] = {"num_warps": 4, "num_stages": 1}


def fluctuations_cuda(
    series: Tensor, scales: NDArray[np.int64], order: int, unbiased: bool, backward: bool = False
) -> Array:
    """Compute F(s) of each row of ``series`` (n, time) at each scale, (n, scale), on the tensor's device.

    No scale may be longer than the series; a row with a sample that is not finite gets NaN.
    """
    rows = max(1, CHUNK // series.shape[-1])
    with torch.cuda.device(series.device) if series.is_cuda else nullcontext():
        parts = [_part(x, scales, order, unbiased, backward) for x in series.split(rows)]
    return torch.cat(parts).cpu().numpy()


def fluctuations_ragged(series: Tensor, lengths: NDArray[np.int64], scales: NDArray[np.int64]) -> tuple[Array, Array]:
    """Compute F(s) of series of unequal lengths by unbiased DFA of order 1, each at scales of its own.

    Parameters
    ----------
    series : (n, time) tensor
        NaN past the end of a series.
    lengths : (n,) array
        Number of samples of each series.
    scales : (n, scale) array
        Box lengths, none longer than its series; 0 where a series has fewer scales.

    Returns
    -------
    F : (n, scale) array
        NaN for a series with a sample that is not finite; 0 at a scale of 0.
    cancelled : (n,) bool array
        Series whose sums cancelled: their F is rounding, and their boxes must be fitted one by one.
    """
    order = np.argsort(-lengths, kind="stable")  # lanes of a program then take loops of nearly equal length
    x = series[torch.as_tensor(order, device=series.device)].double()
    size = torch.as_tensor(lengths[order], device=x.device)
    past = torch.arange(x.shape[1], device=x.device) >= size[:, None]
    finite = (x.isfinite() | past).all(1)
    x[~finite] = 0
    sizes, entries = np.unique(scales[order], return_inverse=True)
    entries = entries.reshape(scales.shape)
    if not sizes[0]:
        sizes, entries = sizes[1:], entries - 1
    rows, count = len(x), scales.shape[1]
    grid = _grid(count, rows, 1 if not len(sizes) else max(1, (x.shape[1] - 1) // (int(sizes.max()) - 1)))
    sums = torch.empty(2, grid[2], count, rows, dtype=torch.float64, device=x.device)
    kernel: Any = dfa_steps.overlapping_ragged
    with torch.cuda.device(x.device) if x.is_cuda else nullcontext():
        kernel[grid](
            x.T.contiguous(), size.int(), torch.as_tensor(entries.T.astype(np.int32), device=x.device).contiguous(),
            torch.as_tensor(sizes, dtype=torch.int32, device=x.device),
            torch.as_tensor(constants(sizes), device=x.device), sums[0], sums[1], rows,
            PARTS=grid[2], BLOCK=BLOCK, **OPTIONS,
        )  # fmt: skip
    boxes, squares = sums.sum(1).mT.cpu().numpy()  # (series, scale)
    s, known = scales[order].astype(np.float64), scales[order] > 0
    cancelled = (known & (squares > CANCELLED * s * boxes)).any(1) & finite.cpu().numpy()
    factor = np.where(known, np.sqrt((s - 1).clip(0) / s.clip(1)) / (lengths[order, None] - s + 1), 0)
    result = np.sqrt(boxes * factor)
    result[~finite.cpu().numpy()] = np.nan
    place = np.argsort(order)
    return result[place], cancelled[place]


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
    sums = torch.empty(2, grid[2], len(scales), series, dtype=torch.float64, device=x.device)
    table = torch.as_tensor(constants(scales), device=x.device)
    lengths = torch.as_tensor(scales, dtype=torch.int32, device=x.device)
    kernel: Any = dfa_steps.overlapping
    kernel[grid](x, lengths, table, sums[0], sums[1], series, length, PARTS=grid[2], BLOCK=BLOCK, **OPTIONS)
    boxes, squares = sums.sum(1).mT
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
        ORDER=order, UNBIASED=unbiased, BACKWARD=backward, PARTS=grid[2], BLOCK=BLOCK, **OPTIONS,
    )  # fmt: skip
    return sums.sum(0).mT

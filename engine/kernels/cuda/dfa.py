"""DFA of CUDA tensors in PyTorch: every box of every series at once.

The sums around an anchor every s − 1 points of ``engine.kernels.cpu.dfa`` become cumulative sums along both sides of
it, here for orders 1 to 3.  Series whose residual is far below their profile, so that the sums cancel, are computed
again on the CPU.
"""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from engine.kernels.cpu.dfa import CANCELLED, EPSILON, TINY, constants, fluctuations_fast, polynomials

Array = NDArray[np.float64]

CHUNK = 2**22  # samples at once; about thirty arrays of this size exist at the same time


def fluctuations_cuda(
    series: Tensor, scales: NDArray[np.int64], order: int, unbiased: bool, backward: bool = False
) -> Array:
    """Compute F(s) of each row of ``series`` (n, time) at each scale, (n, scale), on the tensor's device."""
    result = np.empty((len(series), len(scales)))
    rows = max(1, CHUNK // series.shape[-1])
    for first in range(0, len(series), rows):
        x = series[first : first + rows].double()
        columns = []
        cancelled = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        for i, s in enumerate(scales.tolist()):
            if unbiased:
                box, square = _overlapping(x, s, order, constants(scales[i : i + 1])[0])
                cancelled |= square.sum(-1) > CANCELLED * s * box.sum(-1)
                columns.append((box.mean(-1) * np.sqrt((s - 1) / s)).sqrt())
            else:
                box = _adjoining(x, s, order)
                if backward:
                    box = torch.cat((box, _adjoining(x[:, x.shape[-1] % s :], s, order)), -1)
                columns.append(box.mean(-1).sqrt())
        part = torch.stack(columns, -1)
        part[~x.isfinite().all(-1)] = torch.nan
        result[first : first + rows] = part.cpu().numpy()
        again = (cancelled & x.isfinite().all(-1)).cpu().numpy()
        if again.any():
            result[first : first + rows][again] = fluctuations_fast(x.cpu().numpy()[again], scales, order, True, False)
    return result


def _overlapping(x: Tensor, s: int, order: int, constant: Array) -> tuple[Tensor, Tensor]:
    """Return all overlapping boxes of scale s and their Σz², two (n, box) tensors."""
    n, length = x.shape
    p, half = s - 1, (s - 1) / 2
    anchors = (length - 1) // p
    steps = pad(x[:, 1:], (0, (anchors + 1) * p - length + 1)).reshape(n, anchors + 1, p)
    step = steps[:, :-1, -1:]
    # z at 0, 1 … p points behind each anchor and at 0, 1 … p − 1 points ahead of it.
    behind = pad(-(steps[:, :-1] - step).flip(-1).cumsum(-1), (1, 0))
    ahead = pad((steps[:, 1:, :-1] - step).cumsum(-1), (1, 0))
    u = torch.arange(s, dtype=x.dtype, device=x.device)
    sign = 1 - 2 * (u % 2)
    back = p - u[:-1]  # a box with u points ahead begins p − u behind

    def total(values_behind: Tensor, values_ahead: Tensor) -> Tensor:
        return values_behind.cumsum(-1)[..., 1:].flip(-1) + values_ahead.cumsum(-1)

    raw = [total((-u) ** k * behind, u[:-1] ** k * ahead) for k in range(order + 1)]
    square = total(behind**2, ahead**2)
    lag = total(pad(behind[..., 1:] * behind[..., :-1], (1, 0)), pad(ahead[..., 1:] * ahead[..., :-1], (1, 0)))
    alternating = sign[1:].flip(-1) * total(sign * behind, sign[:-1] * ahead)
    shift = back - half
    moments: list[Any] = [sum(comb(k, m) * shift ** (k - m) * raw[m] for m in range(k + 1)) for k in range(order + 1)]

    # The fit in the orthogonal polynomials 1, w, w² − mu, w³ − kappa w, of norms h.
    mu, kappa = (s * s - 1) / 12, (3 * s * s - 7) / 20
    h = (s, s * mu, s * mu * (s * s - 4) / 15, s * mu * (s * s - 4) * (s * s - 9) * 3 / 700)
    zero = torch.zeros_like(square)
    b0, b1 = moments[0] / h[0], moments[1] / h[1]
    b2 = (moments[2] - mu * moments[0]) / h[2] if order > 1 else zero
    b3 = (moments[3] - kappa * moments[1]) / h[3] if order > 2 else zero

    def fit(w: float) -> Tensor:
        return b0 + b1 * w + b2 * (w * w - mu) + b3 * (w**3 - kappa * w)

    first, last = behind[..., 1:].flip(-1), ahead
    begin, end, before, after = fit(-half), fit(half), fit(-half - 1), fit(half + 1)
    fitted = h[0] * b0**2 + h[1] * b1**2 + h[2] * b2**2 + h[3] * b3**2
    lag = lag - fitted - h[0] * b0 * b2 - 3 * h[1] * b1 * b3
    lag = lag + after * (last - end / 2) + before * (first - begin / 2)
    w = u - half
    signs = [float((sign * g).sum()) for g in (torch.ones_like(w), w, w * w - mu, w**3 - kappa * w)]
    mean = (alternating - b0 * signs[0] - b1 * signs[1] - b2 * signs[2] - b3 * signs[3]) / s
    box = _unbiased((square - fitted) / s, lag / s, mean, first - begin, last - end, step * step, constant)
    boxes = length - s + 1
    return box.reshape(n, -1)[:, :boxes], square.reshape(n, -1)[:, :boxes]


def _unbiased(
    variance: Tensor, lag: Tensor, mean: Tensor, first: Tensor, last: Tensor, size: Tensor, constant: Array
) -> Tensor:
    """The same as ``engine.kernels.cpu.dfa.unbiased_box``, for tensors."""
    by_s = float(constant[0])
    variance = (variance - EPSILON**2 / by_s * size).clamp(min=0)
    spread = torch.maximum(variance - mean * mean, variance * by_s**2 + TINY)
    ends = (first + float(constant[5]) * last) * by_s
    alternating = torch.minimum(torch.maximum(mean * (ends - (1 + by_s) * mean) - lag, -spread), spread)
    lag = torch.minimum(torch.maximum(lag, -variance), variance)
    return constant[6] * (2 * variance + lag + alternating * (variance / spread)) + constant[7] * variance


def _adjoining(x: Tensor, s: int, order: int) -> Tensor:
    """Return the mean squared residuals of adjoining boxes from the first sample on, (n, box)."""
    basis = torch.as_tensor(polynomials(np.array([s]), order)[0], device=x.device)
    steps = x.unfold(-1, s, s)
    step = steps[..., s // 2, None]
    z = pad((steps[..., 1:] - step).cumsum(-1), (1, 0))
    left = z - (z @ basis.mT) @ basis
    floor = EPSILON**2 * (s * step[..., 0] ** 2 + 64 * z.square().sum(-1))
    return (left.square().mean(-1) - floor).clamp(min=0)

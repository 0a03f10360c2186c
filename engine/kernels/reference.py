"""Fluctuation functions in plain NumPy, the reference for the tests of the fast kernels.

Every box has its own least-squares fit, and every formula is written as in its source.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def fluctuations_reference(
    series: Array, scales: NDArray[np.int64], order: int, unbiased: bool, backward: bool = False
) -> Array:
    """Compute F(s) of each row of ``series`` (n, time) at each scale, (n, scale); no scale longer than the series."""
    profile = np.cumsum(series - series.mean(axis=-1, keepdims=True), axis=-1)
    columns = []
    for scale in (int(s) for s in scales):
        boxes = np.lib.stride_tricks.sliding_window_view(profile, scale, axis=-1)  # (n, box, s)
        if unbiased:
            columns.append(_unbiased(_residuals(boxes, order)))
            continue
        chosen = boxes[:, ::scale]
        if backward:
            chosen = np.concatenate((chosen, boxes[:, ::-1][:, ::scale]), axis=1)
        columns.append(np.sqrt(np.mean(_residuals(chosen, order) ** 2, axis=(-2, -1))))
    return np.stack(columns, axis=-1)


def _residuals(boxes: Array, order: int) -> Array:
    """Return the residuals of a least-squares polynomial in each box (..., s)."""
    position = np.linspace(-1.0, 1.0, boxes.shape[-1])
    basis, _ = np.linalg.qr(np.vander(position, order + 1))
    return boxes - (boxes @ basis) @ basis.T


def _unbiased(residuals: Array) -> Array:
    """Yuan, Gu, Weng & Yang, Physica A 505 (2018) 179, over the residuals (n, box, s) of all overlapping boxes."""
    s = residuals.shape[-1]
    signs = np.where(np.arange(s) % 2 == 0, 1.0, -1.0)
    variance = np.var(residuals, axis=-1)
    correction = _correction(residuals) + _correction(residuals * signs)
    box = correction * (1 - 1 / (2 * s)) * variance
    return np.sqrt(np.mean(box, axis=-1) * np.sqrt((s - 1) / s))


def _correction(e: Array) -> Array:
    """Return ρ* of each box from its lag-one autocorrelation; finite in a flat box, where the variance makes it 0."""
    s = e.shape[-1]
    centred = e - e.mean(axis=-1, keepdims=True)
    variance = np.mean(centred**2, axis=-1)
    products = np.sum(centred[..., :-1] * centred[..., 1:], axis=-1)
    r = np.divide(products, s * variance, out=np.zeros_like(products), where=variance > 0)
    rho = s * (1 + r) / (2 * s - 1)
    return rho + (1 + 3 * rho) / (2 * s)

"""Rolling exponents after every word of many series at once, on the CPU or on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.fluctuation import TOO_SHORT, Exponents, RollingExponent, exponents, fluctuations, rolling_scales

CHUNK: Final = 2**26  # samples of windows at once


def rolling_exponents(series: ArrayLike | Tensor, window: int = 64, scales: Sequence[int] | None = None) -> Exponents:
    """Return unbiased DFA of order 1 over the last ``window`` samples after every sample, (n, time).

    Parameters
    ----------
    series : (n, time) array or tensor
        A tensor on a GPU is measured there, all windows of all series side by side.
    window : int
    scales : sequence of int, optional
        Box lengths; `engine.fluctuation.rolling_scales` of the window by default.

    Raises
    ------
    ValueError
        If the series are not (n, time), or a scale is longer than the window.
    """
    if np.ndim(series) != 2:
        raise ValueError(f"expected series (n, time), got {np.ndim(series)} dimensions")
    chosen = rolling_scales(window) if scales is None else tuple(scales)
    if isinstance(series, Tensor) and series.is_cuda:
        return exponents(window_fluctuations(series, window, chosen), chosen)
    values = np.asarray(series.detach() if isinstance(series, Tensor) else series)
    found = RollingExponent(chosen, window, len(values)).trace(np.ascontiguousarray(values.T))
    turned = {name: np.moveaxis(getattr(found, name), 0, 1) for name in ("alpha", "alpha_stderr", "r2", "reason", "F")}
    return Exponents(**turned, scales=found.scales)


def window_fluctuations(series: Tensor, window: int, scales: Sequence[int]) -> NDArray[np.float64]:
    """Return F of the window that ends at each sample, (n, time, scale), each window measured as a series."""
    n, time = series.shape
    F = np.full((n, time, len(scales)), TOO_SHORT)
    if time < window:
        return F
    rows = max(1, CHUNK // ((time - window + 1) * window))
    for first in range(0, n, rows):
        windows = series[first : first + rows].unfold(-1, window, 1)  # (n, place, window)
        F[first : first + rows, window - 1 :] = fluctuations(windows, scales)
    return F

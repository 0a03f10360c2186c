"""The samples of a series: which arrays are accepted, and the size of their rounding."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MANY: Final = 1 << 15
"""Samples from which on a kernel is faster than NumPy, its call included."""


def real_samples(series: ArrayLike) -> NDArray[Any]:
    """Return a series (..., time) as an array of its own precision; masked samples become NaN.

    Raises
    ------
    ValueError
        If the samples are complex or not numbers, or there is no time axis.
    """
    values: Any = series if isinstance(series, np.ma.MaskedArray) else np.asarray(series)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"expected real samples, got an array of {values.dtype}; pass its real part or its modulus")
    if values.ndim == 0:
        raise ValueError("expected an array of shape (..., time), got a single number")
    if isinstance(values, np.ma.MaskedArray):
        if values.dtype.kind != "f":
            values = values.astype(np.float64)
        return np.asarray(values.filled(np.nan))
    return values


def rounding_step(dtype: Any) -> float:
    """Return the spacing of numbers next to 1 in a precision below float64, and 0 for float64 and integers.

    The DFA kernels compute in float64 and discard the rounding of float64 samples themselves.
    """
    kind = np.dtype(dtype)
    return float(np.finfo(kind).eps) if kind.kind == "f" and kind.itemsize < 8 else 0.0


def largest_sample(values: NDArray[Any]) -> Array:
    """Return the largest absolute value of each series (..., time), (...)."""
    return np.asarray(np.abs(values).max(axis=-1, initial=0), dtype=np.float64)


def sum_over_cells(signal: NDArray[np.floating]) -> NDArray[np.floating]:
    """Sum a signal (..., cell) over cells in float64; the result has the signal's precision, which DFA needs."""
    if signal.dtype != np.float32 or signal.size < MANY or not signal.flags.c_contiguous:
        return signal.sum(axis=-1, dtype=np.float64).astype(signal.dtype)
    from engine.kernels.cpu.sums import sum_rows  # imports numba

    result = np.empty(signal.shape[:-1], dtype=np.float32)
    sum_rows(signal.reshape(-1, signal.shape[-1]), result.reshape(-1))
    return result


def scaling_powers(largest: ArrayLike) -> NDArray[np.int64]:
    """Return exponents p for series with these largest absolute samples, such that x · 2^−p has ordinary squares.

    0 where the squares are ordinary already: neither they nor their sums leave the range of float64.
    """
    size = np.asarray(largest, dtype=np.float64)
    extreme = np.isfinite(size) & (size > 0) & ((size < 2.0**-300) | (size > 2.0**300))
    return np.where(extreme, np.frexp(size)[1], 0).astype(np.int64)


def ordinary_samples(values: NDArray[Any]) -> tuple[Array, NDArray[np.int64]]:
    """Return series (..., time) of ordinary amplitude in float64, and the exponents (..., 1) that restore them."""
    powers = scaling_powers(largest_sample(values))[..., None]
    samples = np.asarray(values, dtype=np.float64)
    return (np.ldexp(samples, -powers) if powers.any() else samples), powers

"""The null of the estimators: exponents estimated from exact 1/f^β noise of the same length, at the same scales.

The bias and the spread of α depend on the length of the series and on the scales, so α alone is hard to interpret.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.devices import or_on_the_cpu
from engine.fluctuation import SCALES, exponents, fluctuations
from engine.noise import power_law_noise, power_law_parts
from engine.spectrum import spectral_exponents

BETAS = tuple(float(b) for b in np.arange(-0.5, 2.01, 0.25))
COUNT = 1000
_CHUNK: Final = 1 << 17  # values whose spectra are computed together
_STORED: Final = 1 << 23  # values of noise that are stored, 64 MiB


@dataclass(frozen=True)
class Null:
    """Estimates from many series of 1/f^β noise of one β.

    Attributes
    ----------
    beta : float
        True exponent of the spectrum; the true α is (β + 1)/2.
    alpha, alpha_spread : float
        Mean and standard deviation of α by DFA.
    low, high : float
        5 % and 95 % quantiles of α.
    spectral, spectral_spread : float
        Mean and standard deviation of β from the spectrum.
    """

    beta: float
    alpha: float
    alpha_spread: float
    low: float
    high: float
    spectral: float
    spectral_spread: float


@lru_cache(maxsize=1024)
def null_exponents(
    beta: float,
    length: int,
    scales: tuple[int, ...],
    order: int = 1,
    unbiased: bool = True,
    count: int = COUNT,
    device: str = "cpu",
) -> Null:
    """Estimate the exponents of ``count`` series of one β, on a device; reproducible and cached."""
    random = np.random.default_rng((length, round(1000 * (beta + 1))))
    if count * length <= _STORED:
        parts: Iterable[tuple[int, NDArray[np.float64]]] = [(0, power_law_noise(beta, length, count, random))]
    else:
        parts = power_law_parts(beta, length, count, random)
    F, spectral = np.empty((count, len(scales))), np.empty(count)
    for first, series in parts:
        here = slice(first, first + len(series))
        F[here] = _fluctuations(series, scales, order, unbiased, device)
        few = np.array_split(series, max(1, series.size // _CHUNK))
        spectral[here] = np.concatenate([spectral_exponents(each, scales).beta for each in few])
    alpha = exponents(F, scales).alpha
    low, high = np.quantile(alpha, (0.05, 0.95))
    numbers = (alpha.mean(), alpha.std(ddof=1), low, high, spectral.mean(), spectral.std(ddof=1))
    return Null(beta, *(float(number) for number in numbers))


def band(
    length: int,
    scales: Sequence[int] = SCALES,
    order: int = 1,
    unbiased: bool = True,
    *,
    betas: Sequence[float] = BETAS,
    count: int = COUNT,
    device: str = "cpu",
) -> tuple[Null, ...]:
    """Return the null for each of ``betas``, for series of ``length`` words at these scales.

    Raises
    ------
    ValueError
        If a scale is longer than the series, or another parameter is out of range.
    """
    if max(scales) > length:
        raise ValueError(f"a scale of {max(scales)} words is longer than a series of {length} words")
    return tuple(null_exponents(float(beta), length, tuple(scales), order, unbiased, count, device) for beta in betas)


def _fluctuations(
    series: NDArray[np.float64], scales: tuple[int, ...], order: int, unbiased: bool, device: str
) -> NDArray[np.float64]:
    return or_on_the_cpu(device, lambda on: fluctuations(_on(series, on), scales, order, unbiased))


def _on(series: NDArray[np.float64], device: str) -> Any:
    """Return an array as it is for the CPU, and as a tensor for a GPU."""
    if device == "cpu":
        return series
    import torch

    return torch.as_tensor(series, device=device)

"""The null of an exponent: what the estimators give for exact 1/f^β noise of the same length, at the same scales.

An α says little by itself: its bias and its spread depend on how long the series is and on which scales were fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.fluctuation import SCALES, exponents, fluctuations
from engine.noise import power_law_noise
from engine.spectrum import spectral_exponents

BETAS = tuple(float(b) for b in np.arange(-0.5, 2.01, 0.25))
COUNT = 1000


@dataclass(frozen=True)
class Null:
    """Estimates from many series of 1/f^β noise, all of one β.

    Attributes
    ----------
    beta : float
        The true exponent of the spectrum; the true α is (β + 1)/2.
    alpha, alpha_spread : float
        Mean and standard deviation of DFA's α.
    low, high : float
        Nine in ten α lie between these.
    spectral, spectral_spread : float
        Mean and standard deviation of the spectral β.
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
    beta: float, length: int, scales: tuple[int, ...], order: int = 1, unbiased: bool = True, count: int = COUNT
) -> Null:
    """The estimates of ``count`` series of one β; the same every time, and remembered."""
    random = np.random.default_rng((length, round(1000 * (beta + 1))))
    series = power_law_noise(beta, length, count, random)
    alpha = exponents(fluctuations(series, scales, order, unbiased), scales).alpha
    spectral = spectral_exponents(series, scales).beta
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
) -> tuple[Null, ...]:
    """The null for each of ``betas``, to be drawn behind exponents of series of ``length`` words at these scales.

    Raises
    ------
    ValueError
        If a scale does not fit the length, or another parameter is out of its range.
    """
    if max(scales) > length:
        raise ValueError(f"a scale of {max(scales)} words does not fit a series of {length}")
    return tuple(null_exponents(float(beta), length, tuple(scales), order, unbiased, count) for beta in betas)

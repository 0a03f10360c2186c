"""Exact Gaussian 1/f^β noise: every finite sample has the covariance of the process.

The process is fractionally differenced noise, ARFIMA(0, β/2, 0) (Hosking, Biometrika 68 (1981) 165), of power spectrum
|2 sin πf|^(−β).  Fractional Gaussian noise and its sum, fractional Brownian motion, have other high frequencies: DFA of
500 samples at scales 10 … 125 gives a β that is up to 0.15 apart for the same exponent.
The usual filtering of white noise in the Fourier domain gives a periodic series with too little power at the low
frequencies that DFA measures; circulant embedding (Davies & Harte, Biometrika 74 (1987) 95) is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from math import lgamma
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from engine import interruption

Array = NDArray[np.float64]

_CHUNK: Final = 1 << 17  # values of one part of the series that are transformed together, about 10 MiB
_STORED: Final = 1 << 23  # random numbers that are stored, 64 MiB


def power_law_noise(beta: float, length: int, count: int, random: np.random.Generator) -> Array:
    """Draw ``count`` independent series of 1/f^β noise with unit innovations, (count, length).

    For β < 1 the noise is stationary.  For β ≥ 1 it is the cumulative sum of noise of exponent β − 2, as Brownian
    motion (β = 2) is the cumulative sum of white noise.

    Raises
    ------
    ValueError
        If β is outside [−1, 3).
    """
    series = np.empty((count, length))
    for first, part in power_law_parts(beta, length, count, random):
        series[first : first + len(part)] = part
    return series


def power_law_parts(beta: float, length: int, count: int, random: np.random.Generator) -> Iterator[tuple[int, Array]]:
    """Draw the series of `power_law_noise` in parts of about a MiB: yields the index of the first series of a part, and
    the part, (series, length)."""
    if not -1 <= beta < 3:
        raise ValueError(f"expected β in [−1, 3), got {beta}")
    if beta >= 1:
        for first, part in power_law_parts(beta - 2, length, count, random):
            yield first, np.cumsum(part, axis=-1)
        return
    gamma = covariance(beta, length + 1)
    # The spectrum of the circulant embedding is non-negative up to rounding.
    power = np.fft.fft(np.concatenate((gamma, gamma[-2:0:-1]))).real.clip(min=0)
    pairs = (count + 1) // 2
    scale = np.sqrt(power / (2 * length))
    rows = max(1, _CHUNK // length)
    # All real parts are drawn before the imaginary ones. Too many to be stored are drawn twice.
    imaginary, reals = random, None
    if 2 * length * pairs <= _STORED:
        reals = random.standard_normal((pairs, 2 * length))
    else:
        imaginary = deepcopy(random)
        for first in range(0, pairs, rows):
            interruption.allow()
            imaginary.standard_normal((min(rows, pairs - first), 2 * length))
    for first in range(0, pairs, rows):
        interruption.allow()
        shape = min(rows, pairs - first), 2 * length
        real = random.standard_normal(shape) if reals is None else reals[first : first + rows]
        both = np.fft.fft((real + 1j * imaginary.standard_normal(shape)) * scale)[:, :length]
        yield first, both.real
        if pairs + first < count:
            yield pairs + first, both.imag[: count - pairs - first]
    if reals is None:
        random.bit_generator.state = imaginary.bit_generator.state


def heavy_tailed_noise(beta: float, length: int, count: int, random: np.random.Generator) -> Array:
    """Draw series as `power_law_noise`, but with Student-t innovations of 3 degrees of freedom, (count, length).

    The moving average of the process is cut after four times the length of the series.
    """
    if beta >= 1:
        return np.cumsum(heavy_tailed_noise(beta - 2, length, count, random), axis=-1)
    burn = 4 * length
    lag = np.arange(1, burn + length)
    weights = np.cumprod(np.append(1.0, (lag - 1 + beta / 2) / lag))
    innovations = random.standard_t(3, (count, burn + length))
    size = next_fast_len(burn + 2 * length, real=True)  # what wraps around ends in the burn-in
    spectrum = rfft(innovations, size) * rfft(weights, size)
    return np.asarray(irfft(spectrum, size)[:, burn : burn + length])


def covariance(beta: float, length: int) -> Array:
    """Return γ(0) … γ(length − 1) of stationary 1/f^β noise with unit innovations, −1 ≤ β < 1."""
    d = beta / 2
    lag = np.arange(1, length)
    return np.exp(lgamma(1 - 2 * d) - 2 * lgamma(1 - d)) * np.cumprod(np.append(1.0, (lag - 1 + d) / (lag - d)))

"""Surrogates of a series: what its exponent would be if it had only some of the series' properties.

* ``shuffled`` keeps the values: any memory is gone.
* ``ar1`` has the mean, the variance and the lag-one correlation: a memory of one time constant.
* ``iaaft`` keeps the values and, nearly, the power spectrum (Schreiber & Schmitz, Phys. Rev. Lett. 77 (1996) 635):
  linear correlations remain, every other structure is gone.

An exponent that differs from that of its AR(1) surrogates is more than one time constant; one that differs from that of
its IAAFT surrogates is more than its power spectrum.  `halves` shows whether it is stationary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, rfft
from scipy.signal import lfilter

from engine.fluctuation import SHORTEST_SERIES, default_scales, exponents, fluctuations
from engine.samples import ordinary_samples, real_samples

Array = NDArray[np.float64]

ITERATIONS: Final = 100  # of IAAFT, unless it converges before
_SAMPLES: Final = 1 << 22  # of surrogates made together


def shuffled(series: ArrayLike, random: np.random.Generator) -> Array:
    """Return each series (..., time) in random order."""
    return random.permuted(_samples(series), axis=-1)


def ar1(series: ArrayLike, random: np.random.Generator) -> Array:
    """Return a stationary Gaussian AR(1) process with the mean, variance and lag-one correlation of each series."""
    values = _samples(series)
    mean = values.mean(axis=-1, keepdims=True)
    centred = values - mean
    variance = (centred**2).mean(axis=-1, keepdims=True)
    products = (centred[..., 1:] * centred[..., :-1]).sum(axis=-1, keepdims=True)
    total = (centred**2).sum(axis=-1, keepdims=True)
    rho = np.divide(products, total, out=np.zeros_like(total), where=total > 0)
    innovations = random.standard_normal(values.shape) * np.sqrt(1 - rho**2)
    innovations[..., 0] = random.standard_normal(values.shape[:-1])  # from the stationary distribution
    made = np.empty_like(values)
    for index in np.ndindex(*values.shape[:-1]):
        made[index] = lfilter([1.0], [1.0, -rho[index][0]], innovations[index])
    return mean + np.sqrt(variance) * made


def iaaft(series: ArrayLike, random: np.random.Generator) -> Array:
    """Return a surrogate with the values of each series and, nearly, its power spectrum."""
    values = _samples(series)
    ordered = np.sort(values, axis=-1)
    amplitude = np.abs(rfft(values))
    places = np.broadcast_to(np.arange(values.shape[-1]), values.shape)
    made = random.permuted(values, axis=-1)
    before = ranks = np.empty(values.shape, dtype=np.intp)
    for step in range(ITERATIONS):
        spectrum = rfft(made)
        size = np.abs(spectrum)
        phase = np.divide(spectrum, size, out=np.ones_like(spectrum), where=size > 0)
        order = np.argsort(irfft(amplitude * phase, values.shape[-1]), axis=-1)
        before, ranks = ranks, np.empty_like(order)
        np.put_along_axis(ranks, order, places, axis=-1)
        made = np.take_along_axis(ordered, ranks, axis=-1)
        if step and np.array_equal(before, ranks):
            break
    return made


KINDS: Final[Mapping[str, Callable[[ArrayLike, np.random.Generator], Array]]] = MappingProxyType(
    {"shuffled": shuffled, "ar1": ar1, "iaaft": iaaft}
)


@dataclass(frozen=True, eq=False)
class SurrogateBetas:
    """β of each series (...), of its surrogates by kind (surrogate, ...), and of its ``halves`` (2, ...)."""

    beta: Array
    surrogates: Mapping[str, Array]
    halves: Array


def surrogate_betas(series: ArrayLike, count: int = 19, seed: int = 0) -> SurrogateBetas:
    """Measure β of series (..., time) by unbiased DFA at `default_scales`, and of ``count`` surrogates of each kind.

    The halves have the default scales of their own length; NaN where that is too short.

    Raises
    ------
    ValueError
        If the series is too short for DFA, or a sample is not finite.
    """
    values, _ = ordinary_samples(_samples(series))  # β does not depend on the amplitude
    random = np.random.default_rng(seed)
    at_once = max(1, _SAMPLES // max(1, values.size))
    parts = [min(at_once, count - first) for first in range(0, count, at_once)]
    surrogates = {
        kind: np.concatenate([_beta(make(np.broadcast_to(values, (part, *values.shape)), random)) for part in parts])
        for kind, make in KINDS.items()
    }
    middle = values.shape[-1] // 2
    halves = np.full((2, *values.shape[:-1]), np.nan)
    if middle >= SHORTEST_SERIES:
        halves = np.stack((_beta(values[..., :middle]), _beta(values[..., -middle:])))
    return SurrogateBetas(_beta(values), surrogates, halves)


def _beta(values: Array) -> Array:
    scales = default_scales(values.shape[-1])
    return exponents(fluctuations(values, scales), scales).beta


def _samples(series: ArrayLike) -> Array:
    values = real_samples(series).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("surrogates need finite samples; cut the series where it has NaN or infinity")
    return values
